"""What is known of a rendered page: its lines and regions, where they lie, and how they got there.

Coordinates are continuous pixels of the picture: origin at its top left corner, x right, y down;
the pixel in column i covers i .. i + 1. Knows nothing of drawing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from odia_ocr.types import Point, Polygon

if TYPE_CHECKING:
    from odia_ocr.types import Pixels

SCHEMA = 1
PointMap = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
REGION_KINDS = ("text", "heading", "paragraph", "list", "caption", "table", "picture")


@dataclass(frozen=True, slots=True)
class TruthLine:
    """One printed line.

    Attributes:
        id: Unique on its page, "l000" the first in reading order.
        text: Exactly as drawn, normalised, ZWNJ where the face shows a halant.
        polygon: Encloses all of the line's ink, its reph and subscripts too: clockwise from the top
            left, a quad, or a strip (the upper edge left to right, then the lower edge back).
        baseline: Points left to right.
        core_height: From the baseline to the heads of the letters, in pixels.
        region: Id of its region.
    """

    id: str
    text: str
    polygon: Polygon
    baseline: tuple[Point, ...]
    core_height: float
    region: str


@dataclass(frozen=True, slots=True)
class TruthRegion:
    """A block of lines, or a picture without any; `kind` is one of `REGION_KINDS`."""

    id: str
    kind: str
    polygon: Polygon

    def __post_init__(self) -> None:
        if self.kind not in REGION_KINDS:
            raise ValueError(f"TruthRegion.kind must be one of {REGION_KINDS}, got {self.kind!r}")


@dataclass(frozen=True, slots=True, eq=False)
class RenderedPage:
    """A rendered page.

    Attributes:
        pixels: Grey (h, w) or RGB (h, w, 3), uint8.
        lines: Every text on it, in reading order; the lines of a region follow each other.
        regions: In reading order, pictures among them.
        layout: Which layout drew it.
        condition: "clean", "scan", "low" or "photo".
        faces: Names of the faces used.
        families: Their families.
        degradation: Steps applied, in order.
    """

    pixels: Pixels
    lines: tuple[TruthLine, ...]
    regions: tuple[TruthRegion, ...]
    layout: str
    condition: str
    faces: tuple[str, ...]
    families: tuple[str, ...]
    degradation: tuple[str, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    @property
    def text(self) -> str:
        """One printed line a line, a blank line between regions."""
        parts: list[str] = []
        before = None
        for line in self.lines:
            if before is not None:
                parts.append("\n" if line.region == before else "\n\n")
            parts.append(line.text)
            before = line.region
        return "".join(parts)

    def to_json(self) -> dict[str, Any]:
        """What NNNNNN.json holds; coordinates are rounded to a hundredth of a pixel."""
        return {
            "schema": SCHEMA,
            "size": list(self.size),
            "layout": self.layout,
            "condition": self.condition,
            "lines": [
                {
                    "id": line.id,
                    "text": line.text,
                    "polygon": _rounded(line.polygon),
                    "baseline": _rounded(line.baseline),
                    "core_height": round(line.core_height, 2),
                    "region": line.region,
                }
                for line in self.lines
            ],
            "regions": [
                {"id": region.id, "kind": region.kind, "polygon": _rounded(region.polygon)}
                for region in self.regions
            ],
            "faces": list(self.faces),
            "families": list(self.families),
            "degradation": list(self.degradation),
        }


def _rounded(points: tuple[Point, ...]) -> list[list[float]]:
    return [[round(x, 2), round(y, 2)] for x, y in points]


def to_points(array: npt.NDArray[np.float64]) -> tuple[Point, ...]:
    """An array (n, 2) as plain points."""
    return tuple((float(x), float(y)) for x, y in array)


def refine_path(points: tuple[Point, ...], step: float) -> tuple[Point, ...]:
    """The same open path with a point at least every `step` pixels."""
    path = np.array(points, float)
    parts = [path[:1]]
    for a, b in itertools.pairwise(path):
        count = max(1, int(np.ceil(np.hypot(*(b - a)) / step)))
        parts.append(a + (b - a) * (np.arange(1, count + 1) / count)[:, None])
    return to_points(np.concatenate(parts))


def map_line(line: TruthLine, function: PointMap, *, bends: bool) -> TruthLine:
    """The line as it lies after a warp.

    Args:
        line: Before the warp.
        function: Maps points (n, 2), the same that moves the picture.
        bends: Straight edges become curves, so they get points on the way first.
    """
    middle = len(line.polygon) // 2
    upper, lower, baseline = line.polygon[:middle], line.polygon[middle:], line.baseline
    # Both ends of the baseline and a step up tell how far heights are stretched there.
    ends = np.array([baseline[0], baseline[-1]], float)
    along = ends[1] - ends[0]
    up = np.array([along[1], -along[0]]) / (float(np.hypot(*along)) or 1.0)
    places = ends[0] + along * np.linspace(0.0, 1.0, 5)[:, None]
    feet, heads = function(places), function(places + up * line.core_height)
    core = float(np.mean(np.hypot(*(heads - feet).T)))
    if bends:
        step = max(8.0, 1.5 * line.core_height)
        upper, lower, baseline = (refine_path(path, step) for path in (upper, lower, baseline))
    return replace(
        line,
        polygon=to_points(function(np.array((*upper, *lower), float))),
        baseline=to_points(function(np.array(baseline, float))),
        core_height=core,
    )


def map_region(region: TruthRegion, function: PointMap, *, bends: bool) -> TruthRegion:
    """The region as it lies after a warp; see `map_line`."""
    points = region.polygon
    if bends:
        points = refine_path((*points, points[0]), 24.0)[:-1]
    return replace(region, polygon=to_points(function(np.array(points, float))))
