"""Several views of a line read it together: the readings of each are judged by all of them.

Independent CTC models place their peaks in other frames, so the mean of their emissions is worth
little, and a vote throws their doubts away. Here the readings that the beam search found in any
view are scored under every view (all paths summed) and by the language model; the best joint score
wins. A view is a model, or another version of the picture.
A line of whose reading the first view is sure enough is not shown to the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from odia_ocr.errors import UsageError
from odia_ocr.language import Alphabet
from odia_ocr.recognize.augment import View, check_views
from odia_ocr.recognize.ctc import load as load_ctc
from odia_ocr.recognize.ctc import read_calibration
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.forward import score_labels
from odia_ocr.runtime import find_members
from odia_ocr.types import Candidates, Emission, Hypothesis, LineImage, Problem

VERSIONS = ("wide", "narrow")  # in which a model without others sees each line as well
_PROPOSALS = 4  # readings of each view
# Shows 46 % of the lines to all views; showing all of them leaves 2 % fewer errors (LOG.md).
_SURE = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class JointRecognizer:
    """Views and the beam search that makes their candidates.

    Attributes:
        name: E.g. "joint-3".
        views: The first one's spans and symbols are given where it found the reading too.
        decoder: Its language model and weights also judge the joint candidates; its `nbest` is how
            many readings each member proposes.
        weights: Of the views; empty counts all alike.
        sure: Posterior from which on the first view's reading stands; above 1 all views read all.
        calibration: Values of a confidence fit for joint readings.
    """

    name: str
    views: tuple[View, ...]
    decoder: BeamDecoder
    weights: tuple[float, ...] = ()
    sure: float = 2.0
    calibration: dict[str, object] | None = None

    def __post_init__(self) -> None:
        check_views(self.name, self.views)

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines; see `odia_ocr.types.Recognizer`."""
        first = self.views[0].emit(lines)
        readings = [self.decoder(emission) for emission in first]
        again = [i for i, hyps in enumerate(readings) if not self._is_sure(hyps)]
        others = [view.emit([lines[i] for i in again]) for view in self.views[1:]] if again else []
        found: list[Candidates | Problem] = [
            Candidates(emission.line_id, tuple(hyps))
            for emission, hyps in zip(first, readings, strict=True)
        ]
        for i, *more in zip(again, *others, strict=True):
            found[i] = self._judge([first[i], *more], readings[i])
        return found

    def join(self, emissions: Sequence[Emission]) -> Candidates:
        """The candidates of one line that all views saw.

        `optical_logp` is the weighted mean over views, `posterior` the share among candidates. What
        all views judged names this recognizer as its source.
        """
        return self._judge(emissions, self.decoder(emissions[0]))

    def read_emissions(self, emissions: Sequence[Emission]) -> Candidates:
        """As `read`, of one line whose emissions in all views are there already."""
        first = self.decoder(emissions[0])
        if self._is_sure(first):
            return Candidates(emissions[0].line_id, tuple(first))
        return self._judge(emissions, first)

    def _is_sure(self, hyps: Sequence[Hypothesis]) -> bool:
        return (hyps[0].posterior or 0.0) >= self.sure

    def _judge(self, emissions: Sequence[Emission], first: Sequence[Hypothesis]) -> Candidates:
        """`join`, where the first view's readings are known."""
        found = {hyp.text: hyp for hyp in first}
        for emission in emissions[1:]:
            for hyp in self.decoder(emission):
                found.setdefault(hyp.text, hyp)
        texts = list(found)
        alphabet = Alphabet(emissions[0].alphabet)
        labels = [alphabet.encode(text) for text in texts]
        weights = self.weights or (1.0,) * len(emissions)
        optical = [0.0] * len(texts)
        for weight, emission in zip(weights, emissions, strict=True):
            for i, logp in enumerate(score_labels(emission.log_probs, labels)):
                optical[i] += weight / sum(weights) * logp
        fusion, lm = self.decoder.fusion, self.decoder.lm
        scores = []
        for i, text in enumerate(texts):
            scores.append(optical[i])
            if lm is not None:
                scores[i] += fusion.weigh(lm, text)
        best = max(scores)
        total = sum(math.exp(score - best) for score in scores)
        hyps = [
            replace(
                found[text],
                optical_logp=min(0.0, optical[i]),
                posterior=math.exp(scores[i] - best) / total,
                source=self.name,
            )
            for i, text in enumerate(texts)
        ]
        hyps.sort(key=lambda hyp: -(hyp.posterior or 0.0))
        if not hyps[0].symbols:  # a blank line has no rivals
            del hyps[1:]
        return Candidates(emissions[0].line_id, tuple(hyps))


def load(model: str | None = None, *, threads: int | None = None) -> JointRecognizer:
    """The shipped models together; or an ONNX file, which also sees each line wider and narrower.

    Raises:
        ModelMissingError: As `odia_ocr.recognize.ctc.load`.
        UsageError: If the file was not made for beam search with the shipped language model.
    """
    first = load_ctc(model, threads=threads)
    if not isinstance(first.decoder, BeamDecoder):
        raise UsageError(f"{first.name} has no beam search to join readings with.")
    members = [] if model else find_members("ctc")
    others = [View(load_ctc(str(path), threads=threads)) for path in members]
    views = (View(first), *(others or [View(first, version) for version in VERSIONS]))
    return JointRecognizer(
        name=f"joint-{len(views)}",
        views=views,
        decoder=replace(first.decoder, nbest=_PROPOSALS),
        sure=_SURE,
        calibration=read_calibration(first.session, "joint"),
    )
