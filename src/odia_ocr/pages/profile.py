"""Finds the lines of a page with array arithmetic alone: `ProfileSegmenter`.

Ink of both polarities, the page's skew by projection profiles, chains of letters, and crops that
keep reph and subscripts but not the neighbour's ink. Works at a reduced size; its results are
polygons in pixels of the page as given. Knows nothing of text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.pages.blocks import make_blocks
from odia_ocr.pages.chains import Chain, chain_lines, letter_height
from odia_ocr.pages.columns import order_rows
from odia_ocr.pages.components import Components, find_components
from odia_ocr.pages.found_line import FoundLine, drop_rivals, drop_strays, is_text
from odia_ocr.pages.ink import Ink, erase_long_runs, find_ink, to_grey
from odia_ocr.types import Line, Page, PageImage, Region

if TYPE_CHECKING:
    from odia_ocr.pages.ink import Mask
    from odia_ocr.types import GreyPixels, Point, Polygon

_LONG_RUN = 0.16  # of the longer side: no stroke of a letter is so long
_BAND_SHARE = 0.01  # of the page in solid areas


@dataclass(frozen=True, slots=True)
class ProfileSegmenter:
    """Line finding by projection profiles and chains of letters.

    Attributes:
        max_skew: Largest skew looked for, degrees.
        context: Ground kept above and below a line, in letter heights.
        working_side: Longest side, pixels, at which lines are looked for.
    """

    max_skew: float = 5.0
    context: float = 0.22
    working_side: int = 2600

    @property
    def name(self) -> str:
        """Name for `Page.steps`."""
        return "profile"

    def segment(self, image: PageImage) -> Page:
        """Return the page with regions and unread lines in reading order."""
        grey, scale = _to_working_size(to_grey(image.pixels), self.working_side)
        turn, found = self._find_lines(grey)
        rows = order_rows(found)
        page = Page(image.source, image.number, image.size, image.dpi)
        lines: list[Line] = []
        regions: list[Region] = []
        for block in make_blocks(rows, prefix=f"p{image.number:04d}"):
            outlines: dict[int, Polygon] = {
                id(row): tuple(
                    _clip((x / scale, y / scale), image.size) for x, y in turn.undo(row.corners)
                )
                for row in block.rows
            }
            for outline in outlines.values():
                name = f"p{image.number:04d}-l{len(lines) + 1:03d}"
                lines.append(Line(name, outline, region=block.id))

            def outline_of(row: FoundLine, found: dict[int, Polygon] = outlines) -> Polygon:
                return found[id(row)]

            regions.append(block.region(outline_of))
        steps = (f"lines: {self.name}, skew {turn.degrees:+.2f} degrees",)
        return replace(page, regions=tuple(regions), lines=tuple(lines), steps=steps)

    def _find_lines(self, grey: GreyPixels) -> tuple[Turn, list[FoundLine]]:
        height, width = grey.shape
        limit = max(60, int(_LONG_RUN * max(grey.shape)))
        inks = find_ink(grey)
        strokes = [erase_long_runs(ink.mask, limit) for ink in inks]
        pieces = [_letter_pieces(ink, mask) for ink, mask in zip(inks, strokes, strict=True)]
        main = max(pieces, key=lambda part: float(np.sqrt(part.area).sum()))
        turn = Turn(estimate_skew(main, self.max_skew), width / 2, height / 2)
        erased = [
            int(ink.mask.sum()) - int(mask.sum()) for ink, mask in zip(inks, strokes, strict=True)
        ]
        if max(erased) > _BAND_SHARE * grey.size:
            # Coloured bands, panels or photographs: look again for print on narrow bands.
            for ink in find_ink(grey, flat=True):
                pieces.append(_letter_pieces(ink, erase_long_runs(ink.mask, limit)))
        found: list[FoundLine] = []
        for part in pieces:
            straight = turn.apply(part)
            chains = [c for c in chain_lines(straight) if is_text(c, straight)]
            found.extend(self._outline(chains, straight))
        return turn, drop_strays(drop_rivals(found))

    def _outline(self, chains: Sequence[Chain], pieces: Components) -> list[FoundLine]:
        """Boxes of lines: all their ink and some ground, but not a neighbour's ink."""
        lines = [FoundLine.around(chain, pieces) for chain in chains]
        result = []
        for line in lines:
            pad = self.context * line.height
            top, bottom = line.ink_top - pad, line.ink_bottom + pad
            for other in lines:
                if other is line or other.right <= line.left or other.left >= line.right:
                    continue
                if other.middle < line.middle:
                    top = max(top, min((other.ink_bottom + line.ink_top) / 2, line.ink_top))
                else:
                    bottom = min(
                        bottom, max((other.ink_top + line.ink_bottom) / 2, line.ink_bottom)
                    )
            result.append(replace(line, crop_top=top, crop_bottom=bottom, side=1.2 * pad))
        return result


@dataclass(frozen=True, slots=True)
class Turn:
    """Straightening by a small rotation about a centre.

    Positive degrees: the lines of the page fall to the right.
    """

    degrees: float
    x: float
    y: float

    def apply(self, pieces: Components) -> Components:
        """Boxes in straightened coordinates: their centres turn, their sizes stay."""
        if self.degrees == 0.0:
            return pieces
        cos, sin = self._cos_sin()
        x = (pieces.left + pieces.right) / 2 - self.x
        y = (pieces.top + pieces.bottom) / 2 - self.y
        dx = (cos * x + sin * y - x).astype(np.float32)
        dy = (cos * y - sin * x - y).astype(np.float32)
        return replace(
            pieces,
            left=pieces.left + dx,
            right=pieces.right + dx,
            top=pieces.top + dy,
            bottom=pieces.bottom + dy,
        )

    def undo(self, points: Sequence[Point]) -> list[Point]:
        """Straightened points back in page coordinates."""
        cos, sin = self._cos_sin()
        return [
            (
                self.x + cos * (x - self.x) - sin * (y - self.y),
                self.y + sin * (x - self.x) + cos * (y - self.y),
            )
            for x, y in points
        ]

    def _cos_sin(self) -> tuple[float, float]:
        angle = math.radians(self.degrees)
        return math.cos(angle), math.sin(angle)


def estimate_skew(pieces: Components, limit: float) -> float:
    """Skew in degrees within +-`limit`, 0 when the page does not say.

    The angle at which the projection profile of the letters' lower edges is sharpest.
    Source: Postl, "Detection of linear oblique structures and skew scan" (1986).
    """
    size = letter_height(pieces)
    if size == 0.0:
        return 0.0
    letters = (pieces.height > 0.6 * size) & (pieces.height < 1.6 * size)
    letters &= pieces.width < 6 * size
    x = ((pieces.left + pieces.right) / 2)[letters]
    y = pieces.bottom[letters]
    if len(x) < 12 or float(np.ptp(x)) < 8 * size:
        return 0.0
    bin_size = max(1.0, size / 6)

    def sharpness(degrees: float) -> float:
        level = (y - math.tan(math.radians(degrees)) * x) / bin_size
        level = level - level.min()
        low = np.floor(level).astype(np.int64)
        share = level - low
        profile = np.bincount(low, 1 - share, minlength=int(low.max()) + 2)
        profile = profile + np.bincount(low + 1, share, minlength=len(profile))
        return float((profile**2).sum())

    coarse = np.arange(-limit, limit + 1e-6, 0.25)
    best = max(coarse, key=sharpness)
    fine = np.arange(best - 0.25, best + 0.2501, 0.05)
    best = float(max(fine, key=sharpness))
    if abs(best) < 0.1 or sharpness(best) < 1.05 * sharpness(0.0):
        return 0.0
    return max(-limit, min(limit, best))


def _to_working_size(grey: GreyPixels, side: int) -> tuple[GreyPixels, float]:
    """Reduce large pages and enlarge tiny ones; returns the pixels and working px per page px."""
    longest = max(grey.shape)
    if longest > side:
        factor = -(-longest // side)
        return np.asarray(Image.fromarray(grey).reduce(factor)), 1 / factor
    factor = 4 if longest < 240 else 3 if longest < 400 else 2 if longest < 800 else 1
    if factor == 1:
        return grey, 1.0
    size = (grey.shape[1] * factor, grey.shape[0] * factor)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC)), float(factor)


def _letter_pieces(ink: Ink, mask: Mask) -> Components:
    """Pieces that may be letters or marks: no rules, frames, pictures or specks."""
    height, width = ink.mask.shape
    longest = max(height, width)
    pieces = find_components(mask, ink.contrast)
    box = pieces.width * pieces.height
    size = letter_height(pieces)
    speck = (pieces.area < 4) | (np.maximum(pieces.width, pieces.height) < max(2.0, 0.08 * size))
    vast = (pieces.height > 0.3 * longest) | (pieces.width > 0.5 * longest)
    rule = (pieces.width > np.maximum(8 * size, 15 * pieces.height)) & (pieces.height < 0.5 * size)
    sparse = (pieces.area < 0.04 * box) & (np.minimum(pieces.width, pieces.height) > 2 * size)
    return pieces.take(~(speck | vast | rule | sparse))


def _clip(point: Point, size: tuple[int, int]) -> Point:
    return (
        round(min(max(point[0], 0.0), float(size[0])), 1),
        round(min(max(point[1], 0.0), float(size[1])), 1),
    )
