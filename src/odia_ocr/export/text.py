"""Plain text: one printed line a line, a blank line between regions, a form feed between pages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from odia_ocr.types import Page, PageImage


def write_text(pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
    """Write the text of `pages` as UTF-8; a blank page leaves its form feed."""
    for position, (page, _) in enumerate(pages):
        if position:
            stream.write(b"\f")
        stream.write(page_text(page).encode("utf-8"))


def page_text(page: Page) -> str:
    """The text of a page, ending in a newline unless it is empty."""
    return f"{page.text}\n" if page.text else ""
