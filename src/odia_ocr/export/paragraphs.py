"""The blocks of a page, and how the printed lines of one become running text.

Lines are taken in the order the page has them in. Which lines belong together is the region's
word; nothing here looks at geometry.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from odia_ocr.language.markers import begins_item
from odia_ocr.types import Line, Page, Polygon

# Regions whose lines run on. "text" is a block of which no more is known.
RUNNING_KINDS = frozenset({"text", "paragraph", "heading", "caption"})

_SOFT_HYPHEN = "\u00ad"
_LATIN = "A-Za-z\u00c0-\u024f"
_SPLIT_WORD = re.compile(f"[{_LATIN}][-\u2010]$")
_WORD_GOES_ON = re.compile("[a-z\u00df-\u00f6\u00f8-\u00ff]")
_COMPOUND = re.compile(r"[^\s\W][\u0b01-\u0b03\u0b3c-\u0b57\u200c\u200d]*[-\u2010]$")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand together, in reading order.

    Attributes:
        id: Unique on its page.
        kind: As `Region.kind`.
        polygon: Of the region, else around the lines.
        lines: One or more.
    """

    id: str
    kind: str
    polygon: Polygon
    lines: tuple[Line, ...]

    @property
    def texts(self) -> list[str]:
        """The text of each line that was read."""
        return [line.text for line in self.lines if line.reading is not None]


def split_blocks(page: Page) -> tuple[Block, ...]:
    """The blocks of a page: runs of lines that belong to one region, or to none.

    A region whose lines are interrupted by others makes a block for each run.
    """
    regions = {region.id: region for region in page.regions}
    taken = set(regions)
    seen: set[str] = set()
    blocks = []
    for region_id, run in groupby(page.lines, key=lambda line: line.region):
        lines = tuple(run)
        region = None if region_id is None else regions.get(region_id)
        whole = region is not None and region.id not in seen
        name = region.id if region is not None else region_id or "block"
        if not whole:
            name = _free_name(name, taken)
        seen.add(name)
        taken.add(name)
        polygon = region.polygon if region is not None and whole else _around(lines)
        blocks.append(Block(name, region.kind if region else "text", polygon, lines))
    return tuple(blocks)


def _free_name(name: str, taken: set[str]) -> str:
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def _around(lines: Sequence[Line]) -> Polygon:
    lefts, tops, rights, bottoms = zip(*(line.box for line in lines), strict=True)
    left, top, right, bottom = min(lefts), min(tops), max(rights), max(bottoms)
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def page_paragraphs(page: Page) -> str:
    """The text of a page with the lines of each paragraph joined, a blank line between blocks."""
    parts = []
    for block in split_blocks(page):
        texts = block.texts
        if block.kind in RUNNING_KINDS:
            texts = [join_lines(texts)]
        elif block.kind == "list":
            texts = [join_lines(item) for item in split_items(texts)]
        if any(texts):
            parts.append("\n".join(texts))
    return "\n\n".join(parts)


def join_lines(texts: Sequence[str]) -> str:
    """Printed lines as one.

    A soft hyphen at a line's end goes, and so does a hyphen after a Latin letter when the next
    line goes on in lower case. Odia is hardly ever hyphenated: any other hyphen is part of a
    compound and stays, without a space after it.
    """
    joined = ""
    for text in texts:
        if not joined or not text:
            joined += text
        elif joined.endswith(_SOFT_HYPHEN) or (
            _SPLIT_WORD.search(joined) and _WORD_GOES_ON.match(text)
        ):
            joined = joined[:-1] + text
        elif _COMPOUND.search(joined):
            joined += text
        else:
            joined += " " + text
    return joined


def split_items(texts: Sequence[str]) -> list[list[str]]:
    """The lines of each item of a list; every line is one when none begins with a marker."""
    if not any(starts_item(text) for text in texts):
        return [[text] for text in texts]
    items: list[list[str]] = []
    for text in texts:
        if items and not starts_item(text):
            items[-1].append(text)
        else:
            items.append([text])
    return items


def starts_item(text: str) -> bool:
    """True when `text` begins with a bullet or a number."""
    return begins_item(text)
