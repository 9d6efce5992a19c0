"""A set for measuring pages: a folder of NAME.png|jpg|... beside NAME.gt.txt, and NAME.json if any.

NAME.gt.txt holds one printed line a line, in reading order, blank lines between regions. NAME.json
is the truth of a rendered page: the same lines with their polygons. Knows the folder's layout;
refuses to know engines and scores. Texts are kept as written (NFC only).
"""

from __future__ import annotations

import json
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from odia_ocr.types import PageImage, Polygon

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUTH = ".json"
TRUTH_SCHEMA = 1
PAGE_GROUPS = ("layout", "condition", *GROUP_FIELDS)

_LAYOUT = (
    "A set of pages is a folder of NAME.png (or .jpg) beside NAME.gt.txt, UTF-8, one printed"
    " line a line."
)
_TRUTH_STEP = "Render the page again, or remove the .json to measure without polygons."


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line as it is printed: its text, and its outline in page pixels where that is known."""

    text: str
    polygon: Polygon | None = None


@dataclass(frozen=True, slots=True)
class PageSample(Sample):
    """One page of a set.

    Attributes:
        lines: In reading order, never empty; either all have polygons or none has.
        size: (width, height) that the truth says, or None.
    """

    lines: tuple[PrintedLine, ...]
    size: tuple[int, int] | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines in reading order."""
        return tuple(line.text for line in self.lines)

    @property
    def text(self) -> str:
        """All lines in reading order, joined by spaces."""
        return " ".join(self.texts)

    def load(self) -> PageImage:
        """Decode the picture.

        Raises:
            InputError: If it is missing, corrupt or too large.
            DataError: If it holds several pages, or its size is not what the truth says.
        """
        from odia_ocr.pages.images import open_pages

        with closing(open_pages(self.picture)) as file:
            if file.count != 1:
                raise DataError(
                    f"{self.picture.name} holds {file.count} pages.",
                    next_step="Give each page a picture of its own.",
                )
            image = file.load(1)
        if self.size is not None and self.size != image.size:
            (width, height), (wide, high) = image.size, self.size
            raise DataError(
                f"{self.picture.name} is {width} x {height} pixels, but {self.name}{TRUTH}"
                f" describes a page of {wide} x {high}.",
                next_step=_TRUTH_STEP,
            )
        return image


@dataclass(frozen=True, slots=True)
class PageSet(PictureSet[PageSample]):
    """The pages of a folder."""


def read_page_set(folder: Path) -> PageSet:
    """Read a set.

    Pages are grouped by layout and condition of NAME.json and by the fields of `metadata.jsonl`.

    Raises:
        FileMissingError: If the folder does not exist.
        DataError: If it holds no picture with a transcription, or a transcription, a NAME.json or
            the metadata does not fit; the message names the file.
    """
    found = read_pictures(folder, _read_sample, fields=PAGE_GROUPS, layout=_LAYOUT)
    return PageSet(found.folder, found.samples, found.problems)


def _read_sample(picture: Path, text: Path, labels: Labels | None) -> PageSample:
    labels = labels or ()
    name = picture.stem
    lines = tuple(PrintedLine(line) for line in _read_lines(text))
    truth = picture.with_name(f"{name}{TRUTH}")
    if not truth.is_file():
        return PageSample(name, picture, lines, labels=labels)
    record = _read_truth(truth)
    lines = _place_lines(truth, text, lines, record)
    known = {label.by for label in labels}
    more = tuple(
        GroupLabel(by, record[by])
        for by in ("layout", "condition")
        if by not in known and isinstance(record.get(by), str) and record[by]
    )
    size = _read_size(truth, record)
    return PageSample(name, picture, lines, size, labels=(*more, *labels))


def _read_lines(path: Path) -> list[str]:
    """The lines that are not blank, NFC."""
    text = read_transcription(path, what="page")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _read_truth(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is no JSON ({error}).", next_step=_TRUTH_STEP) from None
    if not isinstance(record, dict) or record.get("schema") != TRUTH_SCHEMA:
        said = record.get("schema") if isinstance(record, dict) else type(record).__name__
        raise DataError(
            f"{path}: schema {TRUTH_SCHEMA} was expected, not {said!r}.", next_step=_TRUTH_STEP
        )
    return record


def _place_lines(
    path: Path, text: Path, lines: tuple[PrintedLine, ...], record: Mapping[str, Any]
) -> tuple[PrintedLine, ...]:
    """The lines with their polygons; text and order must be those of the transcription."""
    try:
        placed = tuple(
            PrintedLine(
                unicodedata.normalize("NFC", row["text"]).strip(),
                tuple((float(x), float(y)) for x, y in row["polygon"]),
            )
            for row in record["lines"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: a line without text or polygon ({type(error).__name__}: {error}).",
            next_step=_TRUTH_STEP,
        ) from None
    if any(line.polygon is None or len(line.polygon) < 3 for line in placed):
        raise DataError(f"{path}: a polygon of fewer than three points.", next_step=_TRUTH_STEP)
    if len(placed) != len(lines):
        raise DataError(
            f"{path} has {len(placed)} lines, {text.name} has {len(lines)}.", next_step=_TRUTH_STEP
        )
    for number, (line, other) in enumerate(zip(placed, lines, strict=True), start=1):
        if line.text != other.text:
            raise DataError(
                f"{path}: line {number} is {line.text!r}, in {text.name} it is {other.text!r}.",
                next_step=_TRUTH_STEP,
            )
    return placed


def _read_size(path: Path, record: Mapping[str, Any]) -> tuple[int, int]:
    try:
        width, height = record["size"]
        return int(width), int(height)
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{path}: size must be [width, height], not {record.get('size')!r}.",
            next_step=_TRUTH_STEP,
        ) from None
