"""The output formats by name: one table, one way to open a writer.

A writer is a callable that takes a stream of pages and a binary stream, so a long book never sits
in memory. Order of lines is the segmenter's work; writers print what the page says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from odia_ocr.errors import name_choices
from odia_ocr.export.alto import AltoWriter
from odia_ocr.export.document_json import JsonWriter
from odia_ocr.export.hocr import HocrWriter
from odia_ocr.export.markdown import MarkdownWriter
from odia_ocr.export.origin import Origin
from odia_ocr.export.page_xml import PageXmlWriter
from odia_ocr.export.pdf import PdfWriter
from odia_ocr.export.text import TextWriter
from odia_ocr.types import Writer


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of output file.

    Attributes:
        name: As given to `--format`.
        suffix: Of the file, with its dot.
        open: Makes the writer of one document.
        one_page: A file of this format holds one page, so each page gets its own file.
        media_type: What it is called where files are sent over a network.
    """

    name: str
    suffix: str
    open: Callable[[Origin], Writer]
    one_page: bool = False
    media_type: str = "application/octet-stream"


_ROWS = (
    Format(
        "txt",
        ".txt",
        lambda origin: TextWriter(origin.paragraphs),
        media_type="text/plain; charset=utf-8",
    ),
    Format(
        "json",
        ".json",
        lambda origin: JsonWriter(origin.name, origin.problems),
        media_type="application/json",
    ),
    Format(
        "md",
        ".md",
        lambda origin: MarkdownWriter(origin.paragraphs),
        media_type="text/markdown; charset=utf-8",
    ),
    Format(
        "hocr",
        ".hocr",
        lambda origin: HocrWriter(origin.name),
        media_type="application/xhtml+xml; charset=utf-8",
    ),
    Format(
        "alto",
        ".alto.xml",
        lambda origin: AltoWriter(origin.name),
        media_type="application/xml",
    ),
    Format(
        "page",
        ".page.xml",
        lambda origin: PageXmlWriter(origin.name, origin.dated),
        one_page=True,
        media_type="application/xml",
    ),
    Format("pdf", ".pdf", PdfWriter, media_type="application/pdf"),
)
FORMATS: dict[str, Format] = {form.name: form for form in _ROWS}


def find_format(name: str) -> Format:
    """Look a format up.

    Raises:
        UsageError: If there is none of that name; the message lists those there are.
    """
    if name not in FORMATS:
        raise name_choices(name, list(FORMATS), kind="format")
    return FORMATS[name]
