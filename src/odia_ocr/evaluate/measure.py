"""Run recognizers over a set of lines and keep the full record.

Pictures are decoded once and every engine reads the same portion before the next one is decoded,
so engines share the machine's good and bad moments; only reading is timed. A line an engine fails
on counts as an empty reading and is listed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from odia_ocr.errors import InputError, RecognitionError, ResourceMissingError
from odia_ocr.evaluate.confusions import ComparedText, Confusion, count_confusions
from odia_ocr.evaluate.lineset import LineSample, LineSet
from odia_ocr.evaluate.record import (
    EngineRecord,
    EvaluationRecord,
    Progress,
    leave_out,
    pair_results,
    require_engines,
    score_groups,
    sign_items,
)
from odia_ocr.evaluate.scores import (
    Bootstrap,
    Differences,
    LineCounts,
    Scores,
    compare_lines,
    count_line,
    score_lines,
)
from odia_ocr.language import normalise
from odia_ocr.types import Candidates, LineImage, Problem, Recognizer

PORTION = 256


@dataclass(frozen=True, slots=True)
class LineResult:
    """What one engine made of one line.

    Attributes:
        sample: The line.
        hypothesis: What was read; empty when reading failed.
        counts: The comparison.
        problem: Why reading failed, or None.
    """

    sample: LineSample
    hypothesis: str
    counts: LineCounts
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class EngineResult(EngineRecord[LineResult, Scores]):
    """All about one engine on one set of lines.

    Attributes:
        char_confusions: Over code points, most frequent first.
    """

    char_confusions: tuple[Confusion, ...]

    @property
    def lines(self) -> tuple[LineResult, ...]:
        """In the order of the set."""
        return self.items

    @property
    def lines_per_second(self) -> float:
        """Lines read per second of wall time."""
        return self.per_second


@dataclass(frozen=True, slots=True)
class Evaluation(EvaluationRecord[EngineResult, Differences]):
    """The record of one measurement of lines."""


@dataclass(slots=True)
class _Tally:
    """Readings of one engine while the set is under way."""

    recognizer: Recognizer
    lines: list[LineResult] = field(default_factory=list)
    seconds: float = 0.0


def measure_lines(
    line_set: LineSet,
    engines: Mapping[str, Recognizer],
    *,
    strict: bool = False,
    bootstrap: Bootstrap | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Read a set with one or more engines and score it.

    Args:
        line_set: The lines.
        engines: Recognizers by the name they appear under.
        strict: Score with NFC and white-space folding only.
        bootstrap: Seed and number of resamples of the intervals.
        progress: Called with the number of readings done since the last call, (lines x engines)
            in all.

    Raises:
        DataError: If no picture of the set can be decoded, or no engine is given.
        RecognitionError: If a recognizer breaks its contract (wrong number or order of results):
            its figures would be wrong.
        ResourceMissingError: If an engine's program or model is missing.
    """
    require_engines(engines)
    bootstrap = bootstrap or Bootstrap()
    tallies = {name: _Tally(recognizer) for name, recognizer in engines.items()}
    problems = list(line_set.problems)
    for start in range(0, len(line_set.samples), PORTION):
        portion = line_set.samples[start : start + PORTION]
        samples: list[LineSample] = []
        images: list[LineImage] = []
        for sample in portion:
            try:
                images.append(sample.load())
            except InputError as error:
                problems.append(leave_out(sample, error))
            else:
                samples.append(sample)
        for tally in tallies.values():
            if images:
                _read_portion(tally, samples, images, strict=strict)
            if progress is not None:
                progress(len(portion))
    results = tuple(
        _summarise(name, tally, line_set, strict=strict, bootstrap=bootstrap)
        for name, tally in tallies.items()
    )
    paired = pair_results(results, partial(compare_lines, bootstrap=bootstrap))
    return Evaluation(str(line_set.folder), "line", strict, results, paired, tuple(problems))


def _read_portion(
    tally: _Tally, samples: Sequence[LineSample], images: Sequence[LineImage], *, strict: bool
) -> None:
    started = time.perf_counter()
    outcomes = _read_safely(tally.recognizer, images)
    tally.seconds += time.perf_counter() - started
    for sample, outcome in zip(samples, outcomes, strict=True):
        problem = outcome if isinstance(outcome, Problem) else None
        # What `read` puts out: the best hypothesis in its usual spelling.
        text = normalise(outcome.best.text) if isinstance(outcome, Candidates) else ""
        counts = count_line(sample.text, text, strict=strict)
        tally.lines.append(LineResult(sample, text, counts, problem))


def _read_safely(recognizer: Recognizer, images: Sequence[LineImage]) -> list[Candidates | Problem]:
    """Read; where a call raises, read its lines one by one so that only bad ones are lost."""
    try:
        outcomes = recognizer.read(images)
    except ResourceMissingError:
        raise
    except Exception as error:
        if len(images) > 1:
            return [out for image in images for out in _read_safely(recognizer, [image])]
        said = str(error) or type(error).__name__
        message = f"{recognizer.name} failed: {said}"
        return [Problem(RecognitionError.code, message, line_id=images[0].id)]
    if len(outcomes) != len(images):
        raise RecognitionError(
            f"{recognizer.name} gave {len(outcomes)} results for {len(images)} lines.",
            next_step="This is a fault of the recognizer; please report it.",
        )
    for image, outcome in zip(images, outcomes, strict=True):
        if outcome.line_id not in (image.id, None):
            raise RecognitionError(
                f"{recognizer.name} gave line {outcome.line_id!r} where {image.id!r} was due.",
                next_step="This is a fault of the recognizer; please report it.",
            )
    return outcomes


def _summarise(
    name: str, tally: _Tally, line_set: LineSet, *, strict: bool, bootstrap: Bootstrap
) -> EngineResult:
    signature = sign_items(line_set, tally.lines, unit="line", strict=strict, bootstrap=bootstrap)
    texts = [
        ComparedText(line.sample.name, line.sample.text, line.hypothesis) for line in tally.lines
    ]
    return EngineResult(
        engine=name,
        model=tally.recognizer.name,
        scores=score_lines([line.counts for line in tally.lines], bootstrap),
        signature=signature,
        items=tuple(tally.lines),
        groups=score_groups(tally.lines, partial(score_lines, bootstrap=bootstrap)),
        confusions=count_confusions(texts, strict=strict),
        char_confusions=count_confusions(texts, unit="char", strict=strict),
        seconds=tally.seconds,
    )
