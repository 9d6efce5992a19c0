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
from odia_ocr.pages.ink import to_grey
from odia_ocr.pages.rows import DetectedRow, LineMaps, find_rows, settle_slopes
from odia_ocr.pages.slopes import Flattening, fit_flattening
from odia_ocr.runtime import find_weights, open_session, read_metadata
from odia_ocr.types import Line, Page, PageImage, Region

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

    from odia_ocr.types import GreyPixels, Point, Polygon

INPUT = "grey/multiple-of-32/1"  # what a detector file must say it expects
_MULTIPLE = 32
_FIRST_SIDE = 1280  # longest side of the first look, pixels
_SMALL_SIDE = 640  # smaller pages are enlarged to this
_SUITED = (17.0, 44.0)  # height of a line's ink at which the network sees best, pixels
_BEST = 26.0
_MOST_PIXELS = 5_000_000
_PAD = 0.16  # ground kept above and below a line's ink, of its height
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
        rows, scale = self.find(to_grey(image.pixels))
        flat = fit_flattening(rows)
        rows = settle_slopes(rows, flat.slope.at)
        bands = order_rows([Band.of(row, flat, rows) for row in rows])
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
        longest = max(grey.shape)
        limit = math.sqrt(_MOST_PIXELS / grey.size)
        scale = min(_FIRST_SIDE / longest, 1.0) if longest > _SMALL_SIDE else _SMALL_SIDE / longest
        scale = min(scale, limit, 4.0)
        rows = find_rows(self._look(grey, scale))
        for _ in range(2):
            wanted = min(_better_scale(rows, scale), limit, 4.0)
            if not 0.75 < wanted / scale < 1.34:
                scale = wanted
                rows = find_rows(self._look(grey, scale))
            else:
                break
        return rows, scale

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
class Band:
    """A row with its place on the straightened page; a `columns.Row`.

    Attributes:
        row: The row, in pixels of the page.
        left, right, top, bottom: Band of its letters on the straightened page.
        pads: Ground kept above and below, pixels.
    """

    row: DetectedRow
    left: float
    right: float
    top: float
    bottom: float
    pads: tuple[float, float]

    @staticmethod
    def of(row: DetectedRow, flat: Flattening, others: Sequence[DetectedRow]) -> Band:
        """The band of a row among the others of its page."""
        _, middle = flat.flatten(row.centre, row.level(row.centre))
        left, _ = flat.flatten(*row.path[0])
        right, _ = flat.flatten(*row.path[-1])
        half = row.body / 2
        above = below = _PAD * row.reach
        for other in others:
            at = _shared_centre(row, other)
            if other is row or at is None:
                continue
            away = row.level(at) - other.level(at)
            if away > 0:
                above = min(above, max(0.0, 0.6 * (away - row.up - other.down)))
            else:
                below = min(below, max(0.0, 0.6 * (-away - row.down - other.up)))
        return Band(row, left, max(left, right), middle - half, middle + half, (above, below))

    @property
    def height(self) -> float:
        """Height of the letters."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Vertical middle of the letters."""
        return (self.top + self.bottom) / 2

    @property
    def letters(self) -> int:
        """About how many letters it holds."""
        return max(1, round((self.right - self.left) / max(1.0, 0.9 * self.height)))

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


def _better_scale(rows: Sequence[DetectedRow], scale: float) -> float:
    """The scale that suits the print: its smaller half, when it is not well seen as it is."""
    if not rows:
        return scale
    heights = np.array([row.reach for row in rows]) * scale
    weights = np.array([row.right - row.left for row in rows]) * scale / heights
    order = np.argsort(heights)
    share = np.cumsum(weights[order]) / weights.sum()
    usual = float(heights[order][int(np.searchsorted(share, 0.4))])
    if _SUITED[0] <= usual <= _SUITED[1]:
        return scale
    return scale * _BEST / usual


def _shared_centre(one: DetectedRow, other: DetectedRow) -> float | None:
    left, right = max(one.left, other.left), min(one.right, other.right)
    return (left + right) / 2 if right > left else None


def _clip(point: Point, size: tuple[int, int]) -> Point:
    return (
        round(min(max(point[0], 0.0), float(size[0])), 1),
        round(min(max(point[1], 0.0), float(size[1])), 1),
    )
