"""A stack reads a set: emissions, candidates, one reading a line; each step is kept on disk.

Seconds are those of computing, added up over the steps, also when a step comes from the cache: they
say what reading costs, not what this run of the campaign paid. See `cost` for how they are taken.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from odia_ocr.campaign.cache import Kept, digest_code, digest_file
from odia_ocr.campaign.cost import Clock, Cost, read_cost
from odia_ocr.campaign.engines import digest_language_model, digest_lexicon
from odia_ocr.campaign.finish import finish_lines, fuse_lines, make_fuser
from odia_ocr.campaign.packing import Array
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.sources import CHOOSING, SourceReader, open_language_model
from odia_ocr.campaign.stack import Stack
from odia_ocr.correct.calibrate import Calibration, load_for
from odia_ocr.correct.dictionary import DictionaryCorrector, load_dictionary
from odia_ocr.errors import RecognitionError
from odia_ocr.recognize.ctc import CtcRecognizer, read_calibration
from odia_ocr.types import Candidates, Corrector

_READING = (*CHOOSING, "fuse", "correct", "campaign/finish.py", "campaign/reader.py")


@dataclass(frozen=True, slots=True)
class Readings:
    """What a stack made of a set.

    Attributes:
        texts: One reading a line, in order; empty where reading failed.
        confidences: Calibrated probability that the line is right, or None.
        failed: Lines that could not be read.
        cost: Of the whole set.
    """

    texts: tuple[str, ...]
    confidences: tuple[float | None, ...]
    failed: int
    cost: Cost

    @property
    def seconds_per_line(self) -> float:
        """Seconds of computing a line."""
        return self.cost.seconds / max(1, len(self.texts))


@dataclass(frozen=True, slots=True, eq=False)
class StackReader:
    """Reads sets by stacks.

    Attributes:
        sources: Computes what is fused.
    """

    sources: SourceReader

    def read(self, stack: Stack, bench: Bench) -> Readings:
        """Read all lines of a set.

        Raises:
            RecognitionError: If an engine breaks its contract.
            ResourceMissingError: If an engine's model or program is missing.
            OutputError: If the cache cannot be written.
        """
        key = {
            "step": "readings",
            "stack": asdict(stack),
            "engines": self.sources.engines.describe_all(stack),
            "lm": digest_language_model(),
            "lexicon": digest_lexicon() if stack.correct else "",
            "set": bench.digest,
        }
        kept = self.sources.store.keep(
            key, lambda: self._compute(stack, bench), code=digest_code(_READING)
        )
        texts = tuple(json.loads(kept.arrays["texts"].tobytes().decode()))
        confidences = tuple(
            None if np.isnan(value) else float(value) for value in kept.arrays["confidences"]
        )
        if len(texts) != len(bench.samples):
            raise RecognitionError(
                f"{len(texts)} readings for {len(bench.samples)} lines.",
                next_step="This is a fault of the technique; its figures are left out.",
            )
        return Readings(texts, confidences, kept.facts["failed"], read_cost(kept.facts))

    def _compute(self, stack: Stack, bench: Bench) -> Kept:
        if stack.cached:
            return _keep_readings(self._read_again(stack, bench))
        if stack.route is not None:
            return _keep_readings(self._route(stack, bench, stack.route))
        sources = self.sources.find(stack, bench)
        clock = Clock.start()
        fuse = make_fuser(stack, open_language_model)
        outcomes = fuse_lines([source.outcomes for source in sources], fuse)
        readings = finish_lines(outcomes, self._open_corrector(stack))
        cost = sum((source.cost for source in sources), clock.stop())
        failed = sum(not isinstance(outcome, Candidates) for outcome in outcomes)
        return _keep_readings(
            Readings(
                tuple(reading.text for reading in readings),
                tuple(reading.confidence for reading in readings),
                failed,
                cost,
            )
        )

    def _open_corrector(self, stack: Stack) -> Corrector:
        """Confidence, and the dictionary where the stack has it; fits are of single readers."""
        calibrate = self._open_calibration(stack)
        if not stack.correct:
            return calibrate
        dictionary = load_dictionary("beam" if _hears_language(stack) else "path")
        return calibrate if dictionary is None else DictionaryCorrector(calibrate, dictionary)

    def _open_calibration(self, stack: Stack) -> Corrector:
        """The confidence that was fitted for the stack's way of decoding, where there is one."""
        leader = self.sources.engines.find(stack.engines[0])
        if stack.combine in ("majority", "confidence"):
            return Calibration()
        if isinstance(leader, CtcRecognizer):
            return Calibration.of(read_calibration(leader.session, _name_decoding(stack)))
        return load_for(leader)

    def _read_again(self, stack: Stack, bench: Bench) -> Readings:
        """Readings found by the content of their pictures, after they were computed once."""
        plain = replace(stack, cached=False)
        self.read(plain, bench)
        clock = Clock.start()
        for sample in bench.samples:
            digest_file(sample.picture)
        found = self.read(plain, bench)
        return replace(found, cost=clock.stop())

    def _route(self, stack: Stack, bench: Bench, sure: float) -> Readings:
        """The single reader's best path; the whole stack where that is not sure enough."""
        quick = self.read(stack.single, bench)
        strong = self.read(replace(stack, route=None), bench)
        again = [value is None or value < sure for value in quick.confidences]
        share = sum(again) / max(1, len(again))
        shared = 0.0  # emissions of the doubtful lines are there already
        if self.sources.engines.find_ctc(stack.engines[0], stack.threads):
            emitted = self.sources.emit(stack.engines[0], "as-is", stack.threads, bench)
            shared = emitted.cost.seconds
        extra = Cost(max(0.0, strong.cost.seconds - shared), strong.cost.memory_mb)

        def choose(first: Sequence[Any], second: Sequence[Any]) -> tuple[Any, ...]:
            rows = zip(again, first, second, strict=True)
            return tuple(other if doubtful else one for doubtful, one, other in rows)

        return Readings(
            choose(quick.texts, strong.texts),
            choose(quick.confidences, strong.confidences),
            strong.failed,
            quick.cost + extra.share(share),
        )


def _name_decoding(stack: Stack) -> str:
    """As model files name the decoding that a confidence was fitted for."""
    if stack.combine == "joint":
        return "joint"
    return "beam" if _hears_language(stack) else "path"


def _hears_language(stack: Stack) -> bool:
    return stack.lm or stack.rerank is not None


def _keep_readings(readings: Readings) -> Kept:
    texts = json.dumps(readings.texts, ensure_ascii=False).encode()
    values: Array = np.array(
        [np.nan if value is None else value for value in readings.confidences], np.float64
    )
    return Kept(
        {"texts": np.frombuffer(texts, np.uint8), "confidences": values},
        {"failed": readings.failed, **asdict(readings.cost)},
    )
