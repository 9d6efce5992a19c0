"""Columns and reading order of rows that were found on the straightened page.

A gutter counts only when it stays empty over many rows that stand on both its sides, so loosely
spaced words and stanzas are not taken for columns.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

_ROWS = 5  # so many rows must stand on both sides
_COLUMN_WIDTH = 6.0  # letter heights; narrower columns are labels, numbers or bullets


class Row(Protocol):
    """A piece of a printed line: its box is the band of its letters."""

    @property
    def left(self) -> float: ...  # noqa: D102

    @property
    def right(self) -> float: ...  # noqa: D102

    @property
    def top(self) -> float: ...  # noqa: D102

    @property
    def bottom(self) -> float: ...  # noqa: D102

    @property
    def height(self) -> float: ...  # noqa: D102

    @property
    def middle(self) -> float: ...  # noqa: D102

    @property
    def letters(self) -> int: ...  # noqa: D102


AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True, slots=True)
class Strip:
    """An empty strip between two columns."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Gutters:
    """All strips of a page."""

    strips: tuple[Strip, ...] = ()

    def part(self, one: Row, other: Row) -> bool:
        """True when a strip lies between two rows at their level."""
        level = (one.middle + other.middle) / 2
        left, right = min(one.right, other.right), max(one.left, other.left)
        return any(
            strip.top <= level <= strip.bottom and left <= strip.right and strip.left <= right
            for strip in self.strips
        )


@dataclass(frozen=True, slots=True)
class _Gap:
    left: float
    right: float
    level: float


def find_gutters(rows: Sequence[Row]) -> Gutters:
    """Strips that part columns of text."""
    heights = [row.height for row in rows if row.letters >= 3]
    if len(heights) < 2 * _ROWS:
        return Gutters()
    size = statistics.median(heights)
    solid = [row for row in rows if row.letters >= 3 and row.right - row.left > 3 * size]
    gaps = _find_gaps(solid, size)
    strips: list[Strip] = []
    for gap in gaps:
        shared = [g for g in gaps if min(g.right, gap.right) - max(g.left, gap.left) > 0.7 * size]
        left, right = max(g.left for g in shared), min(g.right for g in shared)
        if right - left < 0.6 * size or len(shared) < _ROWS:
            continue
        top, bottom = min(g.level for g in shared) - size, max(g.level for g in shared) + size
        centre = (left + right) / 2
        beside = [row for row in solid if top < row.middle < bottom]
        crossing = sum(row.left < centre < row.right for row in beside)
        widths = [
            max((row.right - row.left for row in side), default=0.0)
            for side in (
                [row for row in beside if row.right <= centre],
                [row for row in beside if row.left >= centre],
            )
        ]
        if crossing <= 0.1 * len(shared) and min(widths) > _COLUMN_WIDTH * size:
            strips.append(Strip(left, top, right, bottom))
    return Gutters(tuple(dict.fromkeys(strips)))


def _find_gaps(rows: Sequence[Row], size: float) -> list[_Gap]:
    """The space to the right of each row up to the next one at its level."""
    gaps = []
    for row in rows:
        beside = [
            other.left
            for other in rows
            if other.left >= row.right
            and min(other.bottom, row.bottom) - max(other.top, row.top)
            > 0.4 * min(row.height, other.height)
        ]
        if beside and min(beside) - row.right > 0.8 * size:
            gaps.append(_Gap(row.right, min(beside), row.middle))
    return gaps


def order_rows(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Reading order: columns left to right, rows top to bottom, pieces of a row left to right."""
    strips = find_gutters(rows).strips
    if not strips:
        return _order_column(rows)
    strip = max(strips, key=lambda strip: strip.bottom - strip.top)
    centre = (strip.left + strip.right) / 2
    above = [row for row in rows if row.middle < strip.top]
    below = [row for row in rows if row.middle > strip.bottom]
    beside = [row for row in rows if strip.top <= row.middle <= strip.bottom]
    left = [row for row in beside if (row.left + row.right) / 2 < centre]
    right = [row for row in beside if (row.left + row.right) / 2 >= centre]
    parts = (above, left, right, below)
    if max(len(part) for part in parts) == len(rows):
        return _order_column(rows)
    return [row for part in parts for row in order_rows(part)]


def _order_column(rows: Sequence[AnyRow]) -> list[AnyRow]:
    rest = sorted(rows, key=lambda row: row.middle)
    ordered: list[AnyRow] = []
    while rest:
        first = rest[0]
        level = [
            row
            for row in rest
            if min(row.bottom, first.bottom) - max(row.top, first.top)
            > 0.5 * min(row.height, first.height)
        ]
        ordered.extend(sorted(level, key=lambda row: row.left))
        rest = [row for row in rest if row not in level]
    return ordered
