"""How far a strip between two columns reaches: up and down beside what belongs to them."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace

from odia_ocr.pages.placed_row import Row
from odia_ocr.pages.strips import HEADING, Sheet, Strip, split_at
from odia_ocr.pages.tables import nearest_column, part_columns

# Where only one side has rows: space between rows of a column, at most.
_REACH = 2.6  # letter heights
_REACH_UP = 1.8  # above a column stand running heads, too
_REACH_UP_SPACES = 1.35  # usual spaces of these columns
_FOLLOW = 6.5  # letter heights between rows of one column, rules between them
_BYLINE = 0.35  # share of a column's width that stays free before a line set at its right
_RAGGED = 0.15  # share of it by which its lines may end early


def fit_length(strip: Strip, top: float, bottom: float, sheet: Sheet) -> Strip | None:
    """A strip with its columns' whole length; None when it parts no columns.

    Args:
        strip: What gaps on both sides of which rows stand have given.
        top, bottom: Between them it may grow.
        sheet: Its surroundings.
    """
    size = sheet.size
    free = [row for row in _facing(strip, sheet.rows) if top < row.middle < bottom]
    strip = _lengthen(strip, free, _REACH * size, _REACH_UP * size)
    strip = replace(strip, top=max(strip.top, top), bottom=min(strip.bottom, bottom))
    inside = [row for row in sheet.rows if strip.top <= row.middle <= strip.bottom]
    left, right = split_at(strip, inside)
    if not part_columns(left, right, width=strip.width, size=size):
        return None
    spaces = [_usual_space(left), _usual_space(right)]
    usual = statistics.median([space for space in spaces if space] or [0.0])
    strip = _lengthen(strip, free, 0.0, _REACH_UP_SPACES * usual)
    strip = _follow_columns(strip, free, left, right, size)
    strip = replace(strip, top=max(strip.top, top), bottom=min(strip.bottom, bottom))
    return _leave_byline(strip, sheet)


def _facing(strip: Strip, rows: Sequence[Row]) -> list[Row]:
    """Rows above, beside and below a strip in the width of the columns next to it."""
    inside = [row for row in rows if strip.top <= row.middle <= strip.bottom]
    left, right = split_at(strip, inside)
    if not left or not right:
        return list(rows)
    start = min(row.left for row in nearest_column(left, left=False))
    end = max(row.right for row in nearest_column(right, left=True))
    return [row for row in rows if row.right > start and row.left < end]


def _lengthen(strip: Strip, rows: Iterable[Row], down: float, up: float) -> Strip:
    """Let a strip run on beside the rest of a column whose neighbour has ended.

    Args:
        strip: To be lengthened.
        rows: That do not cross it.
        down: Largest space between one row and the next below, in pixels.
        up: The same above.
    """
    top, bottom = strip.top, strip.bottom
    beside = sorted(rows, key=lambda row: row.middle)
    for row in beside:
        if row.bottom > bottom and row.top - bottom < down:
            bottom = row.bottom
    for row in reversed(beside):
        if row.top < top and top - row.bottom < up:
            top = row.top
    return replace(strip, top=top, bottom=bottom)


def _follow_columns(
    strip: Strip, rows: Sequence[Row], left: Sequence[Row], right: Sequence[Row], size: float
) -> Strip:
    """Let a strip run on down the left column and up the right one, over rules and small gaps.

    What stands above the left column or below the right one is read in the same order anyway.
    """
    tail = _within(rows, nearest_column(left, left=False), size)
    head = _within(rows, nearest_column(right, left=True), size)
    before, after = split_at(strip, rows)
    top, bottom = strip.top, strip.bottom
    ceiling = max((row.bottom for row in before if row.middle < top), default=-math.inf)
    floor = min((row.top for row in after if row.middle > bottom), default=math.inf)
    for row in tail:
        if row.bottom > bottom and row.top - bottom < _FOLLOW * size and row.bottom < floor:
            bottom = row.bottom
    for row in reversed(head):
        if row.top < top and top - row.bottom < _FOLLOW * size and row.top > ceiling:
            top = row.top
    return replace(strip, top=top, bottom=bottom)


def _within(rows: Sequence[Row], column: Sequence[Row], size: float) -> list[Row]:
    """Rows in a column's width that fill half of it and more, from the top."""
    start, end = min(row.left for row in column), max(row.right for row in column)
    inside = [
        row
        for row in rows
        if start - size < row.left
        and row.right < end + size
        and row.right - row.left > 0.5 * (end - start)
    ]
    return sorted(inside, key=lambda row: row.middle)


def _leave_byline(strip: Strip, sheet: Sheet) -> Strip:
    """Without the line above the right column that tells who wrote all of them."""
    rows = [row for row in sheet.rows if strip.top <= row.middle <= strip.bottom]
    left, right = (sorted(side, key=lambda row: row.middle) for side in split_at(strip, rows))
    first, beside = right[0], [row for row in left if row.height < HEADING * sheet.size]
    below = [row for row in right[1:] if row.right > first.left and row.left < first.right]
    if not below or not beside or first.bottom >= beside[0].middle:
        return strip
    start, end = min(row.left for row in below), max(row.right for row in below)
    set_right = end - first.right < _RAGGED * (end - start)
    short = first.left - start > _BYLINE * (end - start)
    return replace(strip, top=first.bottom) if set_right and short else strip


def _usual_space(rows: Sequence[Row]) -> float:
    """Median space between a row and the next one; 0 without any."""
    ordered = sorted(rows, key=lambda row: row.middle)
    spaces = [b.top - a.bottom for a, b in itertools.pairwise(ordered) if b.top > a.bottom]
    return statistics.median(spaces) if spaces else 0.0
