"""What an adapter learns from: labelled pictures at hand, streamed, or rendered on the fly.

Sample number i is the same whenever it is asked for, so a run goes on exactly where it stopped.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from odia_ocr.data.compose import Mix
from odia_ocr.data.degrade import photograph
from odia_ocr.data.faces import find_faces
from odia_ocr.data.lines import LineRenderer, make_renderer
from odia_ocr.data.recipe import CLEAN, TRAINING, Recipe
from odia_ocr.data.reporting import SETS
from odia_ocr.data.sets.columns import Columns, parse_columns
from odia_ocr.data.sets.formats import open_set
from odia_ocr.data.sets.sample import Sample
from odia_ocr.data.texts import Split
from odia_ocr.errors import DataError, name_choices
from odia_ocr.train.lora.config import LoraConfig, RenderedConfig
from odia_ocr.types import Problem

Report = Callable[[str], None]
RECIPES: dict[str, Recipe] = {
    "training": TRAINING,
    "clean": CLEAN,
    **{f"report-{name}": chosen.recipe for name, chosen in SETS.items()},
}
_AUGMENT = replace(TRAINING, name="augment-lora-1", low_resolution=0.15)


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture with its text.

    Attributes:
        id: Name, for messages.
        picture: Decoded.
        text: Normalised transcription.
    """

    id: str
    picture: Image.Image
    text: str


class Samples(Protocol):
    """Numbered samples; `length` is None where they never end."""

    @property
    def length(self) -> int | None:
        """How many there are."""
        ...

    def take(self, number: int) -> Labelled:
        """Sample `number`, the same each time.

        Raises:
            InputError: If its picture cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class ListedSamples:
    """Samples at hand, whose pictures are opened when they are asked for.

    Attributes:
        listed: The samples.
    """

    listed: tuple[Sample, ...]

    @property
    def length(self) -> int:
        """How many there are."""
        return len(self.listed)

    def take(self, number: int) -> Labelled:
        """See `Samples`."""
        sample = self.listed[number]
        return Labelled(sample.id, Image.fromarray(sample.picture.load()), sample.text)


@dataclass(frozen=True, slots=True, eq=False)
class RenderedSamples:
    """Lines drawn when they are asked for.

    Attributes:
        renderer: Draws them.
        count: How many there are; None draws without end.
    """

    renderer: LineRenderer
    count: int | None = None

    @property
    def length(self) -> int | None:
        """How many there are."""
        return self.count

    def take(self, number: int) -> Labelled:
        """See `Samples`."""
        line = self.renderer.render(number)
        return Labelled(f"rendered-{number}", Image.fromarray(line.pixels), line.text)


class StreamedSamples:
    """Samples as they come, mixed within a buffer; asked for in order, or from a later one on.

    They begin anew when they have all been seen.
    """

    length = None

    def __init__(
        self,
        open_stream: Callable[[], Iterator[Sample]],
        *,
        buffer: int,
        seed: int,
        admit: Callable[[Sample], bool] = lambda sample: True,
    ) -> None:
        """`admit` says whether a sample may be learned from; it may raise instead."""
        self._open, self._buffer, self._seed, self._admit = open_stream, buffer, seed, admit
        self._next = 0
        self._stream = self._mix()

    def take(self, number: int) -> Labelled:
        """Sample `number`; an earlier one than the last means to begin anew."""
        if number < self._next:
            self._next, self._stream = 0, self._mix()
        sample = next(itertools.islice(self._stream, number - self._next, None))
        self._next = number + 1
        return Labelled(sample.id, Image.fromarray(sample.picture.load()), sample.text)

    def _mix(self) -> Iterator[Sample]:
        for epoch in itertools.count():
            rng = np.random.default_rng([self._seed, 81, epoch])
            held: list[Sample] = []
            seen = 0
            for sample in filter(self._admit, self._open()):
                seen += 1
                if len(held) < self._buffer:
                    held.append(sample)
                    continue
                at = int(rng.integers(self._buffer))
                given, held[at] = held[at], sample
                yield given
            if not seen:
                raise DataError("The streamed sets hold no usable sample.")
            yield from (held[int(i)] for i in rng.permutation(len(held)))


def augment(sample: Labelled, strength: float, key: Sequence[int]) -> Labelled:
    """A degraded version of a sample's picture, always the same for the same key."""
    grey = np.asarray(sample.picture.convert("L"), np.float32)
    recipe = replace(_AUGMENT, strength=strength)
    pixels = photograph(grey, np.random.default_rng(list(key)), recipe, [])
    return Labelled(sample.id, Image.fromarray(pixels), sample.text)


def list_samples(places: Sequence[str], config: LoraConfig, *, report: Report) -> ListedSamples:
    """All samples of some sets, pictures not opened yet.

    Raises:
        DataError: If they hold nothing usable.
        FileMissingError: If a set is not there.
    """
    listed = tuple(chain_samples(places, config, report))
    if not listed:
        raise DataError(
            f"No usable sample in {', '.join(places)}.",
            next_step="Look at it with: odia-ocr data check SET.",
        )
    return ListedSamples(listed)


def hold_out(
    samples: ListedSamples, fitting: Sequence[int], config: LoraConfig
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers to learn from and numbers held out: at most a tenth, and no text on both sides."""
    most = min(config.check_lines, max(1, len(fitting) // 10))
    order = np.random.default_rng([config.seed, 82]).permutation(len(fitting))[:most]
    held = tuple(sorted(fitting[int(i)] for i in order))
    texts = {samples.listed[number].text for number in held}
    return tuple(n for n in fitting if samples.listed[n].text not in texts), held


def make_line_renderer(config: RenderedConfig, split: Split, seed: int) -> LineRenderer:
    """Draws lines of a split in the chosen faces.

    Raises:
        UsageError: Unknown recipe or family.
    """
    if config.recipe not in RECIPES:
        raise name_choices(config.recipe, list(RECIPES), kind="recipe")
    faces = None
    if config.families:
        known = find_faces(Path(config.fonts) if config.fonts else None)
        faces = tuple(face for face in known if face.family in config.families or not face.odia)
        missing = sorted(set(config.families) - {face.family for face in faces})
        if missing:
            raise name_choices(missing[0], sorted({f.family for f in known}), kind="family")
    return make_renderer(
        split=split,
        seed=seed,
        recipe=replace(RECIPES[config.recipe], strength=config.strength)
        if config.recipe == "training"
        else RECIPES[config.recipe],
        mix=Mix(
            min_words=config.min_words,
            max_words=config.max_words,
            latin=config.latin,
            numbers=config.numbers,
        ),
        data=Path(config.text) if config.text else None,
        fonts=Path(config.fonts) if config.fonts else None,
        faces=faces,
    )


def chain_samples(places: Sequence[str], config: LoraConfig, report: Report) -> Iterator[Sample]:
    """The samples of several sets; what cannot be used is counted and told."""
    columns = parse_columns(config.columns) if config.columns else Columns()
    for place in places:
        left_out: dict[str, int] = {}
        count = 0
        for found in open_set(place, columns=columns):
            if isinstance(found, Problem):
                left_out[found.code] = left_out.get(found.code, 0) + 1
                continue
            count += 1
            yield found
        told = ", ".join(f"{number} {code}" for code, number in sorted(left_out.items()))
        report(f"{place}: {count} samples{f'; left out: {told}' if told else ''}")
