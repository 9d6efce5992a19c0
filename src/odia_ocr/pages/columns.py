"""Reading order of rows that were found on the straightened page.

Columns are read one after the other, tables row by row, blocks that stand side by side unlevel
block by block.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

from odia_ocr.pages.gutters import Gutter, find_gutters
from odia_ocr.pages.placed_row import AnyRow, Row
from odia_ocr.pages.rules import Rule
from odia_ocr.pages.strips import Strip, split_at

_FEW_LETTERS = 6  # of a page number
_CLEAR = 1.3  # gaps between rows that it stands away from everything else
_STACK = 1.6  # letter heights between rows of a block, at most


def order_rows(rows: Sequence[AnyRow], rules: Sequence[Rule] = ()) -> list[AnyRow]:
    """Reading order: columns left to right, rows top to bottom, pieces of a row left to right.

    Args:
        rows: Of a page.
        rules: Of the page, in the same coordinates.
    """
    numbers = _find_page_numbers(rows)
    rest = [row for row in rows if row not in numbers]
    ordered = _order_beside(rest, find_gutters(rest, rules).gutters)
    if not ordered:
        return numbers
    middle = ordered[0].middle
    return [
        *(row for row in numbers if row.middle < middle),
        *ordered,
        *(row for row in numbers if row.middle >= middle),
    ]


def _usual_gap(rows: Sequence[Row]) -> float:
    """Median distance from the letters of a row to the next ones below them."""
    gaps = []
    for row in rows:
        below = [
            other.top - row.bottom
            for other in rows
            if other.top > row.bottom and other.left < row.right and row.left < other.right
        ]
        if below:
            gaps.append(min(below))
    return statistics.median(gaps) if gaps else 0.0


def _find_page_numbers(rows: Sequence[AnyRow]) -> list[AnyRow]:
    """Short rows that stand alone at the head or foot, over or under but one of the columns."""
    if len(rows) < 3:
        return []
    outer = (min(rows, key=lambda row: row.top), max(rows, key=lambda row: row.bottom))
    short = [row for row in outer if row.letters <= _FEW_LETTERS]
    if not short:
        return []
    gap = _usual_gap(rows)
    return [row for row in short if _is_page_number(row, rows, gap)]


def _is_page_number(row: Row, rows: Sequence[Row], gap: float) -> bool:
    """Does it stand clear of a column that does not stick out beyond the others?

    Of one that does it would be the heading or the last line.
    """
    others = [other for other in rows if other is not row]
    clear = _CLEAR * gap
    if all(row.top - other.bottom > clear for other in others):
        ends = [[other.bottom for other in part] for part in _part_by(row, others)]
        return all(ends) and max(ends[0]) < max(ends[1]) + gap + row.height
    if all(other.top - row.bottom > clear for other in others):
        starts = [[other.top for other in part] for part in _part_by(row, others)]
        return all(starts) and min(starts[0]) > min(starts[1]) - gap - row.height
    return False


def _part_by(row: Row, others: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Those that share a column with a row, and the rest."""
    shares = [other.left < row.right and row.left < other.right for other in others]
    return (
        [other for other, near in zip(others, shares, strict=True) if near],
        [other for other, near in zip(others, shares, strict=True) if not near],
    )


def _order_beside(rows: Sequence[AnyRow], gutters: Sequence[Gutter]) -> list[AnyRow]:
    # The longest first, of about equal ones the leftmost.
    longest = max((gutter.bottom - gutter.top for gutter in gutters), default=0.0)
    for gutter in sorted(
        gutters,
        key=lambda g: (-round(8 * (g.bottom - g.top) / max(longest, 1e-6)), g.centre(g.top)),
    ):
        above = [row for row in rows if row.middle < gutter.top]
        below = [row for row in rows if row.middle > gutter.bottom]
        beside = [row for row in rows if gutter.top <= row.middle <= gutter.bottom]
        parts = (above, *split_at(gutter, beside), below)
        if max(len(part) for part in parts) < len(rows):
            return [row for part in parts for row in _order_beside(part, gutters)]
    return _order_column(rows)


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
