"""A set for measuring lines: a folder of NAME.png|jpg|... beside NAME.gt.txt with one line each."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.errors import DataError
from odia_ocr.evaluate.picture_set import (
    GROUP_FIELDS,
    GroupLabel,
    Labels,
    PictureSet,
    Sample,
    read_pictures,
    read_transcription,
)
from odia_ocr.types import LineImage

__all__ = ["GroupLabel", "LineSample", "LineSet", "read_line_set"]

_LAYOUT = "A set is a folder of NAME.png (or .jpg) beside NAME.gt.txt, UTF-8."


@dataclass(frozen=True, slots=True)
class LineSample(Sample):
    """One line of a set; `text` is its transcription, NFC."""

    text: str

    @property
    def texts(self) -> tuple[str, ...]:
        """The only line."""
        return (self.text,)

    def load(self) -> LineImage:
        """Decode the picture.

        Raises:
            InputError: If it is missing, corrupt or too large.
        """
        from odia_ocr.pages.images import open_pages

        with closing(open_pages(self.picture)) as file:
            return LineImage(self.name, file.load(1).pixels)


@dataclass(frozen=True, slots=True)
class LineSet(PictureSet[LineSample]):
    """The lines of a folder."""


def read_line_set(folder: Path, *, skip: bool = False) -> LineSet:
    """Read a set.

    Lines are grouped by the fields group, face, family and kind of `metadata.jsonl` where that
    exists, else by the part of their name before the first underscore.

    Args:
        folder: Of the set.
        skip: Leave lines with a malformed transcription out, as problems.

    Raises:
        FileMissingError: If the folder does not exist.
        DataError: If it holds no labelled picture, or the metadata or, unless it is skipped, a
            transcription is malformed; the message names the file.
    """
    found = read_pictures(folder, _read_sample, fields=GROUP_FIELDS, layout=_LAYOUT, skip=skip)
    return LineSet(found.folder, found.samples, found.problems)


def _read_sample(picture: Path, text: Path, labels: Labels | None) -> LineSample:
    name = picture.stem
    if labels is None:
        labels = _label_by_name(name)
    return LineSample(name, picture, _read_text(text), labels=labels)


def _read_text(path: Path) -> str:
    text = read_transcription(path, what="line")
    if "\n" in text:
        raise DataError(
            f"{path} has {len(text.splitlines())} lines; a line picture has one.",
            next_step="Measure whole pages with --unit page.",
        )
    return text


def _label_by_name(name: str) -> Labels:
    prefix, mark, _ = name.partition("_")
    return (GroupLabel("name", prefix),) if mark and prefix else ()
