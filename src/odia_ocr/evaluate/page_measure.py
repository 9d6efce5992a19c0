"""Run page readers over a set of pages and keep the full record.

A page is decoded once and every engine reads it before the next one, so engines share the
machine's good and bad moments; only reading is timed. A page an engine fails on counts as an empty
reading, which is an error rate of 100 %, and is listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from odia_ocr.errors import (
    DataError,
    InputError,
    OdiaOcrError,
    RecognitionError,
    ResourceMissingError,
)
from odia_ocr.evaluate.confusions import ComparedText, Confusion, count_confusions
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
from odia_ocr.evaluate.scores import Bootstrap, sign_score
from odia_ocr.types import Page, PageImage, Problem

Progress = Callable[[int], None]
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
class PageGroup:
    """Scores of the pages of one group, e.g. of one layout."""

    by: str
    group: str
    scores: PageScores


@dataclass(frozen=True, slots=True)
class PageEngineResult:
    """All about one engine on one set.

    Attributes:
        engine: The name it was asked for by.
        model: The reader's own name.
        scores: Over all pages.
        signature: How the scores were made.
        pages: In the order of the set.
        groups: Scores per group.
        confusions: Over grapheme clusters of the matched lines, most frequent first.
    """

    engine: str
    model: str
    scores: PageScores
    signature: str
    pages: tuple[PageResult, ...]
    groups: tuple[PageGroup, ...]
    confusions: tuple[Confusion, ...]

    @property
    def seconds(self) -> float:
        """Wall time of reading, pictures already decoded."""
        return sum(page.seconds for page in self.pages)

    @property
    def pages_per_second(self) -> float:
        """Pages read per second of wall time."""
        return len(self.pages) / max(1e-9, self.seconds)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The pages this engine failed on."""
        return tuple(page.problem for page in self.pages if page.problem is not None)


@dataclass(frozen=True, slots=True)
class PagePair:
    """Two engines on the same pages: the first one's rates minus the second one's."""

    first: str
    second: str
    differences: PageDifferences


@dataclass(frozen=True, slots=True)
class PageEvaluation:
    """The record of one measurement.

    Attributes:
        set_name: The folder, as it was given.
        strict: Whether scoring folded only NFC and white space.
        results: One per engine, in the order given.
        paired: One per pair of engines.
        problems: Of the set itself: pictures left out.
    """

    set_name: str
    strict: bool
    results: tuple[PageEngineResult, ...]
    paired: tuple[PagePair, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Tally:
    """Pages of one engine while the set is under way."""

    engine: PageEngine
    pages: list[PageResult] = field(default_factory=list)


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
    if not engines:
        raise DataError("No engine to measure.", next_step="Name one, e.g. --engine ctc.")
    bootstrap = bootstrap or Bootstrap()
    tallies = {name: _Tally(engine) for name, engine in engines.items()}
    problems = list(page_set.problems)
    for sample in page_set.samples:
        try:
            image = sample.load()
        except InputError as error:
            message = f"{error.message} It is left out."
            problems.append(Problem(error.code, message, error.next_step, line_id=sample.name))
            if progress is not None:
                progress(len(tallies))
            continue
        for tally in tallies.values():
            tally.pages.append(_read_page(tally.engine, sample, image, strict=strict))
            if progress is not None:
                progress(1)
    results = tuple(
        _summarise(name, tally, page_set, strict=strict, bootstrap=bootstrap)
        for name, tally in tallies.items()
    )
    paired = tuple(
        PagePair(
            one.engine,
            other.engine,
            compare_pages(
                [page.counts for page in one.pages],
                [page.counts for page in other.pages],
                bootstrap,
            ),
        )
        for one, other in combinations(results, 2)
    )
    return PageEvaluation(str(page_set.folder), strict, results, paired, tuple(problems))


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
    name: str, tally: _Tally, page_set: PageSet, *, strict: bool, bootstrap: Bootstrap
) -> PageEngineResult:
    if not tally.pages:
        raise DataError(
            f"No picture of {page_set.folder} can be decoded.",
            next_step="Check the files with an image viewer.",
        )
    measured = replace(page_set, samples=tuple(page.sample for page in tally.pages))
    return PageEngineResult(
        engine=name,
        model=tally.engine.model,
        scores=score_pages([page.counts for page in tally.pages], bootstrap),
        signature=sign_score(
            unit="page",
            n=len(tally.pages),
            strict=strict,
            bootstrap=bootstrap,
            digest=measured.digest,
        ),
        pages=tuple(tally.pages),
        groups=_score_groups(tally.pages, bootstrap),
        confusions=count_confusions(
            [text for page in tally.pages for text in _compare_lines(page)], strict=strict
        ),
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


def _score_groups(pages: Sequence[PageResult], bootstrap: Bootstrap) -> tuple[PageGroup, ...]:
    """Scores per group, for each way of grouping that makes two groups or more."""
    members: dict[str, dict[str, list[PageCounts]]] = {}
    for page in pages:
        for label in page.sample.labels:
            members.setdefault(label.by, {}).setdefault(label.group, []).append(page.counts)
    return tuple(
        PageGroup(by, group, score_pages(counts, bootstrap))
        for by, groups in members.items()
        if len(groups) > 1
        for group, counts in sorted(groups.items())
    )
