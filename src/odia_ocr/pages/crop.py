"""Page pixels become line pixels, and places on a line become places on the page.

A line's outline may be a rotated quadrilateral or a curved strip; the crop straightens it. Knows
nothing of text.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.types import LineImage

if TYPE_CHECKING:
    from odia_ocr.types import Line, PageImage, Pixels, Point, Polygon

_LEVEL = 0.02  # radians; flatter outlines are cut along the pixel grid, without resampling


@dataclass(frozen=True, slots=True)
class LineFrame:
    """The strip of a line: where its crop lies on the page.

    Attributes:
        upper, lower: Its edges left to right in page pixels, point over point; two points each for
            a straight line.
        size: (width, height) of the crop in pixels, at the scale of the page.
    """

    upper: tuple[Point, ...]
    lower: tuple[Point, ...]
    size: tuple[int, int]

    @property
    def marks(self) -> tuple[float, ...]:
        """Where along the crop the points of the edges lie, 0..1."""
        steps = [
            max(1e-6, math.dist(a, b) + math.dist(c, d))
            for (a, b), (c, d) in zip(pairwise(self.upper), pairwise(self.lower), strict=True)
        ]
        total = sum(steps)
        return (0.0, *(sum(steps[: i + 1]) / total for i in range(len(steps) - 1)), 1.0)

    def outline(self, left: float, right: float) -> Polygon:
        """Page polygon of the part of the line between two x positions, in crop pixels."""
        first, last = (min(max(x / self.size[0], 0.0), 1.0) for x in (left, right))
        marks = self.marks
        shares = [first, *(m for m in marks if first < m < last), last]
        top = [_along(self.upper, marks, share) for share in shares]
        bottom = [_along(self.lower, marks, share) for share in reversed(shares)]
        return (*top, *bottom)


def frame_line(polygon: Polygon) -> LineFrame:
    """The frame of an outline.

    Args:
        polygon: Clockwise from the line's own top left. Of an even number of points the first half
            is the upper edge and the second the lower one; otherwise the upright box is taken.
    """
    upper, lower = _edges(polygon)
    width = max(sum(math.dist(a, b) for a, b in pairwise(edge)) for edge in (upper, lower))
    heights = [math.dist(a, b) for a, b in zip(upper, lower, strict=True)]
    height = max(heights) if len(heights) == 2 else sum(heights) / len(heights)
    return LineFrame(upper, lower, (max(1, round(width)), max(1, round(height))))


def crop_line(image: PageImage, line: Line) -> LineImage:
    """Cut a line out of its page; where the outline leaves the page the border is repeated."""
    frame = frame_line(line.polygon)
    width, height = frame.size
    xs = [x for x, _ in (*frame.upper, *frame.lower)]
    ys = [y for _, y in (*frame.upper, *frame.lower)]
    left, top = math.floor(min(xs)), math.floor(min(ys))
    right, bottom = math.ceil(max(xs)), math.ceil(max(ys))
    if len(frame.upper) == 2 and _is_level(frame):
        left, top = round(min(xs)), round(min(ys))
        return LineImage(line.id, _window(image.pixels, left, top, left + width, top + height))
    margin = 2  # for the interpolation at the rim
    window = _window(
        image.pixels, left - margin, top - margin, right + margin + 1, bottom + margin + 1
    )
    shift = (margin - left, margin - top)
    cuts = [round(mark * width) for mark in frame.marks]
    mesh = []
    for i, (start, end) in enumerate(pairwise(cuts)):
        # Pillow wants top left, bottom left, bottom right, top right.
        corners = (frame.upper[i], frame.lower[i], frame.lower[i + 1], frame.upper[i + 1])
        quad = [value for x, y in corners for value in (x + shift[0], y + shift[1])]
        if end > start:
            mesh.append(((start, 0, end, height), quad))
    cut = Image.fromarray(window).transform(
        frame.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC
    )
    return LineImage(line.id, np.array(cut, dtype=np.uint8))


def _is_level(frame: LineFrame) -> bool:
    """Flat and upright enough to be cut along the pixel grid."""
    (left, right), (lower_left, _) = frame.upper, frame.lower
    slope = abs(math.atan2(right[1] - left[1], right[0] - left[0]))
    shear = abs(math.atan2(lower_left[0] - left[0], lower_left[1] - left[1]))
    return max(slope, shear) < _LEVEL and slope * frame.size[0] < 1.0


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


def _edges(polygon: Polygon) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    if len(polygon) % 2 == 0:
        half = len(polygon) // 2
        return polygon[:half], polygon[half:][::-1]
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    left, right, top, bottom = min(xs), max(xs), min(ys), max(ys)
    return ((left, top), (right, top)), ((left, bottom), (right, bottom))


def _along(edge: tuple[Point, ...], marks: tuple[float, ...], share: float) -> Point:
    i = min(max(bisect_right(marks, share), 1), len(marks) - 1)
    part = (share - marks[i - 1]) / max(1e-9, marks[i] - marks[i - 1])
    (x0, y0), (x1, y1) = edge[i - 1], edge[i]
    return round(x0 + part * (x1 - x0), 1), round(y0 + part * (y1 - y0), 1)
