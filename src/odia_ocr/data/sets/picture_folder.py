"""Pictures in a folder: NAME.png + NAME.gt.txt (tesstrain, kraken), or metadata.jsonl with texts.

Both may lie in sub-folders, one for each split or source. Of `metadata.jsonl` both spellings are
read: `file_name`, as the image folders of the `datasets` library have it, and `file`, as
`render lines` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odia_ocr.data.sets.out_files import FileNames, describe, name_split, write_bytes
from odia_ocr.data.sets.sample import FilePicture, Sample, clean_text
from odia_ocr.errors import DataError
from odia_ocr.pages.images import PICTURE_SUFFIXES
from odia_ocr.types import Problem

TRANSCRIPTION = ".gt.txt"
METADATA = "metadata.jsonl"
SPLITS = frozenset(
    {"train", "training", "check", "val", "valid", "validation", "dev", "test", "heldout"}
)
_NAMES = ("file_name", "file")
# Fields of a row that samples hold themselves.
_OWN = frozenset({*_NAMES, "text", "source", "split"})


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """A row of `metadata.jsonl`: the picture's name, its text or None, and what else it says."""

    file: str
    text: str | None
    values: Mapping[str, Any]


def read_pairs(folder: Path, *, unlabelled: bool = False) -> Iterator[Sample | Problem]:
    """The lines of a folder of NAME.png + NAME.gt.txt, by name, and what cannot be used of it.

    Args:
        folder: Sub-folders are read, too.
        unlabelled: A picture without a transcription is a sample with an empty text, no Problem.

    Raises:
        DataError: If `metadata.jsonl` is not UTF-8.
    """
    for place in _walk(folder):
        files = sorted(path for path in place.iterdir() if path.is_file())
        texts = {
            path.name.removesuffix(TRANSCRIPTION): path
            for path in files
            if path.name.endswith(TRANSCRIPTION)
        }
        pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
        rows: dict[str, MetadataRow] = {}
        if (texts or pictures) and (place / METADATA).is_file():
            for row in read_metadata(place / METADATA):
                if isinstance(row, Problem):
                    yield row
                else:
                    rows[row.file] = row
        for picture in pictures:
            path = texts.pop(_stem(picture, texts), None)
            known = rows.get(picture.name)
            if path is None and unlabelled:
                values = known.values if known else {}
                yield _make_sample(folder, picture, _name_line(folder, picture), "", values)
            else:
                yield _read_pair(folder, picture, path, known)
        for name, path in texts.items():
            message = f"{path.name} has no picture and is left out."
            yield Problem("picture-missing", message, "Add the picture.", line_id=name)


def _stem(picture: Path, texts: Mapping[str, Path]) -> str:
    """NAME of NAME.png; also of NAME.bin.png and NAME.nrm.png, as kraken's tools write."""
    name = picture.stem
    return name if name in texts else name.removesuffix(".bin").removesuffix(".nrm")


def _name_line(folder: Path, picture: Path) -> str:
    return picture.relative_to(folder).with_suffix("").as_posix()


def _read_pair(
    folder: Path, picture: Path, path: Path | None, row: MetadataRow | None
) -> Sample | Problem:
    name = _name_line(folder, picture)
    if path is None:
        message = f"{picture.name} has no transcription and is left out."
        step = f"Add {picture.stem}{TRANSCRIPTION} or remove the picture."
        return Problem("transcription-missing", message, step, line_id=name)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 (byte {error.start})."
        return Problem("transcription-unreadable", message, "Save it as UTF-8.", line_id=name)
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}."
        return Problem("transcription-unreadable", message, "Check it.", line_id=name)
    return _make_sample(folder, picture, name, text, row.values if row else {})


def read_image_folder(where: Path) -> Iterator[Sample | Problem]:
    """The lines of a folder with `metadata.jsonl`, or of such a file under another name.

    Raises:
        DataError: If the file is not UTF-8.
    """
    files = [where] if where.is_file() else [place / METADATA for place in _walk(where)]
    folder = where.parent if where.is_file() else where
    for path in files:
        if not path.is_file():
            continue
        for row in read_metadata(path):
            if isinstance(row, Problem):
                yield row
                continue
            picture = path.parent / row.file
            name = Path(row.file).with_suffix("").as_posix()
            if path.parent != folder:
                name = f"{path.parent.relative_to(folder).as_posix()}/{name}"
            if row.text is None:
                message = f"{path.name}: {row.file} has no field 'text' and is left out."
                yield Problem("transcription-missing", message, "Add it.", line_id=name)
            elif not picture.is_file():
                message = f"{path.name} names {row.file}, which is not there; it is left out."
                yield Problem("picture-missing", message, "Add the picture.", line_id=name)
            else:
                yield _make_sample(folder, picture, name, row.text, row.values)


def read_metadata(path: Path) -> Iterator[MetadataRow | Problem]:
    """The rows of a `metadata.jsonl`, one at a time; a malformed row is a Problem.

    Raises:
        DataError: If the file is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as rows:
            for number, row in enumerate(rows, start=1):
                if row.strip():
                    yield _read_row(path, number, row)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 (byte {error.start}).", next_step="Save it as UTF-8."
        ) from None


def _read_row(path: Path, number: int, row: str) -> MetadataRow | Problem:
    try:
        values = json.loads(row)
        file = next((values[name] for name in _NAMES if name in values), None)
    except (ValueError, TypeError):
        values, file = None, None
    text = values.get("text") if isinstance(values, dict) else None
    if not isinstance(values, dict) or not isinstance(file, str) or not _is_text(text):
        return Problem(
            "metadata-row",
            f"{path}, line {number}: no JSON object with a string 'file_name' (and 'text').",
            "Correct the row, or remove it.",
        )
    return MetadataRow(file, text, values)


def _is_text(text: object) -> bool:
    return text is None or isinstance(text, str)


def _make_sample(
    folder: Path, picture: Path, name: str, text: str, values: Mapping[str, Any]
) -> Sample:
    under, _, _ = name.rpartition("/")
    top = under.split("/")[0]
    split = str(values.get("split") or (top if top in SPLITS else ""))
    source = str(values.get("source") or _guess_source(picture, under.removeprefix(split), folder))
    extras = tuple((key, value) for key, value in values.items() if key not in _OWN)
    return Sample(name, FilePicture(picture), clean_text(text), source, split, extras=extras)


def _guess_source(picture: Path, under: str, folder: Path) -> str:
    """What stands before the first underscore of a name, else the folder's name."""
    prefix, mark, _ = picture.stem.partition("_")
    if mark and prefix:
        return prefix
    return under.strip("/") or folder.resolve().name


def _walk(folder: Path) -> Iterator[Path]:
    """The folder and all folders in it, by name; hidden ones are left out."""
    yield folder
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if not place.name.startswith("."):
            yield from _walk(place)


def write_pairs(samples: Iterable[Sample], out: Path) -> int:
    """Write NAME.png + NAME.gt.txt, and `metadata.jsonl` with what else is known.

    Splits get a sub-folder each. Returns the number of lines.

    Raises:
        OutputError: If something cannot be written.
    """
    return _write(samples, out, pairs=True)


def write_image_folder(samples: Iterable[Sample], out: Path) -> int:
    """Write pictures and `metadata.jsonl` (`file_name`, `text`), a sub-folder for each split.

    Returns the number of lines.

    Raises:
        OutputError: If something cannot be written.
    """
    return _write(samples, out, pairs=False)


def _write(samples: Iterable[Sample], out: Path, *, pairs: bool) -> int:
    names = FileNames()
    begun: set[Path] = set()
    count = 0
    for sample in samples:
        name = names.make(sample)
        stored = sample.picture.store()
        place = out / name_split(sample.split)
        picture = place / f"{name}{stored.suffix}"
        write_bytes(picture, stored.data)
        row: dict[str, Any] = {_NAMES[int(pairs)]: picture.relative_to(place).as_posix()}
        if pairs:
            write_bytes(place / f"{name}{TRANSCRIPTION}", f"{sample.text}\n".encode())
        row |= {"text": sample.text, "source": sample.source, **describe(sample)}
        line = json.dumps(row, ensure_ascii=False) + "\n"
        write_bytes(place / METADATA, line.encode(), append=place in begun)
        begun.add(place)
        count += 1
    return count
