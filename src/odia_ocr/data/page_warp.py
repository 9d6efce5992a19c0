"""Where a point of the sheet goes when the page is bent, turned, scaled or photographed.

One formula moves the picture and the truth: a bend with a closed inverse, then a homography.
Coordinates are continuous: the pixel in column i covers i .. i + 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from odia_ocr.types import Pixels

    Array = npt.NDArray[np.float64]

_HALF = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5], [0.0, 0.0, 1.0]])
_TABLE = 4097


@dataclass(frozen=True, slots=True)
class Bend:
    """A page that does not lie flat: lines rise and fall, the side at the gutter is foreshortened.

    With t = x / width, x goes to x + width * squeeze * sin(2 pi t) / (2 pi) and y to
    y * (1 + swell * sin(pi t)) + height * (rise * sin(pi * (waves * t + phase)) + curl * (1-t)^4).

    Attributes:
        width, height: Of the flat page in pixels.
        rise: Size of the wave, as a share of the height.
        waves: Half waves across the page.
        phase: Where the wave begins, in half waves.
        curl: Fall at the gutter (left edge), as a share of the height; `mirrored` at the right.
        swell: Growth in the middle of the page, as a share.
        squeeze: Foreshortening, -0.9 .. 0.9.
        mirrored: The gutter is at the right edge.
    """

    width: float
    height: float
    rise: float = 0.0
    waves: float = 1.0
    phase: float = 0.0
    curl: float = 0.0
    swell: float = 0.0
    squeeze: float = 0.0
    mirrored: bool = False

    def _across(self, x: Array) -> Array:
        t = x / self.width
        return np.asarray(x + self.width * self.squeeze * np.sin(2 * np.pi * t) / (2 * np.pi))

    def _drop(self, x: Array) -> Array:
        t = x / self.width
        far = np.clip(t if self.mirrored else 1.0 - t, 0.0, None)
        wave = self.rise * np.sin(np.pi * (self.waves * t + self.phase))
        return np.asarray(self.height * (wave + self.curl * far**4))

    def _scale(self, x: Array) -> Array:
        return np.asarray(1.0 + self.swell * np.sin(np.pi * np.clip(x / self.width, 0.0, 1.0)))

    def forward(self, points: Array) -> Array:
        """Flat (n, 2) to bent."""
        x, y = points[:, 0], points[:, 1]
        return np.stack([self._across(x), y * self._scale(x) + self._drop(x)], axis=1)

    def backward(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Bent coordinates, two arrays of one shape, to flat ones."""
        # _across keeps its order, so a fine table inverts it; straight on beyond the page.
        flat = np.linspace(-0.25, 1.25, _TABLE) * self.width
        u = np.interp(x, self._across(flat), flat)
        # What depends on x alone is cheap to look up.
        steps = (self.width * 1.5) / (_TABLE - 1)
        at = (u + 0.25 * self.width) / steps
        near = np.clip(at.astype(np.int32), 0, _TABLE - 2)
        part = at - near
        drop, scale = self._drop(flat), self._scale(flat)
        fall = drop[near] + (drop[near + 1] - drop[near]) * part
        grow = scale[near] + (scale[near + 1] - scale[near]) * part
        return u, (y - fall) / grow


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """A bend, then a homography, onto a picture of `size` (width, height).

    Attributes:
        matrix: (3, 3), from bent coordinates to the new picture's.
        size: Of the new picture.
        bend: None for a page that lies flat.
    """

    matrix: Array
    size: tuple[int, int]
    bend: Bend | None = None

    def points(self, points: Array) -> Array:
        """Points (n, 2) of the sheet, as they lie in the new picture."""
        bent = self.bend.forward(points) if self.bend else np.asarray(points, float)
        mapped = np.concatenate([bent, np.ones((len(bent), 1))], axis=1) @ self.matrix.T
        return np.asarray(mapped[:, :2] / mapped[:, 2:], float)

    def picture(self, pixels: Pixels, ground: int | tuple[int, int, int] | None = 0) -> Pixels:
        """The picture warped; beyond its edge lies `ground`, or its own last pixels for None."""
        edge = cv2.BORDER_REPLICATE if ground is None else cv2.BORDER_CONSTANT
        value = ground if isinstance(ground, tuple) else (ground or 0,) * 3
        if self.bend is None:
            centred = _HALF @ self.matrix @ np.linalg.inv(_HALF)
            warped = cv2.warpPerspective(
                pixels,
                centred,
                self.size,
                flags=cv2.INTER_LINEAR,
                borderMode=edge,
                borderValue=value,
            )
            return np.asarray(warped, np.uint8)
        width, height = self.size
        back = np.linalg.inv(self.matrix)
        x = np.arange(width) + 0.5
        y = (np.arange(height) + 0.5)[:, None]
        depth = back[2, 0] * x + back[2, 1] * y + back[2, 2]
        u = (back[0, 0] * x + back[0, 1] * y + back[0, 2]) / depth
        v = (back[1, 0] * x + back[1, 1] * y + back[1, 2]) / depth
        u, v = self.bend.backward(u, v)
        warped = cv2.remap(
            pixels,
            (u - 0.5).astype(np.float32),
            (v - 0.5).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=edge,
            borderValue=value,
        )
        return np.asarray(warped, np.uint8)


def quad_matrix(size: tuple[float, float], corners: Array) -> Array:
    """The homography that takes a sheet of `size` to four corners, clockwise from the top left."""
    width, height = size
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, corners.astype(np.float32)), float)
