"""How many lines of a page were found, by the overlap of outlines or, without them, by text.

Source: Wolf and Jolion, "Object count/area graphs for the evaluation of object detection and
segmentation algorithms", International Journal of Document Analysis and Recognition 8 (2006): a
line may be matched by one line, be split into several or be merged with others, and a split or
merged line counts 0.8. Knows polygons and matchings; refuses to know engines and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw

from odia_ocr.evaluate.page_match import Matching
from odia_ocr.types import Polygon

if TYPE_CHECKING:
    import numpy.typing as npt

    Areas = npt.NDArray[np.float64]

Basis = Literal["polygons", "text"]

# Share of a printed line's area that must be covered. Wolf and Jolion take 0.8; engines draw
# their outlines tight or generous, so a line found in its full length may miss some height.
COVERED = 0.6
# Share of a read line's area that must lie on printed lines.
INSIDE = 0.4
SPLIT_OR_MERGED = 0.8
_LINE_HEIGHT = 16.0  # pixels of a line's height on the raster that areas are counted on


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found of one page's lines.

    Attributes:
        by: What lines were told by: "polygons", or "text" where the page has no polygons; then a
            line that was found and read mostly wrong counts as not found.
        printed: Number of printed lines.
        read: Number of read lines.
        found: Credit of the printed lines, 0..printed.
        right: Credit of the read lines, 0..read.
        splits: Printed lines read in pieces.
        merges: Read lines that hold several printed ones.
    """

    by: Basis
    printed: int
    read: int
    found: float
    right: float
    splits: int
    merges: int

    @property
    def recall(self) -> float:
        """Share of printed lines that were found; 1 on a page without any."""
        return self.found / self.printed if self.printed else 1.0

    @property
    def precision(self) -> float:
        """Share of read lines that are printed lines; 0 where nothing was read."""
        return self.right / self.read if self.read else 0.0


def detect_by_text(matching: Matching, printed: int, read: int) -> Detection:
    """Judge by a matching of texts: a line is found when at most half of it is wrong.

    Args:
        matching: Of the page's lines.
        printed: Number of printed lines.
        read: Number of read lines.
    """
    same = [match for match in matching.matches if match.same]
    whole = sum(len(match.printed) == len(match.read) == 1 for match in same)
    split = [len(match.read) for match in same if len(match.read) > 1]
    merged = [len(match.printed) for match in same if len(match.printed) > 1]
    return Detection(
        by="text",
        printed=printed,
        read=read,
        found=whole + SPLIT_OR_MERGED * (len(split) + sum(merged)),
        right=whole + SPLIT_OR_MERGED * (sum(split) + len(merged)),
        splits=len(split),
        merges=len(merged),
    )


def detect_by_polygons(printed: Sequence[Polygon], read: Sequence[Polygon]) -> Detection:
    """Judge by the overlap of outlines, both in pixels of the page.

    A read line that covers most of several printed lines merges them; several read lines that lie
    on one printed line and cover most of it split it; else one read line that covers most of a
    printed line, and lies on it well enough, has found it.
    """
    overlap = _overlap(printed, read)
    cover = overlap.common / np.maximum(1.0, overlap.printed)[:, None]  # (printed, read)
    inside = overlap.common / np.maximum(1.0, overlap.read)[None, :]
    free_rows, free_columns = set(range(len(printed))), set(range(len(read)))
    found = right = 0.0
    splits = merges = 0
    for j in range(len(read)):
        rows = [i for i in sorted(free_rows) if cover[i, j] >= COVERED]
        if len(rows) > 1 and inside[rows, j].sum() >= INSIDE:
            merges += 1
            found += SPLIT_OR_MERGED * len(rows)
            right += SPLIT_OR_MERGED
            free_rows -= set(rows)
            free_columns.remove(j)
    for i in sorted(free_rows):
        # A whole line beside scraps of it is no split.
        columns = [j for j in sorted(free_columns) if inside[i, j] >= INSIDE]
        whole = [j for j in columns if cover[i, j] >= COVERED]
        if whole:
            best = max(whole, key=lambda j: (cover[i, j] + inside[i, j], -j))
            found += 1
            right += 1
            free_columns.remove(best)
        elif len(columns) > 1 and cover[i, columns].sum() >= COVERED:
            splits += 1
            found += SPLIT_OR_MERGED
            right += SPLIT_OR_MERGED * len(columns)
            free_columns -= set(columns)
    return Detection("polygons", len(printed), len(read), found, right, splits, merges)


def find_near(printed: Sequence[Polygon], read: Sequence[Polygon]) -> set[tuple[int, int]]:
    """Pairs (printed, read) of which the read line lies on the printed one, or covers it."""
    overlap = _overlap(printed, read)
    cover = overlap.common / np.maximum(1.0, overlap.printed)[:, None]
    inside = overlap.common / np.maximum(1.0, overlap.read)[None, :]
    rows, columns = np.nonzero((inside >= INSIDE) | (cover >= COVERED))
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Overlap:
    """Areas on the raster: printed (n,), read (m,), and what they have in common (n, m)."""

    printed: Areas
    read: Areas
    common: Areas


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A filled polygon on the raster, cut out; `left` and `top` say where it lies."""

    left: int
    top: int
    mask: npt.NDArray[np.bool_]

    def common(self, other: _Shape) -> int:
        """Pixels that lie in both."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.mask.shape[1], other.left + other.mask.shape[1])
        bottom = min(self.top + self.mask.shape[0], other.top + other.mask.shape[0])
        if left >= right or top >= bottom:
            return 0
        one, two = (
            shape.mask[top - shape.top : bottom - shape.top, left - shape.left : right - shape.left]
            for shape in (self, other)
        )
        return int(np.count_nonzero(one & two))


def _overlap(printed: Sequence[Polygon], read: Sequence[Polygon]) -> _Overlap:
    scale = _choose_scale(printed)
    rows = [_fill(polygon, scale) for polygon in printed]
    columns = [_fill(polygon, scale) for polygon in read]
    common = np.zeros((len(rows), len(columns)))
    for i, one in enumerate(rows):
        for j, other in enumerate(columns):
            common[i, j] = one.common(other)
    return _Overlap(
        np.array([np.count_nonzero(shape.mask) for shape in rows], np.float64),
        np.array([np.count_nonzero(shape.mask) for shape in columns], np.float64),
        common,
    )


def _choose_scale(printed: Sequence[Polygon]) -> float:
    """Raster pixels a page pixel, so that the usual line is `_LINE_HEIGHT` high."""
    sides = []
    for polygon in printed:
        xs, ys = zip(*polygon, strict=True)
        sides.append(min(max(xs) - min(xs), max(ys) - min(ys)))
    usual = float(np.median(sides)) if sides else 0.0
    return min(1.0, _LINE_HEIGHT / usual) if usual > 0 else 1.0


def _fill(polygon: Polygon, scale: float) -> _Shape:
    points = np.array(polygon, np.float64) * scale  # (n, 2)
    left, top = np.floor(points.min(axis=0)).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int)
    canvas = Image.new("1", (max(1, right - left), max(1, bottom - top)))
    # Pixel i covers i .. i + 1, and Pillow fills both ends: half a pixel off each side.
    shifted = points - (left, top) - 0.5
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in shifted], fill=1)
    return _Shape(int(left), int(top), np.array(canvas, bool))
