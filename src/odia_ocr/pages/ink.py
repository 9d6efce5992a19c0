"""Grey pixels become ink: which pixels are strokes darker, or lighter, than their ground.

The ground is a local median, so it keeps the edges of coloured panels, and dark and light strokes
are told apart by the sign of the difference: a page may hold both. Knows nothing of letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import FloatArray, GreyPixels, Pixels

    Mask = npt.NDArray[np.bool_]

# Luma of ITU-R BT.601, as Pillow's convert("L").
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_GRID = 160  # cells along the longer side at which the ground is estimated
_WINDOW = 21  # cells; the ground window must be wider than twice the largest letter
_STROKE_WINDOW = 11  # cells; how far the strongest stroke nearby sets the threshold
_STROKE_SHARE = 0.4  # a stroke pixel reaches this share of the strongest contrast nearby
_LEAST_CONTRAST = 16.0  # grey levels


@dataclass(frozen=True, slots=True, eq=False)
class Ink:
    """Strokes of one polarity.

    Attributes:
        mask: True on strokes, shape (height, width).
        contrast: Difference to the ground in grey levels, 0 or more, same shape.
        light: True when the strokes are lighter than the ground.
    """

    mask: Mask
    contrast: FloatArray
    light: bool


def to_grey(pixels: Pixels) -> GreyPixels:
    """Luma of RGB pixels; grey pixels as they are."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(Image.fromarray(pixels).convert("L"))


def find_ink(grey: GreyPixels, *, flat: bool = False) -> tuple[Ink, Ink]:
    """Dark and light strokes of a page, in this order.

    Args:
        grey: The page, shape (height, width).
        flat: Judge the ground in low, wide windows: for lines on coloured bands hardly higher
            than the print, which a square window would take for ink.

    Source: background by local median as in Gatos, Pratikakis and Perantonis, "Adaptive degraded
    document image binarization" (2006), with a threshold relative to the local stroke contrast.
    """
    height, width = grey.shape
    cell = max(1, -(-max(height, width) // _GRID))
    shape = (max(1, cell // 3) if flat else cell, cell)
    # One sampled pixel a cell: averaging would mix ink into the ground.
    ys = np.minimum(np.arange(-(-height // shape[0])) * shape[0] + shape[0] // 2, height - 1)
    xs = np.minimum(np.arange(-(-width // cell)) * cell + cell // 2, width - 1)
    sampled = Image.fromarray(np.ascontiguousarray(grey[np.ix_(ys, xs)]))
    ground = _pad_filter(sampled, ImageFilter.MedianFilter(_WINDOW), _WINDOW // 2)
    noise = 1.5 * float(np.median(np.abs(np.asarray(sampled, np.float32) - ground)))
    least = max(_LEAST_CONTRAST, min(5.0 * noise, 48.0))
    # At the edge of a panel the ground is unsure within a cell: take the doubtless side.
    ground_image = Image.fromarray(ground.astype(np.uint8))
    low = _pad_filter(ground_image, ImageFilter.MinFilter(3), 1)
    high = _pad_filter(ground_image, ImageFilter.MaxFilter(3), 1)
    values = grey.astype(np.float32)
    return (
        _threshold(_enlarge(low, shape, grey.shape) - values, cell, least, light=False),
        _threshold(values - _enlarge(high, shape, grey.shape), cell, least, light=True),
    )


def _threshold(contrast: FloatArray, cell: int, least: float, *, light: bool) -> Ink:
    np.maximum(contrast, 0.0, out=contrast)
    height, width = contrast.shape
    rows, cols = -(-height // cell), -(-width // cell)
    padded = np.zeros((rows * cell, cols * cell), np.float32)
    padded[:height, :width] = contrast
    peaks = padded.reshape(rows, cell, cols, cell).max(axis=(1, 3))
    image = Image.fromarray(np.clip(peaks, 0, 255).astype(np.uint8))
    strongest = _pad_filter(image, ImageFilter.MaxFilter(_STROKE_WINDOW), _STROKE_WINDOW // 2)
    threshold = np.maximum(least, _STROKE_SHARE * strongest)
    return Ink(contrast > _enlarge(threshold, (cell, cell), contrast.shape), contrast, light)


def _pad_filter(image: Image.Image, kind: ImageFilter.Filter, margin: int) -> FloatArray:
    """Filter with mirrored borders; Pillow leaves a filter's border rows as they are."""
    array = np.asarray(image)
    padded = Image.fromarray(np.pad(array, margin, mode="symmetric"))
    inside = np.asarray(padded.filter(kind), np.float32)
    return inside[margin : margin + array.shape[0], margin : margin + array.shape[1]]


def _enlarge(cells: FloatArray, cell: tuple[int, int], shape: tuple[int, ...]) -> FloatArray:
    full = np.repeat(np.repeat(cells, cell[0], axis=0), cell[1], axis=1)
    return np.ascontiguousarray(full[: shape[0], : shape[1]], dtype=np.float32)


def erase_long_runs(mask: Mask, length: int) -> Mask:
    """Clear rules, frames and solid panels: runs of `length` or more pixels along x or y."""
    kept = mask & ~_long_runs(mask, length)
    return kept & ~_long_runs(mask.T, length).T


def _long_runs(mask: Mask, length: int) -> Mask:
    from odia_ocr.pages.components import find_runs

    runs = find_runs(mask)
    long = np.flatnonzero(runs.right - runs.left >= length)
    marks = np.zeros(mask.shape, bool)
    for row, left, right in zip(runs.row[long], runs.left[long], runs.right[long], strict=True):
        marks[row, left:right] = True
    return marks
