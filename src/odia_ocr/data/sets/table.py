"""Parquet and Arrow files, and data sets of the Hugging Face hub: a row is a line.

Rows are read in small batches, never a whole file; pictures stay undecoded bytes until asked for.
What is written can be opened with the `datasets` library, pictures included. A set of several
splits is told by the files' names (`train-00000-of-00002.parquet`) or folders (`train/`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odia_ocr.data.sets.columns import PRESETS, Columns
from odia_ocr.data.sets.out_files import describe, name_split, told_as_output
from odia_ocr.data.sets.picture_folder import SPLITS
from odia_ocr.data.sets.sample import BytesPicture, FilePicture, Picture, Sample, clean_text
from odia_ocr.errors import DataError, OdiaOcrError, ResourceMissingError
from odia_ocr.types import Problem

BATCH = 64  # rows in memory at a time
_GROUP = 256  # rows written at a time
UNSPLIT = "lines"  # what the file of a set without splits is called
_PART = re.compile(r"(.+)-\d{5}-of-\d{5}\.")
_WRITTEN = ("id", "image", "text", "source", "extras")


def read_parquet(where: Path, columns: Columns) -> Iterator[Sample | Problem]:
    """The lines of a Parquet file, or of all in a folder.

    Raises:
        ResourceMissingError: If pyarrow is not installed.
        DataError: If a file is broken or lacks a column.
    """
    parquet = _import("pyarrow.parquet")

    def open_file(path: Path) -> Iterator[Any]:
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(batch_size=BATCH)

    yield from _read_files(where, ".parquet", open_file, columns)


def read_arrow(where: Path, columns: Columns) -> Iterator[Sample | Problem]:
    """The lines of an Arrow file (stream or file format), or of all in a folder.

    Folders that `datasets` saved with `save_to_disk` are such folders.

    Raises:
        ResourceMissingError: If pyarrow is not installed.
        DataError: If a file is broken or lacks a column.
    """
    arrow = _import("pyarrow")

    def open_file(path: Path) -> Iterator[Any]:
        with arrow.memory_map(str(path)) as mapped:
            try:
                reader = arrow.ipc.open_stream(mapped)
                batches: Iterable[Any] = reader
            except arrow.ArrowInvalid:
                reader = arrow.ipc.open_file(mapped)
                batches = map(reader.get_batch, range(reader.num_record_batches))
            for batch in batches:
                yield from (batch.slice(at, BATCH) for at in range(0, batch.num_rows, BATCH))

    yield from _read_files(where, ".arrow", open_file, columns)


def _read_files(
    where: Path, suffix: str, open_file: Any, columns: Columns
) -> Iterator[Sample | Problem]:
    arrow = _import("pyarrow")
    files = [where] if where.is_file() else sorted(where.rglob(f"*{suffix}"))
    # `save_to_disk` of a changed set keeps the rows of its cache aside.
    files = [path for path in files if not path.name.startswith("cache-")]
    for path in files:
        split = _tell_split(path, where)
        number = 0
        try:
            for batch in open_file(path):
                found = columns.find_in(batch.schema.names, where=str(path))
                table = _Table(str(path), path.parent, split, path.stem, found)
                for row in batch.to_pylist():
                    yield table.read_row(row, number)
                    number += 1
        except (arrow.ArrowInvalid, arrow.ArrowTypeError, OSError) as error:
            raise DataError(
                f"{path} cannot be read as {suffix[1:]}: {str(error).splitlines()[0]}",
                next_step="Copy or download it again.",
            ) from error


def _tell_split(path: Path, where: Path) -> str:
    part = _PART.match(path.name)
    if part and part[1] not in (UNSPLIT, "data"):  # `save_to_disk` calls every file data-...
        return part[1]
    folder = path.relative_to(where).parts[0] if path != where else path.parent.name
    return next((name for name in (path.stem, folder) if name in SPLITS), "")


def read_hub(name: str, columns: Columns) -> Iterator[Sample | Problem]:
    """The lines of a data set on the Hugging Face hub, streamed: nothing is kept on disk.

    Args:
        name: E.g. "owner/name", or "owner/name:split" for one split.
        columns: Where to find what; sets in `PRESETS` are known.

    Raises:
        ResourceMissingError: If `datasets` is not installed.
        DataError: If the set cannot be reached or lacks a column.
    """
    datasets = _import("datasets")
    repo, _, split = name.partition(":")
    columns = PRESETS.get(repo, columns) if columns == Columns() else columns
    try:
        found = datasets.load_dataset(repo, split=split or None, streaming=True)
        parts = {split: found} if split else dict(found)
        for part, rows in parts.items():
            names = rows.column_names or list(next(iter(rows), {}))
            chosen = columns.find_in(names, where=repo)
            if isinstance((rows.features or {}).get(chosen.image), datasets.Image):
                rows = rows.cast_column(chosen.image, datasets.Image(decode=False))
            table = _Table(repo, None, part, part, chosen)
            for number, row in enumerate(rows):
                yield table.read_row(row, number)
    except OdiaOcrError:
        raise
    except Exception as error:  # the library raises many kinds, from several other libraries
        raise DataError(
            f"{name} is no file or folder here, and as a data set of the hub it cannot be read "
            f"({type(error).__name__}: {str(error).partition(chr(10))[0]}).",
            next_step="Check the path, or the set's name, the network and `hf auth login`.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Table:
    """Where rows come from.

    Attributes:
        name: For messages.
        folder: What paths of pictures are relative to; None where they cannot be opened.
        split: Of all rows.
        prefix: Of the names of rows that have none.
        columns: What holds what.
    """

    name: str
    folder: Path | None
    split: str
    prefix: str
    columns: Columns

    def read_row(self, row: Mapping[str, Any], number: int) -> Sample | Problem:
        """A row as a sample; what is not one is told."""
        found = self.columns
        name = str(row.get(found.id) or f"{self.prefix}-{number:06d}")
        text = row[found.text]
        if not isinstance(text, str):
            message = f"{self.name}, row {number}: {found.text!r} is {_kind(text)}, not text."
            return Problem("transcription-missing", message, _NAME_TEXT, line_id=name)
        picture = self._open_picture(row[found.image], name)
        if picture is None:
            message = f"{self.name}, row {number}: {found.image!r} holds no picture."
            return Problem("picture-missing", message, "Name another column.", line_id=name)
        extras = {key: value for key, value in row.items() if key not in _chosen(found)}
        if isinstance(extras.get("extras"), str):  # as we write it
            extras |= _parse_extras(extras.pop("extras"))
        elif extras.get("extras", "") is None:
            extras.pop("extras")
        return Sample(
            id=name,
            picture=picture,
            text=clean_text(text),
            source=str(row.get(found.source) or "") or Path(self.name).stem,
            split=self.split,
            extras=tuple(extras.items()),
        )

    def _open_picture(self, cell: object, name: str) -> Picture | None:
        data = cell.get("bytes") if isinstance(cell, Mapping) else cell
        path = cell.get("path") if isinstance(cell, Mapping) else cell
        if isinstance(data, bytes):
            return BytesPicture(f"{self.name}, {name}", data)
        if isinstance(path, str) and self.folder is not None:
            return FilePicture(self.folder / path)
        return None


_NAME_TEXT = "Name the column of the texts: --columns text=COLUMN."


def _kind(value: object) -> str:
    return "empty" if value is None else type(value).__name__


def _chosen(columns: Columns) -> tuple[str, ...]:
    return (columns.image, columns.text, columns.source, columns.id)


def _parse_extras(said: str) -> dict[str, Any]:
    try:
        values = json.loads(said)
    except ValueError:
        return {"extras": said}
    return values if isinstance(values, dict) else {"extras": said}


def write_parquet(samples: Iterable[Sample], out: Path) -> int:
    """Write one Parquet file for each split into `out`; returns the number of lines.

    Raises:
        ResourceMissingError: If pyarrow is not installed.
        OutputError: If something cannot be written.
    """
    parquet = _import("pyarrow.parquet")
    return _write(samples, out, "parquet", lambda path, schema: parquet.ParquetWriter(path, schema))


def write_arrow(samples: Iterable[Sample], out: Path) -> int:
    """Write one Arrow stream file for each split into `out`; returns the number of lines.

    Raises:
        ResourceMissingError: If pyarrow is not installed.
        OutputError: If something cannot be written.
    """
    arrow = _import("pyarrow")
    return _write(
        samples, out, "arrow", lambda path, schema: arrow.ipc.new_stream(str(path), schema)
    )


def _write(samples: Iterable[Sample], out: Path, suffix: str, open_writer: Any) -> int:
    arrow = _import("pyarrow")
    schema = _make_schema(arrow)
    writers: dict[str, Any] = {}
    waiting: dict[str, list[dict[str, Any]]] = {}
    count = 0

    def flush(split: str) -> None:
        table = arrow.Table.from_pylist(waiting.pop(split), schema=schema)
        writers[split].write_table(table)

    with told_as_output(out), ExitStack() as stack:
        out.mkdir(parents=True, exist_ok=True)
        for sample in samples:
            split = name_split(sample.split) or UNSPLIT
            if split not in writers:
                path = out / f"{split}-00000-of-00001.{suffix}"
                writers[split] = stack.enter_context(open_writer(path, schema))
            waiting.setdefault(split, []).append(_make_row(sample))
            count += 1
            if len(waiting[split]) >= _GROUP:
                flush(split)
        for split in list(waiting):
            flush(split)
    return count


def _make_row(sample: Sample) -> dict[str, Any]:
    stored = sample.picture.store()
    extras = describe(sample)
    image = {"bytes": stored.data, "path": Path(sample.id).name + stored.suffix}
    said = json.dumps(extras, ensure_ascii=False) if extras else None
    return dict(zip(_WRITTEN, (sample.id, image, sample.text, sample.source, said), strict=True))


def _make_schema(arrow: Any) -> Any:
    """Columns, and what `datasets` reads of them: that `image` holds pictures."""
    features: dict[str, Any] = {
        name: {"dtype": "string", "_type": "Value"} for name in _WRITTEN if name != "image"
    }
    features["image"] = {"_type": "Image"}
    image = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    fields = [(name, image if name == "image" else arrow.string()) for name in _WRITTEN]
    said = json.dumps({"info": {"features": {name: features[name] for name in _WRITTEN}}})
    return arrow.schema(fields, metadata={"huggingface": said})


def _import(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ResourceMissingError(
            f"This needs a library that is not installed: {error.name}.",
            next_step="Install it with: pip install 'odia-ocr[data]'.",
        ) from error
