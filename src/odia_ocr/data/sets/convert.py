"""Sets become one set of another format, a line at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.data.sets.formats import SampleSet
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import InputError
from odia_ocr.types import Problem

Tell = Callable[[str, Problem], None]


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of it: lines written, and how many were left out by the reason's code."""

    written: int
    left_out: Counter[str]


def convert_sets(
    sets: Sequence[SampleSet],
    out: Path,
    write: Callable[[Iterable[Sample], Path], int],
    *,
    tell: Tell,
) -> Conversion:
    """Write the lines of sets as one set.

    Left out and told are lines without text, and pictures that cannot be read whole.

    Args:
        sets: Read one after the other.
        out: Folder to write into.
        write: Of the wanted format.
        tell: Called with the set's name and each Problem.

    Raises:
        DataError: If a set as a whole cannot be read.
        OutputError: If something cannot be written.
    """
    left_out: Counter[str] = Counter()

    def count(name: str, problem: Problem) -> None:
        left_out[problem.code] += 1
        tell(name, problem)

    return Conversion(write(keep_usable(sets, tell=count), out), left_out)


def keep_usable(sets: Iterable[SampleSet], *, tell: Tell) -> Iterator[Sample]:
    """The samples whose picture can be read and that have a text; the others are told."""
    for one in sets:
        for item in one:
            problem = item if isinstance(item, Problem) else find_unusable(item)
            if problem is not None:
                tell(one.name, problem)
            elif isinstance(item, Sample):
                yield item


def find_unusable(sample: Sample) -> Problem | None:
    """Why a sample can be used for nothing, if so."""
    if not sample.text:
        message = f"{sample.id} has an empty text."
        return Problem("text-empty", message, "Write its text, or remove it.", line_id=sample.id)
    try:
        sample.picture.load()
    except InputError as error:
        return Problem(error.code, error.message, error.next_step, line_id=sample.id)
    return None
