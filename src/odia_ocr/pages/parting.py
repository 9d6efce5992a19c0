"""Rows that run on over a gutter are parted there.

Where columns stand close, a detector may take two of their rows for one. Such a row is parted where
its own ground shows, at a place that rows above and below leave empty too, or at a rule. Knows
pixels and rows, no text.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.pages.gutters import find_gutters
from odia_ocr.pages.placed_row import PlacedRow
from odia_ocr.pages.rows import DetectedRow
from odia_ocr.pages.strips import Gap, find_gaps

if TYPE_CHECKING:
    from odia_ocr.pages.placed_row import Row
    from odia_ocr.pages.rules import Rule
    from odia_ocr.types import GreyPixels

_NARROWEST = 0.9  # letter heights of ground inside a row
_FLAT = 0.35  # share of a row's contrast by which its ground varies
_LEAST_CONTRAST = 16.0  # grey values; fainter print says nothing
_HEADING = 1.25  # times the usual letter height; larger print crosses gutters as it likes
_MATES = 2  # rows that leave the same place empty
_NEAR = 14.0  # letter heights to them
_ALIGNED = 0.3  # letter heights: holes alike on both sides are no word spaces
_SHARED = 0.6  # letter heights that gaps have in common
_EDGE = 3.0  # letter heights by which a row may begin or end inside its columns


def part_rows(
    grey: GreyPixels,
    rows: Sequence[DetectedRow],
    place: Callable[[DetectedRow], Row],
    rules: Sequence[Rule],
) -> list[DetectedRow]:
    """Rows of a page, those that run on over a gutter in two or more.

    Args:
        grey: The page (h, w).
        rows: Of this page.
        place: Where a row lies on the straightened page.
        rules: Of the straightened page.
    """
    placed = [place(row) for row in rows]
    solid = [row for row in placed if row.letters >= 2]
    if len(solid) <= _MATES:
        return list(rows)
    size = statistics.median(row.height for row in solid)
    gaps = find_gaps(solid, size)
    seen = {
        i: _find_holes(grey, rows[i], box, size)
        for i, box in enumerate(placed)
        if box.height < _HEADING * size
        and any(box.left < gap.left and gap.right < box.right for gap in gaps)
    }
    every = [hole for holes in seen.values() for hole in holes]
    holes = {i: _choose(found, every, gaps, size) for i, found in seen.items()}
    if not any(holes.values()):
        return list(rows)
    pieces = [part for i, box in enumerate(placed) for part in _cut(box, holes.get(i, []))]
    gutters = find_gutters(pieces, rules).gutters
    parted: list[DetectedRow] = []
    for i, row in enumerate(rows):
        through = [
            hole
            for hole in holes.get(i, [])
            if any(
                gutter.top <= hole.level <= gutter.bottom
                and hole.left <= gutter.centre(hole.level) <= hole.right
                for gutter in gutters
            )
        ]
        parted.extend(_part(row, placed[i], through))
    return parted


def _find_holes(grey: GreyPixels, row: DetectedRow, box: Row, size: float) -> list[Gap]:
    """Wide pieces of a row's ground, between its letters, on the straightened page."""
    half = max(1, round(row.body / 2))
    height, width = grey.shape
    xs = np.arange(max(0, round(row.left)), min(width, round(row.right)))
    if len(xs) < 8:
        return []
    levels = np.interp(xs, [p[0] for p in row.path], [p[1] for p in row.path])
    ys = np.round(levels).astype(int)[None] + np.arange(-half, half + 1)[:, None]
    band = grey[np.clip(ys, 0, height - 1), xs[None]].astype(np.float32)  # (body, length)
    low, high = np.percentile(band, (4, 96))
    if high - low < _LEAST_CONTRAST:
        return []
    ground = np.ptp(band, axis=0) < _FLAT * (high - low)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], ground, [False])).astype(np.int8)))
    stretch = (box.right - box.left) / len(xs)
    return [
        Gap(box.left + start * stretch, box.left + stop * stretch, box.middle, box.left, box.right)
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        if start > 0 and stop < len(xs) and (stop - start) * stretch > _NARROWEST * size
    ]


def _choose(
    holes: Sequence[Gap], every: Sequence[Gap], gaps: Sequence[Gap], size: float
) -> list[Gap]:
    """Holes at a place that rows near by leave empty, more of them than have a hole there.

    Holes of several rows that are alike count for a gutter, not against it.

    Args:
        holes: Of one row.
        every: Holes of all rows, wide spaces of one column among them.
        gaps: Between rows.
        size: Usual height of letters.
    """
    chosen = []
    for hole in holes:
        mates = [gap for gap in gaps if _meet(hole, gap, size)]
        rivals = [other for other in every if _meet(hole, other, size)]
        alike = [
            other
            for other in rivals
            if abs(hole.right - other.right) < _ALIGNED * size
            and abs(hole.left - other.left) < _ALIGNED * size
        ]
        against = len(rivals) - (len(alike) if len(alike) > _MATES else 0)
        if len(mates) < max(_MATES, against):
            continue
        start, end = min(gap.start for gap in mates), max(gap.end for gap in mates)
        fits = hole.start < start + _EDGE * size and hole.end > end - _EDGE * size
        if fits or min(gap.level for gap in mates) < hole.level < max(gap.level for gap in mates):
            chosen.append(hole)
    return chosen


def _meet(one: Gap, other: Gap, size: float) -> bool:
    shared = min(one.right, other.right) - max(one.left, other.left)
    return shared > _SHARED * size and abs(one.level - other.level) < _NEAR * size


def _cut(box: Row, holes: Sequence[Gap]) -> list[Row]:
    if not holes:
        return [box]
    starts = [box.left, *(hole.right for hole in holes)]
    ends = [*(hole.left for hole in holes), box.right]
    return [
        PlacedRow(left, right, box.top, box.bottom)
        for left, right in zip(starts, ends, strict=True)
    ]


def _part(row: DetectedRow, box: Row, holes: Sequence[Gap]) -> list[DetectedRow]:
    """The pieces of a row between holes, in pixels of the page."""
    stretch = (row.right - row.left) / max(1e-6, box.right - box.left)
    starts = [row.left, *(row.left + (hole.right - box.left) * stretch for hole in holes)]
    ends = [*(row.left + (hole.left - box.left) * stretch for hole in holes), row.right]
    pieces = []
    for left, right in zip(starts, ends, strict=True):
        inner = [point for point in row.path if left < point[0] < right]
        path = ((left, row.level(left)), *inner, (right, row.level(right)))
        pieces.append(replace(row, path=path))
    return pieces if holes else [row]
