"""What stands on pages and is no text: photo-like pictures, ornaments, stamps, scribbles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from odia_ocr.data.page_dice import Dice

if TYPE_CHECKING:
    from odia_ocr.types import FloatArray, GreyPixels, Pixels


def smooth_noise(dice: Dice, height: int, width: int, grain: float) -> FloatArray:
    """Noise (h, w) with features of about `grain` pixels, zero mean and unit deviation."""
    down = max(1.0, grain / 2)
    small = (max(2, round(height / down) + 1), max(2, round(width / down) + 1))
    field = dice.rng.standard_normal(small, dtype=np.float32)
    field = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((field - field.mean()) / (float(field.std()) or 1.0), np.float32)


def random_colour(dice: Dice, low: int = 0, high: int = 255) -> tuple[int, int, int]:
    """RGB, each part in low..high."""
    return (dice.whole(low, high), dice.whole(low, high), dice.whole(low, high))


def paint_photo(dice: Dice, height: int, width: int) -> Pixels:
    """A picture with the statistics of a photograph, RGB uint8 (h, w, 3).

    Ground and sky, soft blobs and hard edged shapes, textures at several scales.
    """
    height, width = max(4, height), max(4, width)
    # Drawn at most 320 wide: photographs in print are soft, and it is quick.
    shrink = min(1.0, 320.0 / max(height, width))
    h, w = max(4, round(height * shrink)), max(4, round(width * shrink))
    top, bottom = (np.array(random_colour(dice), np.float32) for _ in range(2))
    ramp = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    picture = top * (1 - ramp) + bottom * ramp + np.zeros((h, w, 1), np.float32)
    span = min(h, w)
    for grain, size in ((span * 0.7, 30.0), (span * 0.2, 16.0), (span * 0.05, 9.0)):
        tint = dice.rng.uniform(0.3, 1.0, 3).astype(np.float32)
        picture += smooth_noise(dice, h, w, max(2.0, grain))[..., None] * tint * size
    for _ in range(dice.whole(1, 6)):
        picture = _add_shape(dice, picture)
    if dice.chance(0.4):
        picture += smooth_noise(dice, h, w, 2.0)[..., None] * dice.between(3, 16)
    picture = cv2.GaussianBlur(picture, (0, 0), dice.between(0.4, 1.2))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if (h, w) != (height, width):
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(picture, np.uint8)


def _add_shape(dice: Dice, picture: FloatArray) -> FloatArray:
    """A figure, block or slope in one colour with light and shade on it."""
    h, w = picture.shape[:2]
    mask = np.zeros((h, w), np.float32)
    x, y = dice.whole(0, w), dice.whole(0, h)
    kind = dice.whole(0, 4)
    if kind == 0:
        axes = (max(2, int(w * dice.between(0.05, 0.4))), max(2, int(h * dice.between(0.05, 0.4))))
        cv2.ellipse(mask, (x, y), axes, dice.between(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA)
    elif kind == 1:
        across, down = int(w * dice.between(0.05, 0.4)), int(h * dice.between(0.1, 0.6))
        cv2.rectangle(mask, (x, y), (x + across, y + down), 1.0, -1)
    elif kind == 2:
        points = np.array([[dice.whole(0, w), dice.whole(0, h)] for _ in range(dice.whole(3, 6))])
        cv2.fillPoly(mask, [points.astype(np.int32)], 1.0, cv2.LINE_AA)
    elif kind == 3:  # a person: head on shoulders
        r = max(3, int(h * dice.between(0.07, 0.18)))
        cv2.ellipse(mask, (x, y), (r, int(1.25 * r)), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
        cv2.ellipse(mask, (x, y + int(3.3 * r)), (int(2.2 * r), 2 * r), 0, 0, 360, 0.8, -1)
    else:  # branches, wires, hair
        for _ in range(dice.whole(4, 30)):
            a = (dice.whole(0, w), dice.whole(0, h))
            b = (a[0] + dice.whole(-w // 4, w // 4), a[1] + dice.whole(-h // 3, h // 3))
            cv2.line(mask, a, b, 1.0, dice.whole(1, 3), cv2.LINE_AA)
    colour = np.array(random_colour(dice), np.float32)
    light = 1 + 0.2 * smooth_noise(dice, h, w, min(h, w) * 0.4)[..., None]
    share = mask[..., None] * dice.between(0.5, 1.0)
    return np.asarray(picture * (1 - share) + colour * light * share, np.float32)


def paint_gradient(
    dice: Dice, height: int, width: int, first: tuple[int, int, int], second: tuple[int, int, int]
) -> Pixels:
    """One colour into another, along any direction or outwards; RGB uint8 (h, w, 3)."""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    if dice.chance(0.3):
        share = np.sqrt(x * x + y * y) / 1.42
    else:
        angle = dice.between(0, 2 * np.pi)
        share = (x * np.cos(angle) + y * np.sin(angle)) / 2.83 + 0.5
    share = np.clip(share, 0, 1)[..., None]
    a, b = (np.array(colour, np.float32) for colour in (first, second))
    return np.asarray(a * (1 - share) + b * share, np.uint8)


def draw_ornament(dice: Dice, height: int, width: int) -> GreyPixels:
    """A printer's ornament as a mask: a rosette, a row of diamonds or dots, a scroll."""
    mask = np.zeros((max(6, height), max(6, width)), np.uint8)
    h, w = mask.shape
    thick = max(1, h // 14)
    kind = dice.whole(0, 3)
    middle = (w // 2, h // 2)
    if kind == 0:
        for i in range(dice.whole(5, 9) + 1):
            angle = 2 * np.pi * i / 7
            r = min(h, w) / 4
            centre = (int(middle[0] + r * np.cos(angle)), int(middle[1] + r * np.sin(angle)))
            cv2.circle(mask, centre, max(2, int(r * 0.7)), 255, thick, cv2.LINE_AA)
    elif kind == 1:
        for x in range(h // 2, w, max(4, h)):
            points = np.array([[x, 1], [x + h // 3, h // 2], [x, h - 2], [x - h // 3, h // 2]])
            cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    elif kind == 2:
        for x in range(h // 2, w, max(3, int(h * 0.8))):
            cv2.circle(mask, (x, h // 2), max(1, h // 5), 255, -1, cv2.LINE_AA)
    else:
        xs = np.arange(0, w)
        ys = h / 2 + h * 0.35 * np.sin(xs / max(2.0, h * dice.between(0.25, 0.6)))
        path = np.stack([xs, ys], 1).astype(np.int32)
        cv2.polylines(mask, [path], False, 255, thick, cv2.LINE_AA)
    return mask


def draw_stamp(dice: Dice, size: int) -> GreyPixels:
    """A round or square rubber stamp without writing, unevenly inked, as a mask."""
    size = max(24, size)
    mask = np.zeros((size, size), np.uint8)
    middle, thick = (size // 2, size // 2), max(1, size // 40)
    if dice.chance(0.7):
        for part in (0.46, 0.40, 0.28):
            cv2.circle(mask, middle, int(size * part), 255, thick, cv2.LINE_AA)
        for i in range(dice.whole(14, 30)):
            angle = i * 2 * np.pi / 24
            at = (np.array([np.cos(angle), np.sin(angle)]) * size * 0.34 + size / 2).astype(int)
            cv2.circle(mask, (int(at[0]), int(at[1])), thick, 255, -1, cv2.LINE_AA)
        points = []
        for i in range(10):
            r = size * (0.2 if i % 2 == 0 else 0.09)
            points.append(
                [size / 2 + r * np.sin(i * np.pi / 5), size / 2 - r * np.cos(i * np.pi / 5)]
            )
        cv2.fillPoly(mask, [np.array(points, np.int32)], 255, cv2.LINE_AA)
    else:
        cv2.rectangle(mask, (thick, size // 4), (size - thick, size * 3 // 4), 255, 2 * thick)
    uneven = np.clip(0.7 + 0.35 * smooth_noise(dice, size, size, size / 6), 0.1, 1.0)
    return np.asarray(mask * uneven, np.uint8)


def draw_scribble(dice: Dice, height: int, width: int) -> GreyPixels:
    """A signature or pen marks that are no letters, as a mask."""
    height, width = max(12, height), max(24, width)
    mask = np.zeros((height, width), np.uint8)
    count = dice.whole(8, 22)
    xs = np.linspace(0.06, 0.94, count) * width + dice.rng.normal(0, width / count, count)
    ys = height * (0.5 + 0.36 * dice.rng.uniform(-1, 1, count))
    points = np.stack([xs, ys], 1)
    for _ in range(3):  # Chaikin's corner cutting
        near, far = points[:-1], points[1:]
        points = np.stack([0.75 * near + 0.25 * far, 0.25 * near + 0.75 * far], 1).reshape(-1, 2)
    path = np.clip(points, 1, (width - 2, height - 2)).astype(np.int32)
    cv2.polylines(mask, [path], False, 255, max(1, height // 24), cv2.LINE_AA)
    return mask
