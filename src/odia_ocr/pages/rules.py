"""Printed rules of a page: thin dark lines that part columns, sections and cells.

A rule is a ridge, darker than what lies a little off it on both sides, that runs on for many letter
heights; so shadows, pictures' edges and coloured grounds are none. Knows pixels, nothing of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.pages.components import Runs, find_runs, label_runs

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import GreyPixels, Point

    Bools = npt.NDArray[np.bool_]

_LETTER = 8.0  # pixels of a letter's height at which rules are looked for, at least
_OFF = 0.3  # letter heights from the rule to its ground; thicker ones are bars
_DARKER = 22  # grey values between a rule and its ground
_HOLE = 2  # pixels by which a rule may be broken
_LEAST_RUN = 0.75  # letter heights without a step up or down: what leans more is no rule
_LONG = 5.0  # letter heights
_THICK = 0.4  # letter heights


@dataclass(frozen=True, slots=True)
class Rule:
    """A printed line, in pixels of the page.

    Attributes:
        start, end: Its ends: left and right of one that runs across, upper and lower of one down.
        across: True for rules along the rows.
    """

    start: Point
    end: Point
    across: bool


def find_rules(grey: GreyPixels, letter: float) -> list[Rule]:
    """Rules across and down a page.

    Args:
        grey: The page (h, w).
        letter: Usual height of the letters' bodies, pixels.
    """
    step = max(1, int(letter / _LETTER))
    small = _darkest(grey, step)
    size = letter / step
    across = [_scale(ends, step) for ends in _find_ridges(small, size)]
    down = [_scale(ends, step) for ends in _find_ridges(np.ascontiguousarray(small.T), size)]
    return [
        *(Rule(start, end, True) for start, end in across),
        *(Rule(start[::-1], end[::-1], False) for start, end in down),
    ]


def _darkest(grey: GreyPixels, step: int) -> GreyPixels:
    """The darkest pixel of every square of `step` pixels, so that hairlines stay."""
    if step == 1:
        return grey
    height, width = (side // step for side in grey.shape)
    part = grey[: height * step, : width * step]
    lowest = part[:, ::step]
    for shift in range(1, step):
        lowest = np.minimum(lowest, part[:, shift::step])
    darkest = lowest[::step]
    for shift in range(1, step):
        darkest = np.minimum(darkest, lowest[shift::step])
    return darkest


def _find_ridges(grey: GreyPixels, letter: float) -> list[tuple[Point, Point]]:
    """Both ends of every ridge along the rows of a picture, in its pixels."""
    off = max(2, round(_OFF * letter))
    if min(grey.shape) <= 2 * off:
        return []
    values = grey.astype(np.int16)
    least = values[off:-off] + _DARKER
    ridge = (values[: -2 * off] > least) & (values[2 * off :] > least)
    runs = _long_runs(find_runs(ridge), _LEAST_RUN * letter)
    if not len(runs.row):
        return []
    labels = label_runs(runs, grey.shape[1])
    count = int(labels.max()) + 1
    first, last = np.full(count, grey.shape[1]), np.zeros(count, np.int64)
    np.minimum.at(first, labels, runs.left)
    np.maximum.at(last, labels, runs.right)
    area = np.bincount(labels, runs.right - runs.left, minlength=count)
    length = last - first
    ends = []
    for label in np.flatnonzero((length >= _LONG * letter) & (area <= _THICK * letter * length)):
        own = np.flatnonzero(labels == label)
        left, right = own[np.argmin(runs.left[own])], own[np.argmax(runs.right[own])]
        start = (float(runs.left[left]), float(runs.row[left] + off) + 0.5)
        end = (float(runs.right[right]), float(runs.row[right] + off) + 0.5)
        ends.append((start, end))
    return ends


def _long_runs(runs: Runs, least: float) -> Runs:
    """Runs with small holes closed, without the short ones."""
    if not len(runs.row):
        return runs
    joined = (runs.row[1:] == runs.row[:-1]) & (runs.left[1:] - runs.right[:-1] <= _HOLE)
    first = np.flatnonzero(np.concatenate(([True], ~joined)))
    last = np.concatenate((first[1:] - 1, [len(runs.row) - 1]))
    row, left, right = runs.row[first], runs.left[first], runs.right[last]
    long = right - left >= least
    return Runs(row[long], left[long], right[long])


def _scale(ends: Sequence[Point], step: int) -> tuple[Point, Point]:
    (x0, y0), (x1, y1) = ends
    return (x0 * step, y0 * step), (x1 * step, y1 * step)
