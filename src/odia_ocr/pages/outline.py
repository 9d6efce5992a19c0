"""Outlines that other programs drew become straightened line pictures.

Our own outlines have an upper edge and, point under point, a lower one; `crop_line` follows both.
Others are polygons around the ink with any number of points from any corner, and following their
edges would bend the letters. Such a line is cut as a strip of even height along its baseline, or
along the polygon's middle, and what lies outside the polygon becomes paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from odia_ocr.pages.crop import crop_line
from odia_ocr.types import Line, PageImage

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import Pixels, Point, Polygon

    Points = npt.NDArray[np.float64]  # (n, 2)

_STEPS = 16  # places along a line where its middle is looked at
_LEAN = 0.35  # of the height: how far a point may stand from over its partner in an even outline
_UPRIGHT = 0.2  # cosine: steeper axes run up or down
_STRAIGHT = 0.06  # of the height: a middle that bends less is taken for straight


@dataclass(frozen=True, slots=True, eq=False)
class _Spine:
    """A line's axis: points that its polygon is measured from, (n, 2), left to right."""

    points: Points

    @property
    def direction(self) -> Points:
        """Unit vector along it, (2,)."""
        step = self.points[-1] - self.points[0]
        return np.asarray(step / max(1e-9, float(np.hypot(*step))))


def is_even(polygon: Polygon) -> bool:
    """Whether an outline has an upper edge and a lower one, left to right, point under point."""
    if len(polygon) < 4 or len(polygon) % 2:
        return False
    half = len(polygon) // 2
    upper, lower = np.array(polygon[:half]), np.array(polygon[half:][::-1])
    axis = _Spine((upper + lower) / 2)
    along = axis.direction
    between = lower - upper
    height = float(np.hypot(*between.T).max())
    if not _runs_on(along, float(np.hypot(*(axis.points[-1] - axis.points[0]))), height):
        return False
    lean = np.abs(between @ along)
    onward = all(((edge[1:] - edge[:-1]) @ along > 0).all() for edge in (upper, lower))
    down = between @ np.array([-along[1], along[0]]) > 0
    return bool(onward and down.all() and (lean <= _LEAN * height).all())


def _runs_on(along: Points, length: float, height: float) -> bool:
    """Whether an axis may be a line's: to the right, or up or down where it is longer than high.

    An upright box begun at another corner looks like a line that stands on its side or its head.
    """
    return along[0] > _UPRIGHT or (abs(along[0]) <= _UPRIGHT and length > height)


def even_outline(polygon: Polygon, baseline: tuple[Point, ...] | None = None) -> Polygon:
    """An outline with an upper and a lower edge, point under point, around a polygon.

    Args:
        polygon: In pixels of the page, three points or more, from any corner, in any sense.
        baseline: Left to right along the line, where known; it says which way the line runs.

    Returns:
        The upper edge left to right and the lower one right to left.
    """
    if is_even(polygon) and not _runs_back(baseline):
        return polygon
    outline = np.array(polygon, np.float64)
    spine = _find_spine(outline, baseline)
    along = spine.direction
    down = np.array([-along[1], along[0]])
    at, depth = spine.points @ along, spine.points @ down
    offset = outline @ down - np.interp(outline @ along, at, depth)
    ends = outline @ along
    # Two points are a straight line, of any length.
    inner = [value for value in at if ends.min() < value < ends.max() and len(at) > 2]
    marks = np.array([ends.min(), *inner, ends.max()])
    middle = np.interp(marks, at, depth)
    upper = [
        _back(x, y + float(offset.min()), along, down) for x, y in zip(marks, middle, strict=True)
    ]
    lower = [
        _back(x, y + float(offset.max()), along, down) for x, y in zip(marks, middle, strict=True)
    ]
    return (*upper, *reversed(lower))


def cut_outline(
    image: PageImage, polygon: Polygon, baseline: tuple[Point, ...] | None = None
) -> Pixels:
    """The straightened picture of a line, uint8 (h, w) or (h, w, 3), whoever drew its outline.

    Args:
        image: The page.
        polygon: See `even_outline`.
        baseline: See `even_outline`.
    """
    outline = even_outline(polygon, baseline)
    if outline == polygon or len(polygon) <= 4:
        return crop_line(image, Line(image.source, outline)).pixels
    window = _window_around(image, (*outline, *polygon))
    part = _erase_outside(window.cut(image.pixels), window.shift(polygon))
    cut = PageImage(image.source, image.number, part)
    return crop_line(cut, Line(image.source, window.shift(outline))).pixels


def _runs_back(baseline: tuple[Point, ...] | None) -> bool:
    return baseline is not None and len(baseline) > 1 and baseline[-1][0] < baseline[0][0]


def _back(x: float, y: float, along: Points, down: Points) -> Point:
    point = x * along + y * down
    return round(float(point[0]), 2), round(float(point[1]), 2)


def _find_spine(outline: Points, baseline: tuple[Point, ...] | None) -> _Spine:
    if baseline is not None and len(baseline) > 1 and math.dist(baseline[0], baseline[-1]) > 1:
        points = np.array(baseline, np.float64)
        spine = _Spine(points)
        # A baseline that doubles back on itself says no more than where it begins and ends.
        steps = (points[1:] - points[:-1]) @ spine.direction
        return spine if (steps > 0).all() else _Spine(points[[0, -1]])
    return _middle_of(outline)


def _middle_of(outline: Points) -> _Spine:
    """The middle between the upper and lower rim of a polygon that runs left to right."""
    marks = np.linspace(outline[:, 0].min(), outline[:, 0].max(), _STEPS + 2)[1:-1]
    rims = [_rims_at(outline, float(x)) for x in marks]
    middles = np.array([(low + high) / 2 for low, high in rims])
    height = float(np.median([high - low for low, high in rims]))
    # Letters with and without signs above make the rims jump: a parabola at most is believed.
    straight, bent = (
        np.polynomial.Polynomial.fit(marks, middles, order)(marks) for order in (1, 2)
    )
    bends = float(np.abs(bent - straight).max()) > _STRAIGHT * height
    spine = np.stack([marks, bent if bends else straight], axis=1)
    return _Spine(spine if bends else spine[[0, -1]])


def _rims_at(outline: Points, x: float) -> tuple[float, float]:
    """The highest and the lowest point of a polygon at one x."""
    crossed = []
    for (x0, y0), (x1, y1) in pairwise(np.vstack([outline, outline[:1]])):
        if min(x0, x1) <= x <= max(x0, x1) and x0 != x1:
            crossed.append(float(y0 + (x - x0) / (x1 - x0) * (y1 - y0)))
    return (min(crossed), max(crossed)) if crossed else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Window:
    """An upright part of a page in whole pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def cut(self, pixels: Pixels) -> Pixels:
        return pixels[self.top : self.bottom, self.left : self.right].copy()

    def shift(self, points: Polygon) -> Polygon:
        return tuple((x - self.left, y - self.top) for x, y in points)


def _window_around(image: PageImage, points: Polygon) -> _Window:
    """The part of the page that holds all points, with room for the interpolation."""
    width, height = image.size
    xs, ys = zip(*points, strict=True)
    left, top = max(0, math.floor(min(xs)) - 4), max(0, math.floor(min(ys)) - 4)
    left, top = min(left, width - 1), min(top, height - 1)
    right, bottom = math.ceil(max(xs)) + 5, math.ceil(max(ys)) + 5
    return _Window(left, top, max(left + 1, min(width, right)), max(top + 1, min(height, bottom)))


def _erase_outside(pixels: Pixels, polygon: Polygon) -> Pixels:
    """Paper where the polygon is not: the median of what is inside."""
    height, width = pixels.shape[:2]
    mask = Image.new("1", (width, height))
    ImageDraw.Draw(mask).polygon(list(polygon), fill=1, outline=1)
    inside = np.asarray(mask)
    if inside.any():
        pixels[~inside] = np.median(pixels[inside], axis=0)
    return pixels
