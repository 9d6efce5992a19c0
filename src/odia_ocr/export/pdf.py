"""Searchable PDF: the pages as they came, with the text invisibly on them.

From a PDF the original file stays as it is, byte for byte, and the text is appended to it. From
pictures a new file is made in which they are embedded as they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from odia_ocr.export.origin import Origin
from odia_ocr.runtime import HEAD, is_pdf
from odia_ocr.types import Page, PageImage


@dataclass(frozen=True, slots=True)
class PdfWriter:
    """Writes one document as a searchable PDF.

    Attributes:
        origin: With the original file.
    """

    origin: Origin

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write `pages` to `stream`, in the order of their numbers.

        Raises:
            OutputError: If the original is broken or gone, or restricted by its owner.
        """
        from odia_ocr.export.pdf_picture import write_picture_pdf
        from odia_ocr.export.pdf_update import add_text_layer

        with self.origin.open() as original:
            head = original.read(HEAD)
            original.seek(0)
            write = add_text_layer if is_pdf(head) else write_picture_pdf
            write(self.origin.name, original, (page for page, _ in pages), stream)
