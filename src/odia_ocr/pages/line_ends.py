"""Rows reach out to the lone marks at their ends: a danda after a space, a dash, a quotation mark.

A detector sees letters; a thin stroke that stands apart is easily lost, and the sentence with it.
Here the ink beside a row's ends decides. Rules between columns and frames are no marks: they run on
above and below the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.pages.rows import DetectedRow

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import GreyPixels

    Bools = npt.NDArray[np.bool_]

_FAR = 1.15  # reaches from the end of a row to its last mark
_STEP = 0.75  # reaches from one mark to the next
_WIDEST = 0.62  # reaches; wider ink is no mark
_CLEAR = 0.3  # reaches of ground that stay before the next row
_CONTRAST = 0.45  # share of the row's own contrast from which on a pixel is ink
LEAST_CONTRAST = 24.0  # grey values; fainter print says nothing
_LEAST_INK = 0.12  # reaches of a mark's longer side
_BEYOND = 0.3  # reaches above and below the row in which a rule runs on


def reach_marks(grey: GreyPixels, rows: Sequence[DetectedRow]) -> list[DetectedRow]:
    """Lengthen rows to the lone marks at their ends.

    Args:
        grey: The page (h, w).
        rows: Of this page.
    """
    if not rows:
        return []
    boxes = np.array([(row.left, row.right, *_span(row)) for row in rows])
    return [_reach_out(grey, row, boxes, i) for i, row in enumerate(rows)]


def _span(row: DetectedRow) -> tuple[float, float]:
    """Top and bottom of a row's letters, all along it."""
    levels = [y for _, y in row.path]
    return min(levels) - row.body / 2, max(levels) + row.body / 2


def _reach_out(
    grey: GreyPixels, row: DetectedRow, boxes: npt.NDArray[np.float64], own: int
) -> DetectedRow:
    ground, contrast = measure_ink(grey, row)
    if abs(contrast) < LEAST_CONTRAST:
        return row
    near = (boxes[:, 2] < boxes[own, 3]) & (boxes[:, 3] > boxes[own, 2])
    near[own] = False
    path = list(row.path)
    for side in (-1, 1):
        end = path[-1][0] if side > 0 else path[0][0]
        others = boxes[near, 0] - end if side > 0 else end - boxes[near, 1]
        free = min([_FAR * row.reach, *(others[others > 0] - _CLEAR * row.reach)])
        ink = _find_ink(grey, row, end, side, free, ground, contrast)
        length = _measure_marks(ink, row.reach)
        if length > 0:
            x = end + side * length
            path[-1 if side > 0 else 0] = (x, row.level(x))
    return replace(row, path=tuple(path))


def measure_ink(grey: GreyPixels, row: DetectedRow) -> tuple[float, float]:
    """Grey value of the ground along a row, and how far its ink differs from it."""
    top, bottom = _span(row)
    around = 0.5 * (row.reach - row.body)
    left, right = max(0, int(row.left)), int(row.right) + 1
    part = grey[max(0, int(top)) : int(bottom) + 1 : 2, left:right:2]
    if part.size < 8:
        return 255.0, 0.0
    low, high = np.percentile(part, (4, 96))
    # The ground takes more room than the ink, also around a few bold letters.
    beyond = max(0, int(left - around)), int(right + around)
    whole = grey[max(0, int(top - around)) : int(bottom + around) + 1 : 2, slice(*beyond, 2)]
    middle = float(whole.mean())
    return (high, low - high) if high - middle < middle - low else (low, high - low)


def _find_ink(
    grey: GreyPixels,
    row: DetectedRow,
    end: float,
    side: int,
    free: float,
    ground: float,
    contrast: float,
) -> tuple[Bools, int]:
    """Ink beside an end of a row, (h, w), columns from the end outwards, and a number.

    So many pixel rows at its upper and at its lower edge lie beyond the row's own ink.
    """
    height, width = grey.shape
    margin = max(1, round(_BEYOND * row.reach))
    level = row.level(end + side * free / 2)
    top, bottom = round(level - row.up) - margin, round(level + row.down) + margin
    start, stop = sorted((round(end), round(end + side * free)))
    start, stop = max(0, start), min(width, stop)
    if stop - start < 2 or top < 0 or bottom > height:
        return np.zeros((0, 0), bool), margin
    part = grey[top:bottom, start:stop].astype(np.float32)
    ink = (part - ground) * np.sign(contrast) > _CONTRAST * abs(contrast)
    return (ink if side > 0 else ink[:, ::-1]), margin


def _measure_marks(found: tuple[Bools, int], reach: float) -> float:
    """How far out the last mark ends, pixels; 0 without any."""
    ink, margin = found
    if not ink.any():
        return 0.0
    inner = ink[margin:-margin]
    used: Bools = np.asarray(inner.any(axis=0))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], used, [False])).astype(np.int8)))
    last = 0.0
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if start - last > _STEP * reach or stop - start > _WIDEST * reach or stop == len(used):
            break
        mark = inner[:, start:stop]
        rows = np.flatnonzero(mark.any(axis=1))
        tall = int(rows[-1] - rows[0]) + 1
        beyond = ink[:margin, start:stop].any(axis=1), ink[-margin:, start:stop].any(axis=1)
        runs_on = max(float(side.mean()) for side in beyond) > 0.7
        if runs_on and tall > 0.8 * inner.shape[0]:
            break
        if max(tall, stop - start) >= _LEAST_INK * reach:
            last = float(stop)
    return last
