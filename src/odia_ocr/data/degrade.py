"""Masks of ink become pictures as the world makes them: print, paper, light, camera, crop.

Every step takes its chance from a `Recipe` (see `recipe`) and its randomness from the generator
handed in, so a picture is a function of (recipe, seed, index). Steps that were applied are named in
the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from odia_ocr.data.recipe import Recipe

if TYPE_CHECKING:
    from odia_ocr.types import FloatArray, GreyPixels, Pixels

cv2.setNumThreads(0)


Step = Callable[["FloatArray", np.random.Generator, Recipe], "FloatArray"]


def _noise_field(shape: tuple[int, int], rng: np.random.Generator, sigma: float) -> FloatArray:
    """Smooth noise (h, w) with zero mean and unit deviation; coarse noise is drawn small."""
    factor = max(1, int(sigma / 1.5))
    small = (max(2, shape[0] // factor + 2), max(2, shape[1] // factor + 2))
    field = rng.standard_normal(small, dtype=np.float32)
    field = cv2.GaussianBlur(field, (0, 0), max(0.3, sigma / factor))
    if factor > 1:
        field = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    else:
        field = field[: shape[0], : shape[1]]
    deviation = float(field.std()) or 1.0
    return np.asarray((field - field.mean()) / deviation, np.float32)


def redraw_strokes(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Strokes thicker along one direction and thinner across it, as a broad pen draws them."""
    length = max(2, round(ink.shape[0] * float(rng.uniform(0.03, 0.085))))
    angle = float(rng.uniform(-90, 90))
    if rng.random() < 0.5:
        angle = 0.0 if rng.random() < 0.5 else 90.0  # what serif faces do: only uprights are thick
    along, across = (_line_kernel(length, angle + turn) for turn in (0.0, 90.0))
    thick = float(rng.uniform(0.3, 1.0))
    thin = float(rng.uniform(0.0, 0.7))
    drawn = ink + thick * (cv2.dilate(ink, along) - ink)
    return np.asarray(drawn + thin * (cv2.erode(drawn, across) - drawn), np.float32)


def _line_kernel(length: int, degrees: float) -> Pixels:
    """A line of one pixel's width through the middle of a square, uint8."""
    size = length | 1
    middle = size // 2
    reach = (length - 1) / 2
    dx, dy = (reach * f(np.radians(degrees)) for f in (np.cos, np.sin))
    kernel = np.zeros((size, size), np.uint8)
    start, end = ((round(middle - s * dx), round(middle - s * dy)) for s in (1, -1))
    cv2.line(kernel, start, end, 1, 1)
    return kernel


def change_proportions(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Stretch some heights and press others alike along the line: another face's proportions."""
    h, w = ink.shape
    y = np.linspace(0.0, 1.0, h, dtype=np.float32)
    first, second = float(rng.uniform(-0.09, 0.09)), float(rng.uniform(-0.05, 0.05))
    moved = y + first * np.sin(np.pi * y) + second * np.sin(2 * np.pi * y)  # rises all the way
    map_y = np.repeat((moved * (h - 1))[:, None], w, axis=1)
    map_x = np.tile(np.arange(w, dtype=np.float32), (h, 1))
    return np.asarray(cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR), np.float32)


def rotate_ink(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Turn by up to `recipe.angle` degrees, less for long lines so that they stay in the crop."""
    h, w = ink.shape
    limit = min(recipe.angle, np.degrees(np.arctan2(0.55 * h, w)) + 0.3) * recipe.strength
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), float(rng.uniform(-limit, limit)), 1.0)
    return np.asarray(cv2.warpAffine(ink, matrix, (w, h), flags=cv2.INTER_LINEAR), np.float32)


def bend_ink(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Bend the baseline: an arc or a slow wave, as on a curved page."""
    h, w = ink.shape
    x = np.linspace(0.0, 1.0, w, dtype=np.float32)
    size = h * float(rng.uniform(0.02, 0.12)) * recipe.strength
    if rng.random() < 0.5:
        shift = size * (4 * (x - 0.5) ** 2 - 0.5)
    else:
        shift = size * np.sin(2 * np.pi * (x * float(rng.uniform(0.5, 1.5)) + float(rng.random())))
    shift = shift * (1 if rng.random() < 0.5 else -1)
    map_x = np.tile(np.arange(w, dtype=np.float32), (h, 1))
    map_y = np.arange(h, dtype=np.float32)[:, None] + shift.astype(np.float32)[None]
    return np.asarray(cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR), np.float32)


def wobble_ink(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Small elastic warps: worn type, paper that moved, drawn letters."""
    h, w = ink.shape
    size = float(rng.uniform(0.006, 0.022)) * h * recipe.strength
    sigma = float(rng.uniform(0.10, 0.35)) * h
    dx, dy = (_noise_field((h, w), rng, sigma) * size for _ in range(2))
    map_x = np.arange(w, dtype=np.float32)[None] + dx
    map_y = np.arange(h, dtype=np.float32)[:, None] + dy
    return np.asarray(cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR), np.float32)


def spread_ink(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Spread or thin the ink by a fraction of a pixel up to two: soften, then push the edge."""
    sigma = float(rng.uniform(0.5, 1.3)) * ink.shape[0] / 48
    soft = cv2.GaussianBlur(ink, (0, 0), max(0.4, sigma))
    edge = float(rng.uniform(0.22, 0.72))
    gain = float(rng.uniform(2.0, 5.0))
    return np.asarray(np.clip((soft - edge) * gain + 0.5, 0, 1), np.float32)


def break_ink(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Take ink away in small patches: broken letterpress, dry photocopies."""
    field = _noise_field(ink.shape, rng, float(rng.uniform(0.6, 2.2)))
    level = float(rng.uniform(1.1, 2.0)) / max(0.3, recipe.strength)
    return np.asarray(ink * np.clip((level - field) * 3, 0, 1), np.float32)


def blot_ink(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Uneven ink: pale and dark stretches, filled counters."""
    h, w = ink.shape
    pale = _noise_field((h, w), rng, float(rng.uniform(0.3, 1.5)) * h)
    ink = ink * np.clip(0.85 + 0.18 * pale, 0.35, 1.0)
    if rng.random() < 0.5:
        fat = cv2.dilate(ink, np.ones((2, 2), np.uint8))
        where = _noise_field((h, w), rng, 0.35 * h) > rng.uniform(0.3, 1.5)
        ink = np.where(where, fat, ink)
    return np.asarray(ink, np.float32)


def draw_frame(ink: FloatArray, rng: np.random.Generator, recipe: Recipe) -> FloatArray:
    """Rules near the edges, an underline, the sides of a box."""
    h, w = ink.shape
    ink = ink.copy()
    thick = int(rng.integers(1, max(2, h // 16) + 1))
    for side in range(4):
        if rng.random() < 0.4:
            at = int(rng.integers(0, max(1, h // 14)))
            if side == 0:
                ink[at : at + thick] = 1
            elif side == 1:
                ink[h - at - thick : h - at] = 1
            elif side == 2:
                ink[:, at : at + thick] = 1
            else:
                ink[:, w - at - thick : w - at] = 1
    return ink


# Taken first, and drawn for only by recipes that know them, so that older sets keep their pictures.
DESIGN_STEPS: tuple[tuple[str, Step], ...] = (
    ("pen", redraw_strokes),
    ("proportion", change_proportions),
)
INK_STEPS: tuple[tuple[str, Step], ...] = (
    ("frame", draw_frame),
    ("bend", bend_ink),
    ("wobble", wobble_ink),
    ("rotate", rotate_ink),
    ("ink", spread_ink),
    ("broken", break_ink),
    ("blotted", blot_ink),
)


def _photo_ground(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Something like a photograph, unit deviation: smooth fields of some sizes, hard edges."""
    h, w = shape
    ground = _noise_field(shape, rng, h * 0.8) + 0.5 * _noise_field(shape, rng, h * 0.15)
    for _ in range(int(rng.integers(0, 4))):
        cx, cy = float(rng.uniform(0, w)), float(rng.uniform(0, h))
        axes = (int(rng.uniform(0.2, 2.5) * h), int(rng.uniform(0.1, 1.2) * h))
        shape_mask = np.zeros(shape, np.float32)
        cv2.ellipse(
            shape_mask, (int(cx), int(cy)), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1
        )
        ground = ground + shape_mask * float(rng.normal(0, 1.2))
    return np.asarray(ground / (float(ground.std()) or 1.0), np.float32)


def paint(
    ink: FloatArray, rng: np.random.Generator, recipe: Recipe, applied: list[str]
) -> FloatArray:
    """Put ink (h, w) in 0..1 on a ground; returns grey values, nominally 0..255."""

    def chance(name: str) -> bool:
        hit = bool(rng.random() < getattr(recipe, name))
        if hit:
            applied.append(name)
        return hit

    h, w = ink.shape
    fore, back = float(rng.uniform(0, 80)), float(rng.uniform(180, 255))
    if recipe.ground == 0:
        fore, back = 0.0, 255.0
    if chance("low_contrast"):
        middle, half = float(rng.uniform(80, 180)), float(rng.uniform(25, 50))
        fore, back = middle - half, middle + half
    if chance("inverted"):
        fore, back = back, fore
    contrast = abs(back - fore)
    ground = np.full((h, w), back, np.float32)
    if chance("ground"):
        ramp = np.linspace(-1, 1, w, dtype=np.float32)[None] * float(rng.uniform(-1, 1))
        ramp = ramp + np.linspace(-1, 1, h, dtype=np.float32)[:, None] * float(
            rng.uniform(-0.6, 0.6)
        )
        cloud = _noise_field((h, w), rng, h * float(rng.uniform(0.4, 1.5)))
        ground += contrast * (0.16 * ramp + float(rng.uniform(0, 0.12)) * cloud)
    if chance("texture"):
        grain = _noise_field((h, w), rng, float(rng.uniform(0.6, 3.5)))
        ground += contrast * float(rng.uniform(0.02, 0.14)) * recipe.strength * grain
    if chance("photo"):
        ground += (
            contrast * float(rng.uniform(0.08, 0.24)) * recipe.strength * _photo_ground((h, w), rng)
        )
    if chance("bleed"):
        other = np.roll(ink[:, ::-1], int(rng.integers(-h // 2, h // 2 + 1)), axis=0)
        other = cv2.GaussianBlur(other, (0, 0), float(rng.uniform(0.8, 2.5)))
        ground += (fore - back) * float(rng.uniform(0.08, 0.30)) * other
    if chance("halftone"):
        pitch = float(rng.uniform(2.5, 5.0))
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        dots = np.sin(2 * np.pi * (x + y) / pitch) * np.sin(2 * np.pi * (x - y) / pitch)
        ground += (fore - back) * float(rng.uniform(0.05, 0.25)) * (dots > 0.1)
    effect = recipe.outline + recipe.shadow
    if effect and rng.random() < effect:
        grown = cv2.dilate(ink, np.ones((3, 3), np.uint8))
        if rng.random() < recipe.outline / effect:
            applied.append("outline")
            if rng.random() < 0.4:
                grown = cv2.dilate(grown, np.ones((3, 3), np.uint8))
            # A rim around the letter, as subtitles have it: lighter or darker than the ground.
            rim = back + (back - fore) * float(rng.uniform(0.3, 0.9))
            ground = ground * (1 - grown) + rim * grown
        else:
            applied.append("shadow")
            moved = np.roll(grown, (int(rng.integers(1, 4)), int(rng.integers(1, 4))), axis=(0, 1))
            moved = cv2.GaussianBlur(moved, (0, 0), float(rng.uniform(0.4, 2.0)))
            ground = ground + (fore - back) * float(rng.uniform(0.15, 0.5)) * moved
    picture = ground * (1 - ink) + fore * ink
    if chance("specks"):
        count = int(rng.integers(2, 14))
        for _ in range(count):
            y, x = int(rng.integers(h)), int(rng.integers(w))
            size = int(rng.integers(1, max(2, h // 20) + 1))
            picture[y : y + size, x : x + size] = fore if rng.random() < 0.7 else back
        if rng.random() < 0.3:
            line = (
                int(rng.integers(w)),
                int(rng.integers(h)),
                int(rng.integers(w)),
                int(rng.integers(h)),
            )
            cv2.line(picture, line[:2], line[2:], float(rng.choice([fore, back])), 1)
    return np.asarray(picture, np.float32)


def photograph(
    picture: FloatArray, rng: np.random.Generator, recipe: Recipe, applied: list[str]
) -> GreyPixels:
    """Camera and scanner: resolution, blur, light, noise, compression. Returns uint8 (h', w')."""

    def chance(name: str) -> bool:
        hit = bool(rng.random() < getattr(recipe, name))
        if hit:
            applied.append(name)
        return hit

    strength = recipe.strength
    if chance("low_resolution"):
        height = float(rng.uniform(*recipe.scale))
        factor = height / picture.shape[0]
        if factor < 1:
            picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    h, w = picture.shape
    unit = h / 48
    if chance("blur"):
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.4)) * unit * strength)
    if chance("motion"):
        length = max(2, int(rng.uniform(2, 5) * unit * strength))
        kernel = np.zeros((length, length), np.float32)
        end = (length - 1, int(rng.integers(length)))
        cv2.line(kernel, (0, length - 1 - end[1]), end, 1.0, 1)
        picture = cv2.filter2D(picture, -1, kernel / kernel.sum())
    if chance("light"):
        ramp = np.linspace(-1, 1, w, dtype=np.float32)[None] * float(rng.uniform(-1, 1))
        lit = 1 + 0.3 * ramp + 0.1 * _noise_field((h, w), rng, h)
        picture = picture * np.clip(lit, 0.3, 1.3)
    if chance("sharpen"):
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2 * max(0.5, unit))
        picture = picture + float(rng.uniform(0.4, 1.6)) * (picture - soft)
    if chance("noise"):
        size = float(rng.uniform(2, 20)) * strength
        grain = rng.standard_normal((h, w), dtype=np.float32)
        if rng.random() < 0.3:
            grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 2
        picture = picture + size * grain
    if chance("binarise"):
        soft = cv2.GaussianBlur(picture, (0, 0), 0.6 * max(0.5, unit))
        level = (float(np.percentile(soft, 3)) + float(np.percentile(soft, 97))) / 2
        picture = np.where(soft > level + float(rng.uniform(-18, 18)), 255.0, 0.0)
    grey = np.clip(picture, 0, 255).astype(np.uint8)
    if chance("jpeg"):
        quality = int(rng.integers(max(5, int(60 - 42 * strength)), 80))
        ok, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if ok:
            return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(grey, np.uint8)


def colour_picture(grey: GreyPixels, rng: np.random.Generator) -> Pixels:
    """Give ink and ground colours; their lightness may be close, their hues are not.

    Args:
        grey: uint8 (h, w).
        rng: Source of the colours and of a second ground colour along the line.

    Returns:
        RGB, uint8 (h, w, 3).
    """
    for _ in range(20):
        ink, ground, other = rng.uniform(0, 255, (3, 3)).astype(np.float32)
        if min(np.linalg.norm(ink - ground), np.linalg.norm(ink - other)) > 140:
            break
    shift = float(rng.uniform(0, 1)) * np.linspace(0, 1, grey.shape[1], dtype=np.float32)
    grounds = ground + (other - ground) * shift[:, None] * float(rng.random() < 0.4)  # (w, 3)
    share = grey.astype(np.float32)[..., None] / 255.0
    return np.asarray(np.clip(ink * (1 - share) + grounds[None] * share, 0, 255), np.uint8)
