"""Rendered lines as batches of a small Qwen2.5-VL that learns to read from nothing.

Lines get longer as a run goes on: with many words at once the language model learns the language
and never looks at the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.language import ALPHABET
from odia_ocr.recognize.vlm.inputs import EncodedSample, VlmEncoder
from odia_ocr.train.stream import clean_recipe, mild_recipe
from odia_ocr.train.vlm_tiny import TINY_SETTINGS, make_image_processor, make_tokenizer
from odia_ocr.train.workers import MakeChunk, make_in_processes

_LONG = Mix(min_words=4, max_words=9)


@dataclass(frozen=True, slots=True)
class VlmStreamConfig:
    """What the stream holds.

    Attributes:
        seed: Key of the stream.
        batch: Lines in a batch.
        chunk_batches: Batches made and sorted by length together.
        text: Folder with text/ and words/, or None for the shipped text.
        fonts: Folder of fonts, or None for the shipped ones.
        stages: Chunks after which lines get longer, to two words, three words, four words.
        long_share: Share of lines of up to nine words, once all stages are passed.
        mild_share: Share of lines with some degradation; the others are clean.
    """

    seed: int = 1
    batch: int = 64
    chunk_batches: int = 8
    text: str | None = None
    fonts: str | None = None
    stages: tuple[int, int, int] = (60, 120, 200)
    long_share: float = 0.15
    mild_share: float = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class VlmBatch:
    """One step's lines.

    Attributes:
        tensors: What the model takes, as arrays; patches in float16.
        symbols: Class indices of all lines for the CTC head, joined.
        lengths: Symbols of each line.
    """

    tensors: dict[str, np.ndarray]
    symbols: np.ndarray
    lengths: np.ndarray


class _ChunkMaker:
    """Opens texts, faces and tokenizer in the process that draws."""

    def __init__(self, config: VlmStreamConfig) -> None:
        self._config = config

    def __call__(self) -> MakeChunk[list[VlmBatch]]:
        import torch

        torch.set_num_threads(1)
        config = self._config
        full = make_renderer(
            split="train",
            seed=config.seed,
            data=Path(config.text) if config.text else None,
            fonts=Path(config.fonts) if config.fonts else None,
        )
        clean = replace(full, recipe=clean_recipe(full.recipe), seed=config.seed + 2_000_003)
        mild = replace(full, recipe=mild_recipe(full.recipe))
        processor = make_image_processor(TINY_SETTINGS)
        encoder = VlmEncoder(make_tokenizer(), processor, TINY_SETTINGS)
        return lambda chunk: _make_chunk(config, chunk, clean, mild, encoder)


def _make_chunk(
    config: VlmStreamConfig,
    chunk: int,
    clean: LineRenderer,
    mild: LineRenderer,
    encoder: VlmEncoder,
) -> list[VlmBatch]:
    rng = np.random.default_rng([config.seed, 79, chunk])
    words = 1 + sum(chunk >= bound for bound in config.stages)
    passed = words > len(config.stages)
    samples: list[tuple[EncodedSample, list[int]]] = []
    count = config.batch * config.chunk_batches
    for index in range(chunk * count, (chunk + 1) * count):
        renderer = mild if rng.random() < config.mild_share else clean
        mix = _LONG if passed and rng.random() < config.long_share else Mix(max_words=words)
        line = replace(renderer, mix=mix).render(index)
        sample = encoder.encode(str(index), Image.fromarray(line.pixels), line.text)
        if sample.grid[2] <= 200:  # very wide lines would slow all others of the batch down
            samples.append((sample, ALPHABET.encode(line.text)))
    samples.sort(key=lambda item: (item[0].grid[2], len(item[0].tokens)))
    groups = [samples[at : at + config.batch] for at in range(0, len(samples), config.batch)]
    order = rng.permutation(len(groups))
    return [_make_batch(groups[int(at)], encoder) for at in order]


def _make_batch(samples: list[tuple[EncodedSample, list[int]]], encoder: VlmEncoder) -> VlmBatch:
    tensors = {k: v.numpy() for k, v in encoder.collate([s for s, _ in samples]).items()}
    tensors["pixel_values"] = tensors["pixel_values"].astype(np.float16)
    labels = [symbols for _, symbols in samples]
    return VlmBatch(
        tensors=tensors,
        symbols=np.array([symbol for line in labels for symbol in line], np.int64),
        lengths=np.array([len(line) for line in labels], np.int64),
    )


def stream_vlm_chunks(config: VlmStreamConfig, *, workers: int = 1, first: int = 0) -> Any:
    """Yield (chunk number, batches) from chunk `first` on, forever.

    Raises:
        RecognitionError: If a worker process failed; the message holds its error.
    """
    return make_in_processes(_ChunkMaker(config), workers=workers, first=first)
