"""A line picture as a vision-language model sees it, whether the model is here or on a server."""

from __future__ import annotations

import numpy as np
from PIL import Image

from odia_ocr.recognize.vlm.settings import PATCH


def fit_line(picture: Image.Image, height: int) -> Image.Image:
    """A line picture at a height in pixels, RGB, as wide as whole tokens; 0 leaves its size.

    It is filled up on the right with the colour of its border; nothing is stretched.
    """
    picture = picture.convert("RGB")
    if not height:
        return picture
    width = max(1, round(picture.width * height / picture.height))
    scaled = picture.resize((width, height), Image.Resampling.BICUBIC)
    whole = -(-width // PATCH) * PATCH
    if whole == width:
        return scaled
    pixels = np.asarray(scaled)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, -1]])
    colour = tuple(int(value) for value in np.median(border, axis=0))
    filled = Image.new("RGB", (whole, height), colour)
    filled.paste(scaled)
    return filled
