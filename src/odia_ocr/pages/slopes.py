"""How rows run across a page and how their ends stand below one another: fields along which a page
that is turned, seen aslant or curved is laid flat, so that rows can be ordered. Knows rows' paths,
nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.pages.rows import DetectedRow

    Floats = npt.NDArray[np.float64]

_LONG = 3.0  # reaches; shorter pieces of a path say nothing
_STEPS = 12  # of the walk along the field
_MANY = 6  # rows, for a field that changes over the page
_RIDGE = 1e-2
_NEAR = 12  # rows further down among which a row's follower is looked for
_SHIFT = 0.5  # reaches by which the ends of a column's rows may be apart


@dataclass(frozen=True, slots=True)
class Field:
    """A number that changes slowly over a page.

    Attributes:
        coefficients: Of 1, x, y, x^2 and xy.
        centre: Where x and y are zero, page pixels.
        size: What x and y are measured in, page pixels.
    """

    coefficients: tuple[float, float, float, float, float] = (0.0,) * 5
    centre: tuple[float, float] = (0.0, 0.0)
    size: float = 1.0

    def at(self, x: float, y: float) -> float:
        """The number at a place of the page."""
        u, v = (x - self.centre[0]) / self.size, (y - self.centre[1]) / self.size
        a, b, c, d, e = self.coefficients
        return a + b * u + c * v + d * u * u + e * u * v


@dataclass(frozen=True, slots=True)
class Flattening:
    """Lays a page flat.

    Attributes:
        slope: Fall of rows per pixel to the right.
        lean: Shift to the right, per pixel down, of what stands below one another.
    """

    slope: Field = Field()
    lean: Field = Field()

    def flatten(self, x: float, y: float) -> tuple[float, float]:
        """A place of the page on the page laid flat.

        Level: where the row through the place crosses the middle of the page. Across: where the
        column's edge through the place does.
        """
        centre_x, centre_y = self.slope.centre
        step = (centre_x - x) / _STEPS
        level, at = y, x
        for _ in range(_STEPS):
            half = level + 0.5 * step * self.slope.at(at, level)
            level += step * self.slope.at(at + 0.5 * step, half)
            at += step
        return x - self.lean.at(x, y) * (y - centre_y), level


def fit_flattening(rows: Sequence[DetectedRow]) -> Flattening:
    """How a page is to be laid flat, from its rows; as it is where they say nothing."""
    pieces = np.array([piece for row in rows for piece in _pieces(row)], float).reshape(-1, 4)
    if not len(pieces):
        return Flattening()
    ends = np.array([row.path[i] for row in rows for i in (0, -1)], float)
    low, high = ends.min(axis=0), ends.max(axis=0)
    centre = (float((low[0] + high[0]) / 2), float((low[1] + high[1]) / 2))
    size = max(1.0, float((high - low).max()) / 2)
    slope = _fit(pieces, centre, size, many=_MANY)
    shifts = np.array(_shifts(rows), float).reshape(-1, 4)
    if len(shifts) < _MANY:  # what is turned leans as it falls
        a, b, c, d, e = slope.coefficients
        return Flattening(slope, Field((-a, -b, -c, -d, -e), centre, size))
    return Flattening(slope, _fit(shifts, centre, size, many=3 * _MANY))


def _fit(samples: Floats, centre: tuple[float, float], size: float, *, many: int) -> Field:
    """A field through samples (x, y, value, weight); constant where there are not many."""
    x, y, value, weight = samples.T
    usual = _weighted_median(value, weight)
    if len(samples) < many:
        return Field((usual, 0.0, 0.0, 0.0, 0.0), centre, size)
    u, v = (x - centre[0]) / size, (y - centre[1]) / size
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v], axis=1)
    trust = weight / weight.sum()
    fitted = np.array([usual, 0.0, 0.0, 0.0, 0.0])
    for _ in range(4):  # samples far off the field count less and less
        off = np.abs(value - terms @ fitted)
        scale = max(1e-3, 1.5 * _weighted_median(off, weight))
        share = trust / (1 + (off / scale) ** 2)
        left = (terms * share[:, None]).T @ terms + _RIDGE * np.diag([0, 1, 1, 1, 1]) * share.sum()
        fitted = np.linalg.solve(left, (terms * share[:, None]).T @ value)
    a, b, c, d, e = (float(number) for number in fitted)
    return Field((a, b, c, d, e), centre, size)


def _shifts(rows: Sequence[DetectedRow]) -> list[tuple[float, float, float, float]]:
    """(x, y, shift per pixel down, weight) of ends that stand below one another."""
    ordered = sorted(rows, key=lambda row: row.level(row.centre))
    found = []
    for i, row in enumerate(ordered):
        for other in ordered[i + 1 : i + 1 + _NEAR]:
            shared = min(row.right, other.right) - max(row.left, other.left)
            down = other.level(row.centre) - row.level(row.centre)
            if shared < 0.5 * min(row.right - row.left, other.right - other.left):
                continue
            if 0.4 * row.reach < down < 3.0 * row.reach:
                for one, two in ((row.path[0], other.path[0]), (row.path[-1], other.path[-1])):
                    if abs(two[0] - one[0]) < _SHIFT * row.reach:
                        x, y = (one[0] + two[0]) / 2, (one[1] + two[1]) / 2
                        found.append((x, y, (two[0] - one[0]) / (two[1] - one[1]), 1.0))
                break
    return [entry for entry in found if abs(entry[2]) < 0.5]


def _pieces(row: DetectedRow) -> list[tuple[float, float, float, float]]:
    """(x, y, slope, length) of the pieces of a path that are long enough to have a slope."""
    if row.right - row.left < _LONG * row.reach:
        return []
    return [
        ((x0 + x1) / 2, (y0 + y1) / 2, (y1 - y0) / (x1 - x0), x1 - x0)
        for (x0, y0), (x1, y1) in zip(row.path[:-1], row.path[1:], strict=True)
        if x1 > x0
    ]


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][int(np.searchsorted(share, 0.5))])
