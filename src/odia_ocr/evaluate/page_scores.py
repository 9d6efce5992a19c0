"""Rates of whole pages with intervals, from sufficient statistics per page.

The bootstrap resamples pages, because lines of one page stand and fall together. Knows counts and
text; refuses to know engines, files and pictures. Intervals and differences are made as for lines:
see `odia_ocr.evaluate.scores`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.evaluate.page_detect import (
    Detection,
    detect_by_polygons,
    detect_by_text,
    find_near,
)
from odia_ocr.evaluate.page_match import Matching, OrderCounts, match_lines
from odia_ocr.evaluate.page_set import PrintedLine
from odia_ocr.evaluate.scores import (
    Bootstrap,
    Difference,
    LineCounts,
    Score,
    bound_gaps,
    bound_rates,
    count_line,
)
from odia_ocr.language import EditCounts, fold

if TYPE_CHECKING:
    import numpy.typing as npt

    Table = npt.NDArray[np.float64]

    from odia_ocr.types import Polygon

PAGE_METRICS = (
    "cer",
    "wer",
    "cluster_error",
    "exact",
    "order_free",
    "line_recall",
    "line_precision",
    "order_error",
    "over_half",
    "median_cer",
)
OVER = 0.5  # a page with a higher CER is of no use


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line as an engine read it: its text, and its outline in page pixels."""

    text: str
    polygon: Polygon


@dataclass(frozen=True, slots=True)
class PageCounts:
    """Sufficient statistics of one page.

    Attributes:
        text: The whole text in order, lines joined by spaces, compared as one line is.
        order_free: Edits of the best matching of lines, whatever their order, over the length of
            the whole text; never more edits than in order.
        detection: Lines found.
        order: Pairs of found lines in the wrong order.
        matching: Which read line is which printed line.
    """

    text: LineCounts
    order_free: EditCounts
    detection: Detection
    order: OrderCounts
    matching: Matching

    @property
    def cer(self) -> float:
        """Character error rate of the text in order."""
        return self.text.chars.rate


@dataclass(frozen=True, slots=True)
class PageScores:
    """All rates of one engine on one set of pages.

    Attributes:
        n: Number of pages.
        cer: Edits per code point of the pages' texts in order.
        wer: The same by words.
        cluster_error: The same by grapheme clusters.
        exact: Share of pages without any error.
        order_free: Edits per code point where the order of lines does not count.
        line_recall: Share of printed lines found, see `Detection`.
        line_precision: Share of read lines that are printed lines.
        order_error: Kendall's tau distance of the lines found, 0 in order to 1 reversed; mean of
            the pages with two lines found or more.
        over_half: Share of pages with a CER over 50 %.
        median_cer: Median of the pages' CER.
    """

    n: int
    cer: Score
    wer: Score
    cluster_error: Score
    exact: Score
    order_free: Score
    line_recall: Score
    line_precision: Score
    order_error: Score
    over_half: Score
    median_cer: Score


@dataclass(frozen=True, slots=True)
class PageDifferences:
    """Paired differences of all rates, first engine minus second; see `PageScores`."""

    cer: Difference
    wer: Difference
    cluster_error: Difference
    exact: Difference
    order_free: Difference
    line_recall: Difference
    line_precision: Difference
    order_error: Difference
    over_half: Difference
    median_cer: Difference


def count_page(
    printed: Sequence[PrintedLine], read: Sequence[ReadLine], *, strict: bool = False
) -> PageCounts:
    """Compare one page.

    Args:
        printed: Its lines in reading order.
        read: What was read, in the engine's order; empty when reading failed.
        strict: Fold only NFC and white space, see `odia_ocr.language.fold`.
    """
    said = [line for line in read if line.text.strip()]
    text = count_line(
        " ".join(line.text for line in printed), " ".join(line.text for line in said), strict=strict
    )
    outlines = [line.polygon for line in printed if line.polygon is not None]
    placed = len(outlines) == len(printed)
    matching = match_lines(
        [fold(line.text, strict=strict) for line in printed],
        [fold(line.text, strict=strict) for line in said],
        near=find_near(outlines, [line.polygon for line in said]) if placed else None,
    )
    # Keeping the order is one way to arrange lines; and a page not read is wrong as a whole.
    edits = min(matching.edits, text.chars.edits) if said else text.chars.length
    detection = (
        detect_by_polygons(outlines, [line.polygon for line in read])
        if placed
        else detect_by_text(matching, len(printed), len(said))
    )
    order_free = EditCounts(edits, text.chars.length)
    return PageCounts(text, order_free, detection, matching.order, matching)


def score_pages(pages: Sequence[PageCounts], bootstrap: Bootstrap | None = None) -> PageScores:
    """Rates of all pages together, with intervals over pages.

    Raises:
        ValueError: Without any page.
    """
    if not pages:
        raise ValueError("scores need at least one page")
    bootstrap = bootstrap or Bootstrap()
    table = _tabulate(pages)
    (rates,) = _resample([table], bootstrap)
    scores = bound_rates(_rate(table, np.ones((1, len(pages))))[0], rates)
    return PageScores(len(pages), **dict(zip(PAGE_METRICS, scores, strict=True)))


def compare_pages(
    first: Sequence[PageCounts],
    second: Sequence[PageCounts],
    bootstrap: Bootstrap | None = None,
) -> PageDifferences:
    """Paired differences, first minus second, on the same pages in the same order.

    Raises:
        ValueError: If the two are not of one length, or empty.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"a paired comparison needs the same pages: {len(first)}, {len(second)}")
    tables = [_tabulate(pages) for pages in (first, second)]
    one, other = _resample(tables, bootstrap or Bootstrap())
    values = [_rate(table, np.ones((1, len(first))))[0] for table in tables]
    gaps = bound_gaps(values[0] - values[1], one - other)
    return PageDifferences(**dict(zip(PAGE_METRICS, gaps, strict=True)))


def _resample(tables: Sequence[Table], bootstrap: Bootstrap) -> list[Table]:
    """Rates of resampled pages, (resamples, metrics) per table; all share the draws."""
    rates = [np.empty((bootstrap.resamples, len(PAGE_METRICS))) for _ in tables]
    for part, weights in bootstrap.draw(len(tables[0])):
        for rate, table in zip(rates, tables, strict=True):
            rate[part] = _rate(table, weights)
    return rates


def _tabulate(pages: Sequence[PageCounts]) -> Table:
    """(pages, 18): what is above and what is below the line of the first nine metrics."""
    rows = []
    for page in pages:
        text, lines = page.text, page.detection
        rows.append(
            (
                text.chars.edits,
                text.words.edits,
                text.clusters.edits,
                text.exact,
                page.order_free.edits,
                lines.found,
                lines.right,
                page.order.rate,
                page.cer > OVER,
                text.chars.length,
                text.words.length,
                text.clusters.length,
                1,
                page.order_free.length,
                lines.printed,
                lines.read,
                page.order.pairs > 0,
                1,
            )
        )
    return np.array(rows, dtype=np.float64)


def _rate(table: Table, weights: Table) -> Table:
    """Rates (resamples, metrics) of pages taken so often each, `weights` (resamples, pages)."""
    sums = weights @ table
    rates = sums[:, :9] / np.maximum(1.0, sums[:, 9:])
    return np.column_stack([rates, _median(table[:, 0] / np.maximum(1.0, table[:, 9]), weights)])


def _median(values: Table, weights: Table) -> Table:
    """Medians (resamples,) of values (pages,) that occur so often each; the weights are whole."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[:, order], axis=1)  # (resamples, pages)
    count = below[:, -1:]
    lower, upper = (
        values[order][np.argmax(below > rank, axis=1)] for rank in ((count - 1) // 2, count // 2)
    )
    return np.asarray((lower + upper) / 2)
