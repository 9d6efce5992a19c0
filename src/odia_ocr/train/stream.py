"""Training batches from worker processes, in an order that does not depend on their number.

Lines are made in chunks; chunk c is always made the same way, and worker w makes the chunks c with
c % workers == w. Resuming at a chunk therefore continues the very same stream. No torch here: the
workers draw and shape, nothing else.
"""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odia_ocr.data.compose import Mix
from odia_ocr.data.degrade import CLEAN, Recipe, photograph
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.lineset import LabelledLine, load_labelled
from odia_ocr.errors import DataError, RecognitionError
from odia_ocr.language import ALPHABET
from odia_ocr.recognize.line_tensor import Geometry, line_to_pixels, stack_lines

if TYPE_CHECKING:
    from odia_ocr.types import GreyPixels


# Raise it with every change of rendering, text or fonts that alters the lines of a seed.
STREAM_VERSION = 3
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
    clean_share: float = 0.08
    max_width: int = 1100
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
        data=Path(config.text) if config.text else None,
        fonts=Path(config.fonts) if config.fonts else None,
    )
    mild = replace(full.recipe, name="easy-1", strength=0.4, photo=0.0, broken=0.0, blotted=0.0)
    folder = tuple(line for name in config.folders for line in load_labelled(Path(name)).lines)
    return _Sources(
        full=full,
        easy=replace(full, recipe=mild, mix=Mix(max_words=3), seed=config.seed + 1_000_003),
        clean=replace(
            full, recipe=replace(CLEAN, sizes=(20.0, 54.0)), seed=config.seed + 2_000_003
        ),
        folder=folder,
        augment=replace(full.recipe, name="augment-1", strength=0.6, low_resolution=0.15),
    )


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
    shaped = line_to_pixels(pixels, geometry)
    labels = ALPHABET.encode(text)
    if shaped.shape[1] > config.max_width:
        return None
    if _frames_needed(labels) > shaped.shape[1] // geometry.stride:
        return None
    return shaped, labels


def make_chunk(
    sources: _Sources, config: StreamConfig, chunk: int, geometry: Geometry
) -> list[Batch]:
    """The batches of one chunk, in training order."""
    count = config.batch * config.chunk_batches
    made = [_make_line(sources, config, chunk, chunk * count + i, geometry) for i in range(count)]
    lines = sorted((line for line in made if line is not None), key=lambda item: item[0].shape[1])
    groups = [lines[i : i + config.batch] for i in range(0, len(lines), config.batch)]
    groups = [group for group in groups if len(group) >= max(1, config.batch // 2)]
    order = np.random.default_rng([config.seed, 78, chunk]).permutation(len(groups))
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


def _hand_over(out: Any, made: tuple[int, list[Batch]]) -> bool:
    """Put a chunk into the queue; False when the trainer is gone."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        try:
            out.put(made, timeout=5)
            return True
        except queue.Full:
            continue
    out.cancel_join_thread()
    return False


def _work(
    config: StreamConfig, geometry: Geometry, first: int, step: int, out: Any, failed: Any
) -> None:
    try:
        sources = _open_sources(config)
        chunk = first
        empty = 0
        while True:
            made = (chunk, make_chunk(sources, config, chunk, geometry))
            empty = 0 if made[1] else empty + 1
            if empty > _MOST_EMPTY_CHUNKS:
                raise DataError(
                    f"Hardly any line can be trained on: wider than {config.max_width} px after "
                    "scaling, or with more letters than it has room for.",
                    next_step="Check the labelled folders; a line picture holds one printed line.",
                )
            if not _hand_over(out, made):
                return
            chunk += step
    except KeyboardInterrupt:
        pass
    except Exception as error:
        failed.put(f"{type(error).__name__}: {error}")
        raise


def stream_chunks(
    config: StreamConfig, geometry: Geometry, *, workers: int = 1, first: int = 0
) -> Iterator[tuple[int, list[Batch]]]:
    """Yield (chunk number, batches) from chunk `first` on, forever.

    Raises:
        RecognitionError: If a worker process failed; the message holds its error.
    """
    context = multiprocessing.get_context("spawn")
    queues = [context.Queue(maxsize=2) for _ in range(workers)]
    failed = context.Queue()
    processes = [
        context.Process(
            target=_work,
            args=(config, geometry, first + w, workers, queues[w], failed),
            daemon=True,
        )
        for w in range(workers)
    ]
    for process in processes:
        process.start()
    chunk = first
    try:
        while True:
            source = (chunk - first) % workers
            while True:
                try:
                    number, batches = queues[source].get(timeout=5)
                    break
                except queue.Empty:
                    if not processes[source].is_alive():
                        reason = failed.get(timeout=2) if not failed.empty() else "it was killed"
                        raise RecognitionError(
                            f"A rendering worker stopped: {reason}.",
                            next_step="Mend the cause and start again with --resume.",
                        ) from None
            yield number, batches
            chunk += 1
    finally:
        for process in processes:
            process.terminate()
