"""Designs of faces drawn anew: more faces to train on, from few families.

A variant moves the outline points of all glyphs of a face alike: strokes thickened by the angle
they run at (as a broad pen does), curves flattened to corners or rounded, letters bent by a slow
wave, their upper and lower parts made wider or narrower, taller or lower. Shaping tables stay, so
clusters join as before. Names stay too: what is known of a family's flaws holds for its variants,
and a variant of a held-out family is held out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]  # (n, 2), in em
_MIDDLE = 0.35  # of the letters' bodies above the baseline, em
_UNUSED = ("fpgm", "prep", "cvt ", "gasp", "hdmx", "VDMX", "LTSH")  # hints of other outlines


@dataclass(frozen=True, slots=True)
class Design:
    """How outlines are moved; lengths in em.

    Attributes:
        weight: Added to all strokes on each side.
        contrast: Added where the outline's normal points along `axis`, taken away across it.
        axis: Radians.
        roundness: Factor on how far control points stand off their chord; 0 leaves corners.
        waves: (amplitude, x frequency, y frequency, phase, direction) of slow bends.
        width: Horizontal scale gained with height: narrow feet or narrow heads.
        rise: Vertical scale of what stands above the middle of the letters.
        drop: Vertical scale of what hangs below the baseline.
    """

    weight: float
    contrast: float
    axis: float
    roundness: float
    waves: tuple[tuple[float, float, float, float, float], ...]
    width: float
    rise: float
    drop: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Design:
        """A design that stays readable: about half of its changes are small."""
        waves = tuple(
            (
                float(rng.uniform(0.0, 0.026)),
                float(rng.uniform(0.5, 1.8)),
                float(rng.uniform(0.5, 1.8)),
                float(rng.uniform(0, 2 * math.pi)),
                float(rng.uniform(0, 2 * math.pi)),
            )
            for _ in range(3)
        )
        return cls(
            weight=float(rng.uniform(-0.006, 0.010)),
            contrast=float(rng.uniform(0.0, 0.022)),
            axis=float(rng.uniform(0, math.pi)),
            roundness=float(rng.choice([0.0, 0.5, 1.0, 1.0, 1.5])),
            waves=waves,
            width=float(rng.uniform(-0.35, 0.35)),
            rise=float(rng.uniform(0.72, 1.28)),
            drop=float(rng.uniform(0.8, 1.2)),
        )


def move_contour(points: Points, on_curve: npt.NDArray[np.bool_], design: Design) -> Points:
    """New places (n, 2) of a closed contour's points, in em."""
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    moved = points.copy()
    if design.roundness != 1.0:
        chord = (before + after) / 2
        stands_off = ~on_curve
        moved[stands_off] = (chord + design.roundness * (points - chord))[stands_off]
    along = after - before
    length = np.hypot(along[:, 0], along[:, 1])
    along = along / np.maximum(length, 1e-6)[:, None]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)  # left of the way: outside for TrueType
    angle = np.arctan2(normal[:, 1], normal[:, 0])
    push = design.weight + design.contrast * np.cos(2 * (angle - design.axis))
    moved = moved + normal * push[:, None]
    x, y = moved[:, 0].copy(), moved[:, 1].copy()
    moved[y > _MIDDLE, 1] = _MIDDLE + (y[y > _MIDDLE] - _MIDDLE) * design.rise
    moved[y < 0, 1] *= design.drop
    for amplitude, fx, fy, phase, direction in design.waves:
        bend = amplitude * np.sin(2 * math.pi * (fx * x + fy * y) + phase)
        moved[:, 0] += bend * math.cos(direction)
        moved[:, 1] += bend * math.sin(direction)
    return moved


def redraw_glyph(glyph: Any, table: Any, upem: int, design: Design, advance: int) -> None:
    """Move the points of a simple glyph."""
    coordinates, ends, flags = glyph.getCoordinates(table)
    points = np.array(coordinates, np.float64) / upem
    on_curve = np.array([bool(flag & 1) for flag in flags])
    start = 0
    for end in ends:
        part = slice(start, end + 1)
        if end - start >= 2:
            points[part] = move_contour(points[part], on_curve[part], design)
        start = end + 1
    middle = advance / upem / 2
    scale = 1.0 + design.width * np.clip(points[:, 1] - 0.3, -0.6, 0.6)
    if advance:
        points[:, 0] = middle + (points[:, 0] - middle) * scale
    for i, (x, y) in enumerate(np.rint(points * upem).astype(int).tolist()):
        glyph.coordinates[i] = (x, y)
    glyph.coordinates.toInt()
    if hasattr(glyph, "program"):  # hints were made for other outlines
        glyph.program.fromBytecode(b"")


def redraw_face(source: Path, target: Path, design: Design) -> bool:
    """Write a variant of a TrueType face; False, and nothing written, for other outlines."""
    from fontTools.ttLib import TTFont

    font = TTFont(source, fontNumber=0)
    if "glyf" not in font:
        return False
    table, metrics, upem = font["glyf"], font["hmtx"], font["head"].unitsPerEm
    for name in font.getGlyphOrder():
        glyph = table[name]
        if glyph.numberOfContours > 0:
            redraw_glyph(glyph, table, upem, design, metrics[name][0])
    for name in font.getGlyphOrder():
        table[name].recalcBounds(table)
    for unused in _UNUSED:
        if unused in font:
            del font[unused]
    font.save(target)
    return True
