"""The lines that may be labelled: pictures, and a truth that is told only when it is asked for.

A pool may know the texts of its lines, as in an experiment, or not, as in life. Whoever chooses is
handed lines without texts; `Pool.reveal` is the only way to them, and it keeps a record. Refuses to
know recognizers and strategies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.data.sets import picture_folder
from odia_ocr.data.sets.formats import open_set, tell_format
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import DataError, UsageError
from odia_ocr.pages.images import PICTURE_SUFFIXES
from odia_ocr.types import Problem

if TYPE_CHECKING:
    from odia_ocr.data.sets.columns import Columns


class Pool:
    """Lines to choose from.

    Args:
        items: Samples, and Problems in the place of what cannot be used. An empty text is one that
            nobody knows. Of lines of one id the later ones are called "-2" and so on.
        name: What to call the pool in messages.
        truth: Tells the text of a line by its id, instead of the samples.

    Raises:
        DataError: If there is no line at all.
    """

    def __init__(
        self,
        items: Iterable[Sample | Problem],
        *,
        name: str = "the pool",
        truth: Callable[[str], str] | None = None,
    ) -> None:
        lines: dict[str, Sample] = {}
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        for item in items:
            if isinstance(item, Problem):
                problems.append(item)
                continue
            key = _free_name(f"{item.split}/{item.id}" if item.split else item.id, lines)
            # What else a set says of a line may give its text away.
            lines[key] = replace(item, id=key, split="", text="", extras=())
            if item.text:
                texts[key] = item.text
        if not lines:
            said = f" {problems[0].message}" if problems else ""
            raise DataError(
                f"{name} holds no line to choose from ({len(problems)} left out).{said}",
                next_step="Name a folder of line pictures, a data set, or pages with --unit page.",
            )
        self.name = name
        self.problems = tuple(problems)
        self._lines = lines
        self._tell_truth = truth or (lambda key: texts.get(key, ""))
        self._revealed: dict[str, None] = {}

    @property
    def lines(self) -> tuple[Sample, ...]:
        """All lines in order, with empty texts."""
        return tuple(self._lines.values())

    @property
    def revealed(self) -> tuple[str, ...]:
        """Ids whose texts were asked for, in the order they were first asked for."""
        return tuple(self._revealed)

    def find(self, ids: Iterable[str]) -> list[Sample]:
        """Lines by their ids, with empty texts.

        Raises:
            DataError: If the pool has no such line.
        """
        return [self._lines[self._check(key)] for key in ids]

    def reveal(self, ids: Iterable[str]) -> dict[str, str]:
        """The true texts of lines, by id; it is put on record who was asked about.

        Raises:
            DataError: If the pool has no such line.
            UsageError: If the pool does not know a line's text.
        """
        told: dict[str, str] = {}
        for key in ids:
            text = self._tell_truth(self._check(key))
            if not text:
                raise UsageError(
                    f"{self.name} does not know the text of {key}.",
                    next_step="Label it: write a batch with `odia-ocr curate select`.",
                )
            self._revealed[key] = None
            told[key] = text
        return told

    def _check(self, key: str) -> str:
        if key not in self._lines:
            raise DataError(
                f"{self.name} has no line {key!r}.",
                next_step="Use the pool that the lines were chosen from.",
            )
        return key


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}-{count}"
    return free


def open_pool(
    where: str | Path,
    *,
    format: str | None = None,
    columns: Columns | None = None,
    pictures: Path | None = None,
) -> Pool:
    """Open a pool of lines: any data set, or a folder of line pictures, labelled or not.

    Args:
        where: As `odia_ocr.data.sets.formats.open_set` takes it, or a folder of pictures.
        format: One of the formats of data sets; None tells it from what is there.
        columns: Of tables.
        pictures: Another folder to look for the pictures of ALTO, PAGE and Label Studio in.

    Raises:
        FileMissingError: If there is nothing of that name.
        DataError: If it holds no line.
    """
    path = Path(where)
    if format in (None, "folder") and path.is_dir() and _holds_pairs(path):
        return Pool(picture_folder.read_pairs(path, unlabelled=True), name=str(where))
    found = open_set(where, format=format, columns=columns, pictures=pictures)
    return Pool(found, name=found.name)


def _holds_pairs(folder: Path) -> bool:
    """Whether it is a folder of pictures, with or without transcriptions."""
    try:
        return tell_format(str(folder)) == "folder"
    except DataError:
        return any(path.suffix.lower() in PICTURE_SUFFIXES for path in folder.rglob("*"))


def may_be_pages(where: str) -> bool:
    """Whether pictures or PDFs are there, and no set that says where its lines stand."""
    try:
        return tell_format(where) == "folder"
    except DataError:
        return True
