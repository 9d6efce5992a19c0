"""Page pixels become line pixels, and places on a line become places on the page.

A line's outline may be a rotated quadrilateral; the crop straightens it. Knows nothing of text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.types import LineImage

if TYPE_CHECKING:
    from odia_ocr.types import Line, PageImage, Pixels, Point, Polygon

_LEVEL = 0.02  # radians; flatter outlines are cut along the pixel grid, without resampling


@dataclass(frozen=True, slots=True)
class LineFrame:
    """The rectangle of a line: where its crop lies on the page.

    Attributes:
        corners: Top left, top right, bottom right, bottom left, in page pixels.
        size: (width, height) of the crop in pixels, at the scale of the page.
    """

    corners: tuple[Point, Point, Point, Point]
    size: tuple[int, int]

    def outline(self, left: float, right: float) -> Polygon:
        """Page polygon of the part of the line between two x positions, in crop pixels."""
        first, last = (min(max(x / self.size[0], 0.0), 1.0) for x in (left, right))
        top_left, top_right, bottom_right, bottom_left = self.corners
        return (
            _between(top_left, top_right, first),
            _between(top_left, top_right, last),
            _between(bottom_left, bottom_right, last),
            _between(bottom_left, bottom_right, first),
        )


def frame_line(polygon: Polygon) -> LineFrame:
    """The frame of an outline: of four points these, else the upright box around them."""
    corners = _corners(polygon)
    top_left, top_right, bottom_right, bottom_left = corners
    width = max(math.dist(top_left, top_right), math.dist(bottom_left, bottom_right))
    height = max(math.dist(top_left, bottom_left), math.dist(top_right, bottom_right))
    return LineFrame(corners, (max(1, round(width)), max(1, round(height))))


def crop_line(image: PageImage, line: Line) -> LineImage:
    """Cut a line out of its page; where the outline leaves the page the border is repeated."""
    frame = frame_line(line.polygon)
    width, height = frame.size
    xs = [x for x, _ in frame.corners]
    ys = [y for _, y in frame.corners]
    left, top = math.floor(min(xs)), math.floor(min(ys))
    right, bottom = math.ceil(max(xs)), math.ceil(max(ys))
    top_left, top_right, _, bottom_left = frame.corners
    slope = abs(math.atan2(top_right[1] - top_left[1], top_right[0] - top_left[0]))
    shear = abs(math.atan2(bottom_left[0] - top_left[0], bottom_left[1] - top_left[1]))
    if max(slope, shear) < _LEVEL and slope * width < 1.0:
        left, top = round(min(xs)), round(min(ys))
        return LineImage(line.id, _window(image.pixels, left, top, left + width, top + height))
    margin = 2  # for the interpolation at the rim
    window = _window(
        image.pixels, left - margin, top - margin, right + margin + 1, bottom + margin + 1
    )
    corners = [(x - left + margin, y - top + margin) for x, y in frame.corners]
    # Pillow wants top left, bottom left, bottom right, top right.
    quad = [value for i in (0, 3, 2, 1) for value in corners[i]]
    cut = Image.fromarray(window).transform(
        frame.size, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC
    )
    return LineImage(line.id, np.array(cut, dtype=np.uint8))


def _window(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> Pixels:
    height, width = pixels.shape[:2]
    inside = pixels[
        min(max(top, 0), height - 1) : max(min(bottom, height), 1),
        min(max(left, 0), width - 1) : max(min(right, width), 1),
    ]
    before = (max(0, -top), max(0, -left))
    pads = [
        (before[0], max(0, bottom - top - before[0] - inside.shape[0])),
        (before[1], max(0, right - left - before[1] - inside.shape[1])),
    ]
    if any(side for pad in pads for side in pad):
        inside = np.pad(inside, pads + [(0, 0)] * (pixels.ndim - 2), mode="edge")
    return np.ascontiguousarray(inside)


def _corners(polygon: Polygon) -> tuple[Point, Point, Point, Point]:
    if len(polygon) == 4:
        return polygon[0], polygon[1], polygon[2], polygon[3]
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _between(one: Point, other: Point, share: float) -> Point:
    return (
        round(one[0] + share * (other[0] - one[0]), 1),
        round(one[1] + share * (other[1] - one[1]), 1),
    )
