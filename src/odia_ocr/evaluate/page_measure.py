"""Run page readers over a set of pages and keep the full record.

A page is decoded once and every engine reads it before the next one, so engines share the
machine's good and bad moments; only reading is timed. A page an engine fails on counts as an empty
reading, which is an error rate of 100 %, and is listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from odia_ocr.errors import InputError, OdiaOcrError, RecognitionError, ResourceMissingError
from odia_ocr.evaluate.confusions import ComparedText, count_confusions
from odia_ocr.evaluate.page_scores import (
    PageCounts,
    PageDifferences,
    PageScores,
    ReadLine,
    compare_pages,
    count_page,
    score_pages,
)
from odia_ocr.evaluate.page_set import PageSample, PageSet
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
from odia_ocr.evaluate.scores import Bootstrap
from odia_ocr.types import Page, PageImage, Problem

ReadPage = Callable[[PageImage], Page]


@dataclass(frozen=True, slots=True)
class PageEngine:
    """A reader of pages with the name it goes by.

    Attributes:
        model: Its own name, e.g. of its weights.
        read: Reads one page; an error means that this page failed.
    """

    model: str
    read: ReadPage


@dataclass(frozen=True, slots=True)
class PageResult:
    """What one engine made of one page.

    Attributes:
        sample: The page.
        lines: As read, in the engine's order; also lines without text.
        counts: The comparison.
        seconds: Wall time of reading.
        problem: Why the page could not be read, or None.
        remarks: What the reader says about the page and its lines.
    """

    sample: PageSample
    lines: tuple[ReadLine, ...]
    counts: PageCounts
    seconds: float
    problem: Problem | None = None
    remarks: tuple[Problem, ...] = ()

    @property
    def said(self) -> tuple[ReadLine, ...]:
        """The lines with text: what the matching counts."""
        return tuple(line for line in self.lines if line.text.strip())


@dataclass(frozen=True, slots=True)
class PageEngineResult(EngineRecord[PageResult, PageScores]):
    """All about one engine on one set of pages; confusions are those of the matched lines."""

    @property
    def pages(self) -> tuple[PageResult, ...]:
        """In the order of the set."""
        return self.items

    @property
    def pages_per_second(self) -> float:
        """Pages read per second of wall time."""
        return self.per_second


@dataclass(frozen=True, slots=True)
class PageEvaluation(EvaluationRecord[PageEngineResult, PageDifferences]):
    """The record of one measurement of pages."""


def measure_pages(
    page_set: PageSet,
    engines: Mapping[str, PageEngine],
    *,
    strict: bool = False,
    bootstrap: Bootstrap | None = None,
    progress: Progress | None = None,
) -> PageEvaluation:
    """Read a set with one or more engines and score it.

    Args:
        page_set: The pages.
        engines: Readers by the name they appear under.
        strict: Score with NFC and white-space folding only.
        bootstrap: Seed and number of resamples of the intervals.
        progress: Called with the number of readings done since the last call, (pages x engines)
            in all.

    Raises:
        DataError: If no picture of the set can be decoded, a NAME.json describes another picture,
            or no engine is given.
        ResourceMissingError: If an engine's program or model is missing.
    """
    require_engines(engines)
    bootstrap = bootstrap or Bootstrap()
    read: dict[str, list[PageResult]] = {name: [] for name in engines}
    problems = list(page_set.problems)
    for sample in page_set.samples:
        try:
            image = sample.load()
        except InputError as error:
            problems.append(leave_out(sample, error))
            if progress is not None:
                progress(len(engines))
            continue
        for name, engine in engines.items():
            read[name].append(_read_page(engine, sample, image, strict=strict))
            if progress is not None:
                progress(1)
    results = tuple(
        _summarise(name, engine, read[name], page_set, strict=strict, bootstrap=bootstrap)
        for name, engine in engines.items()
    )
    paired = pair_results(results, partial(compare_pages, bootstrap=bootstrap))
    return PageEvaluation(str(page_set.folder), "page", strict, results, paired, tuple(problems))


def _read_page(
    engine: PageEngine, sample: PageSample, image: PageImage, *, strict: bool
) -> PageResult:
    lines: tuple[ReadLine, ...] = ()
    remarks: tuple[Problem, ...] = ()
    problem: Problem | None = None
    started = time.perf_counter()
    try:
        page = engine.read(image)
    except ResourceMissingError:
        raise
    except OdiaOcrError as error:
        seconds = time.perf_counter() - started
        problem = Problem(error.code, error.message, error.next_step, line_id=sample.name)
    except Exception as error:
        seconds = time.perf_counter() - started
        message = f"{engine.model} failed: {str(error) or type(error).__name__}"
        problem = Problem(RecognitionError.code, message, line_id=sample.name)
    else:
        seconds = time.perf_counter() - started
        lines = tuple(ReadLine(line.text, line.polygon) for line in page.lines)
        remarks = page.problems
    counts = count_page(sample.lines, lines, strict=strict)
    return PageResult(sample, lines, counts, seconds, problem, remarks)


def _summarise(
    name: str,
    engine: PageEngine,
    pages: Sequence[PageResult],
    page_set: PageSet,
    *,
    strict: bool,
    bootstrap: Bootstrap,
) -> PageEngineResult:
    signature = sign_items(page_set, pages, unit="page", strict=strict, bootstrap=bootstrap)
    texts = [text for page in pages for text in _compare_lines(page)]
    return PageEngineResult(
        engine=name,
        model=engine.model,
        scores=score_pages([page.counts for page in pages], bootstrap),
        signature=signature,
        items=tuple(pages),
        groups=score_groups(pages, partial(score_pages, bootstrap=bootstrap)),
        confusions=count_confusions(texts, strict=strict),
        seconds=sum(page.seconds for page in pages),
    )


def _compare_lines(page: PageResult) -> list[ComparedText]:
    """The matched lines, in which a letter can be taken for another."""
    said = page.said
    return [
        ComparedText(
            page.sample.name,
            " ".join(page.sample.lines[i].text for i in match.printed),
            " ".join(said[j].text for j in match.read),
        )
        for match in page.counts.matching.matches
        if match.same
    ]
