"""All lines of a batch as one Parquet file, in the order of documents, pages and reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from odia_ocr.apps.batch.manifest import Manifest
from odia_ocr.apps.sinks import replace_file
from odia_ocr.errors import name_extra
from odia_ocr.types import Line

LINES = "lines.parquet"
_GROUP = 20_000  # rows; fixed, so that the file does not depend on how often a batch was broken off


def check_library() -> None:
    """Find out before the first page is read whether the table can be written.

    Raises:
        ResourceMissingError: If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise name_extra(error, "batch", doing="A table of lines") from error


def write_lines(manifest: Manifest, path: Path) -> int:
    """Write the table; gives the number of lines.

    Raises:
        OutputError: If it cannot be written.
    """
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    schema = _make_schema(pyarrow)
    waiting: list[dict[str, Any]] = []
    count = 0
    with replace_file(path) as stream, ParquetWriter(stream, schema) as writer:
        for row in _rows(manifest):
            waiting.append(row)
            count += 1
            if len(waiting) == _GROUP:
                writer.write_table(pyarrow.Table.from_pylist(waiting, schema=schema))
                waiting.clear()
        if waiting:
            writer.write_table(pyarrow.Table.from_pylist(waiting, schema=schema))
    return count


def _make_schema(pyarrow: Any) -> Any:
    point = pyarrow.list_(pyarrow.float64())
    return pyarrow.schema(
        [
            ("document", pyarrow.string()),
            ("page", pyarrow.int32()),
            ("line", pyarrow.string()),
            ("region", pyarrow.string()),
            ("polygon", pyarrow.list_(point)),
            ("text", pyarrow.string()),
            ("confidence", pyarrow.float64()),
        ]
    )


def _rows(manifest: Manifest) -> Iterator[dict[str, Any]]:
    for document in manifest.documents():
        for kept in manifest.pages(document.id):
            for line in kept.page.lines if kept.page else ():
                yield {"document": document.name, "page": kept.number, **_describe(line)}


def _describe(line: Line) -> dict[str, Any]:
    """A line; one that could not be read has neither text nor confidence."""
    return {
        "line": line.id,
        "region": line.region,
        "polygon": [list(point) for point in line.polygon],
        "text": None if line.reading is None else line.reading.text,
        "confidence": None if line.reading is None else line.reading.confidence,
    }
