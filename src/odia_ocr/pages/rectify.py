"""Photographed pages are straightened: turned, out of perspective, their curl taken out.

Only numpy and Pillow. The lines of print themselves tell the distortion: pairs of neighbouring
letters should stand level, so a smooth vertical displacement (a polynomial of low order) is fitted
to them. What is flat stays as it is: the view is changed only when the letters' lower edges fall
into clearly sharper rows than any plain rotation gives, and by an amount that matters.
Source of the measure: Postl, "Detection of linear oblique structures and skew scan" (1986);
of the model: text-line based dewarping as in Liang, DeMenthon and Doermann, "Geometric
rectification of camera-captured document images" (2008), reduced to heights. Letters are not
widened or narrowed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from odia_ocr.pages.chains import letter_height
from odia_ocr.pages.components import find_components
from odia_ocr.pages.ink import erase_long_runs, to_grey

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.pages.components import Components
    from odia_ocr.pages.view import Points, View
    from odia_ocr.types import FloatArray, GreyPixels, Pixels

    Floats = npt.NDArray[np.float64]

_SIDE = 1200  # longest side, pixels, at which letters are looked at
_LEAST_LETTERS = 30  # fewer say nothing
_BEND_LETTERS = 60  # fewer say nothing but how far the page is turned
_TERM_LETTERS = 250  # fewer carry the simpler bend only
_MOST_LETTERS = 4000
_LIMIT = 20.0  # degrees, largest rotation looked for
_PLAIN_LIMIT = 4.5  # degrees; smaller plain rotations are the segmenter's own work
_BLUR = 40  # part of the longer side within which the mean is the ground
_CONTRAST = 0.2  # of the ground, by which ink differs from it
_LONG_RUN = 0.16  # of the longer side: no stroke of a letter is so long
_STRIPS = 4  # columns of unlike level must not be pulled level, so strips are judged one by one
# Measured on pages bent by a computer: flat ones gain up to 1.03 times, those bent so little that
# reading just suffers 1.27 and more.
_GAIN = 1.18
_TURN_GAIN = 1.3
_MATTERS = 0.3  # letter heights of displacement that are worth resampling the page
_CELLS = 28  # of the mesh along the longer side
# Exponents (of x, of y) of the displacement's terms; those of the first rounds come first.
_TERMS = ((1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (1, 2), (3, 1), (4, 0))
# (terms, reach of a pair in letter heights, largest step between two letters of a line)
_ROUNDS = ((3, 7.0, 0.5), (3, 7.0, 0.35), (5, 12.0, 0.35), (8, 20.0, 0.35), (8, 30.0, 0.3))


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """Where the letters of a page stand: middle and lower edge, in pixels; and their height."""

    x: Floats
    y: Floats
    size: float


@dataclass(frozen=True, slots=True, eq=False)
class Bend:
    """The way from a straight page to the page as it lies.

    First the page is turned about its centre, then each point moves up or down.

    Attributes:
        degrees: Positive where the lines of the page fall to the right.
        weights: Of `_TERMS`, in pixels at the rim of the page.
        centre: (x, y) of the page in pixels.
        radius: Half the longer side, pixels: the unit of x and y in the terms.
    """

    degrees: float
    weights: Floats
    centre: tuple[float, float]
    radius: float

    def turn(self, points: Points, *, back: bool = False) -> Points:
        """Turned points, relative to the centre; or back to pixels of the page."""
        angle = math.radians(self.degrees)
        cos, sin = math.cos(angle), math.sin(angle)
        if back:
            x, y = points[:, 0], points[:, 1]
            return np.stack([cos * x - sin * y, sin * x + cos * y], axis=1) + self.centre
        x, y = (points - self.centre).T
        return np.stack([cos * x + sin * y, cos * y - sin * x], axis=1)

    def lower(self, x: Floats, y: Floats) -> Floats:
        """How much lower than it should a point stands; x and y turned, from the centre."""
        return _terms(x / self.radius, y / self.radius) @ self.weights

    def undo(self, points: Points) -> Points:
        """Points of the straight page, from its centre, to pixels of the page as it lies."""
        x, level = points[:, 0], points[:, 1]
        y = level.copy()
        for _ in range(12):
            y = level + self.lower(x, y)
        return self.turn(np.stack([x, y], axis=1), back=True)

    def scale(self, factor: float) -> Bend:
        """The same bend of a page `factor` times as large."""
        centre = (self.centre[0] * factor, self.centre[1] * factor)
        return Bend(self.degrees, self.weights * factor, centre, self.radius * factor)


def straighten(view: View) -> View:
    """A straight view of a bent or strongly turned page; the view itself when it is not sure."""
    height, width = view.image.pixels.shape[:2]
    factor = max(1, -(-max(height, width) // _SIDE))
    grey = to_grey(view.image.pixels)
    if factor > 1:
        grey = np.asarray(Image.fromarray(grey).reduce(factor))
    bend = find_bend(grey)
    if bend is None:
        return view
    bend = bend.scale(factor)
    pixels, corner = unbend(view.image.pixels, bend)

    def back(points: Points) -> Points:
        return bend.undo(points + corner)

    largest = float(np.abs(bend.weights[1:]).max())
    step = f"straightened: turned {bend.degrees:+.1f} degrees, bent by {largest:.0f} px"
    return view.then(pixels, back, step=step, bent=True)


def find_bend(grey: GreyPixels) -> Bend | None:
    """How a page is bent; None when it is flat, or does not say.

    Args:
        grey: The page, (height, width), letters about 6 pixels high or more.
    """
    letters = find_letters(grey)
    if letters is None:
        return None
    height, width = grey.shape
    centre, radius = (width / 2, height / 2), max(grey.shape) / 2
    flat = np.zeros(len(_TERMS))
    points = np.stack([letters.x, letters.y], axis=1)
    degrees = _find_rotation(points - centre, letters.size)
    turned = Bend(degrees, flat, centre, radius)
    x, y = turned.turn(points).T
    if len(x) >= _BEND_LETTERS:
        weights = _fit(x / radius, y / radius, y, letters.size)
        bend = Bend(degrees, weights, centre, radius)
        if _is_sure(bend, x, y, letters.size):
            return bend
    if abs(degrees) > _PLAIN_LIMIT:
        as_it_lies = _sharpness(letters.x, letters.y, letters.size)
        if _sharpness(x, y, letters.size) > _TURN_GAIN * as_it_lies:
            return turned
    return None


def _is_sure(bend: Bend, x: Floats, y: Floats, size: float) -> bool:
    """True when a bend matters, keeps the order of the lines, and beats every rotation clearly."""
    lower = bend.lower(x, y)
    slope = np.polyfit(x, lower, 1)
    if float(np.abs(lower - np.polyval(slope, x)).max()) < _MATTERS * size:
        return False

    # Halves of the page, not all of it: a bend must not be praised for levelling two columns.
    def sharpness(level: Floats) -> float:
        return _sharpness(x, level, size, share=0.15, strips=2)

    plain = max(sharpness(y - slope * x) for slope in np.linspace(-0.02, 0.02, 17))
    return sharpness(y - lower) > _GAIN * plain and _is_sane(bend, x, y)


def find_letters(grey: GreyPixels) -> Letters | None:
    """The letters, dark ones or else light ones; None when there are too few to tell anything.

    A plain threshold against the mean nearby does: what is missed is no harm here, and it costs a
    fraction of finding all ink.
    """
    longest = max(grey.shape)
    blur = Image.fromarray(grey).filter(ImageFilter.BoxBlur(longest / _BLUR))
    ground = np.asarray(blur, np.float32)
    contrast = ((ground - grey) / np.maximum(ground, 24.0)).astype(np.float32)
    pieces = _find_pieces(contrast)
    if len(pieces) < _LEAST_LETTERS:
        pieces = _find_pieces(-contrast)
    size = letter_height(pieces)
    if size < 5.0:
        return None
    like = (pieces.height > 0.6 * size) & (pieces.height < 1.6 * size)
    like &= pieces.width > 0.3 * size
    # The lower edge of a slanting word is that of its one end, so single letters are better.
    single = like & (pieces.width < 1.8 * size)
    wide = like & (pieces.width < 5 * size)
    pieces = pieces.take(single if single.sum() >= _BEND_LETTERS else wide)
    if len(pieces) < _LEAST_LETTERS:
        return None
    if len(pieces) > _MOST_LETTERS:
        pieces = pieces.take(np.linspace(0, len(pieces) - 1, _MOST_LETTERS).astype(np.int64))
    x = (pieces.left + pieces.right).astype(np.float64) / 2
    return Letters(x, pieces.bottom.astype(np.float64), size)


def _find_pieces(contrast: FloatArray) -> Components:
    mask = erase_long_runs(contrast > _CONTRAST, max(40, int(_LONG_RUN * max(contrast.shape))))
    pieces = find_components(mask, contrast)
    return pieces.take(pieces.area >= 6)


def unbend(pixels: Pixels, bend: Bend) -> tuple[Pixels, Points]:
    """The straight page and where its top left corner lies, from the centre of the page."""
    height, width = pixels.shape[:2]
    rim = np.linspace(0.0, 1.0, 33)
    zero, one = np.zeros_like(rim), np.ones_like(rim)
    outline = np.concatenate(
        [np.stack(side, axis=1) for side in ((rim, zero), (rim, one), (zero, rim), (one, rim))]
    ) * [width, height]
    turned = bend.turn(outline)
    straight = np.stack([turned[:, 0], turned[:, 1] - bend.lower(*turned.T)], axis=1)
    corner = np.floor(straight.min(axis=0))
    size = np.ceil(straight.max(axis=0)) - corner
    # A bend that was fitted to the letters may run away where there are none.
    room = 0.25 * max(width, height)
    corner = np.maximum(corner, np.floor(turned.min(axis=0)) - room)
    size = np.minimum(size, np.ceil(turned.max(axis=0)) + room - corner)
    columns, rows = (max(1, int(value)) for value in size)
    cell = max(8, -(-max(columns, rows) // _CELLS))
    xs = np.minimum(np.arange(-(-columns // cell) + 1) * cell, columns)
    ys = np.minimum(np.arange(-(-rows // cell) + 1) * cell, rows)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float64)
    source = bend.undo(grid + corner).reshape(len(ys), len(xs), 2)
    mesh = []
    for j in range(len(ys) - 1):
        for i in range(len(xs) - 1):
            box = (int(xs[i]), int(ys[j]), int(xs[i + 1]), int(ys[j + 1]))
            # Pillow wants top left, bottom left, bottom right, top right.
            quad = source[[j, j + 1, j + 1, j], [i, i, i + 1, i + 1]].reshape(-1)
            mesh.append((box, tuple(float(value) for value in quad)))
    ground = np.median(pixels[:: max(1, height // 64), :: max(1, width // 64)], axis=(0, 1))
    colour = tuple(int(v) for v in ground) if pixels.ndim == 3 else int(ground)
    picture = Image.fromarray(pixels).transform(
        (columns, rows),
        Image.Transform.MESH,
        mesh,
        Image.Resampling.BICUBIC,
        fillcolor=colour,
    )
    return np.asarray(picture), corner


def _find_rotation(points: Points, size: float) -> float:
    """Degrees at which the letters' lower edges stand sharpest in rows."""
    x, y = points.T

    def sharpness(degrees: float, share: float) -> float:
        angle = math.radians(degrees)
        turned = math.cos(angle) * y - math.sin(angle) * x
        return _sharpness(math.cos(angle) * x + math.sin(angle) * y, turned, size, share=share)

    coarse = np.arange(-_LIMIT, _LIMIT + 0.1, 0.5)
    best = float(max(coarse, key=lambda degrees: sharpness(degrees, 0.4)))
    fine = np.arange(best - 0.5, best + 0.51, 0.1)
    best = float(max(fine, key=lambda degrees: sharpness(degrees, 0.25)))
    return 0.0 if abs(best) < 0.1 else best


def _sharpness(
    x: Floats, level: Floats, size: float, *, share: float = 0.25, strips: int = _STRIPS
) -> float:
    """Sum of squares of the histograms of levels, strip by strip.

    Args:
        x: Where the letters stand.
        level: Their lower edges, straightened.
        size: Letter height.
        share: Of the letter height, one bin.
        strips: Side by side, each with its own histogram.
    """
    low, high = float(x.min()), float(x.max())
    strip = np.minimum(((x - low) / max(high - low, 1.0) * strips).astype(np.int64), strips - 1)
    place = (level - level.min()) / (share * size)
    bins = np.floor(place).astype(np.int64)
    part = place - bins
    count = int(bins.max()) + 2
    index = strip * count + bins
    profile = np.bincount(index, 1 - part, minlength=strips * count + 1)
    profile = profile + np.bincount(index + 1, part, minlength=strips * count + 1)
    return float((profile**2).sum())


def _fit(x: Floats, y: Floats, bottom: Floats, size: float) -> Floats:
    """Weights of `_TERMS` that bring neighbouring letters of a line level.

    Args:
        x, y: Places in units of the page's radius.
        bottom: Lower edges in pixels.
        size: Letter height in pixels.

    Pairs of letters that may stand in one line are compared; most pairs do, and their steps
    agree, so a robust regression (Tukey's biweight) finds the common bend. Reach and number of
    terms grow round by round.
    """
    order = np.argsort(x, kind="stable")
    x, y, bottom = x[order], y[order], bottom[order]
    radius = float(np.ptp(bottom) / max(float(np.ptp(y)), 1e-9)) if np.ptp(y) > 0 else 1.0
    features = _terms(x, y)
    weights = np.zeros(len(_TERMS))
    most = len(_TERMS) if len(x) >= _TERM_LETTERS else 5
    for count, reach, step in _ROUNDS:
        terms = min(count, most)
        level = bottom - features @ weights
        one, other = _pairs(x * radius, level, 0.8 * size, reach * size, step * size)
        if len(one) < 3 * _LEAST_LETTERS:
            break
        rows = (features[other] - features[one])[:, :terms]
        rise = bottom[other] - bottom[one]
        for _ in range(3):
            miss = rise - rows @ weights[:terms]
            trust = np.maximum(0.0, 1 - (miss / (step * size)) ** 2) ** 2
            # Long pairs say more about the slope than short ones; a light pull to flat.
            normal = rows.T @ (rows * trust[:, None])
            normal += np.eye(terms) * 1e-4 * max(1e-12, float(np.trace(normal)) / terms)
            weights = np.zeros(len(_TERMS))
            weights[:terms] = np.linalg.solve(normal, rows.T @ (trust * rise))
    return weights


def _pairs(
    x: Floats, level: Floats, least: float, reach: float, step: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices (left, right) of letters near in x and nearly level; `x` ascends."""
    count = len(x)
    most = int(np.max(np.searchsorted(x, x + reach) - np.arange(count)))
    # Evenly thinned where there are very many.
    stride = max(1, most // 160)
    ones, others = [], []
    for shift in range(1, most + 1, stride):
        one = np.arange(count - shift)
        distance = x[shift:] - x[:-shift]
        near = (distance >= least) & (distance <= reach)
        near &= np.abs(level[shift:] - level[:-shift]) < step
        ones.append(one[near])
        others.append(one[near] + shift)
    if not ones:
        empty = np.zeros(0, np.int64)
        return empty, empty
    return np.concatenate(ones), np.concatenate(others)


def _terms(x: Floats, y: Floats) -> Floats:
    return np.stack([x**i * y**j for i, j in _TERMS], axis=1)


def _is_sane(bend: Bend, x: Floats, y: Floats) -> bool:
    """Lines keep their order everywhere among the letters, and none is moved far."""
    r = bend.radius
    grid = np.stack(
        np.meshgrid(
            np.linspace(float(x.min()), float(x.max()), 9),
            np.linspace(float(y.min()), float(y.max()), 33),
        ),
        axis=-1,
    )
    level = grid[..., 1] - bend.lower(grid[..., 0].ravel(), grid[..., 1].ravel()).reshape(
        grid.shape[:2]
    )
    steps = np.diff(level, axis=0) / np.diff(grid[..., 1], axis=0)
    return bool(steps.min() > 0.5 and steps.max() < 2.0 and np.abs(bend.weights).max() < 0.6 * r)
