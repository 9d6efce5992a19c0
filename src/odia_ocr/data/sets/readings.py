"""Lines are read by an engine, so that a person corrects instead of typing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from odia_ocr.data.sets.sample import Sample
from odia_ocr.line_reading import LineReader
from odia_ocr.types import LineImage, Problem

_BATCH = 16


def read_samples(
    samples: Iterable[Sample], reader: LineReader, *, tell: Callable[[str, Problem], None]
) -> Iterator[Sample]:
    """Samples with what was read in the place of their text, and its confidence as an extra.

    Args:
        samples: Read in small batches, order kept.
        reader: Reads them.
        tell: Called with an id and the Problem of a line that could not be read; it keeps its text.

    Raises:
        ResourceMissingError: If the engine lacks something it needs.
    """
    stream = iter(samples)
    while batch := list(itertools.islice(stream, _BATCH)):
        images = [LineImage(sample.id, sample.picture.load()) for sample in batch]
        for sample, reading in zip(batch, reader.read_lines(images), strict=True):
            if isinstance(reading, Problem):
                tell(sample.id, reading)
                yield sample
                continue
            extras = tuple(pair for pair in sample.extras if pair[0] != "confidence")
            if reading.confidence is not None:
                extras = (*extras, ("confidence", round(reading.confidence, 4)))
            yield replace(sample, text=reading.text, extras=extras)
