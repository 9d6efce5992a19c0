"""A line picture as a vision-language model sees it, whether the model is here or on a server."""

from __future__ import annotations

import numpy as np
from PIL import Image

from odia_ocr.recognize.vlm.settings import PATCH, VlmSettings


def fit_line(picture: Image.Image, settings: VlmSettings) -> Image.Image:
    """A line picture at the height of `settings`, RGB, as wide as whole tokens.

    It is filled up on the right with the colour of its border, narrow ones to `min_pixels`;
    nothing is stretched.
    """
    picture = make_rgb(picture)
    if not settings.line_height:
        return picture
    width, whole = measure_line(picture.size, settings)
    scaled = picture.resize((width, settings.line_height), Image.Resampling.BICUBIC)
    if whole == width:
        return scaled
    pixels = np.asarray(scaled)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, -1]])
    colour = tuple(int(value) for value in np.median(border, axis=0))
    filled = Image.new("RGB", (whole, settings.line_height), colour)
    filled.paste(scaled)
    return filled


def measure_line(size: tuple[int, int], settings: VlmSettings) -> tuple[int, int]:
    """Width in pixels of a line picture at the height of `settings`, and that of whole tokens."""
    width = max(1, round(size[0] * settings.line_height / size[1]))
    # A narrower picture would be scaled up again, and not to its own proportions.
    least = -(-settings.min_pixels // settings.line_height)
    return width, -(-max(width, least) // PATCH) * PATCH


def make_rgb(picture: Image.Image) -> Image.Image:
    """RGB of a picture of any mode: white where it is transparent, 16 bits as 8."""
    if picture.mode.startswith(("I", "F")):
        levels = np.asarray(picture, np.float32)
        deep = levels.max(initial=0) > 255
        picture = Image.fromarray((levels / 256 if deep else levels).clip(0, 255).astype(np.uint8))
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        white = Image.new("RGBA", layered.size, "white")
        return Image.alpha_composite(white, layered).convert("RGB")
    return picture.convert("RGB")
