"""Columns and reading order of rows that were found on the straightened page.

A gutter is an empty strip with rows beside it on both sides; a row that crosses it, such as a
headline, ends it. Columns are read one after the other, tables row by row: cells of a table stand
level with one another and leave their columns half empty.

Source: the strips are the white rectangles of Breuel, "Two geometric algorithms for layout
analysis" (2002), found here from the gaps between rows.
"""

from __future__ import annotations

import bisect
import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

_ROWS = 3  # so many gaps make a gutter ...
_WIDE_ROWS = 2  # ... or so many wide ones
_LEANING_ROWS = 5  # gaps of a leaning one
_NARROWEST = 0.6  # letter heights
_WIDE = 2.0  # letter heights
_COLUMN_WIDTH = 4.0  # letter heights; narrower columns are labels, numbers or bullets
_LEANS = tuple(step / 100 for step in range(-6, 7))  # pixels to the right per pixel down
_LEAN_COST = 0.75  # a leaning strip must be shared by so many more gaps than an upright one
# Where only one side has rows: space between rows of a column, at most.
_REACH = 2.6  # letter heights
_REACH_UP = 1.8  # above a column stand running heads, too
_REACH_UP_SPACES = 1.35  # usual spaces of these columns
_PAUSE = 2.6  # letter heights without rows on both sides of a strip end it: a new section
_STACK = 1.6  # letter heights between rows of a block, at most
_PAUSE_SHARE = 1.7  # times the usual space between rows, too
_TABLE_LEVEL = 0.45  # letter heights by which cells of a table row may differ in level
_TABLE_GAP = 4.0  # letter heights
_TABLE_LETTERS = (9, 12)  # rows of text are longer where columns stand close, and where they do not
_TABLE_SHARE = 0.8  # of the cells have a neighbour at their level
_TABLE_FILL = 0.74  # of their column's width is what cells fill at most


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
    """An empty strip between two columns.

    Attributes:
        left, right: Its sides at the height `level`.
        top, bottom: Where it begins and ends.
        lean: How far it shifts to the right per pixel down.
        level: See `left`.
    """

    left: float
    top: float
    right: float
    bottom: float
    lean: float = 0.0
    level: float = 0.0

    def centre(self, level: float) -> float:
        """Its horizontal middle at a height."""
        return (self.left + self.right) / 2 + self.lean * (level - self.level)


@dataclass(frozen=True, slots=True)
class Gutters:
    """All strips of a page."""

    strips: tuple[Strip, ...] = ()

    def part(self, one: Row, other: Row) -> bool:
        """True when a strip lies between two rows at their level."""
        level = (one.middle + other.middle) / 2
        left, right = min(one.right, other.right), max(one.left, other.left)
        return any(
            strip.top <= level <= strip.bottom and left <= strip.centre(level) <= right
            for strip in self.strips
        )


@dataclass(frozen=True, slots=True)
class _Gap:
    left: float
    right: float
    level: float

    def moved(self, shift: float) -> tuple[float, float]:
        """Its sides, shifted."""
        return self.left + shift, self.right + shift


@dataclass(frozen=True, slots=True)
class _Run:
    """Gaps of one strip from the top, and the levels between which nothing ends it."""

    gaps: tuple[_Gap, ...]
    lean: float
    top: float
    bottom: float

    def strip(self, size: float) -> Strip:
        """The strip that all its gaps leave empty, from its first gap to its last."""
        level = self.gaps[0].level
        sides = [gap.moved(-self.lean * (gap.level - level)) for gap in self.gaps]
        left, right = max(side[0] for side in sides), min(side[1] for side in sides)
        return Strip(left, level - size, right, self.gaps[-1].level + size, self.lean, level)


def find_gutters(rows: Sequence[Row]) -> Gutters:
    """Strips that part columns of text."""
    solid = [row for row in rows if row.letters >= 2]
    if len(solid) < 2 * _WIDE_ROWS:
        return Gutters()
    size = statistics.median(row.height for row in solid)
    gaps = _find_gaps(solid, size)
    strips: list[Strip] = []
    done: set[_Gap] = set()
    for gap in sorted(gaps, key=lambda gap: gap.right - gap.left):
        if gap in done:  # it has a strip already, which its neighbours made
            continue
        for run in _shared_gaps(gap, gaps, solid, size):
            shared = run.gaps
            done.update(shared)
            strip = run.strip(size)
            width = strip.right - strip.left
            least = _WIDE_ROWS if width > _WIDE * size else _ROWS
            least = max(least, _LEANING_ROWS) if strip.lean else least
            if width < _NARROWEST * size or len(shared) < least:
                continue
            strip = _lengthen(strip, run, solid, _REACH * size, _REACH_UP * size)
            if _parts_columns(strip, solid, size):
                strips.append(_fit_length(strip, run, solid, size))
    return Gutters(tuple(dict.fromkeys(strips)))


def _find_gaps(rows: Sequence[Row], size: float) -> list[_Gap]:
    """The space to the right of each row up to the next one at about its level."""
    gaps = []
    for row in rows:
        beside = [
            other.left for other in rows if other.left >= row.right and _about_level(row, other)
        ]
        if beside and min(beside) - row.right > _NARROWEST * size:
            gaps.append(_Gap(row.right, min(beside), row.middle))
    return gaps


def _about_level(one: Row, other: Row) -> bool:
    """Do two rows stand beside one another? Rows of neighbouring columns need not be level."""
    apart = max(one.top, other.top) - min(one.bottom, other.bottom)
    return apart < 0.6 * min(one.height, other.height)


def _shared_gaps(seed: _Gap, gaps: Sequence[_Gap], rows: Sequence[Row], size: float) -> list[_Run]:
    """Gaps that share a strip with the seed, in runs that nothing ends, from the top."""
    # What is left of a page's curl and perspective lets gutters lean: the lean that most share.
    shared, lean = max(
        ((_share(seed, gaps, size, lean), lean) for lean in _LEANS),
        key=lambda found: (len(found[0]) * (1.0 if found[1] == 0 else _LEAN_COST), -abs(found[1])),
    )
    strip = _Run(tuple(sorted(shared, key=lambda gap: gap.level)), lean, 0.0, 0.0).strip(size)
    crossing = [row.middle for row in rows if _crosses(row, strip)]
    breaks = sorted([*crossing, *_find_pauses(shared, rows, strip, size)])
    runs: dict[int, list[_Gap]] = {}
    for gap in sorted(shared, key=lambda gap: gap.level):
        runs.setdefault(bisect.bisect(breaks, gap.level), []).append(gap)
    ends = [-math.inf, *breaks, math.inf]
    return [_Run(tuple(found), lean, ends[at], ends[at + 1]) for at, found in runs.items()]


def _share(seed: _Gap, gaps: Sequence[_Gap], size: float, lean: float) -> list[_Gap]:
    """Gaps that leave a strip of some lean empty together with the seed."""
    left, right = seed.left, seed.right
    shared = [seed]
    # The nearest first, so that the strip narrows only as far as it must.
    for gap in sorted(gaps, key=lambda gap: abs(gap.level - seed.level)):
        start, end = gap.moved(-lean * (gap.level - seed.level))
        if min(end, right) - max(start, left) > _NARROWEST * size and gap is not seed:
            left, right = max(start, left), min(end, right)
            shared.append(gap)
    return shared


def _crosses(row: Row, strip: Strip) -> bool:
    return row.left < strip.centre(row.middle) < row.right


def _find_pauses(
    gaps: Sequence[_Gap], rows: Sequence[Row], strip: Strip, size: float
) -> list[float]:
    """Levels at which all columns pause; larger print, a section's heading, may stand there."""
    low, high = min(gap.level for gap in gaps), max(gap.level for gap in gaps)
    usual = [row for row in rows if row.height < 1.25 * size and low <= row.middle <= high]
    edges = []
    for side in (
        [row for row in usual if row.right <= strip.centre(row.middle)],
        [row for row in usual if row.left >= strip.centre(row.middle)],
    ):
        ordered = sorted(side, key=lambda row: row.middle)
        edges.append([(a.bottom, b.top) for a, b in itertools.pairwise(ordered)])
    spaces = [b - a for a, b in itertools.chain(*edges) if b > a]
    least = max(_PAUSE * size, _PAUSE_SHARE * statistics.median(spaces)) if spaces else math.inf
    pauses = []
    for a, b in itertools.product(*edges):
        top, bottom = max(a[0], b[0]), min(a[1], b[1])
        if bottom - top > least and not any(top < row.middle < bottom for row in usual):
            pauses.append((top + bottom) / 2)
    return pauses


def _lengthen(strip: Strip, run: _Run, rows: Sequence[Row], down: float, up: float) -> Strip:
    """Let a strip run on beside the rest of a column whose neighbour has ended.

    Args:
        strip: What gaps on both sides of which rows stand have given.
        run: Between its ends the strip may grow.
        rows: Of the page.
        down: Largest space between one row and the next below, in pixels.
        up: The same above.
    """
    top, bottom = strip.top, strip.bottom
    beside = _rows_beside(strip, run, rows)
    for row in beside:
        if row.bottom > bottom and row.top - bottom < down:
            bottom = row.bottom
    for row in reversed(beside):
        if row.top < top and top - row.bottom < up:
            top = row.top
    return replace(strip, top=max(top, run.top), bottom=min(bottom, run.bottom))


def _fit_length(strip: Strip, run: _Run, rows: Sequence[Row], size: float) -> Strip:
    """Let the strip of two columns grow upwards by their own spacing, where that is wide."""
    inside = [row for row in rows if strip.top <= row.middle <= strip.bottom]
    return _lengthen(strip, run, rows, 0.0, _REACH_UP_SPACES * _usual_space(inside, strip))


def _rows_beside(strip: Strip, run: _Run, rows: Sequence[Row]) -> list[Row]:
    return sorted(
        (row for row in rows if run.top < row.middle < run.bottom and not _crosses(row, strip)),
        key=lambda row: row.middle,
    )


def _usual_space(rows: Sequence[Row], strip: Strip) -> float:
    """Median space between a row and the next one on its side of a strip; 0 without any."""
    spaces = []
    for left in (True, False):
        side = sorted(
            (row for row in rows if (_middle(row) < strip.centre(row.middle)) == left),
            key=lambda row: row.middle,
        )
        spaces += [b.top - a.bottom for a, b in itertools.pairwise(side) if b.top > a.bottom]
    return statistics.median(spaces) if spaces else 0.0


def _parts_columns(strip: Strip, rows: Sequence[Row], size: float) -> bool:
    """Are there columns of text beside the strip, and not the cells of a table?"""
    beside = [row for row in rows if strip.top <= row.middle <= strip.bottom]
    sides = (
        [row for row in beside if row.right <= strip.centre(row.middle)],
        [row for row in beside if row.left >= strip.centre(row.middle)],
    )
    if not all(sides):
        return False
    widest = [max(row.right - row.left for row in side) for side in sides]
    if min(widest) < _COLUMN_WIDTH * size:
        return False
    level = sum(
        any(abs(row.middle - other.middle) < _TABLE_LEVEL * size for other in sides[1])
        for row in sides[0]
    )
    # The next column alone: what stands farther off has gutters of its own.
    near = _nearest_column(sides[1], left=True)
    far = _nearest_column(sides[0], left=False)
    if level < _TABLE_SHARE * min(len(side) for side in sides):
        return True
    fill = statistics.mean(_fill(side) for side in (near, far))
    if fill <= _TABLE_FILL:
        return False
    letters = statistics.median(row.letters for row in (*near, *far))
    close = strip.right - strip.left < _TABLE_GAP * size
    return letters >= _TABLE_LETTERS[0 if close else 1]


def _nearest_column(rows: Sequence[Row], *, left: bool) -> list[Row]:
    """Rows that have nothing between themselves and the strip, of the column that stands nearest.

    Where a picture takes the nearest column's place, rows of the next one face the strip as well.
    """
    facing = [
        row
        for row in rows
        if not any(
            other is not row
            and (other.right <= row.left if left else other.left >= row.right)
            and _about_level(row, other)
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


def order_rows(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Reading order: columns left to right, rows top to bottom, pieces of a row left to right."""
    strips = find_gutters(rows).strips
    # The longest first, of about equal ones the leftmost.
    longest = max((strip.bottom - strip.top for strip in strips), default=0.0)
    for strip in sorted(
        strips, key=lambda s: (-round(8 * (s.bottom - s.top) / max(longest, 1e-6)), s.left)
    ):
        above = [row for row in rows if row.middle < strip.top]
        below = [row for row in rows if row.middle > strip.bottom]
        beside = [row for row in rows if strip.top <= row.middle <= strip.bottom]
        left = [row for row in beside if _middle(row) < strip.centre(row.middle)]
        right = [row for row in beside if _middle(row) >= strip.centre(row.middle)]
        parts = (above, left, right, below)
        if max(len(part) for part in parts) < len(rows):
            return [row for part in parts for row in order_rows(part)]
    return _order_column(rows)


def _middle(row: Row) -> float:
    return (row.left + row.right) / 2


def _order_column(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Rows without columns: by level, or block by block where blocks stand side by side unlevel."""
    blocks = _stack(rows)
    if len(blocks) < 2 or not any(
        _stand_unlevel(one, other) for one, other in itertools.combinations(blocks, 2)
    ):
        return _order_levels(rows)
    return [row for block in _order_blocks(blocks) for row in block]


def _stack(rows: Sequence[AnyRow]) -> list[list[AnyRow]]:
    """Blocks of rows that stand close below one another."""
    blocks: list[list[AnyRow]] = []
    for row in sorted(rows, key=lambda row: row.middle):
        above = next((block for block in blocks if _follows(block[-1], row)), None)
        if above is None:
            blocks.append([row])
        else:
            above.append(row)
    return blocks


def _follows(above: Row, row: Row) -> bool:
    shared = min(above.right, row.right) - max(above.left, row.left)
    lower, taller = sorted((above.height, row.height))
    return (
        shared > 0.5 * min(above.right - above.left, row.right - row.left)
        and -0.3 * lower < row.top - above.bottom < _STACK * lower
        and taller < 1.6 * lower
    )


def _stand_unlevel(one: Sequence[Row], other: Sequence[Row]) -> bool:
    """Do two blocks stand side by side, of more than a row in all but few of them level?"""
    if len(one) + len(other) < 3 or not _beside(_box(one), _box(other)):
        return False
    few, many = sorted((one, other), key=len)
    size = min(row.height for row in (*one, *other))
    level = sum(any(abs(row.middle - mate.middle) < 0.3 * size for mate in many) for row in few)
    return level < 0.5 * len(few)


def _box(rows: Sequence[Row]) -> Strip:
    return Strip(
        min(row.left for row in rows),
        min(row.top for row in rows),
        max(row.right for row in rows),
        max(row.bottom for row in rows),
    )


def _beside(one: Strip, other: Strip) -> bool:
    apart = one.right <= other.left or other.right <= one.left
    return apart and min(one.bottom, other.bottom) > max(one.top, other.top)


def _order_blocks(blocks: Sequence[list[AnyRow]]) -> list[list[AnyRow]]:
    """What stands above comes first, and of what stands side by side the left.

    Source: the precedence of Breuel, "High performance document layout analysis" (2003).
    """
    boxes = [_box(block) for block in blocks]

    def goes_before(one: Strip, other: Strip) -> bool:
        if _beside(one, other):
            return one.left < other.left
        shared = min(one.right, other.right) - max(one.left, other.left)
        return shared > 0 and one.top + one.bottom < other.top + other.bottom

    rest = sorted(range(len(blocks)), key=lambda i: (boxes[i].top, boxes[i].left))
    ordered: list[list[AnyRow]] = []
    while rest:
        free = [
            i for i in rest if not any(j != i and goes_before(boxes[j], boxes[i]) for j in rest)
        ]
        chosen = free[0] if free else rest[0]
        ordered.append(blocks[chosen])
        rest.remove(chosen)
    return ordered


def _order_levels(rows: Sequence[AnyRow]) -> list[AnyRow]:
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
