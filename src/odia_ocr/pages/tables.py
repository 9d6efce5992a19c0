"""Columns of text or cells of a table? Cells stand level with one another and are short."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

from odia_ocr.pages.placed_row import Row, about_level

_COLUMN_WIDTH = 4.0  # letter heights; narrower columns are labels, numbers or bullets
_LEVEL = 0.45  # letter heights by which cells of a table row may differ in level
_LEVEL_SHARE = 0.8  # of the rows have a neighbour at their level
_CLOSE = 4.0  # letter heights between columns
# Letters of a row of text, at least, times the share of its column that it fills.
_LETTERS = (8.0, 11.0)  # where columns stand close, and where they do not
_PITCH = 3.0  # letter heights from row to row ...
_LOOSE_LETTERS = 5.0  # ... and letters more for each that rows stand looser


def part_columns(left: Sequence[Row], right: Sequence[Row], *, width: float, size: float) -> bool:
    """Are rows on both sides of a strip columns of text, and not the cells of a table?

    Args:
        left, right: Rows beside the strip.
        width: Of the strip.
        size: Usual height of letters.
    """
    if not left or not right:
        return False
    if min(max(row.right - row.left for row in s) for s in (left, right)) < _COLUMN_WIDTH * size:
        return False
    # The next columns alone: what stands farther off has gutters of its own.
    far, near = nearest_column(left, left=False), nearest_column(right, left=True)
    few, many = sorted((far, near), key=len)
    level = sum(any(abs(row.middle - mate.middle) < _LEVEL * size for mate in many) for row in few)
    if level < _LEVEL_SHARE * len(few):
        return True
    if len(few) == 1:
        return False
    fill = statistics.mean(_fill(side) for side in (near, far))
    letters = statistics.median(row.letters for row in (*near, *far))
    loose = max(0.0, _pitch(many) / size - _PITCH)
    return fill * letters >= _LETTERS[width >= _CLOSE * size] + _LOOSE_LETTERS * loose


def nearest_column(rows: Sequence[Row], *, left: bool) -> list[Row]:
    """Rows that have nothing between themselves and the strip, of the column that stands nearest.

    Where a picture takes the nearest column's place, rows of the next one face the strip as well.
    """
    facing = [
        row
        for row in rows
        if not any(
            other is not row
            and (other.right <= row.left if left else other.left >= row.right)
            and about_level(row, other)
            for other in rows
        )
    ]
    facing.sort(key=lambda row: row.left if left else -row.right)
    column = facing[:1]
    edge = (column[0].right if left else column[0].left) if column else 0.0
    for row in facing[1:]:
        if row.left >= edge if left else row.right <= edge:
            break
        column.append(row)
        edge = max(edge, row.right) if left else min(edge, row.left)
    return column


def _fill(rows: Sequence[Row]) -> float:
    """Usual share of their column's width that rows take; the outermost tenth does not set it."""
    cut = min(math.ceil(0.1 * len(rows)), (len(rows) - 1) // 4)
    left = sorted(row.left for row in rows)[cut]
    right = sorted(row.right for row in rows)[-1 - cut]
    width = max(right - left, 1e-6)
    return statistics.median(min(1.0, (row.right - row.left) / width) for row in rows)


def _pitch(rows: Sequence[Row]) -> float:
    """Median distance from row to row; 0 for a single one."""
    levels = sorted(row.middle for row in rows)
    return statistics.median([b - a for a, b in itertools.pairwise(levels)] or [0.0])
