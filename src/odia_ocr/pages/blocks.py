"""Rows in reading order become blocks: headings, paragraphs, columns' ends. Geometry only."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic

from odia_ocr.pages.placed_row import AnyRow, Row
from odia_ocr.types import Region

if TYPE_CHECKING:
    from odia_ocr.types import Polygon

_WIDER_PITCH = 1.4  # times the usual distance from row to row
_OTHER_SIZE = 1.3  # ratio of letter heights within a block
_HEADING = 1.22  # times the usual letter height of the page
_HEADING_ROWS = 4
_INDENT = (0.8, 6.0)  # letter heights
_ALIGNED = 0.5  # letter heights by which aligned rows may differ at the left


@dataclass(frozen=True, slots=True)
class Block(Generic[AnyRow]):
    """Rows that belong together.

    Attributes:
        id: Unique on its page.
        rows: In reading order.
        kind: "heading", "paragraph" or, for a single row that is no heading, "text".
    """

    id: str
    rows: tuple[AnyRow, ...]
    kind: str

    def region(self, outline: Callable[[AnyRow], Polygon]) -> Region:
        """The region of a page: the upright box around the rows' outlines."""
        points = [point for row in self.rows for point in outline(row)]
        xs, ys = zip(*points, strict=True)
        left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
        box = ((left, top), (right, top), (right, bottom), (left, bottom))
        return Region(self.id, box, self.kind)


def make_blocks(rows: Sequence[AnyRow], *, prefix: str) -> list[Block[AnyRow]]:
    """Blocks of a page.

    Args:
        rows: In reading order.
        prefix: Of the blocks' ids.
    """
    if not rows:
        return []
    usual = _usual_height(rows)
    parts = [part for piece in _split_at_spaces(rows) for part in _split_at_indents(piece)]
    return [
        Block(f"{prefix}-r{number:03d}", tuple(part), _tell_kind(part, usual))
        for number, part in enumerate(parts, start=1)
    ]


def _usual_height(rows: Sequence[Row]) -> float:
    """Letter height of most print: the median, each row by its width."""
    ordered = sorted(rows, key=lambda row: row.height)
    widths = list(itertools.accumulate(row.right - row.left for row in ordered))
    return next(
        row.height for row, width in zip(ordered, widths, strict=True) if width >= 0.5 * widths[-1]
    )


def _tell_kind(rows: Sequence[Row], usual: float) -> str:
    large = statistics.median(row.height for row in rows) > _HEADING * usual
    if large and len(rows) <= _HEADING_ROWS:
        return "heading"
    return "paragraph" if len(rows) > 1 else "text"


def _split_at_spaces(rows: Sequence[AnyRow]) -> list[list[AnyRow]]:
    steps = [
        (b.middle - a.middle) / max(a.height, b.height)
        for a, b in itertools.pairwise(rows)
        if b.top > a.bottom
    ]
    usual = statistics.median(steps) if steps else 0.0
    blocks = [[rows[0]]]
    for above, row in itertools.pairwise(rows):
        space = row.top - above.bottom
        taller, lower = max(above.height, row.height), min(above.height, row.height)
        beside = row.left > above.right + taller or above.left > row.right + taller
        if (
            row.middle - above.middle > _WIDER_PITCH * usual * (taller + lower) / 2
            or space < -lower
            or taller > _OTHER_SIZE * lower
            or (beside and space > 0)
        ):
            blocks.append([row])
        else:
            blocks[-1].append(row)
    return blocks


def _split_at_indents(rows: list[AnyRow]) -> list[list[AnyRow]]:
    """Paragraphs of running text: a row that is indented, and most others are not, begins one."""
    if len(rows) < 4:
        return [rows]
    size = statistics.median(row.height for row in rows)
    margin = statistics.median_low([row.left for row in rows])
    aligned = sum(abs(row.left - margin) < _ALIGNED * size for row in rows)
    if aligned < 0.6 * len(rows):
        return [rows]
    parts = [[rows[0]]]
    for above, row in itertools.pairwise(rows):
        indented = _INDENT[0] * size < row.left - margin < _INDENT[1] * size
        after_margin = abs(above.left - margin) < _ALIGNED * size
        if indented and after_margin and above.bottom < row.bottom:
            parts.append([row])
        else:
            parts[-1].append(row)
    return parts
