"""Markdown (CommonMark): headings, lists and paragraphs by the kind of their region.

Printed lines stay lines of the file, which a reader of Markdown joins; `paragraphs` joins them
here. What would mean something to Markdown is escaped. Pages are parted by a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from odia_ocr.export.paragraphs import join_lines, split_blocks, split_items, starts_item
from odia_ocr.types import Page, PageImage

_INLINE = re.compile(r"([\\`*_\[\]<>&~|])")
_BLOCK_START = re.compile(r"^(#{1,6}(?=\s|$)|[-+=](?=[-+=\s]|$)|[0-9]{1,9}(?=[.)](?:\s|$)))")
_BULLET = re.compile(r"[•‣▪◦●○■□*·–-]\s+")
_NUMBER = re.compile(r"([0-9]{1,3})([.)])\s+")


@dataclass(frozen=True, slots=True)
class MarkdownWriter:
    """Writes the text of pages as Markdown in UTF-8.

    Attributes:
        paragraphs: Join the printed lines of each paragraph.
    """

    paragraphs: bool = False

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write `pages` to `stream`."""
        for position, (page, _) in enumerate(pages):
            text = page_markdown(page, paragraphs=self.paragraphs)
            if position:
                text = f"\n<!-- page {page.number} -->\n" + (f"\n{text}" if text else "")
            stream.write(text.encode("utf-8", "replace"))


def page_markdown(page: Page, *, paragraphs: bool = False) -> str:
    """A page as Markdown, ending in a newline unless it is empty.

    Args:
        page: The page.
        paragraphs: Join the printed lines of each paragraph.
    """
    parts = []
    for block in split_blocks(page):
        texts = [text for text in block.texts if text]
        if not texts:
            continue
        if block.kind == "heading":
            # A heading is one line of Markdown, whatever it was in print.
            parts.append("## " + _escape(join_lines(texts)).rstrip("#"))
        elif block.kind == "list":
            parts.extend(_list_parts(texts, paragraphs))
        elif block.kind == "caption":
            parts.append("*" + "*\n*".join(map(_escape, _lines(texts, paragraphs))) + "*")
        else:
            lines = texts if block.kind == "table" else _lines(texts, paragraphs)
            parts.append("\n".join(map(_escape, lines)))
    return "\n\n".join(parts) + "\n" if parts else ""


def _lines(texts: Sequence[str], paragraphs: bool) -> Sequence[str]:
    return [join_lines(texts)] if paragraphs else texts


def _list_parts(texts: Sequence[str], paragraphs: bool) -> list[str]:
    """The items of a list; what stands before the first marker is a paragraph that leads to it."""
    items = split_items(texts)
    lead = [] if starts_item(items[0][0]) or not any(map(starts_item, texts)) else items.pop(0)
    parts = ["\n".join(map(_escape, _lines(lead, paragraphs)))] if lead else []
    return [*parts, "\n".join(_item(item, paragraphs) for item in items)]


def _item(texts: Sequence[str], paragraphs: bool) -> str:
    first, *more = _lines(texts, paragraphs)
    bullet, number = _BULLET.match(first), _NUMBER.match(first)
    if number:
        head = f"{number[1]}{number[2]} "
        first = first[number.end() :]
    else:
        # Markdown knows no Odia numbers; they stay in the text behind its own bullet.
        head = "- "
        first = first[bullet.end() :] if bullet else first
    indent = " " * len(head)
    return "\n".join([head + _escape(first), *(indent + _escape(text) for text in more)])


def _escape(text: str) -> str:
    text = _INLINE.sub(r"\\\1", text)
    match = _BLOCK_START.match(text)
    if match is None:
        return text
    if match[1].isdigit():
        return f"{match[1]}\\{text[match.end() :]}"
    return "\\" + text
