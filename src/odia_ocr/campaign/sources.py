"""The steps of a stack before sources are fused: emissions and candidates, each kept on disk."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from odia_ocr.campaign.cache import Kept, Store, digest_code
from odia_ocr.campaign.cost import Clock, Cost, read_cost
from odia_ocr.campaign.engines import LM_NAME, LM_SUFFIX, Engines, digest_language_model
from odia_ocr.campaign.packing import (
    Outcome,
    PackedEmissions,
    pack_candidates,
    pack_emissions,
    unpack_candidates,
    unpack_emissions,
)
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.stack import Stack
from odia_ocr.correct.dictionary import RIVALS
from odia_ocr.errors import RecognitionError
from odia_ocr.language.ngram import NgramModel, open_ngram_model
from odia_ocr.recognize.augment import VersionRecognizer, View
from odia_ocr.recognize.averaging import average_emissions
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.decode.sampling import SamplingDecoder
from odia_ocr.recognize.joint import JointRecognizer
from odia_ocr.recognize.vlm.decoding import VlmDecoding, WritingRecognizer
from odia_ocr.recognize.vlm.naming import join_engines
from odia_ocr.runtime import find_weights
from odia_ocr.types import Candidates, Decoder, Emission, LineImage

# Posterior from which a joint reading shows a line to its first view alone: 66 % of 2,000 check
# lines are shown to all then, and 1.93 % of the letters are wrong instead of 1.91 % (LOG.md).
_SURE = 0.95
_JOINT = "joint"  # names the source of readings that all views judged
_PORTION = 128  # pictures in memory at once
_BEAMS = 8  # of an engine that writes: each costs as much as a reading
_EMITTING = ("recognize/ctc.py", "recognize/line_tensor.py", "recognize/augment.py", "types.py")
CHOOSING = ("recognize", "language", "types.py", "campaign/packing.py", "campaign/sources.py")
_ReadLine = Callable[[Sequence[Emission]], Candidates]


@dataclass(frozen=True, slots=True)
class Source:
    """Candidates of all lines from one emission, and what they cost."""

    outcomes: list[Outcome]
    cost: Cost


@dataclass(frozen=True, slots=True)
class Emitted:
    """Emissions of one view of all lines, and what they cost."""

    emissions: PackedEmissions
    cost: Cost


@dataclass(frozen=True, slots=True, eq=False)
class SourceReader:
    """Computes what stacks fuse.

    Attributes:
        engines: The recognizers.
        store: Keeps every step.
    """

    engines: Engines
    store: Store

    def find(self, stack: Stack, bench: Bench) -> list[Source]:
        """Candidates of every source of a stack; of the first one alone where none is combined."""
        names = stack.engines if stack.combine or stack.average else stack.engines[:1]
        emitting = [name for name in names if self.engines.find_ctc(name, stack.threads)]
        views = [(name, version) for name in emitting[:1] for version in stack.versions]
        views += [(name, "as-is") for name in emitting[1:]]
        together = bool(stack.average) or stack.combine == "joint"
        groups = [views] if together and views else [[view] for view in views]
        if not (stack.combine or stack.average):
            groups = groups[:1]
        sources = [self._decode(stack, group, bench) for group in groups]
        others = [name for name in names if name not in emitting]
        if stack.average and others:
            others = [join_engines(names)]
        return sources + [
            self._recognize(name, version, stack, bench)
            for name in others
            for version in (stack.versions if name == names[0] else ("as-is",))
        ]

    def _decode(self, stack: Stack, views: list[tuple[str, str]], bench: Bench) -> Source:
        """Candidates of the (mean) emission of some views."""
        emitted = [self.emit(name, version, stack.threads, bench) for name, version in views]
        decoding = {
            "temperature": stack.temperature,
            "decode": stack.decode,
            **_describe_decoder(stack),
        }
        key = {
            "step": "candidates",
            "views": [
                [self.engines.describe(name, stack.threads), version] for name, version in views
            ],
            "average": stack.average if len(views) > 1 else "",
            "joint": _SURE if stack.combine == "joint" else False,
            **decoding,
            "set": bench.digest,
        }

        def compute() -> Kept:
            clock = Clock.start()
            read = self._make_line_reader(stack, views)
            outcomes: list[Outcome] = [
                read(emissions)
                for emissions in zip(*(entry.emissions for entry in emitted), strict=True)
            ]
            return Kept(pack_candidates(outcomes), asdict(clock.stop()))

        kept = self.store.keep(key, compute, code=digest_code(CHOOSING))
        outcomes = unpack_candidates(kept.arrays)
        shown = _share_shown(outcomes) if stack.combine == "joint" else 1.0
        cost = read_cost(kept.facts) + emitted[0].cost
        cost = sum((entry.cost.share(shown) for entry in emitted[1:]), cost)
        return Source(outcomes, cost)

    def _make_line_reader(self, stack: Stack, views: list[tuple[str, str]]) -> _ReadLine:
        """What makes candidates of a line's emissions, one of each view."""
        decoder = make_decoder(stack)
        if stack.combine == "joint" and isinstance(decoder, BeamDecoder):
            models = [(self.engines.find_ctc(name, stack.threads), kind) for name, kind in views]
            seen = tuple(View(model, kind) for model, kind in models if model is not None)
            joint = JointRecognizer(_JOINT, seen, decoder, sure=_SURE)
            return lambda emissions: joint.read_emissions([_heat(e, stack) for e in emissions])

        def read(emissions: Sequence[Emission]) -> Candidates:
            emission = emissions[0]
            if len(emissions) > 1 and stack.average:
                emission = average_emissions(emissions, how=stack.average)
            return Candidates(emission.line_id, decoder(_heat(emission, stack)))

        return read

    def emit(self, name: str, version: str, threads: int, bench: Bench) -> Emitted:
        """Emissions of a CTC engine for one version of all lines.

        Raises:
            RecognitionError: If the engine gives none, or breaks its contract.
        """
        key = {
            "step": "emissions",
            "engine": self.engines.describe(name, threads),
            "version": version,
            "set": bench.digest,
        }

        def compute() -> Kept:
            recognizer = self.engines.find_ctc(name, threads)
            if recognizer is None:
                raise RecognitionError(f"{name} gives no emissions.")
            view = View(recognizer, version)
            emissions: list[Emission] = []
            cost = Cost()
            for images in _load_portions(bench):
                clock = Clock.start()
                some = view.emit(images)
                cost += clock.stop()
                _check_ids(name, images, [emission.line_id for emission in some])
                emissions += some
            return Kept(pack_emissions(emissions), asdict(cost))

        kept = self.store.keep(key, compute, code=digest_code(_EMITTING))
        return Emitted(unpack_emissions(kept.arrays), read_cost(kept.facts))

    def _recognize(self, name: str, version: str, stack: Stack, bench: Bench) -> Source:
        """Candidates of an engine without emissions; one that writes is told how to."""
        recognizer = self.engines.find(name, stack.threads)
        key = {
            "step": "candidates",
            "engine": self.engines.describe(name, stack.threads),
            "set": bench.digest,
        }
        if isinstance(recognizer, WritingRecognizer):
            writing = _choose_writing(stack)
            key["writing"] = asdict(writing)
            recognizer = recognizer.with_decoding(writing)
        if version != "as-is":
            key["version"] = version
            recognizer = VersionRecognizer(recognizer, version)
        read = recognizer.read

        def compute() -> Kept:
            outcomes: list[Outcome] = []
            cost = Cost()
            for images in _load_portions(bench):
                clock = Clock.start()
                some = read(images)
                cost += clock.stop()
                _check_ids(name, images, [outcome.line_id or "" for outcome in some])
                outcomes += some
            return Kept(pack_candidates(outcomes), asdict(cost))

        kept = self.store.keep(key, compute, code=digest_code(CHOOSING))
        return Source(unpack_candidates(kept.arrays), read_cost(kept.facts))


@functools.lru_cache(maxsize=1)
def open_language_model() -> NgramModel:
    """The shipped language model, opened once."""
    return open_ngram_model(find_weights(LM_NAME, LM_SUFFIX))


def make_decoder(stack: Stack) -> Decoder:
    """The decoder that a stack asks for; the correction dictionary wants more rivals."""
    decoder = _make_plain_decoder(stack)
    return replace(decoder, alternatives=RIVALS) if stack.correct else decoder


def _make_plain_decoder(stack: Stack) -> GreedyDecoder | SamplingDecoder | BeamDecoder:
    if stack.decode == "path":
        return GreedyDecoder()
    if stack.decode == "sample":
        return SamplingDecoder(
            count=stack.draws,
            temperature=stack.heat,
            top_p=stack.top_p,
            top_k=stack.top_k,
            first=stack.draws == 1,
        )
    if not stack.lm:
        return BeamDecoder(width=stack.width, nbest=stack.nbest)
    lm = open_language_model()
    shipped = Fusion.of(lm)
    fusion = replace(
        shipped,
        alpha=shipped.alpha if stack.alpha is None else stack.alpha,
        beta=shipped.beta if stack.beta is None else stack.beta,
    )
    return BeamDecoder(lm, fusion, width=stack.width, nbest=stack.nbest)


def _describe_decoder(stack: Stack) -> dict[str, Any]:
    """The settings that decide a decoder's candidates."""
    facts: dict[str, Any] = {"rivals": RIVALS} if stack.correct else {}
    if stack.decode == "path":
        return facts
    if stack.decode == "sample":
        return facts | {key: getattr(stack, key) for key in ("draws", "heat", "top_p", "top_k")}
    facts |= {"width": stack.width, "nbest": stack.nbest}
    if stack.lm:
        facts |= {"lm": digest_language_model(), "alpha": stack.alpha, "beta": stack.beta}
    return facts


def _choose_writing(stack: Stack) -> VlmDecoding:
    """How an engine that writes is to do what the stack asks for."""
    if stack.decode == "sample":
        return VlmDecoding(
            samples=stack.draws, temperature=stack.heat, top_p=stack.top_p, top_k=stack.top_k
        )
    if stack.decode == "beam":
        return VlmDecoding(beams=max(stack.nbest, min(stack.width, _BEAMS)), nbest=stack.nbest)
    return VlmDecoding()


def _heat(emission: Emission, stack: Stack) -> Emission:
    """An emission at the stack's temperature."""
    if stack.temperature == 1.0:
        return emission
    logs = emission.log_probs / stack.temperature
    logs = logs - np.log(np.exp(logs).sum(axis=1, keepdims=True))
    return replace(emission, log_probs=np.asarray(logs, np.float32))


def _share_shown(outcomes: Sequence[Outcome]) -> float:
    """The share of lines that a joint reading showed to all its views."""
    shown = sum(
        isinstance(outcome, Candidates) and outcome.best.source == _JOINT for outcome in outcomes
    )
    return shown / max(1, len(outcomes))


def _load_portions(bench: Bench) -> Iterator[list[LineImage]]:
    for start in range(0, len(bench.samples), _PORTION):
        yield bench.load(start, start + _PORTION)


def _check_ids(name: str, images: Sequence[LineImage], ids: Sequence[str]) -> None:
    if [image.id for image in images] != list(ids):
        raise RecognitionError(
            f"{name} gave {len(ids)} results for {len(images)} lines, or in another order.",
            next_step="This is a fault of the engine; its figures are left out.",
        )
