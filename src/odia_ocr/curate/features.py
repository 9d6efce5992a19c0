"""What models make of a line nobody has labelled: a reading, doubts, and what it looks like.

Doubts are told in three ways that fail differently: the calibrated confidence of the reading, other
views of the line that read it otherwise, and a language that is surprised by what was read. The
embedding holds which letters a line has, which of them the model wavers between and how its ink
lies, so that lines can be compared. Refuses to know true texts and what is chosen.

Sources: Ash et al. 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds"
(the gradient of the output layer as an embedding, summed over frames here); Reul et al. 2018,
"Improving OCR accuracy on early printed books by combining pretraining, voting, and active
learning" (arXiv 1802.10038: where voters disagree is where labels help).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from odia_ocr.correct.calibrate import load_for
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import InputError
from odia_ocr.language import align, fold, split_clusters
from odia_ocr.language.ngram import NgramModel
from odia_ocr.line_reading import LineReader, rate_clusters
from odia_ocr.recognize import open_recognizer
from odia_ocr.recognize.augment import View
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.joint import load as load_joint
from odia_ocr.recognize.line_tensor import Geometry, line_to_pixels
from odia_ocr.types import Candidates, Corrector, Emission, FloatArray, LineImage, Problem, Reading

_BATCH = 32
_GREYS = 8  # bins of the histogram of grey values
# How much letters, wavering and ink count in an embedding.
_WEIGHTS = (1.0, 0.8, 0.5)
_UNSCORED = 0.5  # doubt of a cluster whose reading carries no confidence


@dataclass(frozen=True, slots=True, eq=False)
class LineFeatures:
    """What is known of a line without its text.

    Attributes:
        id: Of the line in its pool.
        text: What was read, the draft.
        confidence: Calibrated P(the whole line is right), 0..1, or None.
        clusters: Grapheme clusters of `text`.
        doubts: P(wrong) of each, 0..1, calibrated where the model is.
        dissent: Share of the other views that read something else there, 0..1 each.
        rivals: Clusters that other views read instead, with the share of views that do.
        sureness: Mean probability of a cluster by the picture alone, 0..1; 0 of an empty reading.
        surprise: Of the language model, nats for each symbol it speaks about.
        embedding: float32 (D,) of unit length.
    """

    id: str
    text: str
    confidence: float | None
    clusters: tuple[str, ...]
    doubts: tuple[float, ...]
    dissent: tuple[float, ...]
    rivals: tuple[tuple[str, float], ...]
    sureness: float
    surprise: float
    embedding: FloatArray  # (D,)

    @property
    def doubt(self) -> float:
        """Mean P(wrong) of a cluster, 0..1; 1 of an empty reading."""
        return sum(self.doubts) / len(self.doubts) if self.doubts else 1.0

    @property
    def disagreement(self) -> float:
        """Mean dissent of a cluster, 0..1; 1 of an empty reading that others do not share."""
        if self.dissent:
            return sum(self.dissent) / len(self.dissent)
        return 1.0 if self.rivals else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class FeatureReader:
    """Views of lines that are asked what they make of them.

    Attributes:
        views: The first one reads, unless an engine does; the others are compared with it.
        decoder: Of the first view's readings.
        corrector: Gives them confidence.
        engine: Reads instead of the first view, which then is one of the others.
    """

    views: tuple[View, ...]
    decoder: BeamDecoder
    corrector: Corrector
    engine: LineReader | None = None

    def read(self, lines: Sequence[LineImage]) -> list[LineFeatures | Problem]:
        """The features of line pictures, in order; a Problem where the engine cannot read one."""
        seen = [view.emit(lines) for view in self.views]
        readings: Sequence[Reading | Problem]
        if self.engine is not None:
            readings, others = self.engine.read_lines(lines), seen
        else:
            readings, others = [self._decode(emission) for emission in seen[0]], seen[1:]
        return [
            replace(reading, line_id=line.id)
            if isinstance(reading, Problem)
            else self._describe(line, reading, emission, [other[i] for other in others])
            for i, (line, reading, emission) in enumerate(
                zip(lines, readings, seen[0], strict=True)
            )
        ]

    def _decode(self, emission: Emission) -> Reading:
        return self.corrector(Candidates(emission.line_id, self.decoder(emission)))

    def _describe(
        self, line: LineImage, reading: Reading, emission: Emission, others: Sequence[Emission]
    ) -> LineFeatures:
        clusters = split_clusters(reading.text)
        votes = _compare(clusters, [_read_path(other) for other in others])
        shown = rate_clusters(reading)
        return LineFeatures(
            id=line.id,
            text=reading.text,
            confidence=reading.confidence,
            clusters=tuple(clusters),
            doubts=_doubt(reading, len(clusters)),
            dissent=votes.dissent,
            rivals=votes.rivals,
            sureness=sum(shown) / len(shown) if shown else 0.0,
            surprise=_surprise(self.decoder.lm, reading.text),
            embedding=embed_line(line, emission, self.views[0].model.geometry),
        )


def open_features(engine: str = "ctc", *, threads: int | None = None) -> FeatureReader:
    """An engine and the views it is compared with.

    A CTC engine is compared with its further models, or with other versions of each picture. Any
    other engine is compared with the shipped CTC models, which also say what lines look like.

    Args:
        engine: "ctc", "ctc:FILE.onnx", or any engine of `odia_ocr.recognize.ENGINES`.
        threads: To compute with; None takes all cores this process may use.

    Raises:
        OdiaOcrError: As `odia_ocr.recognize.open_recognizer`.
    """
    kind, _, model = engine.partition(":")
    joint = load_joint(model if kind == "ctc" and model else None, threads=threads)
    corrector = load_for(joint.views[0].model)
    if kind == "ctc":
        return FeatureReader(joint.views, joint.decoder, corrector)
    recognizer = open_recognizer(engine, threads=threads)
    reads = LineReader(recognizer, load_for(recognizer))
    return FeatureReader(joint.views, joint.decoder, corrector, reads)


def read_features(
    lines: Iterable[Sample],
    reader: FeatureReader,
    *,
    progress: Callable[[int], None] = lambda done: None,
) -> Iterator[LineFeatures | Problem]:
    """The features of lines, in order; a Problem in the place of a picture that cannot be read."""
    waiting: list[LineImage] = []
    for sample in lines:
        try:
            waiting.append(LineImage(sample.id, sample.picture.load()))
        except InputError as error:
            yield Problem(error.code, error.message, error.next_step, line_id=sample.id)
            progress(1)
        if len(waiting) == _BATCH:
            yield from reader.read(waiting)
            progress(len(waiting))
            waiting.clear()
    yield from reader.read(waiting) if waiting else ()
    progress(len(waiting))


@dataclass(frozen=True, slots=True)
class _Votes:
    dissent: tuple[float, ...]
    rivals: tuple[tuple[str, float], ...]


def _compare(clusters: Sequence[str], others: Sequence[str]) -> _Votes:
    """Where other readings of a line differ from its clusters."""
    dissent = [0.0] * len(clusters)
    rivals: dict[str, float] = {}
    for text in others:
        share = 1 / len(others)
        at = 0
        for pair in align(list(clusters), split_clusters(text)):
            if fold(pair.reference) != fold(pair.hypothesis):
                # What others read beside the clusters speaks against the one before it.
                place = at if pair.reference else at - 1
                if 0 <= place < len(dissent):
                    dissent[place] = min(1.0, dissent[place] + share)
                if pair.hypothesis.strip():
                    rivals[pair.hypothesis] = rivals.get(pair.hypothesis, 0.0) + share
            at += bool(pair.reference)
    return _Votes(tuple(dissent), tuple(rivals.items()))


def _read_path(emission: Emission) -> str:
    return GreedyDecoder()(emission)[0].text


def _doubt(reading: Reading, count: int) -> tuple[float, ...]:
    if len(reading.cluster_confidence) == count:
        return tuple(1 - value for value in reading.cluster_confidence)
    return (_UNSCORED,) * count


def _surprise(lm: NgramModel | None, text: str) -> float:
    judged = lm.judge(text) if lm is not None else None
    return -judged.logp / judged.symbols if judged and judged.symbols else 0.0


def embed_line(line: LineImage, emission: Emission, geometry: Geometry) -> FloatArray:
    """A line as a vector of unit length, float32 (D,); D depends on the model alone.

    Parts: the letters it has (mean probabilities), the letters the model wavers between (the
    gradient of its output layer, were its own best path right, in absolute value), the profile of
    its ink from top to bottom and its grey values.
    """
    shares = np.exp(emission.log_probs)  # (T, V)
    gradient = shares.copy()
    best = shares.argmax(axis=1)
    gradient[np.arange(len(best)), best] -= 1
    pixels = line_to_pixels(line.pixels, geometry)
    ink = (255.0 - pixels).mean(axis=1)  # (height,)
    greys = np.histogram(pixels, bins=_GREYS, range=(0, 256))[0]
    parts = (
        np.sqrt(shares[:, 1:].sum(axis=0)),
        np.sqrt(np.abs(gradient[:, 1:]).sum(axis=0)),
        np.concatenate([_unit(ink), _unit(np.sqrt(greys))]),
    )
    joined = np.concatenate(
        [weight * _unit(part) for weight, part in zip(_WEIGHTS, parts, strict=True)]
    )
    return np.asarray(_unit(joined), np.float32)


def _unit(vector: np.ndarray) -> np.ndarray:
    length = math.sqrt(float((vector.astype(np.float64) ** 2).sum()))
    return vector / length if length > 0 else vector
