"""Page numbers reach out to the dashes on both sides of them: "– 12 –".

Such dashes stand farther off, and are wider, than marks at the ends of a row of text may be; that
there are two alike, one on each side of few letters, tells them. A dash that was taken for a row of
its own goes into the row between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.pages.components import find_components
from odia_ocr.pages.line_ends import LEAST_CONTRAST, measure_ink
from odia_ocr.pages.rows import DetectedRow

if TYPE_CHECKING:
    from odia_ocr.pages.components import Components
    from odia_ocr.types import GreyPixels

# All in reaches of the row between.
_LONGEST = 6.0  # so few letters it has
_FAR = 3.0  # from its letters to a dash
_WIDEST = 1.8
_NARROWEST = 0.16
_THICKEST = 0.34
_OFF = 0.36  # from the row's middle to a dash's
_SPECK = 0.1  # smaller ink says nothing
_LETTER = 0.42  # height of letters, at least
_CLEAR = 0.4  # ground beyond a dash, before other ink
# Both dashes are alike up to this.
_UNLIKE = 0.24  # in width and in level
_UNEVEN = 0.4  # in distance
_INK = 0.4  # share of the row's contrast from which on a pixel is ink


@dataclass(frozen=True, slots=True)
class _Dash:
    """A flat mark beside letters, pixels of the page.

    Attributes:
        left, right: Where it begins and ends.
        off: How far its middle lies below the row's.
        gap: Ground between it and the letters.
    """

    left: float
    right: float
    off: float
    gap: float

    @property
    def width(self) -> float:
        """Its length."""
        return self.right - self.left

    def holds(self, x: float) -> bool:
        """Does it lie over `x`?"""
        return self.left <= x <= self.right


def take_dashes(grey: GreyPixels, rows: Sequence[DetectedRow]) -> list[DetectedRow]:
    """Lengthen short rows to the dashes on both sides of them.

    Args:
        grey: The page (h, w).
        rows: Of this page.

    Returns:
        The rows, without those that were one of these dashes.
    """
    longer: dict[int, DetectedRow] = {}
    dashes: set[int] = set()
    for i, row in enumerate(rows):
        if i in dashes or row.right - row.left > _LONGEST * row.reach:
            continue
        pair = _find_pair(grey, row)
        if pair is None:
            continue
        beside = {j: other for j, other in enumerate(rows) if j != i and _on_level(row, other)}
        own = {j for j, other in beside.items() if any(dash.holds(other.centre) for dash in pair)}
        if not _stand_clear(row, pair, [beside[j] for j in beside.keys() - own]):
            continue
        dashes |= own
        ends = min(row.left, pair[0].left), max(row.right, pair[1].right)
        path = ((ends[0], row.level(ends[0])), *row.path[1:-1], (ends[1], row.level(ends[1])))
        longer[i] = replace(row, path=path)
    return [longer.get(i, row) for i, row in enumerate(rows) if i not in dashes]


def _on_level(row: DetectedRow, other: DetectedRow) -> bool:
    return abs(other.level(other.centre) - row.level(other.centre)) < row.reach


def _stand_clear(
    row: DetectedRow, pair: tuple[_Dash, _Dash], others: Sequence[DetectedRow]
) -> bool:
    """Do other rows begin farther off than the letters between the dashes, unlike table cells?"""
    first, last = pair
    least = max(_CLEAR * row.reach, first.gap, last.gap)
    return all(
        first.left - other.right > least or other.left - last.right > least for other in others
    )


def _find_pair(grey: GreyPixels, row: DetectedRow) -> tuple[_Dash, _Dash] | None:
    """The two dashes beside a row's letters, when there are two alike."""
    ground, contrast = measure_ink(grey, row)
    if abs(contrast) < LEAST_CONTRAST:
        return None
    room = (_FAR + _WIDEST + _CLEAR) * row.reach
    left, right = max(0, round(row.left - room)), round(row.right + room)
    levels = row.level(left), row.level(right)
    top, bottom = max(0, round(min(levels) - row.up)), round(max(levels) + row.down) + 1
    depth = (grey[top:bottom, left:right].astype(np.float32) - ground) * np.sign(contrast)
    pieces = _move(find_components(depth > _INK * abs(contrast), depth), left, top)
    pieces = pieces.take(np.maximum(pieces.width, pieces.height) >= _SPECK * row.reach)
    letters = pieces.take(
        (pieces.height >= _LETTER * row.reach)
        & (pieces.right > row.left)
        & (pieces.left < row.right)
    )
    if not len(letters):
        return None
    first = _find_dash(pieces, letters, row, side=-1)
    last = _find_dash(pieces, letters, row, side=1)
    if first is None or last is None or not _are_alike(first, last, row.reach):
        return None
    return first, last


def _move(pieces: Components, right: int, down: int) -> Components:
    return replace(
        pieces,
        left=pieces.left + np.float32(right),
        right=pieces.right + np.float32(right),
        top=pieces.top + np.float32(down),
        bottom=pieces.bottom + np.float32(down),
    )


def _find_dash(
    pieces: Components, letters: Components, row: DetectedRow, side: int
) -> _Dash | None:
    """The flat mark next to letters, with clear ground beyond it."""
    reach = row.reach
    gaps = letters.left.min() - pieces.right if side < 0 else pieces.left - letters.right.max()
    beside = np.flatnonzero(gaps >= 0)
    if not len(beside):
        return None
    order = beside[np.argsort(gaps[beside])]
    at = order[0]
    left, right, gap = float(pieces.left[at]), float(pieces.right[at]), float(gaps[at])
    wide, high = right - left, float(pieces.height[at])
    off = float(pieces.middle[at]) - row.level((left + right) / 2)
    fits = (
        gap <= _FAR * reach
        and max(high, _NARROWEST * reach) <= wide <= _WIDEST * reach
        and high <= _THICKEST * reach
        and abs(off) <= _OFF * reach
    )
    if not fits or bool((gaps[order[1:]] < gap + wide + _CLEAR * reach).any()):
        return None
    return _Dash(left, right, off, gap)


def _are_alike(one: _Dash, other: _Dash, reach: float) -> bool:
    return (
        abs(one.width - other.width) <= _UNLIKE * reach
        and abs(one.off - other.off) <= _UNLIKE * reach
        and abs(one.gap - other.gap) <= _UNEVEN * reach
    )
