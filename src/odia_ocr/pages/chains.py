"""Pieces of ink become text lines: neighbours of like height and level are chained.

Works on boxes only, in the coordinates of the straightened page. Marks above and below (reph,
candrabindu, subscripts) never start a line: they go to the line they hang on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.pages.components import union
from odia_ocr.pages.gutters import Gutters, find_gutters

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.pages.components import Components

    Ints = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

# All in units of letter height unless said.
_LINK_GAP = 1.6  # widest gap bridged between neighbours while chaining
_MERGE_GAP = 6.0  # widest gap bridged between pieces of one printed line (justified text)
_MARK_GAP = 0.45  # farthest a mark hangs from its line
_LIKE_HEIGHT = 2.1  # ratio of the heights of two neighbours
_MARK_SHARE = 0.62  # a row of pieces lower than this share of the line it touches is marks


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Pieces of one line, by index into the components, left to right.

    Attributes:
        core: The letters.
        marks: Small pieces that hang on them.
        left, top, right, bottom: The band of the letters: median top and bottom, not the extremes.
    """

    core: Ints
    marks: Ints
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Height of the letters' band."""
        return self.bottom - self.top

    @property
    def letters(self) -> int:
        """Number of letter-like pieces."""
        return len(self.core)

    @property
    def middle(self) -> float:
        """Vertical middle of the letters' band."""
        return (self.top + self.bottom) / 2


def letter_height(pieces: Components) -> float:
    """The commonest height of letter-like pieces, in pixels; 0 when there are none."""
    height, width = pieces.height, pieces.width
    like = (height >= 5) & (width < 6 * height) & (height < 12 * width)
    if not like.any():
        return 0.0
    logs = np.log2(height[like])
    weight = np.sqrt(pieces.area[like])
    edges = np.arange(2.0, float(logs.max()) + 0.5, 0.125)
    counts, edges = np.histogram(logs, bins=edges, weights=weight)
    smooth = np.convolve(counts, [0.5, 1, 1, 1, 0.5], mode="same")
    return float(2 ** (edges[int(np.argmax(smooth))] + 0.0625))


def chain_lines(pieces: Components) -> list[Chain]:
    """Text lines among `pieces`, in no particular order; none crosses the gutter of two columns.

    Args:
        pieces: Components of one polarity in straightened coordinates.
    """
    size = letter_height(pieces)
    if size == 0.0:
        return []
    body = np.nonzero(_is_body(pieces, size))[0]
    chains = _link_neighbours(pieces, body)
    chains = _absorb_marks(chains, pieces)
    gutters = find_gutters(chains)
    chains = _merge_pieces(chains, pieces, gutters)
    chains = _absorb_marks(chains, pieces)
    return _hang_marks(chains, pieces)


def _is_body(pieces: Components, size: float) -> Mask:
    height, width = pieces.height, pieces.width
    flat = width > 5 * height  # dashes and rests of rules
    bar = height > 12 * width
    return np.asarray((height >= max(4.0, 0.33 * size)) & ~flat & ~bar)


def _link_neighbours(pieces: Components, body: Ints) -> list[Chain]:
    order = body[np.argsort(pieces.left[body], kind="stable")]
    left, right = pieces.left[order], pieces.right[order]
    top, bottom = pieces.top[order], pieces.bottom[order]
    height, middle = bottom - top, (top + bottom) / 2
    one: list[int] = []
    other: list[int] = []
    for i in range(len(order)):
        reach = right[i] + _LINK_GAP * _LIKE_HEIGHT * height[i]
        stop = int(np.searchsorted(left, reach, side="right"))
        near = np.arange(i + 1, stop)
        if not len(near):
            continue
        taller = np.maximum(height[near], height[i])
        lower = np.minimum(height[near], height[i])
        gap = left[near] - right[i]
        overlap = np.minimum(bottom[near], bottom[i]) - np.maximum(top[near], top[i])
        good = (
            (gap <= _LINK_GAP * taller)
            & (overlap >= 0.5 * lower)
            & (taller <= _LIKE_HEIGHT * lower)
            & (np.abs(middle[near] - middle[i]) <= 0.45 * taller)
        )
        near, gap = near[good], gap[good]
        if len(near):
            cost = np.maximum(gap, 0) + np.abs(middle[near] - middle[i])
            best = int(near[np.argmin(cost)])
            one.append(i)
            other.append(best)
    labels = union(len(order), np.array(one, np.int64), np.array(other, np.int64))
    return [make_chain(pieces, order[labels == label]) for label in range(int(labels.max()) + 1)]


def make_chain(pieces: Components, core: Ints, marks: Ints | None = None) -> Chain:
    """A chain with its band; wide pieces weigh more than narrow ones."""
    core = core[np.argsort(pieces.left[core], kind="stable")]
    top, bottom = pieces.top[core], pieces.bottom[core]
    height = bottom - top
    letters = height >= 0.6 * float(np.percentile(height, 75))
    return Chain(
        core=core,
        marks=np.zeros(0, np.int64) if marks is None else marks,
        left=float(pieces.left[core].min()),
        top=float(np.median(top[letters])),
        right=float(pieces.right[core].max()),
        bottom=float(np.median(bottom[letters])),
    )


def _absorb_marks(chains: list[Chain], pieces: Components) -> list[Chain]:
    """Drop rows that are only marks of a neighbouring line; `_hang_marks` takes their pieces."""
    kept: list[Chain] = []
    for chain in chains:
        owner = any(
            other is not chain
            and chain.height < _MARK_SHARE * other.height
            and _band_gap(chain, other) < _MARK_GAP * other.height
            and chain.left >= other.left - other.height
            and chain.right <= other.right + other.height
            and _ink(chain, pieces) < 0.35 * _ink(other, pieces)
            for other in chains
        )
        if not owner:
            kept.append(chain)
    return kept


def _ink(chain: Chain, pieces: Components) -> float:
    return float(pieces.area[chain.core].sum())


def _band_gap(one: Chain, other: Chain) -> float:
    return max(other.top - one.bottom, one.top - other.bottom, 0.0)


def _merge_pieces(chains: list[Chain], pieces: Components, gutters: Gutters) -> list[Chain]:
    """Join pieces of one printed line across wide spaces."""
    chains = sorted(chains, key=lambda chain: chain.left)
    one: list[int] = []
    other: list[int] = []
    for i, first in enumerate(chains):
        rivals = []
        for j in range(i + 1, len(chains)):
            second = chains[j]
            taller = max(first.height, second.height)
            gap = second.left - first.right
            if gap > _MERGE_GAP * taller or taller > 1.8 * min(first.height, second.height):
                continue
            if gap < -0.5 * min(first.right - first.left, second.right - second.left):
                continue
            level = abs(_level(first, pieces, last=True) - _level(second, pieces, last=False))
            if level > 0.4 * taller or gutters.part(first, second):
                continue
            rivals.append((max(gap, 0.0) + 2 * level, j))
        if rivals:
            one.append(i)
            other.append(min(rivals)[1])
    if not one:
        return chains
    labels = union(len(chains), np.array(one, np.int64), np.array(other, np.int64))
    merged = []
    for label in range(int(labels.max()) + 1):
        members = [chains[i] for i in np.nonzero(labels == label)[0]]
        core = np.concatenate([member.core for member in members])
        merged.append(make_chain(pieces, core) if len(members) > 1 else members[0])
    return merged


def _level(chain: Chain, pieces: Components, *, last: bool) -> float:
    """Vertical middle of the chain's few last or first letters."""
    ends = chain.core[-4:] if last else chain.core[:4]
    return float(np.median((pieces.top[ends] + pieces.bottom[ends]) / 2))


def _hang_marks(chains: list[Chain], pieces: Components) -> list[Chain]:
    """Give every piece that is in no chain to the line it hangs on, if there is one."""
    if not chains:
        return []
    free = np.ones(len(pieces), bool)
    for chain in chains:
        free[chain.core] = False
    marks: list[list[int]] = [[] for _ in chains]
    tops = np.array([chain.top for chain in chains])
    bottoms = np.array([chain.bottom for chain in chains])
    lefts = np.array([chain.left for chain in chains])
    rights = np.array([chain.right for chain in chains])
    heights = np.maximum(bottoms - tops, 1.0)
    for i in np.nonzero(free)[0]:
        top, bottom = pieces.top[i], pieces.bottom[i]
        gap = np.maximum(np.maximum(tops - bottom, top - bottoms), 0.0)
        aside = np.maximum(np.maximum(lefts - pieces.right[i], pieces.left[i] - rights), 0.0)
        fits = (
            (gap < _MARK_GAP * heights)
            & (aside < 1.2 * heights)
            & (bottom - top < 1.6 * heights)
            & (pieces.width[i] < 4.0 * heights)
            & (bottom - top > 0.06 * heights)
        )
        if not fits.any():
            continue
        # What stands out of the band counts, so a subscript touching the next line stays put.
        outside = np.maximum(tops - top, 0) + np.maximum(bottom - bottoms, 0)
        cost = np.where(fits, gap + 0.5 * aside + 0.5 * outside, np.inf)
        marks[int(np.argmin(cost))].append(int(i))
    return [
        Chain(c.core, np.array(m, np.int64), c.left, c.top, c.right, c.bottom)
        for c, m in zip(chains, marks, strict=True)
    ]
