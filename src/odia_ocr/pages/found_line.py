"""A line that was found on the straightened page, and what tells print from picture bits.

Photographs and drawings yield rows of pieces too; strokes, size and contrast give them away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from odia_ocr.pages.chains import Chain
    from odia_ocr.pages.components import Components
    from odia_ocr.types import Point

_SURE_LETTERS = 6  # a row of so many like pieces is print
_LIKE_SIZE = 1.7  # ratio of heights of short rows to a sure one
_LIKE_CONTRAST = 0.6  # share of a sure row's contrast


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line in working coordinates, straightened."""

    left: float
    right: float
    top: float
    bottom: float
    ink_top: float
    ink_bottom: float
    weight: float
    letters: int
    contrast: float
    crop_top: float = 0.0
    crop_bottom: float = 0.0
    side: float = 0.0

    @staticmethod
    def around(chain: Chain, pieces: Components) -> FoundLine:
        """The line of a chain: extremes of its ink, without stray far-off pieces."""
        members = np.concatenate([chain.core, chain.marks])
        return FoundLine(
            left=float(pieces.left[members].min()),
            right=float(pieces.right[members].max()),
            top=chain.top,
            bottom=chain.bottom,
            ink_top=max(float(pieces.top[members].min()), chain.top - 0.7 * chain.height),
            ink_bottom=min(float(pieces.bottom[members].max()), chain.bottom + 0.8 * chain.height),
            letters=len(chain.core),
            weight=float(pieces.area[members].sum()),
            contrast=float(np.average(pieces.contrast[members], weights=pieces.area[members])),
        )

    @property
    def height(self) -> float:
        """Height of the letters."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Vertical middle of the letters."""
        return (self.top + self.bottom) / 2

    @property
    def corners(self) -> tuple[Point, ...]:
        """Crop corners, clockwise from the top left."""
        left, right = self.left - self.side, self.right + self.side
        top, bottom = self.crop_top, self.crop_bottom
        return (left, top), (right, top), (right, bottom), (left, bottom)


def is_text(chain: Chain, pieces: Components) -> bool:
    """False for rows of picture bits: ragged, blotted or a lone blot."""
    core = chain.core
    height = pieces.height[core]
    width = chain.right - chain.left
    if chain.height < 5 or width < 0.5 * chain.height:
        return False
    box = np.maximum(pieces.width * pieces.height, 1)[core]
    fill = float(pieces.area[core].sum() / box.sum())
    if not 0.08 < fill < 0.8:
        return False
    letters = height > 0.5 * chain.height
    # Bold print has strokes of up to 0.3 of the letter height; blots are wider.
    stroke = float(np.median((pieces.stroke[core] / height)[letters])) if letters.any() else 1.0
    if stroke > (0.33 if len(core) < 4 else 0.42):
        return False
    spread = float(np.std(pieces.middle[core]) / chain.height)
    return spread < 0.5 and float(np.median(height)) > 0.4 * chain.height


def drop_rivals(lines: list[FoundLine]) -> list[FoundLine]:
    """Of lines that lie on one another (dark and light finds of one print) keep the stronger."""
    kept: list[FoundLine] = []
    for line in sorted(lines, key=lambda line: line.weight * line.contrast, reverse=True):
        area = (line.right - line.left) * line.height
        if sum(_overlap(line, other) for other in kept) < 0.4 * area:
            kept.append(line)
    return kept


def drop_strays(lines: list[FoundLine]) -> list[FoundLine]:
    """Keep short rows only where they look like the sure ones; without sure ones keep all."""
    sure = [line for line in lines if line.letters >= _SURE_LETTERS]
    if not sure:
        return lines
    return [
        line
        for line in lines
        if line.letters >= _SURE_LETTERS
        or any(
            max(line.height, other.height) < _LIKE_SIZE * min(line.height, other.height)
            and line.contrast > _LIKE_CONTRAST * other.contrast
            for other in sure
        )
    ]


def _overlap(one: FoundLine, other: FoundLine) -> float:
    """Area of the letters of `one` within all the ink of `other`."""
    x = min(one.right, other.right) - max(one.left, other.left)
    y = min(one.bottom, other.ink_bottom) - max(one.top, other.ink_top)
    return max(x, 0.0) * max(y, 0.0)
