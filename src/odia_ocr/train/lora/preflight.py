"""Every sample is looked at before a run begins: what fits, what does not, and why.

No model is needed for it: the sizes of the pictures and the tokens of the texts tell it all. Nor
are pixels: pictures are measured, and broken ones found, without making them.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odia_ocr.errors import OdiaOcrError, SampleError
from odia_ocr.language import ALPHABET
from odia_ocr.recognize.vlm.inputs import VlmEncoder
from odia_ocr.train.lora.config import Misfit
from odia_ocr.train.lora.samples import ListedSamples

_SHOWN = 8
_SINGLE = 2  # code points of what is called a single character
Tick = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Found:
    """A sample that does not fit.

    Attributes:
        number: Of the sample.
        message: Its name, and what is wrong with it.
    """

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found.

    Attributes:
        fitting: Numbers of the samples that may be learned from, shortest first.
        shrunk: How many of them have their picture scaled down.
        found: Those that do not fit.
        tokens: Of the longest sequence.
        letters: Median code points of a text.
        size: Median (width, height) of a picture, in pixels.
        unknown: Characters outside the alphabet, with how many samples hold them.
    """

    fitting: tuple[int, ...]
    shrunk: int
    found: tuple[Found, ...]
    tokens: int
    letters: float
    size: tuple[float, float]
    unknown: tuple[tuple[str, int], ...]

    def tell(self) -> list[str]:
        """What a person should know before the run, a line each."""
        width, height = self.size
        told = [
            f"Preflight: {len(self.fitting)} samples fit, {len(self.found)} do not"
            + (f", {self.shrunk} are scaled down" if self.shrunk else "")
            + f"; longest sequence {self.tokens} tokens; half of the pictures are up to "
            f"{width:.0f} x {height:.0f} px, half of the texts up to {self.letters:.0f} characters."
        ]
        told += [f"  {found.message}" for found in _pick_shown(self.found)]
        if len(self.found) > _SHOWN:
            told.append(f"  ... and {len(self.found) - _SHOWN} more.")
        if self.letters <= _SINGLE and self.fitting:
            told.append(
                "Most samples are single characters: a model learns letters from them, not lines. "
                "Add lines of text, or render some."
            )
        if self.unknown:
            shown = ", ".join(f"{char!r} ({count})" for char, count in self.unknown[:12])
            told.append(f"Characters outside the alphabet, by samples: {shown}.")
        return told


def check_samples(
    samples: ListedSamples, encoder: VlmEncoder, misfit: Misfit, *, tick: Tick
) -> Preflight:
    """Look at every sample.

    Args:
        samples: What a run learns from.
        encoder: Of the model.
        misfit: What is to be done with samples that do not fit.
        tick: Told how many of how many are done.

    Raises:
        SampleError: If one does not fit and `misfit` is "reject", or if none fits.
    """
    found: list[Found] = []
    lengths: dict[int, int] = {}
    sizes: list[tuple[int, int]] = []
    letters: list[int] = []
    unknown: Counter[str] = Counter()
    shrunk = 0
    for number, sample in enumerate(samples.listed):
        try:
            size = sample.picture.measure()
            plan = encoder.plan(size, sample.text, sample.id, shrink=misfit == "shrink")
        except OdiaOcrError as error:
            message = str(error) if isinstance(error, SampleError) else f"{sample.id}: {error}"
            found.append(Found(number, message))
            continue
        lengths[number] = plan.length
        shrunk += plan.most_pixels < encoder.settings.max_pixels
        sizes.append(size)
        letters.append(len(sample.text))
        unknown.update({char for char in sample.text if char not in ALPHABET})
        tick(number + 1, len(samples.listed))
    done = Preflight(
        fitting=tuple(sorted(lengths, key=lambda number: (lengths[number], number))),
        shrunk=shrunk,
        found=tuple(found),
        tokens=max(lengths.values(), default=0),
        letters=_median(letters),
        size=(_median([w for w, _ in sizes]), _median([h for _, h in sizes])),
        unknown=tuple(unknown.most_common()),
    )
    if found and misfit != "skip" and not (misfit == "shrink" and done.fitting):
        raise SampleError(
            "\n".join(done.tell()),
            next_step="\nMend them, or go on without them: set misfit to skip (or shrink, for "
            "pictures that are too large).",
        )
    if not done.fitting:
        raise SampleError("\n".join(done.tell()), next_step="Nothing is left to learn from.")
    return done


def _pick_shown(found: Sequence[Found]) -> list[Found]:
    """Some of what does not fit, each cause once before any comes again."""
    kinds: dict[str, int] = {}
    ranks = []
    for one in found:
        cause = re.sub(r"\d+", "#", one.message.partition(": ")[2])
        kinds[cause] = kinds.get(cause, -1) + 1
        ranks.append(kinds[cause])
    order = sorted(range(len(found)), key=lambda i: (ranks[i], i))
    return [found[i] for i in order[:_SHOWN]]


def _median(values: Sequence[int]) -> float:
    return float(statistics.median(values)) if values else 0.0
