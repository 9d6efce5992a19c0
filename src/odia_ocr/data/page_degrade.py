"""A printed sheet becomes a scan, a small picture or a phone photo; the truth moves along.

Every geometric step is a `Warp` that maps pixels and points alike. Knows nothing of text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from odia_ocr.data.page_dice import Dice
from odia_ocr.data.page_effects import (
    add_noise,
    binarise,
    blur,
    blur_motion,
    compress,
    darken_edges,
    lay_on_paper,
    light_unevenly,
    shade_gutter,
    sharpen,
    show_through,
    spread_ink,
    strew_specks,
)
from odia_ocr.data.page_pictures import paint_photo, random_colour, smooth_noise
from odia_ocr.data.page_warp import Bend, Warp, quad_matrix

if TYPE_CHECKING:
    from odia_ocr.data.page_truth import PointMap
    from odia_ocr.types import Pixels

    Points = npt.NDArray[np.float64]

CONDITIONS = ("clean", "scan", "low", "photo")


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A degraded page.

    Attributes:
        pixels: uint8, grey or RGB.
        move: Maps points (n, 2) of the sheet to this picture.
        bends: Straight lines of the sheet are curves here.
        steps: What was done, in order.
    """

    pixels: Pixels
    move: PointMap
    bends: bool
    steps: tuple[str, ...]


def _stay(points: Points) -> Points:
    return points


def degrade_page(
    pixels: Pixels, core: float, condition: str, dice: Dice, *, strength: float = 1.0
) -> Shot:
    """Take a sheet through one condition.

    Args:
        pixels: The flat sheet, uint8 (h, w) or (h, w, 3).
        core: Height of the letter body of its running text, in pixels.
        condition: One of `CONDITIONS`.
        dice: Chance.
        strength: 0..1, scales how far every step goes.
    """
    camera = _Camera(dice, core, strength)
    if condition == "clean":
        return Shot(pixels, _stay, False, ())
    step: Callable[[Pixels], Pixels] = {
        "scan": camera.scan,
        "low": camera.shrink,
        "photo": camera.photograph,
    }[condition]
    return camera.shoot(step, pixels)


class _Camera:
    """Applies steps to one page and remembers them."""

    def __init__(self, dice: Dice, core: float, strength: float) -> None:
        self.dice = dice
        self.core = core
        self.strength = strength
        self.steps: list[str] = []
        self.moves: list[PointMap] = []
        self.bends = False

    def shoot(self, step: Callable[[Pixels], Pixels], pixels: Pixels) -> Shot:
        pixels = step(pixels)
        moves = tuple(self.moves)

        def move(points: Points) -> Points:
            for function in moves:
                points = function(points)
            return points

        return Shot(np.ascontiguousarray(pixels), move, self.bends, tuple(self.steps))

    def _chance(self, share: float, name: str) -> bool:
        hit = self.dice.chance(share)
        if hit:
            self.steps.append(name)
        return hit

    # Conditions.

    def scan(self, pixels: Pixels) -> Pixels:
        """A flatbed or book scanner, a photocopier."""
        dice, strength = self.dice, self.strength
        if pixels.ndim == 3 and self._chance(0.3, "grey"):
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        if self._chance(0.25, "ink"):
            pixels = spread_ink(pixels, dice, strength)
        # Only paper shows the print of its other side.
        if pixels.mean() > 170 and self._chance(0.25, "bleed"):
            pixels = show_through(pixels, dice, self.core, strength)
        if self._chance(0.6, "paper"):
            pixels = lay_on_paper(pixels, dice, strength)
        if self._chance(0.7, "skew"):
            pixels = self._skew(pixels)
        if self._chance(0.2, "edges"):
            pixels = darken_edges(pixels, dice, self.core)
        if self._chance(0.2, "gutter"):
            pixels = self._gutter(pixels, at_left=dice.chance(0.5))
        if self._chance(0.4, "blur"):
            pixels = blur(pixels, dice.between(0.02, 0.07) * self.core * strength)
        if self._chance(0.6, "noise"):
            pixels = add_noise(pixels, dice, dice.between(2, 16) * strength)
        if self._chance(0.15, "specks"):
            pixels = strew_specks(pixels, dice, self.core)
        if self._chance(0.15, "binarised"):
            return binarise(pixels, dice, self.core)
        if self._chance(0.6, "jpeg"):
            pixels = compress(pixels, dice.whole(round(75 - 45 * strength), 92))
        return pixels

    def shrink(self, pixels: Pixels) -> Pixels:
        """A small picture: letter bodies of 10 to 13 pixels, as sent around and saved again."""
        dice, strength = self.dice, self.strength
        if pixels.ndim == 3 and self._chance(0.15, "grey"):
            pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        if self._chance(0.25, "skew"):
            pixels = self._skew(pixels)
        goal = dice.between(10.0, 10.0 + 4.5 / max(0.3, strength))
        factor = min(1.0, goal / self.core)
        if factor < 1.0:
            self.steps.append("low_resolution")
            pixels = self._resize(pixels, factor)
        if self._chance(0.25, "blur"):
            pixels = blur(pixels, dice.between(0.3, 0.7) * strength)
        if self._chance(0.2, "sharpen"):
            pixels = sharpen(pixels, dice)
        if self._chance(0.3, "noise"):
            pixels = add_noise(pixels, dice, dice.between(1, 8) * strength)
        if self._chance(0.75, "jpeg"):
            pixels = compress(pixels, dice.whole(round(70 - 35 * strength), 92))
        return pixels

    def photograph(self, pixels: Pixels) -> Pixels:
        """A phone held over a page that does not lie flat, on a table, in a room."""
        dice, strength = self.dice, self.strength
        if pixels.ndim == 2:
            pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
        if self._chance(0.6, "paper"):
            pixels = lay_on_paper(pixels, dice, strength)
        pixels = self._view(pixels)
        self.steps.append("light")
        pixels = light_unevenly(pixels, dice, strength, shadow=self._chance(0.4, "shadow"))
        if self._chance(0.5, "blur"):
            pixels = blur(pixels, dice.between(0.02, 0.08) * self.core * strength)
        if self._chance(0.1, "motion"):
            pixels = blur_motion(pixels, dice, self.core, strength)
        if self._chance(0.6, "noise"):
            pixels = add_noise(pixels, dice, dice.between(2, 11) * strength)
        if self._chance(0.2, "sharpen"):
            pixels = sharpen(pixels, dice)
        if self._chance(0.8, "jpeg"):
            pixels = compress(pixels, dice.whole(round(75 - 35 * strength), 93))
        return pixels

    # Geometry.

    def _apply(
        self, warp: Warp, pixels: Pixels, ground: int | tuple[int, int, int] | None
    ) -> Pixels:
        self.moves.append(warp.points)
        self.bends |= warp.bend is not None
        return warp.picture(pixels, ground)

    def _skew(self, pixels: Pixels) -> Pixels:
        """Turn by up to three degrees; the picture grows so that nothing is cut."""
        height, width = pixels.shape[:2]
        angle = np.radians(self.dice.between(-3.0, 3.0) * self.dice.between(0.2, 1.0))
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
        warp = Warp(turn, (1, 1))
        moved = warp.points(corners)
        low, high = moved.min(axis=0), moved.max(axis=0)
        turn[:2, 2] = -low
        size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
        ground = self.dice.pick([None, None, 255, 0])
        if ground is None:
            # The scanner's lid: the colour of the paper at the corner.
            spot = pixels[:3, :3].reshape(9, -1).mean(axis=0).round().astype(int)
            colour = tuple(int(v) for v in np.broadcast_to(spot, 3))
            return self._apply(Warp(turn, size), pixels, (colour[0], colour[1], colour[2]))
        return self._apply(Warp(turn, size), pixels, (ground,) * 3)

    def _resize(self, pixels: Pixels, factor: float) -> Pixels:
        height, width = pixels.shape[:2]
        size = (max(8, round(width * factor)), max(8, round(height * factor)))
        scale = np.array([size[0] / width, size[1] / height])
        self.moves.append(lambda points: points * scale)
        self.core *= factor
        how = cv2.INTER_AREA if self.dice.chance(0.8) else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)

    def _view(self, pixels: Pixels) -> Pixels:
        """Bend, perspective, and what lies around the page."""
        dice, strength = self.dice, self.strength
        height, width = pixels.shape[:2]
        bend = None
        if self._chance(0.6, "curve"):
            bend = Bend(
                width,
                height,
                rise=dice.between(-0.018, 0.018) * strength,
                waves=dice.between(0.6, 1.8),
                phase=dice.between(0, 2),
                curl=dice.between(0, 0.04) * strength if dice.chance(0.5) else 0.0,
                swell=dice.between(-0.03, 0.05) * strength,
                squeeze=dice.between(-0.15, 0.15) * strength,
                mirrored=dice.chance(0.5),
            )
        # Letter bodies of 12 pixels or more, and no more pixels than a screen shows.
        goal = dice.between(12.5, 24.0)
        factor = float(np.clip(goal / self.core, 0.35, 1.15))
        factor = min(factor, 1500.0 / width, 1900.0 / height)
        factor = max(factor, min(1.0, 11.0 / self.core))
        jitter = 0.06 * strength
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
        corners += dice.rng.uniform(-jitter, jitter, (4, 2))
        turn = np.radians(dice.between(-3, 3) * strength)
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        corners = (corners - 0.5) * (width * factor, height * factor) @ spin.T
        matrix = quad_matrix((width, height), corners)
        # Where the page's border lands decides how large the picture is; nothing is cut off.
        t = np.linspace(0, 1, 40)
        border = np.concatenate(
            [np.stack(side, 1) for side in ((t, 0 * t), (t, 0 * t + 1), (0 * t, t), (0 * t + 1, t))]
        ) * (width, height)
        moved = Warp(matrix, (1, 1), bend).points(border)
        low, high = moved.min(axis=0), moved.max(axis=0)
        span = high - low
        margins = dice.rng.uniform(0.0, 0.09, 4) if dice.chance(0.6) else np.full(4, 0.004)
        low = low - span * margins[:2]
        size = (span * (1 + margins[:2] + margins[2:])).astype(int) + 1
        shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]])
        warp = Warp(shift @ matrix, (int(size[0]), int(size[1])), bend)
        self.steps.append("perspective")
        if factor < 0.7:
            pixels = cv2.GaussianBlur(pixels, (0, 0), 0.35 / factor)
        self.core *= factor
        page = self._apply(warp, pixels, None)
        shown = warp.picture(np.full((height, width), 255, np.uint8), 0)
        table = self._table(int(size[1]), int(size[0]))
        # The page casts a little shadow on the table.
        soft = cv2.GaussianBlur(shown, (0, 0), max(2.0, 0.01 * float(size[0])))
        under = table * (1 - 0.5 * (soft[..., None] / 255.0))
        share = shown[..., None].astype(np.float32) / 255.0
        return np.asarray(page * share + under * (1 - share), np.uint8)

    def _table(self, height: int, width: int) -> Pixels:
        dice = self.dice
        if dice.chance(0.3):
            return paint_photo(dice, height, width)
        colour = np.array(random_colour(dice), np.float32)
        grain = cv2.resize(
            smooth_noise(dice, height, max(8, width // 12), dice.between(2, 12)), (width, height)
        )
        return np.asarray(
            np.clip(colour + grain[..., None] * dice.between(2, 18), 0, 255), np.uint8
        )

    def _gutter(self, pixels: Pixels, *, at_left: bool) -> Pixels:
        """The shadow where the book is bound, and lines that bend down into it."""
        height, width = pixels.shape[:2]
        if self.dice.chance(0.5):
            fall = self.dice.between(0.2, 1.6) * self.core * self.strength / height
            bend = Bend(width, height, curl=fall, mirrored=not at_left)
            room = int(fall * height) + 1
            self.steps.append("curve")
            pixels = self._apply(Warp(np.eye(3), (width, height + room), bend), pixels, None)
        return shade_gutter(pixels, self.dice, self.strength, at_left=at_left)
