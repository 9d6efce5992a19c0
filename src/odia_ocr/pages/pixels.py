"""Pixels of one kind from pictures of all kinds: grey or RGB, 8 bits, nothing transparent.

Knows nothing of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.errors import PictureError

if TYPE_CHECKING:
    from odia_ocr.types import Pixels

_LIGHT = 200  # grey: paler print on white is not print that somebody meant to be read


def to_pixels(image: Image.Image) -> Pixels:
    """Grey (height, width) or RGB (height, width, 3), uint8, from any Pillow mode.

    Transparency is laid on white, or on black where white would show nothing of it: light letters.
    16 bits become 8, palettes, CMYK and bilevel become what they show.
    """
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        return _squeeze_depth(np.asarray(image))
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        kind = "L" if mode in ("LA", "La", "L", "1") else "RGB"
        image = _lay_on(layer, 255).convert(kind)
        if np.asarray(image).min() > _LIGHT:
            on_black = _lay_on(layer, 0).convert(kind)
            # Without light letters in it that is black, or as light as before: nothing gained.
            pixels = np.asarray(on_black)
            image = on_black if pixels.min() < 255 - _LIGHT and pixels.max() > _LIGHT else image
    elif mode == "1":
        image = image.convert("L")
    elif mode not in ("L", "RGB"):
        image = image.convert("RGB")
    return np.array(image, dtype=np.uint8)


def _lay_on(layer: Image.Image, grey: int) -> Image.Image:
    ground = Image.new("RGBA", layer.size, (grey, grey, grey, 255))
    ground.alpha_composite(layer)
    return ground


def _squeeze_depth(values: np.ndarray) -> Pixels:
    """8 bits from deeper ones; the scale is told by the range in use (8, 12 or 16 bits)."""
    flat = np.nan_to_num(values.astype(np.float32), posinf=65535.0, neginf=0.0)
    top = float(flat.max(initial=0.0))
    if values.dtype.kind == "f" and top <= 1.0:
        flat *= 255.0
    elif top > 255.0:
        full = 4095.0 if top <= 4095.0 else max(65535.0, top)
        flat *= 255.0 / full
    return np.clip(np.rint(flat), 0, 255).astype(np.uint8)


def picture_of_array(name: str, array: np.ndarray) -> Image.Image:
    """A picture of an array (height, width) or (height, width, 1, 3 or 4).

    Args:
        name: For messages.
        array: uint8, or deeper, or bool.

    Raises:
        PictureError: If it is no picture.
    """
    good = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not good or array.size == 0 or array.dtype.kind not in "buif":
        raise PictureError(
            f"{name}: an array of shape {array.shape} and type {array.dtype} is not a picture.",
            next_step="Give uint8 of shape (height, width) or (height, width, 3).",
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    elif array.dtype != np.uint8:
        array = _squeeze_depth(array)
    return Image.fromarray(np.ascontiguousarray(array))
