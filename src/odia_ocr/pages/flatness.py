"""Tells from the lines found on a page whether it lies flat, so that it need not be straightened.

Knows outlines only. A page it is not sure of does not lie flat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from odia_ocr.types import Line, Point

_LONG = 5.0  # heights; shorter lines have no slope to speak of
_LEAST_LINES = 2
_TURNED = 0.05  # slope from which turning the whole page may pay
# Of 192 rendered pages, those that straightening changes come to 0.048 and more or are turned; of
# the others that have lines enough, three quarters to 0.036 and less.
_OFF = 0.04


@dataclass(frozen=True, slots=True)
class _Run:
    """A long line: its fall per pixel to the right, length and height in pixels, and how far it
    bulges from its chord, in heights."""

    slope: float
    length: float
    height: float
    bulge: float


def lies_flat(lines: Sequence[Line]) -> bool:
    """True when the long lines of a page are straight, parallel and nearly level.

    Args:
        lines: With the baselines the segmenter followed; lines without say nothing.
    """
    runs = [run for line in lines if line.baseline for run in _measure(line, line.baseline)]
    if len(runs) < _LEAST_LINES:
        return False
    whole = sum(run.length for run in runs)
    usual, passed = 0.0, 0.0
    for run in sorted(runs, key=lambda run: run.slope):  # the median by length
        usual, passed = run.slope, passed + run.length
        if passed >= whole / 2:
            break
    if abs(usual) > _TURNED:
        return False
    off = (abs(run.slope - usual) * run.length / run.height + run.bulge for run in runs)
    return sum(run.length * by for run, by in zip(runs, off, strict=True)) < _OFF * whole


def _measure(line: Line, baseline: tuple[Point, ...]) -> list[_Run]:
    """The line as a run, or nothing where it is short."""
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    length, height = x1 - x0, math.dist(line.polygon[0], line.polygon[-1])
    if length < max(1.0, _LONG * height):
        return []
    slope = (y1 - y0) / length
    bulge = max(abs(y - y0 - slope * (x - x0)) for x, y in baseline)
    return [_Run(slope, length, max(1.0, height), bulge / max(1.0, height))]
