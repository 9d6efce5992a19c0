"""Training tiles for the line detector: pieces of rendered pages with their target maps.

A tile shows a part of a page at a random scale. Targets are drawn from the page's truth. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from odia_ocr.data.page_render import PageRenderer, make_page_renderer
from odia_ocr.train.workers import MakeChunk

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from odia_ocr.data.page_truth import RenderedPage, TruthLine
    from odia_ocr.types import FloatArray, GreyPixels

    Points = npt.NDArray[np.float64]

TILE_STREAM_VERSION = 2
STRIDE = 4  # pixels per cell of the maps
DISTANCE_UNIT = 8.0  # distances are given as the logarithm of this many pixels
KERNEL = (0.2, 0.8)  # of the body's height, from the baseline up: what the kernel covers
_LEAST_BODY = 4.0  # pixels; smaller print is neither asked for nor held against the model
_END_WEIGHT = 4.0  # of the ground beyond the ends of rows, where columns run into one another
_END_LENGTH = 2.0  # letter heights
_FIXED = 4  # binary places of drawn coordinates


@dataclass(frozen=True, slots=True)
class TileConfig:
    """What the tiles show.

    Attributes:
        seed: Key of the stream.
        side: Height and width of a tile in pixels, a multiple of 32.
        batch: Tiles of a batch.
        tiles_per_page: Tiles cut from one rendered page.
        pages_per_chunk: Pages rendered and shuffled together.
        body: Range of the page's median letter height after scaling, in pixels.
        text: Folder with text/ and words/, or None for the shipped text.
        fonts: Folder of fonts, or None for the shipped ones.
        version: Of the code that makes tiles.
    """

    seed: int = 1
    side: int = 512
    batch: int = 8
    tiles_per_page: int = 4
    pages_per_chunk: int = 8
    body: tuple[float, float] = (5.0, 22.0)
    text: str | None = None
    fonts: str | None = None
    version: int = TILE_STREAM_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class TileBatch:
    """Tiles of one step.

    Attributes:
        pixels: uint8 (n, 1, side, side).
        kernel: Share of each cell that a row's kernel covers, float32 (n, side / 4, side / 4).
        reach: Logarithms of the distances up and down, float32 (n, 2, side / 4, side / 4).
        known: 1 where `reach` holds, float32 (n, side / 4, side / 4).
        weight: 0 where nothing is asked, more beyond the ends of rows, else 1; float32
            (n, side / 4, side / 4).
    """

    pixels: GreyPixels
    kernel: FloatArray
    reach: FloatArray
    known: FloatArray
    weight: FloatArray


def row_band(line: TruthLine, low: float, high: float) -> Points:
    """The part of a line between two shares of its body's height above the baseline, as polygon."""
    base, up = _frame(line)
    top = base + up * (high * line.core_height)
    bottom = base + up * (low * line.core_height)
    return np.concatenate([top, bottom[::-1]])


def row_reach(line: TruthLine) -> tuple[float, float]:
    """Mean distances from the middle of the body up and down to the outline, in pixels."""
    base, up = _frame(line)
    middle = base + up * (0.5 * line.core_height)
    outline = np.asarray(line.polygon, float)
    half = len(outline) // 2
    reaches = []
    for edge, sign in ((outline[:half], 1.0), (outline[half:][::-1], -1.0)):
        y = np.interp(middle[:, 0], edge[:, 0], edge[:, 1])
        away = np.stack([middle[:, 0], y], axis=1) - middle
        reaches.append(max(1.0, float(np.mean((away * up).sum(axis=1)) * sign)))
    return reaches[0], reaches[1]


def _frame(line: TruthLine) -> tuple[Points, Points]:
    """Baseline points (n, 2) and the unit vectors that point up from them."""
    base = np.asarray(line.baseline, float)
    along = np.gradient(base, axis=0) if len(base) > 1 else np.array([[1.0, 0.0]])
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return base, np.stack([along[:, 1], -along[:, 0]], axis=1)


def _fill(target: Any, outline: Points, value: float) -> None:
    # Truth puts the centre of the first pixel at 0.5, OpenCV at 0.
    points = np.round((outline - 0.5) * (1 << _FIXED)).astype(np.int32)
    cv2.fillPoly(target, [points], value, cv2.LINE_8, _FIXED)


def cut_tile(
    page: RenderedPage, rng: np.random.Generator, config: TileConfig
) -> tuple[GreyPixels, FloatArray, FloatArray, FloatArray, FloatArray]:
    """One tile of a page: the pixels and target maps of `TileBatch`, without the batch axis."""
    side = config.side
    bodies = [line.core_height for line in page.lines] or [20.0]
    low, high = np.log(config.body[0]), np.log(config.body[1])
    scale = float(np.exp(rng.uniform(low, high))) / float(np.median(bodies))
    width, height = page.size
    scale = float(np.clip(scale, 300 / max(width, height), 6000 / max(width, height)))
    window = side / scale
    at = np.array([_place(rng, extent, window) for extent in (width, height)])
    # Only the part that is seen is scaled.
    x0, y0 = (max(0, int(v)) for v in at)
    x1, y1 = (
        min(size, int(np.ceil(v + window))) for v, size in zip(at, (width, height), strict=True)
    )
    part = page.pixels[y0:y1, x0:x1]
    grey = part if part.ndim == 2 else cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    grey = cv2.resize(grey, size, interpolation=mode)[:side, :side]
    shift = np.array([(x0 - at[0]) * scale, (y0 - at[1]) * scale]).round().astype(int)
    shift = np.clip(shift, 0, side - np.array(grey.shape[::-1]))
    tile = np.full((side, side), int(rng.integers(256)) if rng.random() < 0.3 else 255, np.uint8)
    tile[shift[1] : shift[1] + grey.shape[0], shift[0] : shift[0] + grey.shape[1]] = grey
    origin = np.array([x0, y0], float)
    lines = [
        (line, (row_band(line, *KERNEL) - origin) * scale + shift)
        for line in page.lines
        if len(line.baseline) > 1
    ]
    return (_photographic(tile, rng), *draw_targets(lines, scale, side))


def draw_targets(
    lines: Sequence[tuple[TruthLine, Points]], scale: float, side: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Kernel, reach, known and weight maps of lines given with their kernels in tile pixels."""
    cells = side // STRIDE
    kernel = np.zeros((side, side), np.float32)
    number = np.full((cells, cells), -1, np.int32)
    weight = np.ones((cells, cells), np.float32)
    beyond = np.zeros((cells, cells), np.float32)
    reach = np.zeros((2, cells, cells), np.float32)
    reaches: list[list[float]] = []
    for line, band in lines:
        if band.max() < 0 or band.min(axis=0).max() > side:
            continue
        if line.core_height * scale < _LEAST_BODY:
            _fill(weight, _thicken(band) / STRIDE, 0.0)
            continue
        _fill(kernel, band, 1.0)
        _fill(number, band / STRIDE, float(len(reaches)))
        reaches.append([np.log(max(1.0, d * scale) / DISTANCE_UNIT) for d in row_reach(line)])
        for end in _beyond_ends(band, line.core_height * scale):
            _fill(beyond, end / STRIDE, 1.0)
    known = number >= 0
    weight[(beyond > 0) & ~known & (weight > 0)] = _END_WEIGHT
    if reaches:
        reach[:, known] = np.array(reaches, np.float32)[number[known]].T
    small = cv2.resize(kernel, (cells, cells), interpolation=cv2.INTER_AREA)
    return small, reach, known.astype(np.float32), weight


def _beyond_ends(band: Points, body: float) -> tuple[Points, Points]:
    """Where a kernel would run on, left and right of its row, for a few letters."""
    half = len(band) // 2
    upper, lower = band[:half], band[half:][::-1]
    ends = []
    for here, there in ((0, 1), (-1, -2)):
        step = upper[here] - upper[there]
        step = step * (_END_LENGTH * body / max(1e-6, float(np.hypot(*step))))
        ends.append(np.array([upper[here], upper[here] + step, lower[here] + step, lower[here]]))
    return ends[0], ends[1]


def _thicken(band: Points) -> Points:
    """The whole body and its marks, from the kernel."""
    middle = (band + band[::-1]) / 2
    return middle + (band - middle) * 3.0


def _place(rng: np.random.Generator, extent: int, window: float) -> float:
    """Where a window begins: inside the page, or with the page inside it."""
    slack = extent - window
    low, high = min(0.0, slack), max(0.0, slack)
    rim = 0.08 * window
    return float(np.clip(rng.uniform(low - rim, high + rim), low, high))


def _photographic(tile: GreyPixels, rng: np.random.Generator) -> GreyPixels:
    """Another contrast, polarity, blur or noise now and then."""
    values = tile.astype(np.float32)
    if rng.random() < 0.08:
        values = 255 - values
    if rng.random() < 0.3:
        low, high = sorted(rng.uniform(0, 255, 2))
        if high - low > 70:
            values = low + values * ((high - low) / 255)
    if rng.random() < 0.15:
        values = cv2.GaussianBlur(values, (0, 0), float(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.2:
        values = values + float(rng.uniform(1, 12)) * rng.standard_normal(
            tile.shape, dtype=np.float32
        )
    return np.clip(values, 0, 255).astype(np.uint8)


def make_tiles(renderer: PageRenderer, config: TileConfig, chunk: int) -> list[TileBatch]:
    """The batches of one chunk, in training order."""
    rng = np.random.default_rng([config.seed, 91, chunk])
    tiles = []
    for i in range(config.pages_per_chunk):
        page = renderer.render(chunk * config.pages_per_chunk + i)
        tiles += [cut_tile(page, rng, config) for _ in range(config.tiles_per_page)]
    order = rng.permutation(len(tiles))
    batches = []
    for at in range(0, len(tiles) - config.batch + 1, config.batch):
        chosen = [tiles[i] for i in order[at : at + config.batch]]
        pixels, *maps = (np.stack(part) for part in zip(*chosen, strict=True))
        batches.append(TileBatch(pixels[:, None], *maps))
    return batches


@dataclass(frozen=True, slots=True)
class TileMaker:
    """Opens the page renderer in the process that draws."""

    config: TileConfig

    def __call__(self) -> MakeChunk[list[TileBatch]]:
        """The function that makes a chunk."""
        cv2.setNumThreads(1)
        renderer = make_page_renderer(
            split="train",
            seed=self.config.seed,
            data=Path(self.config.text) if self.config.text else None,
            fonts=Path(self.config.fonts) if self.config.fonts else None,
        )
        return lambda chunk: make_tiles(renderer, self.config, chunk)
