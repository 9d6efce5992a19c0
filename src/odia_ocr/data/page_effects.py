"""Print, paper, light and sensors: steps that change a page's pixels and leave its geometry alone.

Every step takes uint8 pixels, grey (h, w) or RGB (h, w, 3), and gives back the same kind. `core` is
the height of the letter body in pixels, `strength` (0..1) how far a step goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from odia_ocr.data.page_pictures import smooth_noise

if TYPE_CHECKING:
    from odia_ocr.data.page_dice import Dice
    from odia_ocr.types import Pixels


def spread_ink(pixels: Pixels, dice: Dice, strength: float) -> Pixels:
    """Ink a little fatter or thinner, by under a pixel."""
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    other = (cv2.erode if dice.chance(0.6) else cv2.dilate)(pixels, kernel)
    share = dice.between(0.1, 0.55) * strength
    return np.asarray(cv2.addWeighted(pixels, 1 - share, other, share, 0), np.uint8)


def show_through(pixels: Pixels, dice: Dice, core: float, strength: float) -> Pixels:
    """The print of the other side shows through."""
    other = cv2.GaussianBlur(pixels[:, ::-1], (0, 0), dice.between(0.06, 0.16) * core)
    shift = dice.whole(-40, 40)
    other = np.roll(other, shift, axis=0)
    share = dice.between(0.06, 0.28) * strength
    veil = 255 - cv2.convertScaleAbs(255 - other, alpha=share)
    return np.asarray(cv2.multiply(pixels, veil, scale=1 / 255.0), np.uint8)


def lay_on_paper(pixels: Pixels, dice: Dice, strength: float) -> Pixels:
    """Yellowed, stained or grainy paper under the print."""
    height, width = pixels.shape[:2]
    tone = dice.between(0.72, 1.0)
    cloud = smooth_noise(dice, height, width, dice.between(0.15, 0.8) * width)
    sheet = tone + dice.between(0.0, 0.05) * strength * cloud
    if dice.chance(0.5):
        grain = smooth_noise(dice, height, width, dice.between(2, 6))
        sheet = sheet + dice.between(0.005, 0.03) * strength * grain
    ink = dice.between(0, 45)  # printing ink is seldom black
    picture = pixels.astype(np.float32) * ((255 - ink) / 255) + ink
    sheet = np.clip(sheet, 0.3, 1.0).astype(np.float32)
    if pixels.ndim == 3:
        warm = np.array([1.0, dice.between(0.9, 1.0), dice.between(0.72, 1.0)], np.float32)
        return np.asarray(picture * (sheet[..., None] * warm), np.uint8)
    return np.asarray(picture * sheet, np.uint8)


def light_unevenly(pixels: Pixels, dice: Dice, strength: float, *, shadow: bool) -> Pixels:
    """Uneven light, a shadow with a soft edge, a tint."""
    height, width = pixels.shape[:2]
    h, w = max(8, height // 8), max(8, width // 8)
    y = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, w, dtype=np.float32)[None]
    lit = np.full((h, w), dice.between(0.75, 1.05), np.float64)
    if dice.chance(0.85):
        angle = dice.between(0, 2 * np.pi)
        slope = dice.between(0, 0.3) * strength
        lit = lit * (1 + slope * (x * np.cos(angle) + y * np.sin(angle)))
        lit = lit + 0.05 * strength * smooth_noise(dice, h, w, w * 0.7)
    if shadow:
        angle, at = dice.between(0, 2 * np.pi), dice.between(-0.7, 0.7)
        edge = (x * np.cos(angle) + y * np.sin(angle) - at) / dice.between(0.03, 0.4)
        if dice.chance(0.4):  # a hand or a phone: a blob, no half plane
            cx, cy, r = dice.between(-1, 1), dice.between(-1, 1), dice.between(0.3, 0.8)
            edge = (r - np.sqrt((x - cx) ** 2 + (y - cy) ** 2)) / dice.between(0.05, 0.3)
        dark = dice.between(0.15, 0.5) * strength
        lit = lit * (1 - dark / (1 + np.exp(-4 * np.clip(edge, -5, 5))))
    shade = cv2.resize(lit.astype(np.float32), (width, height))
    tint = 1 + dice.rng.uniform(-0.08, 0.08, 3).astype(np.float32)
    return np.asarray(np.clip(pixels * (shade[..., None] * tint), 0, 255), np.uint8)


def darken_edges(pixels: Pixels, dice: Dice, core: float) -> Pixels:
    """The scanner's dark surroundings at some edges."""
    height, width = pixels.shape[:2]
    out = pixels.copy()
    reach = max(2, round(dice.between(0.1, 0.5) * core))
    for side in range(4):
        if dice.chance(0.4):
            tone = dice.whole(0, 60)
            depth = dice.whole(1, reach)
            strip = (
                out[:depth], out[height - depth :], out[:, :depth], out[:, width - depth :]
            )[side]  # fmt: skip
            strip[:] = np.minimum(strip, tone)
    return out


def blur(pixels: Pixels, sigma: float) -> Pixels:
    """Soften by `sigma` pixels."""
    if sigma < 0.15:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), np.uint8)


def blur_motion(pixels: Pixels, dice: Dice, core: float, strength: float) -> Pixels:
    """The camera moved while the shutter was open."""
    length = max(3, round(dice.between(0.06, 0.2) * core * strength) | 1)
    kernel = np.zeros((length, length), np.float32)
    rise = dice.whole(0, length - 1)  # through the middle: a blur must not move the page
    cv2.line(kernel, (0, rise), (length - 1, length - 1 - rise), 1.0, 1)
    kernel += kernel[::-1, ::-1]
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum()), np.uint8)


def add_noise(pixels: Pixels, dice: Dice, size: float) -> Pixels:
    """Grain of one plane, the same in all colours; cheap to draw."""
    height, width = pixels.shape[:2]
    grain = dice.rng.standard_normal((height, width), dtype=np.float32) * size
    if dice.chance(0.3):
        grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 2
    if pixels.ndim == 3:
        grain = np.repeat(grain[..., None], 3, axis=2)
    return np.asarray(cv2.add(pixels, grain, dtype=cv2.CV_8U), np.uint8)


def sharpen(pixels: Pixels, dice: Dice) -> Pixels:
    """Overdo edges as phones do."""
    soft = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    gain = dice.between(0.3, 1.2)
    return np.asarray(cv2.addWeighted(pixels, 1 + gain, soft, -gain, 0), np.uint8)


def strew_specks(pixels: Pixels, dice: Dice, core: float) -> Pixels:
    """Dirt: dark and light specks up to a tenth of the letter body."""
    out = pixels.copy()
    height, width = pixels.shape[:2]
    for _ in range(dice.whole(5, 120)):
        at = (dice.whole(0, width - 1), dice.whole(0, height - 1))
        size = dice.whole(0, max(1, round(0.08 * core)))
        cv2.circle(out, at, size, (dice.pick([0, 40, 255]),) * 3, -1)
    return out


def binarise(pixels: Pixels, dice: Dice, core: float) -> Pixels:
    """Black and white by a local threshold, as fax and archive scans are."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    window = round(4 * core) | 1
    middle = cv2.blur(grey, (window, window))
    drop = dice.whole(8, 30)
    low = grey.astype(np.int16) < middle.astype(np.int16) - drop
    solid = grey < dice.whole(70, 110)
    return np.where(low | solid, 0, 255).astype(np.uint8)


def compress(pixels: Pixels, quality: int) -> Pixels:
    """Through JPEG and back, at a quality of 0..100."""
    order = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    ok, data = cv2.imencode(".jpg", order, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        return pixels
    back = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return np.asarray(back if pixels.ndim == 2 else cv2.cvtColor(back, cv2.COLOR_BGR2RGB), np.uint8)


def shade_gutter(pixels: Pixels, dice: Dice, strength: float, *, at_left: bool) -> Pixels:
    """The shadow where the book is bound."""
    width = pixels.shape[1]
    far = np.arange(width, dtype=np.float32) / (width * dice.between(0.03, 0.15))
    shade = 1 - dice.between(0.3, 0.8) * strength * np.exp(-(far**1.5))
    if not at_left:
        shade = shade[::-1]
    shade = shade[None, :, None] if pixels.ndim == 3 else shade[None]
    return np.asarray(pixels * shade, np.uint8)
