"""Where a printed line lies: its outline, baseline and letter bodies, also tilted and bowed.

Knows geometry and masks; refuses to know sheets and colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from odia_ocr.data.page_typeset import SetLine
    from odia_ocr.types import GreyPixels

    Points = npt.NDArray[np.floating]


def letter_body(baseline: Points, core: float) -> Points:
    """The band of the letter bodies, a hair thinner than they are: float32 (2 n, 2)."""
    along = baseline[-1] - baseline[0]
    up = np.array([along[1], -along[0]]) / (float(np.hypot(*along)) or 1.0) * core
    return np.concatenate([baseline + 0.94 * up, baseline[::-1] + 0.06 * up]).astype(np.float32)


def overlap(a: Points, b: Points) -> bool:
    """Do two letter bodies share more than a hair?"""
    if (a.min(axis=0) > b.max(axis=0)).any() or (b.min(axis=0) > a.max(axis=0)).any():
        return False
    area, _ = cv2.intersectConvexConvex(cv2.convexHull(a), cv2.convexHull(b))
    return bool(area > 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Outline and baseline of a line, float arrays (n, 2), from its mask's top left corner."""

    polygon: Points  # the upper edge left to right, then the lower edge back
    baseline: Points


def outline_line(line: SetLine, spread: int, count: int) -> Outline:
    """Around the ink and the letter body, with `count` points on each edge."""
    height, width = line.drawn.mask.shape
    foot = line.drawn.baseline
    xs = np.linspace(-spread, width + spread, count)
    upper = np.full(count, min(0.0, foot - line.core) - spread)
    lower = np.full(count, max(height, foot) + spread)
    polygon = np.concatenate([np.stack([xs, upper], 1), np.stack([xs, lower], 1)[::-1]])
    inner = np.linspace(0.0, width, count)
    return Outline(polygon, np.stack([inner, np.full(count, float(foot))], 1))


def turn_mask(
    mask: GreyPixels, outline: Outline, foot: int, *, tilt: float, arc: float
) -> tuple[GreyPixels, Outline, Points]:
    """Bow and tilt a mask about the left end of its baseline, and its outline the same way.

    Returns:
        The mask, the outline from the new mask's corner, and how far that corner moved.
    """
    height, width = mask.shape
    turn = np.radians(-tilt)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([0.0, float(foot)])

    def bow(x: Points) -> Points:
        return np.asarray(-4.0 * arc * (x / width) * (1.0 - x / width), float)

    def forward(points: Points) -> Points:
        bent = points + np.stack([np.zeros(len(points)), bow(points[:, 0])], 1)
        return np.asarray((bent - centre) @ matrix.T + centre, float)

    polygon, baseline = forward(outline.polygon), forward(outline.baseline)
    xs = np.linspace(0.0, width, 33)
    edges = np.concatenate([np.stack([xs, np.full(33, y)], 1) for y in (0.0, float(height))])
    around = forward(edges)
    corner = np.floor(around.min(axis=0)) - 1
    across, down = (np.ceil(around.max(axis=0)) + 1 - corner).astype(int)
    y, x = np.mgrid[0:down, 0:across]
    places = np.stack([x.ravel(), y.ravel()], 1) + 0.5 + corner
    flat = (places - centre) @ matrix + centre
    flat[:, 1] -= bow(flat[:, 0])
    maps = (flat - 0.5).astype(np.float32).reshape(down, across, 2)
    turned = cv2.remap(mask, maps, None, cv2.INTER_LINEAR)
    return (
        np.asarray(turned, np.uint8),
        Outline(polygon - corner, baseline - corner),
        np.asarray(corner, float),
    )
