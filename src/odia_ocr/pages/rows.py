"""Maps of a line detector become rows: paths along the middle of the letters, with their reach.

Connected pieces of the kernel map are rows; pieces that hold two rows are parted, pieces of one row
are joined. Knows nothing of the network that made the maps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.pages.components import find_runs, label_runs

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.types import FloatArray, Point

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

KERNEL_SHARE = 0.6  # of the body's height, which the kernel covers
BODY_SHARE = 0.5  # of a row's reach, as a rule
_LEVELS = (0.5, 0.7, 0.85)  # thresholds; the higher ones part rows that touch
_LEAST_SURE = 0.55  # mean probability of a row's cells
_KNOT = 3.0  # reaches between the points of a curved row
_SURE_LENGTH = 7.0  # reaches; a longer row is trusted with its own slope
_GAP = 0.45  # reaches between pieces of a row
_LONE_GAP = 1.2  # and between a row and a lone mark after it, which is narrower than _LONE
_LONE = 0.5  # reaches
_CURVED = 0.09  # of the reach: less is straight


@dataclass(frozen=True, slots=True, eq=False)
class LineMaps:
    """What a detector says of a page.

    Attributes:
        kernel: Probability that a cell lies in the body of a row, float32 (h, w).
        up, down: Distance from the row's middle to the end of its ink, page pixels, (h, w).
        cell: Page pixels per cell.
    """

    kernel: FloatArray
    up: FloatArray
    down: FloatArray
    cell: float


@dataclass(frozen=True, slots=True)
class DetectedRow:
    """A row of print, in page pixels.

    Attributes:
        path: Points along the middle of the letters, left to right.
        up, down: From the path to the end of the ink.
        body: Height of the letters' bodies.
        sure: Mean probability, 0..1.
    """

    path: tuple[Point, ...]
    up: float
    down: float
    body: float
    sure: float

    @property
    def left(self) -> float:
        """Where it begins."""
        return self.path[0][0]

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.path[-1][0]

    @property
    def centre(self) -> float:
        """Its horizontal middle."""
        return (self.left + self.right) / 2

    @property
    def reach(self) -> float:
        """Height of its ink."""
        return self.up + self.down

    @property
    def slope(self) -> float:
        """Fall per pixel to the right."""
        (x0, y0), (x1, y1) = self.path[0], self.path[-1]
        return (y1 - y0) / max(1e-6, x1 - x0)

    def level(self, x: float) -> float:
        """Height of the path at `x`, which may lie beyond its ends."""
        first, last = self.path[0], self.path[-1]
        if x < first[0]:
            return first[1] + self._end_slope(0) * (x - first[0])
        if x > last[0]:
            return last[1] + self._end_slope(-2) * (x - last[0])
        return float(np.interp(x, [p[0] for p in self.path], [p[1] for p in self.path]))

    def _end_slope(self, at: int) -> float:
        (x0, y0), (x1, y1) = self.path[at], self.path[at + 1]
        return (y1 - y0) / max(1e-6, x1 - x0)

    def shifted(self, down: float, side: float) -> list[Point]:
        """The path moved `down` across itself and lengthened by `side` at both ends."""
        points = np.array(self.path, float)
        ends = []
        for here, there in ((0, 1), (-1, -2)):
            step = points[here] - points[there]
            ends.append(points[here] + step * (side / max(1e-6, float(np.hypot(*step)))))
        points[0], points[-1] = ends
        along = _directions(points)
        moved = points + down * np.stack([-along[:, 1], along[:, 0]], axis=1)
        return [(float(x), float(y)) for x, y in moved]


def _directions(points: Floats) -> Floats:
    """Unit vectors along a path at each of its points."""
    along = np.empty_like(points)
    along[0], along[-1] = points[1] - points[0], points[-1] - points[-2]
    along[1:-1] = points[2:] - points[:-2]
    lengths = np.hypot(along[:, 0], along[:, 1])
    directions: Floats = along / np.maximum(lengths[:, None], 1e-9)
    return directions


def settle_slopes(
    rows: Sequence[DetectedRow], slope_at: Callable[[float, float], float]
) -> list[DetectedRow]:
    """Turn short straight rows towards the page's slope: a few letters say little of theirs.

    Args:
        rows: Of one page.
        slope_at: The slope of the page's rows at a place (x, y).
    """
    settled = []
    for row in rows:
        length = row.right - row.left
        trust = min(1.0, length / (_SURE_LENGTH * row.reach)) ** 2
        if len(row.path) == 2 and trust < 1.0:
            level = row.level(row.centre)
            slope = trust * row.slope + (1 - trust) * slope_at(row.centre, level)
            rise = slope * length / 2
            row = replace(row, path=((row.left, level - rise), (row.right, level + rise)))
        settled.append(row)
    return settled


def find_rows(maps: LineMaps) -> list[DetectedRow]:
    """Rows of a page, in no order that matters."""
    rows = [
        row
        for cells in _find_pieces(maps.kernel, _LEVELS[0])
        for row in _make_rows(maps, cells, level=0)
    ]
    return _join(rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Cells of one piece: row and column of each."""

    y: Ints
    x: Ints


def _find_pieces(kernel: FloatArray, threshold: float) -> Iterator[_Cells]:
    runs = find_runs(kernel > threshold)
    labels = label_runs(runs, kernel.shape[1])
    order = np.argsort(labels, kind="stable")
    bounds = np.flatnonzero(np.diff(labels[order])) + 1
    for members in np.split(order, bounds):
        if len(members) == 0:
            continue
        lengths = runs.right[members] - runs.left[members]
        first = np.cumsum(lengths) - lengths
        x = np.arange(int(lengths.sum())) + np.repeat(runs.left[members] - first, lengths)
        yield _Cells(np.repeat(runs.row[members], lengths), x)


def _make_rows(maps: LineMaps, cells: _Cells, level: int) -> list[DetectedRow]:
    """The row of a piece, or the rows when it holds more than one; none when it is no print."""
    weight = maps.kernel[cells.y, cells.x].astype(np.float64)
    if len(weight) < 3 or float(weight.mean()) < _LEAST_SURE:
        return []
    left = int(cells.x.min())
    columns = cells.x - left
    total = np.bincount(columns, weight)
    middle = np.bincount(columns, weight * cells.y) / np.maximum(total, 1e-9)
    seen = total > 0
    thick = float(np.median(total[seen]))
    if level + 1 < len(_LEVELS) and _holds_several(cells, columns, middle, thick):
        parts = _part(maps, cells, level)
        if len(parts) > 1:
            return parts
    up, down = (
        float(np.exp(np.average(np.log(values[cells.y, cells.x]), weights=weight)))
        for values in (maps.up, maps.down)
    )
    cell = maps.cell
    xs = (np.flatnonzero(seen) + (left + 0.5)).astype(np.float64) * cell
    ys = (middle[seen].astype(np.float64) + 0.5) * cell
    reach = up + down
    if xs[-1] - xs[0] + cell < 0.12 * reach:
        return []
    path = _smooth_path(xs, ys, total[seen].astype(np.float64), reach, cell)
    # The kernel's thickness comes in whole cells; the reach is finer, but holds the signs as well.
    even = float(np.mean(total[seen])) * cell / KERNEL_SHARE
    body = (min(max(even, 0.3 * reach), 0.75 * reach) + BODY_SHARE * reach) / 2
    return [DetectedRow(path, up, down, body, float(weight.mean()))]


def _holds_several(cells: _Cells, columns: Ints, middle: Floats, thick: float) -> bool:
    """Do many of its columns hold cells far from the path, or holes?"""
    count = np.bincount(columns)
    top = np.full(len(count), np.inf)
    bottom = np.full(len(count), -np.inf)
    np.minimum.at(top, columns, cells.y)
    np.maximum.at(bottom, columns, cells.y)
    extent = bottom - top + 1
    used = count > 0
    odd = used & ((extent > count) | (extent > 2.2 * thick + 1.5))
    return bool(odd.sum() > 0.12 * used.sum())


def _part(maps: LineMaps, cells: _Cells, level: int) -> list[DetectedRow]:
    """Rows of a piece at the next higher threshold."""
    top, left = int(cells.y.min()), int(cells.x.min())
    window = np.zeros((int(cells.y.max()) - top + 1, int(cells.x.max()) - left + 1), np.float32)
    window[cells.y - top, cells.x - left] = maps.kernel[cells.y, cells.x]
    return [
        row
        for piece in _find_pieces(window, _LEVELS[level + 1])
        for row in _make_rows(maps, _Cells(piece.y + top, piece.x + left), level + 1)
    ]


def _smooth_path(
    xs: Floats, ys: Floats, weight: Floats, reach: float, cell: float
) -> tuple[Point, ...]:
    """Two points, or more where the row is curved; it reaches to the outer edges of its cells."""
    start, end = float(xs[0] - cell / 2), float(xs[-1] + cell / 2)
    length = end - start
    if length < 1.5 * reach or len(xs) < 4:
        level = float(np.average(ys, weights=weight))
        return (start, level), (end, level)
    slope, offset = np.polyfit(xs, ys, 1, w=np.sqrt(weight))
    straight = ((start, float(slope * start + offset)), (end, float(slope * end + offset)))
    if length < 6 * reach:
        return straight
    count = max(3, min(24, round(length / (_KNOT * reach)) + 1))
    knots = np.linspace(start, end, count)
    # A quadratic around each knot; its window spans two knots each way.
    levels = []
    for knot in knots:
        near = np.abs(xs - knot) <= 1.6 * length / (count - 1)
        degree = 2 if near.sum() > 8 else 1
        fit = np.polyfit(xs[near] - knot, ys[near], degree, w=np.sqrt(weight[near]))
        levels.append(float(fit[-1]))
    bend = np.abs(np.array(levels) - (slope * knots + offset))
    if float(bend.max()) < max(_CURVED * reach, 0.5 * cell):
        return straight
    return tuple((float(x), y) for x, y in zip(knots, levels, strict=True))


def _join(rows: Sequence[DetectedRow]) -> list[DetectedRow]:
    """Join pieces that go on from one another at the same level after a narrow gap."""
    rest = sorted(rows, key=lambda row: row.left)
    joined: list[DetectedRow] = []
    while rest:
        row = rest.pop(0)
        while True:
            after = next((other for other in rest if _goes_on(row, other)), None)
            if after is None:
                break
            rest.remove(after)
            row = _chain(row, after)
        joined.append(row)
    return joined


def _goes_on(row: DetectedRow, other: DetectedRow) -> bool:
    reach = min(row.reach, other.reach)
    gap = other.left - row.right
    # A lone mark after a row, such as a danda, stands off by a space.
    lone = other.right - other.left < _LONE * reach
    if (
        not -0.5 * reach < gap < (_LONE_GAP if lone else _GAP) * reach
        or max(row.reach, other.reach) > 1.6 * reach
    ):
        return False
    between = (other.left + row.right) / 2
    return abs(row.level(between) - other.level(between)) < 0.22 * reach


def _chain(row: DetectedRow, other: DetectedRow) -> DetectedRow:
    ones, others = row.right - row.left, other.right - other.left
    share = ones / max(1e-6, ones + others)
    path = [*row.path[:-1], *other.path[1:]]
    meet = ((row.right + other.left) / 2, (row.path[-1][1] + other.path[0][1]) / 2)
    if len(row.path) == len(other.path) == 2:
        # Two straight pieces make a straight row, unless they meet at an angle.
        chord = np.interp(meet[0], [path[0][0], path[-1][0]], [path[0][1], path[-1][1]])
        if abs(float(chord) - meet[1]) > _CURVED * row.reach:
            path.insert(1, meet)
    else:
        path.insert(len(row.path) - 1, meet)
    return DetectedRow(
        tuple(path),
        _of_both(row.up, other.up, share),
        _of_both(row.down, other.down, share),
        share * row.body + (1 - share) * other.body,
        share * row.sure + (1 - share) * other.sure,
    )


def _of_both(one: float, other: float, share: float) -> float:
    """The larger distance, unless one of the pieces is too short to say much."""
    if 0.2 < share < 0.8:
        return max(one, other)
    return one if share > 0.5 else other
