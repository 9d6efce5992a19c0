"""The one step from a line picture to the pixels a CTC model sees, in training and in reading.

Grey by the colour axis with the most contrast, height fixed, grey values stretched between the 2nd
and 98th percentile, dark writing on light ground. numpy and Pillow only, so that the light install
and the trainer run the very same code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels, Pixels

_SAMPLE = 3_000  # pixels looked at to choose the colour axis
PREPROCESSING = "grey-axis/bilinear/p2-p98/dark-on-light/1"


@dataclass(frozen=True, slots=True)
class Geometry:
    """Input geometry of a CTC model; travels in the model file's metadata.

    Attributes:
        height: Pixels every line is scaled to.
        stride: Input pixels per emission frame.
        bucket: Widths are padded up to a multiple of this many pixels.
        max_width: Wider lines are squeezed to this width (about 200 letters at height 48).
    """

    height: int = 48
    stride: int = 4
    bucket: int = 64
    max_width: int = 4096

    def __post_init__(self) -> None:
        if self.bucket % self.stride:
            raise ValueError(f"bucket {self.bucket} must be a multiple of stride {self.stride}")


def choose_grey(pixels: Pixels) -> GreyPixels:
    """Turn RGB (h, w, 3) into grey (h, w); grey passes through.

    Luminance, unless another colour axis (the first principal component) carries clearly more
    contrast: red writing on a green ground of the same lightness would vanish in luminance.
    """
    if pixels.ndim == 2:
        return pixels
    grey: GreyPixels = np.asarray(Image.fromarray(pixels).convert("L"))
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / _SAMPLE)))
    sample = pixels[::step, ::step].reshape(-1, 3).astype(np.float32)
    if len(sample) < 2:
        return grey
    centre = sample.mean(axis=0)
    covariance = np.cov((sample - centre).T)
    values, vectors = np.linalg.eigh(covariance)
    luminance_deviation = float(grey[::step, ::step].std())
    if float(np.sqrt(max(0.0, values[-1]))) < 2.5 * luminance_deviation + 4.0:
        return grey
    axis = vectors[:, -1] * (1.0 if vectors[:, -1].sum() >= 0 else -1.0)
    projected = (pixels.astype(np.float32) - centre) @ axis.astype(np.float32)
    low, high = float(projected.min()), float(projected.max())
    return np.asarray((projected - low) * (255.0 / max(high - low, 1e-3)), np.uint8)


def _percentile(histogram: np.ndarray, share: float) -> int:
    return int(np.searchsorted(np.cumsum(histogram), share * histogram.sum()))


def stretch_contrast(grey: GreyPixels) -> GreyPixels:
    """Stretch (h, w) grey values to 0..255 and make the writing dark on a light ground.

    The ground is taken to be the more frequent side (the median).
    """
    histogram = np.bincount(grey.reshape(-1), minlength=256)
    low, high = _percentile(histogram, 0.02), _percentile(histogram, 0.98)
    table = np.clip((np.arange(256) - low) * (255.0 / max(high - low, 20)), 0, 255)
    if table[_percentile(histogram, 0.5)] < 127.5:
        table = 255 - table
    stretched: GreyPixels = table.astype(np.uint8)[grey]
    return stretched


def line_to_pixels(pixels: Pixels, geometry: Geometry) -> GreyPixels:
    """Turn a line picture into model pixels, uint8 of shape (geometry.height, width).

    The width keeps the aspect, at least 4 frames and at most `geometry.max_width`.
    """
    grey = choose_grey(pixels)
    height, width = grey.shape
    target = round(width * geometry.height / height)
    target = max(4 * geometry.stride, min(geometry.max_width, target))
    if (height, width) != (geometry.height, target):
        picture = Image.fromarray(grey).resize(
            (target, geometry.height), Image.Resampling.BILINEAR, reducing_gap=3.0
        )
        grey = np.asarray(picture)
    return stretch_contrast(grey)


def pad_width(width: int, geometry: Geometry) -> int:
    """The bucketed width that a line of `width` pixels is padded to."""
    return -(-width // geometry.bucket) * geometry.bucket


def stack_lines(lines: list[GreyPixels], width: int) -> GreyPixels:
    """Stack (height, w_i) pictures into uint8 (n, 1, height, width), white on the right."""
    batch = np.full((len(lines), 1, lines[0].shape[0], width), 255, np.uint8)
    for i, line in enumerate(lines):
        batch[i, 0, :, : line.shape[1]] = line
    return batch
