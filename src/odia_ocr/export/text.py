"""Plain text: one printed line a line, a blank line between regions, a form feed between pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from odia_ocr.export.paragraphs import page_paragraphs
from odia_ocr.types import Page, PageImage


@dataclass(frozen=True, slots=True)
class TextWriter:
    """Writes the text of pages as UTF-8; a blank page leaves its form feed.

    Attributes:
        paragraphs: Join the printed lines of each paragraph.
    """

    paragraphs: bool = False

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write `pages` to `stream`."""
        for position, (page, _) in enumerate(pages):
            if position:
                stream.write(b"\f")
            stream.write(page_text(page, paragraphs=self.paragraphs).encode("utf-8", "replace"))


def page_text(page: Page, *, paragraphs: bool = False) -> str:
    """The text of a page, ending in a newline unless it is empty.

    Args:
        page: The page.
        paragraphs: Join the printed lines of each paragraph.
    """
    text = page_paragraphs(page) if paragraphs else page.text
    return f"{text}\n" if text else ""
