"""Lines that are not Odia: scribbles and made-up letters, so that confidence learns to be low."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels


def draw_stranger(rng: np.random.Generator) -> GreyPixels:
    """A picture with writing-like marks that no alphabet holds, uint8 (h, w).

    Random smooth pen strokes per "letter", some joined like handwriting, some under a head line as
    northern Indic scripts have it.
    """
    height = int(rng.integers(36, 80))
    letters = int(rng.integers(3, 22))
    pitch = height * float(rng.uniform(0.35, 0.75))
    width = int(pitch * (letters + 1.5))
    picture = np.full((height, width), 255, np.uint8)
    thick = max(1, round(height * float(rng.uniform(0.03, 0.1))))
    joined = rng.random() < 0.5
    pen = np.array([pitch * 0.6, height * 0.55])
    for i in range(letters):
        if rng.random() < 0.15:
            pen = np.array([pitch * (i + 0.8), height * 0.55])
            continue
        centre = np.array([pitch * (i + 0.8), height * float(rng.uniform(0.45, 0.6))])
        strokes = int(rng.integers(1, 4))
        for _ in range(strokes):
            reach = np.array([pitch * 0.45, height * 0.3])
            points = centre + rng.uniform(-1, 1, (int(rng.integers(3, 6)), 2)) * reach
            if joined:
                points[0] = pen
            path = _smooth(points)
            cv2.polylines(picture, [path], False, 0, thick, cv2.LINE_AA)
            pen = path[-1].astype(float)
    if rng.random() < 0.3:
        at = int(height * 0.25)
        cv2.line(picture, (int(pitch * 0.3), at), (width - int(pitch * 0.4), at), 0, thick)
    picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.2)))
    noisy = picture + rng.standard_normal(picture.shape) * float(rng.uniform(0, 12))
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _smooth(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Chaikin's corner cutting; returns int32 (n, 2)."""
    for _ in range(rounds):
        inner = np.stack(
            [0.75 * points[:-1] + 0.25 * points[1:], 0.25 * points[:-1] + 0.75 * points[1:]], axis=1
        ).reshape(-1, 2)
        points = np.concatenate([points[:1], inner, points[-1:]])
    return points.round().astype(np.int32)
