"""What came of a batch: counts, how sure the lines are, and what somebody should look at.

Made of the manifest's results alone: no times, no machine, so that it says the same however often
a batch was broken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from odia_ocr.apps.batch.manifest import KeptDocument, KeptPage, Manifest
from odia_ocr.line_reading import REMARKS
from odia_ocr.types import Page, Problem

SCHEMA_VERSION = 1
BINS = 10  # of confidence, each a tenth wide


@dataclass(frozen=True, slots=True)
class Review:
    """A page or document to look at.

    Attributes:
        document: Its name.
        page: Its number; None for the whole document.
        code: What is the matter, see `odia_ocr.errors`.
        message: In words.
        next_step: What can be done.
    """

    document: str
    page: int | None
    code: str
    message: str
    next_step: str


@dataclass(slots=True)
class Summary:
    """Counts of a batch.

    Attributes:
        documents: All of them.
        failed_documents: That could not be opened.
        pages: Done and quarantined.
        quarantined_pages: That could not be read.
        lines: On the pages that were read.
        unread_lines: Of them, without a reading.
        uncalibrated_lines: Read without a confidence.
        confidence: Lines by the probability that the whole line is right, a tenth a bin.
        review: What to look at, in order.
    """

    documents: int = 0
    failed_documents: int = 0
    pages: int = 0
    quarantined_pages: int = 0
    lines: int = 0
    unread_lines: int = 0
    uncalibrated_lines: int = 0
    confidence: list[int] = field(default_factory=lambda: [0] * BINS)
    review: list[Review] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


def sum_up(manifest: Manifest) -> Summary:
    """Look through all results, a page at a time."""
    summary = Summary()
    for document in manifest.documents():
        summary.documents += 1
        if document.error is not None:
            summary.failed_documents += 1
            summary.review.append(_review(document, document.error))
        summary.review.extend(_review(document, problem) for problem in document.problems)
        for kept in manifest.pages(document.id):
            _count_page(summary, kept)
            summary.review.extend(_review(document, p) for p in _list_problems(kept))
    return summary


def _count_page(summary: Summary, kept: KeptPage) -> None:
    summary.pages += 1
    if kept.page is None:
        summary.quarantined_pages += 1
        return
    for line in kept.page.lines:
        summary.lines += 1
        if line.reading is None:
            summary.unread_lines += 1
        elif line.reading.confidence is None:
            summary.uncalibrated_lines += 1
        else:
            summary.confidence[min(BINS - 1, int(BINS * line.reading.confidence))] += 1


def _list_problems(kept: KeptPage) -> Iterator[Problem]:
    """What is to be said of a page, each kind once: a page of broken lines is one thing to see."""
    if kept.error is not None:
        yield kept.error
    elif kept.page is not None:
        yield from _remarks(kept.page)


def _remarks(page: Page) -> Iterator[Problem]:
    failed = [problem for problem in page.problems if problem.line_id]
    if failed:
        first = failed[0]
        message = f"{len(failed)} of {len(page.lines)} lines could not be read: {first.message}"
        yield Problem(first.code, message, first.next_step, page=page.number)
    yield from (p for p in page.problems if not p.line_id and p.code in REMARKS)


def _review(document: KeptDocument, problem: Problem) -> Review:
    return Review(document.name, problem.page, problem.code, problem.message, problem.next_step)
