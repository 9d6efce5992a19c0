"""Finds the lines of a page with a small trained network: `DetectorSegmenter`.

The network marks where the bodies of letters stand in a row and how far the row's ink reaches up
and down; `rows.py` makes rows of its maps, `columns.py` orders them. The page is looked at at the
scale that suits its smallest print. Knows nothing of text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.errors import ModelMissingError
from odia_ocr.pages.blocks import make_blocks
from odia_ocr.pages.columns import order_rows
from odia_ocr.pages.folios import take_dashes
from odia_ocr.pages.ink import to_grey
from odia_ocr.pages.line_ends import reach_marks
from odia_ocr.pages.parting import part_rows
from odia_ocr.pages.placed_row import PlacedRow
from odia_ocr.pages.rows import DetectedRow, LineMaps, find_rows, settle_slopes
from odia_ocr.pages.rules import Rule, find_rules
from odia_ocr.pages.slopes import Flattening, fit_flattening
from odia_ocr.runtime import find_weights, open_session, read_metadata
from odia_ocr.types import Line, Page, PageImage, Region

if TYPE_CHECKING:
    import numpy.typing as npt
    from onnxruntime import InferenceSession

    from odia_ocr.types import GreyPixels, Point, Polygon

INPUT = "grey/multiple-of-32/1"  # what a detector file must say it expects
_MULTIPLE = 32
# The first look is a small one, to learn how large the print is: of 92 rendered pages whose ink was
# 7 pixels high or more in it, it told the height of all within 20 %.
_FIRST_SIDE = 416  # longest side, pixels
_LEAST_TOLD = 7.0
_CLOSE_SIDE = 1280  # longest side of the look where the first one tells too little
_PRINT = 0.5  # probability of a cell that belongs to a row
_FEW_CELLS = 3  # so few are no print
# Height of a line's ink, pixels, at which a page is looked at. Read after looks at 22, 24, 26 and
# about 30 pixels, 192 rendered pages had 2.92, 2.82, 2.83 and 2.82 % of their letters wrong.
_BEST = 24.0
_NEAR_BEST = 1.34  # by which factor it may differ without another look
_TALLEST = 44.0  # height of ink, pixels, up to which it sees well
_CHEAP_PIXELS = 600_000  # pages of so few pixels are looked at as they are where that is possible
_MOST_PIXELS = 5_000_000
_PAD = 0.16  # ground kept above and below a line's ink, of its height
_GAP_SHARE = 0.6  # of the gap to the next line, at most
_SIDE = 0.22  # and left and right


@dataclass(frozen=True, slots=True, eq=False)
class DetectorSegmenter:
    """Line finding by a network.

    Attributes:
        session: The open model.
        version: Its name.
        unit: Pixels that a distance of one stands for.
        stride: Input pixels per cell of its maps.
    """

    session: InferenceSession
    version: str
    unit: float
    stride: int

    @property
    def name(self) -> str:
        """Name for `Page.steps`."""
        return f"detector-{self.version}"

    def segment(self, image: PageImage) -> Page:
        """Return the page with regions and unread lines in reading order."""
        grey = to_grey(image.pixels)
        rows, scale = self.find(grey)
        flat = fit_flattening(rows)
        rules = _lay_rules(grey, rows, flat)
        rows = part_rows(
            grey, settle_slopes(rows, flat.slope.at), lambda row: Band.of(row, (0, 0), flat), rules
        )
        rows = reach_marks(grey, take_dashes(grey, rows))
        pads = _measure_pads(rows)
        bands = [Band.of(row, pad, flat) for row, pad in zip(rows, pads, strict=True)]
        bands = order_rows(bands, rules)
        page = Page(image.source, image.number, image.size, image.dpi)
        name = f"p{image.number:04d}"
        lines: list[Line] = []
        regions: list[Region] = []
        for block in make_blocks(bands, prefix=name):
            regions.append(block.region(lambda band: band.outline(image.size)))
            for band in block.rows:
                line = Line(
                    f"{name}-l{len(lines) + 1:03d}",
                    band.outline(image.size),
                    baseline=band.baseline(image.size),
                    region=block.id,
                    found=min(1.0, band.row.sure),
                )
                lines.append(line)
        degrees = math.degrees(math.atan(flat.slope.at(*flat.slope.centre)))
        steps = (f"lines: {self.name} at scale {scale:.2f}, skew {degrees:+.2f} degrees",)
        return replace(page, regions=tuple(regions), lines=tuple(lines), steps=steps)

    def find(self, grey: GreyPixels) -> tuple[list[DetectedRow], float]:
        """Rows of a page, in its pixels, and the scale at which they were found."""
        limit = min(math.sqrt(_MOST_PIXELS / grey.size), 4.0)
        scale = min(_FIRST_SIDE / max(grey.shape), limit)
        maps = self._look(grey, scale)
        if _usual_height(maps) * scale < _LEAST_TOLD:
            scale = min(max(_CLOSE_SIDE / max(grey.shape), scale), limit)
            maps = self._look(grey, scale)
        for _ in range(2):
            usual = _usual_height(maps)
            wanted = min(_choose_scale(usual, grey.size), limit) if usual else scale
            if 1 / _NEAR_BEST < wanted / scale < _NEAR_BEST:
                break
            scale = wanted
            maps = self._look(grey, scale)
        return find_rows(maps), scale

    def _look(self, grey: GreyPixels, scale: float) -> LineMaps:
        height, width = grey.shape
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if size != (width, height):
            picture = Image.fromarray(grey).resize(
                size, Image.Resampling.BILINEAR, reducing_gap=2.0
            )
            grey = np.asarray(picture)
        pads = [(0, -side % _MULTIPLE) for side in grey.shape]
        padded = np.pad(grey, pads, mode="edge")
        (maps,) = self.session.run(None, {"pixels": padded[None, None]})
        rows, columns = (-(-side // self.stride) for side in grey.shape)
        kernel, up, down = maps[0, :, :rows, :columns]
        return LineMaps(
            kernel=1.0 / (1.0 + np.exp(-kernel)),
            up=np.exp(np.clip(up, -4, 5)) * (self.unit / scale),
            down=np.exp(np.clip(down, -4, 5)) * (self.unit / scale),
            cell=self.stride / scale,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Band(PlacedRow):
    """A row with its place on the straightened page.

    Attributes:
        row: The row, in pixels of the page.
        pads: Ground kept above and below, pixels.
    """

    row: DetectedRow
    pads: tuple[float, float]

    @staticmethod
    def of(row: DetectedRow, pads: tuple[float, float], flat: Flattening) -> Band:
        """The band of a row on the page laid flat."""
        _, middle = flat.flatten(row.centre, row.level(row.centre))
        left, _ = flat.flatten(*row.path[0])
        right, _ = flat.flatten(*row.path[-1])
        half = row.body / 2
        return Band(left, max(left, right), middle - half, middle + half, row, pads)

    def outline(self, size: tuple[int, int]) -> Polygon:
        """Outline of the crop on the page, clockwise from the line's top left."""
        row = self.row
        side = _SIDE * row.reach
        upper = row.shifted(-(row.up + self.pads[0]), side)
        lower = row.shifted(row.down + self.pads[1], side)
        return tuple(_clip(point, size) for point in (*upper, *lower[::-1]))

    def baseline(self, size: tuple[int, int]) -> tuple[Point, ...]:
        """Foot of the letters' bodies on the page."""
        return tuple(_clip(point, size) for point in self.row.shifted(self.row.body / 2, 0.0))


def load_detector(model: str | None = None, *, threads: int | None = None) -> DetectorSegmenter:
    """Open the shipped detector, or an ONNX file.

    Raises:
        ModelMissingError: If the file is missing or was not written by `odia-ocr train detector`.
    """
    path = Path(model) if model else find_weights("detector")
    session = open_session(path, threads=threads)
    meta = read_metadata(session)
    try:
        facts = json.loads(meta["detector"])
        segmenter = DetectorSegmenter(
            session, str(meta["version"]), float(facts["unit"]), int(facts["stride"])
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ModelMissingError(
            f"{path} is no line detector of this program ({error}).",
            next_step="Name an .onnx file that `odia-ocr train detector` exported.",
        ) from error
    if facts.get("input") != INPUT:
        raise ModelMissingError(
            f"{path} expects input {facts.get('input')!r}, this program gives {INPUT!r}.",
            next_step="Use the program's own model, or export the model again.",
        )
    return segmenter


def _choose_scale(usual: float, pixels: int) -> float:
    """The scale for a page whose print has this height of ink; small pages are seen whole.

    Print of many sizes stands on posters and screens, and a small picture costs little time.
    """
    whole = min(1.0, _TALLEST / usual, math.sqrt(_CHEAP_PIXELS / pixels))
    return max(_BEST / usual, whole)


def _usual_height(maps: LineMaps) -> float:
    """Height of ink of the smaller half of the print, page pixels; 0 where there is none."""
    print_cells = maps.kernel > _PRINT
    heights = np.sort((maps.up + maps.down)[print_cells])
    if len(heights) < _FEW_CELLS:
        return 0.0
    share = np.cumsum(heights**-2)  # as many letters as fit into the cells
    return float(heights[int(np.searchsorted(share, 0.4 * share[-1]))])


def _lay_rules(grey: GreyPixels, rows: Sequence[DetectedRow], flat: Flattening) -> list[Rule]:
    """Rules of the page laid flat."""
    if not rows:
        return []
    letter = float(np.median([row.body for row in rows]))
    return [
        replace(rule, start=flat.flatten(*rule.start), end=flat.flatten(*rule.end))
        for rule in find_rules(grey, letter)
    ]


def _measure_pads(rows: Sequence[DetectedRow]) -> list[tuple[float, float]]:
    """Ground to keep above and below each row: some, and most of what lies before its neighbour."""
    left = np.array([row.left for row in rows])
    right = np.array([row.right for row in rows])
    up = np.array([row.up for row in rows])
    down = np.array([row.down for row in rows])
    start = np.array([row.path[0][1] for row in rows])
    slope = np.array([row.slope for row in rows])
    curved = np.array([len(row.path) > 2 for row in rows], bool)
    pads = []
    for i, row in enumerate(rows):
        first, last = np.maximum(left, row.left), np.minimum(right, row.right)
        near = np.flatnonzero(last > first)
        near = near[near != i]
        at = (first[near] + last[near]) / 2
        levels = start[near] + slope[near] * (at - left[near])
        for k in np.flatnonzero(curved[near]):
            levels[k] = rows[near[k]].level(float(at[k]))
        path = np.array(row.path)
        away = np.interp(at, path[:, 0], path[:, 1]) - levels
        above = _least_gap((away - row.up - down[near])[away > 0])
        below = _least_gap((-away - row.down - up[near])[away <= 0])
        kept = _PAD * row.reach
        pads.append((min(kept, _GAP_SHARE * above), min(kept, _GAP_SHARE * below)))
    return pads


def _least_gap(gaps: npt.NDArray[np.float64]) -> float:
    return max(0.0, float(gaps.min(initial=math.inf)))


def _clip(point: Point, size: tuple[int, int]) -> Point:
    return (
        round(min(max(point[0], 0.0), float(size[0])), 1),
        round(min(max(point[1], 0.0), float(size[1])), 1),
    )
