"""Uneven light and shadows on a line picture are levelled, so that one contrast fits all of it.

Only dark writing on a lighter ground whose brightness changes along the line is touched; a line in
even light keeps every pixel, and so does light writing on a dark ground.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from odia_ocr.pages.ink import to_grey
from odia_ocr.types import LineImage

if TYPE_CHECKING:
    from odia_ocr.types import FloatArray, GreyPixels

_ROWS = 16  # height at which the ground is looked at
_GROUND = 7  # cells; wider than any stroke, so some ground is always in the window
_STEPS = (1, 2, 3)  # they add up to one less than the window
_UNEVEN = 1.15  # brightest over darkest ground, from here on a line is levelled
_DARKEST = 24.0  # grey levels; a ground below this is no paper
_PAPER = 235.0  # grey level the ground gets


def level_line(line: LineImage) -> LineImage:
    """The line in even light; the same object where the light is even.

    Source: division by an estimated background, as in Gatos, Pratikakis and Perantonis (2006).
    """
    height, width = line.pixels.shape[:2]
    step = max(1, height // (3 * _ROWS))
    grey = to_grey(np.ascontiguousarray(line.pixels[::step, ::step]))
    columns = max(4, round(width * _ROWS / height))
    small = Image.fromarray(grey).resize((columns, _ROWS), Image.Resampling.BOX)
    values = np.asarray(small)
    widened = _widen(_widen(values).T).T
    if widened.max() < _UNEVEN * widened.min():  # most lines: the rest would say the same
        return line
    ground = _blur(widened)
    low, high = np.percentile(ground, (2, 98))
    if low < _DARKEST or high < _UNEVEN * low:
        return line
    # The ground is what most pixels come near to; on a dark ground the writing would pass for it.
    if float((values > 0.75 * ground).mean()) < 0.5:
        return line
    scaled = Image.fromarray(ground).resize((width, height), Image.Resampling.BILINEAR)
    gain = _PAPER / np.asarray(scaled, np.float32)
    if line.pixels.ndim == 3:
        gain = gain[:, :, None]
    levelled = np.clip(line.pixels * gain, 0, 255).astype(np.uint8)
    return LineImage(line.id, levelled)


def _widen(values: GreyPixels) -> GreyPixels:
    """The greatest value within `_GROUND` cells along the first axis."""
    reach = _GROUND // 2
    widest = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    for step in _STEPS:
        widest = np.maximum(widest[step:], widest[:-step])
    return widest


def _blur(values: GreyPixels) -> FloatArray:
    margin = _GROUND
    padded = Image.fromarray(np.pad(values, margin, mode="edge"))
    blurred = np.asarray(padded.filter(ImageFilter.BoxBlur(_GROUND / 2)), np.float32)
    return blurred[margin:-margin, margin:-margin]
