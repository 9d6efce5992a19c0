"""Training batches from worker processes, in an order that does not depend on their number.

Lines are made in chunks; chunk c is always made the same way, and worker w makes the chunks c with
c % workers == w. Resuming at a chunk therefore continues the very same stream. No torch here: the
workers draw and shape, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odia_ocr.data.compose import Mix
from odia_ocr.data.degrade import photograph
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.lineset import LabelledLine, load_labelled
from odia_ocr.data.recipe import CLEAN, TRAINING, Recipe
from odia_ocr.errors import DataError
from odia_ocr.language import ALPHABET
from odia_ocr.recognize.line_tensor import Geometry, line_to_pixels, stack_lines
from odia_ocr.train.workers import MakeChunk, make_in_processes

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels


# Raise it with every change of rendering, text or fonts that alters the lines of a seed.
STREAM_VERSION = 5
_MOST_EMPTY_CHUNKS = 3


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """What the stream holds.

    Attributes:
        seed: Key of the stream.
        batch: Lines in a batch.
        chunk_batches: Batches made and sorted by width together.
        text: Folder with text/ and words/, or None for the shipped text.
        fonts: Folder of fonts, or None for the shipped ones.
        folders: Labelled folders mixed in.
        folder_share: Share of lines that come from the labelled folders, when there are any.
        easy_chunks: The first chunks hold short, little degraded lines, so that alignment starts.
        clean_share: Share of lines drawn by the clean recipe.
        max_width: Wider lines are left out, in pixels after scaling.
        mix: Shares of the kinds of rendered text.
        recipe: How rendered lines are degraded.
        version: Of the code that makes lines; a run goes on only with the version it began with.
    """

    seed: int = 1
    batch: int = 32
    chunk_batches: int = 12
    text: str | None = None
    fonts: str | None = None
    folders: tuple[str, ...] = ()
    folder_share: float = 0.5
    easy_chunks: int = 30
    clean_share: float = 0.14
    max_width: int = 1100
    mix: Mix = field(default_factory=Mix)
    recipe: Recipe = TRAINING
    version: int = STREAM_VERSION


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Lines of one step.

    Attributes:
        pixels: uint8 (n, 1, height, width), white on the right.
        widths: Width of each line before padding, int64 (n,).
        labels: Class indices of all lines, joined, int64.
        lengths: Number of labels of each line, int64 (n,).
    """

    pixels: GreyPixels
    widths: np.ndarray[Any, np.dtype[np.int64]]
    labels: np.ndarray[Any, np.dtype[np.int64]]
    lengths: np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class _Sources:
    full: LineRenderer
    easy: LineRenderer
    clean: LineRenderer
    folder: tuple[LabelledLine, ...]
    augment: Recipe


def _open_sources(config: StreamConfig) -> _Sources:
    full = make_renderer(
        split="train",
        seed=config.seed,
        mix=config.mix,
        recipe=config.recipe,
        data=Path(config.text) if config.text else None,
        fonts=Path(config.fonts) if config.fonts else None,
    )
    folder = tuple(line for name in config.folders for line in load_labelled(name).lines)
    return _Sources(
        full=full,
        easy=replace(
            full,
            recipe=mild_recipe(full.recipe),
            mix=Mix(max_words=3),
            seed=config.seed + 1_000_003,
        ),
        clean=replace(full, recipe=clean_recipe(full.recipe), seed=config.seed + 2_000_003),
        folder=folder,
        augment=replace(full.recipe, name="augment-1", strength=0.6, low_resolution=0.15),
    )


def mild_recipe(recipe: Recipe) -> Recipe:
    """A little of what `recipe` does, nothing that breaks letters."""
    return replace(recipe, name="easy-1", strength=0.4, photo=0.0, broken=0.0, blotted=0.0)


def clean_recipe(recipe: Recipe) -> Recipe:
    """Undamaged lines, as a screen shows them, in all the styles of `recipe`."""
    styles = ("slant", "stretch", "bold", "tracking", "jitter", "pen", "proportion")
    kept = {name: getattr(recipe, name) for name in styles}
    return replace(CLEAN, name="clean-train-2", sizes=(20.0, 54.0), **kept)


def _frames_needed(labels: list[int]) -> int:
    return len(labels) + sum(a == b for a, b in pairwise(labels))


def _make_line(
    sources: _Sources, config: StreamConfig, chunk: int, index: int, geometry: Geometry
) -> tuple[GreyPixels, list[int]] | None:
    rng = np.random.default_rng([config.seed, 77, index])
    if sources.folder and rng.random() < config.folder_share:
        line = sources.folder[int(rng.integers(len(sources.folder)))]
        pixels = photograph(line.read_grey().astype(np.float32), rng, sources.augment, [])
        text = line.text
    else:
        if chunk < config.easy_chunks:
            renderer = sources.easy
        else:
            renderer = sources.clean if rng.random() < config.clean_share else sources.full
        drawn = renderer.render(index)
        pixels, text = drawn.pixels, drawn.text
    shaped, labels = line_to_pixels(pixels, geometry), ALPHABET.encode(text)
    return (shaped, labels) if fits(shaped, labels, config.max_width, geometry) else None


def fits(shaped: GreyPixels, labels: list[int], max_width: int, geometry: Geometry) -> bool:
    """Whether a shaped line is narrow enough to learn from, and has room for its labels."""
    width = shaped.shape[1]
    return bool(width <= max_width and _frames_needed(labels) <= width // geometry.stride)


def make_chunk(
    sources: _Sources, config: StreamConfig, chunk: int, geometry: Geometry
) -> list[Batch]:
    """The batches of one chunk, in training order."""
    count = config.batch * config.chunk_batches
    made = [_make_line(sources, config, chunk, chunk * count + i, geometry) for i in range(count)]
    rng = np.random.default_rng([config.seed, 78, chunk])
    return make_batches([line for line in made if line is not None], config.batch, rng)


def make_batches(
    made: Sequence[tuple[GreyPixels, list[int]]], size: int, rng: np.random.Generator
) -> list[Batch]:
    """Batches of lines of about one width, in random order; less than half a batch is left out.

    Args:
        made: Shaped pictures (height, w) and their labels.
        size: Lines in a batch.
        rng: Gives the order.
    """
    lines = sorted(made, key=lambda item: item[0].shape[1])
    groups = [lines[i : i + size] for i in range(0, len(lines), size)]
    groups = [group for group in groups if len(group) >= max(1, size // 2)]
    order = rng.permutation(len(groups))
    batches = []
    for position in order:
        group = groups[int(position)]
        width = -(-max(line.shape[1] for line, _ in group) // 16) * 16
        batches.append(
            Batch(
                pixels=stack_lines([line for line, _ in group], width),
                widths=np.array([line.shape[1] for line, _ in group], np.int64),
                labels=np.array([label for _, labels in group for label in labels], np.int64),
                lengths=np.array([len(labels) for _, labels in group], np.int64),
            )
        )
    return batches


@dataclass(frozen=True, slots=True)
class _ChunkMaker:
    """Opens the sources in the process that draws."""

    config: StreamConfig
    geometry: Geometry

    def __call__(self) -> MakeChunk[list[Batch]]:
        sources = _open_sources(self.config)
        empty = 0

        def make(chunk: int) -> list[Batch]:
            nonlocal empty
            made = make_chunk(sources, self.config, chunk, self.geometry)
            empty = 0 if made else empty + 1
            if empty > _MOST_EMPTY_CHUNKS:
                raise DataError(
                    f"Hardly any line can be trained on: wider than {self.config.max_width} px "
                    "after scaling, or with more letters than it has room for.",
                    next_step="Check the labelled folders; a line picture holds one printed line.",
                )
            return made

        return make


def stream_chunks(
    config: StreamConfig, geometry: Geometry, *, workers: int = 1, first: int = 0
) -> Iterator[tuple[int, list[Batch]]]:
    """Yield (chunk number, batches) from chunk `first` on, forever.

    Raises:
        RecognitionError: If a worker process failed; the message holds its error.
    """
    return make_in_processes(_ChunkMaker(config, geometry), workers=workers, first=first)
