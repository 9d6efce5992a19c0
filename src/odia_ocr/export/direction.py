"""Which way the writing of a line runs. Knows outlines and baselines, no format."""

from __future__ import annotations

import math

from odia_ocr.types import Point, Polygon


def find_direction(outline: Polygon, baseline: tuple[Point, ...] | None) -> Point:
    """Unit vector along the baseline, else along the upper and lower edges.

    Args:
        outline: Begins at the top left of the writing and goes clockwise.
        baseline: From the beginning of the line to its end.
    """
    if baseline is not None and len(baseline) > 1:
        run = (baseline[-1][0] - baseline[0][0], baseline[-1][1] - baseline[0][1])
    else:
        # The first half of an outline is the upper edge.
        half = len(outline) // 2
        upper, lower = outline[:half], outline[half:]
        run = (
            upper[-1][0] - upper[0][0] + lower[0][0] - lower[-1][0],
            upper[-1][1] - upper[0][1] + lower[0][1] - lower[-1][1],
        )
    length = math.hypot(*run)
    return (run[0] / length, run[1] / length) if length > 0 else (1.0, 0.0)


def nearest_edge(direction: Point) -> Point:
    """The direction along an edge of the page that is nearest: right, down, left or up."""
    edges = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
    return max(edges, key=lambda edge: edge[0] * direction[0] + edge[1] * direction[1])
