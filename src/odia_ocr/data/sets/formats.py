"""The formats of data sets by name: one table, one way to open a set and to write one.

Which format a set has is told from what is there. A reader gives samples one at a time, and a
`Problem` in the place of what it cannot use; nothing is left out in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.data.sets import label_studio, page_pictures, picture_folder, split_list, table
from odia_ocr.data.sets.columns import Columns
from odia_ocr.data.sets.page_markup import tell_markup
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import DataError, FileMissingError, UsageError, name_choices
from odia_ocr.pages.images import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from odia_ocr.types import Problem

Stream = Iterator["Sample | Problem"]

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class SetAddress:
    """What a reader is told.

    Attributes:
        where: A path, or the name of a set on the hub.
        columns: Of tables.
        pictures: Another folder to look for pictures of pages in.
    """

    where: str
    columns: Columns = field(default_factory=Columns)
    pictures: Path | None = None

    @property
    def path(self) -> Path:
        """The place as a path."""
        return Path(self.where)


@dataclass(frozen=True, slots=True)
class SetFormat:
    """One format.

    Attributes:
        name: As given to `--from` and `--to`.
        shows: What it looks like, for help and errors.
        read: Gives the lines of a set.
        write: Writes lines into a folder and returns how many; None where it is only read.
    """

    name: str
    shows: str
    read: Callable[[SetAddress], Stream]
    write: Callable[[Iterable[Sample], Path], int] | None = None


FORMATS = {
    form.name: form
    for form in (
        SetFormat(
            "folder",
            "NAME.png (jpg, tif ...) beside NAME.gt.txt",
            lambda address: picture_folder.read_pairs(address.path),
            picture_folder.write_pairs,
        ),
        SetFormat(
            "jsonl",
            "pictures and metadata.jsonl with file_name and text",
            lambda address: picture_folder.read_image_folder(address.path),
            picture_folder.write_image_folder,
        ),
        SetFormat(
            "parquet",
            "Parquet files with a column of pictures and one of texts",
            lambda address: table.read_parquet(address.path, address.columns),
            table.write_parquet,
        ),
        SetFormat(
            "arrow",
            "Arrow files, also what `datasets` saved to disk",
            lambda address: table.read_arrow(address.path, address.columns),
            table.write_arrow,
        ),
        SetFormat(
            "hub",
            "owner/name[:split], a data set of the Hugging Face hub",
            lambda address: table.read_hub(address.where, address.columns),
        ),
        SetFormat(
            "alto",
            "ALTO XML beside the pictures of its pages",
            lambda address: page_pictures.read_pages(address.path, "alto", address.pictures),
            page_pictures.write_alto,
        ),
        SetFormat(
            "page",
            "PAGE XML beside the pictures of its pages",
            lambda address: page_pictures.read_pages(address.path, "page", address.pictures),
            page_pictures.write_page_xml,
        ),
        SetFormat(
            "label-studio",
            "tasks that Label Studio exported as JSON, beside their pictures",
            lambda address: label_studio.read_tasks(address.path, address.pictures),
            label_studio.write_tasks,
        ),
        SetFormat(
            "split",
            "NAME.jsonl or split.json, as `data split` writes them",
            lambda address: split_list.read_list(
                address.path, partial(open_set, columns=address.columns, pictures=address.pictures)
            ),
        ),
    )
}
WRITABLE = tuple(name for name, form in FORMATS.items() if form.write is not None)


@dataclass(frozen=True, slots=True)
class SampleSet:
    """A set that can be gone through, again and again; nothing of it is kept.

    Attributes:
        address: Where it is.
        format: How it is read.
    """

    address: SetAddress
    format: SetFormat

    @property
    def name(self) -> str:
        """What to call it."""
        return self.address.where

    def __iter__(self) -> Stream:
        """Samples one at a time, and Problems in the place of what cannot be used.

        Raises:
            DataError: If the set as a whole cannot be read.
            ResourceMissingError: If a library that its format needs is not installed.
        """
        return self.format.read(self.address)


def open_set(
    where: str | Path,
    *,
    format: str | None = None,
    columns: Columns | None = None,
    pictures: Path | None = None,
) -> SampleSet:
    """Open a set; nothing but its kind is looked at yet.

    Args:
        where: A folder, a file, or the name of a data set on the hub.
        format: One of `FORMATS`; None tells it from what is there.
        columns: Which columns of a table hold picture and text; None goes by usual names.
        pictures: Another folder to look for the pictures of ALTO, PAGE and Label Studio in.

    Raises:
        UsageError: If there is no such format.
        FileMissingError: If there is nothing of that name.
        DataError: If no format is recognised.
    """
    if format is not None and format not in FORMATS:
        raise name_choices(format, list(FORMATS), kind="format")
    name = format or tell_format(str(where))
    if name != "hub" and not Path(where).exists():
        raise FileMissingError(f"{where} does not exist.", next_step="Check the path.")
    return SampleSet(SetAddress(str(where), columns or Columns(), pictures), FORMATS[name])


def find_writer(name: str) -> Callable[[Iterable[Sample], Path], int]:
    """The writer of a format.

    Raises:
        UsageError: If there is no such format, or it is only read.
    """
    if name not in FORMATS:
        raise name_choices(name, list(WRITABLE), kind="format")
    writer = FORMATS[name].write
    if writer is None:
        raise UsageError(
            f"The format {name!r} is only read.", next_step=f"Write {', '.join(WRITABLE)}."
        )
    return writer


def tell_format(where: str) -> str:
    """The name of a set's format, from what is there.

    Raises:
        FileMissingError: If there is nothing of that name.
        DataError: If it is of no known format; the message says what was looked for.
    """
    path = Path(where)
    if path.is_file():
        found = _tell_file(path)
    elif path.is_dir():
        found = _tell_folder(path)
    elif _HUB_ID.fullmatch(where) and not path.parent.exists():
        return "hub"
    else:
        raise FileMissingError(f"{where} does not exist.", next_step="Check the path.")
    if found is None:
        looks = "; ".join(f"{form.name}: {form.shows}" for form in FORMATS.values())
        raise DataError(f"{where} is no data set of a known format.", next_step=f"Known: {looks}.")
    return found


def _tell_file(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".arrow"):
        return suffix[1:]
    if suffix == ".xml":
        return tell_markup(path) or None
    if split_list.is_list(path):
        return "split"
    if suffix == ".jsonl":
        return "jsonl"
    return "label-studio" if suffix == ".json" and label_studio.is_export(path) else None


def _tell_folder(folder: Path) -> str | None:
    """By the first telling file, nearer ones before those in folders within."""
    pictures = False
    metadata = False
    for path in _walk_files(folder):
        if path.name.endswith(picture_folder.TRANSCRIPTION):
            return "folder"
        metadata |= path.name == picture_folder.METADATA
        pictures |= path.suffix.lower() in PICTURE_SUFFIXES
        if path.suffix.lower() in (".parquet", ".arrow", ".xml", ".json"):
            found = _tell_file(path)
            if found is not None:
                return found
    if metadata:
        return "jsonl"
    if pictures:
        raise DataError(
            f"{folder} holds pictures without transcriptions.",
            next_step="Put NAME.gt.txt beside NAME.png, or write metadata.jsonl (file_name, text).",
        )
    return None


def _walk_files(folder: Path) -> Iterator[Path]:
    inside = sorted(folder.iterdir())
    yield from (path for path in inside if path.is_file())
    for path in inside:
        if path.is_dir() and not path.name.startswith("."):
            yield from _walk_files(path)
