"""The output formats by name: one table, one way to open a writer.

A writer is a callable that takes a stream of pages and a binary stream, so a long book never sits
in memory. Order of lines is the segmenter's work; writers print what the page says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odia_ocr.errors import UsageError, name_choices
from odia_ocr.export import document_json, text
from odia_ocr.types import Problem, Writer


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of output file.

    Attributes:
        name: As given to `--format`.
        suffix: Of the file, with its dot.
        open: Makes the writer of one document from its source name and its problems; the problems
            are looked at after the last page, so the list may grow until then.
    """

    name: str
    suffix: str
    open: Callable[[str, Sequence[Problem]], Writer]


FORMATS: dict[str, Format] = {
    "txt": Format("txt", ".txt", lambda source, problems: text.write_text),
    "json": Format("json", ".json", document_json.JsonWriter),
}
_PLANNED = frozenset({"md", "hocr", "alto", "page", "pdf"})


def find_format(name: str) -> Format:
    """Look a format up.

    Raises:
        UsageError: If there is none of that name; the message lists those there are.
    """
    if name in FORMATS:
        return FORMATS[name]
    if name in _PLANNED:
        raise UsageError(
            f"The format {name!r} is not available in this version.",
            next_step=f"Available: {', '.join(FORMATS)}.",
        )
    raise name_choices(name, list(FORMATS), kind="format")
