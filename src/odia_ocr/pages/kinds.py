"""What kind of block a region is, from what its lines say: lists are told by their markers.

Sizes and places told headings and paragraphs before (`blocks.py`). Changes kinds only.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from odia_ocr.language.markers import begins_item

if TYPE_CHECKING:
    from odia_ocr.types import Line, Page

_LEAST = 2  # marked lines of a list
_SHARE = 0.4  # of a block's lines that are marked; items may run over several lines


def tell_kinds(page: Page) -> Page:
    """The page with blocks of marked lines as lists."""
    lines: dict[str, list[Line]] = {}
    for line in page.lines:
        if line.region is not None and line.text:
            lines.setdefault(line.region, []).append(line)
    marked = {
        region: [begins_item(line.text) for line in members] for region, members in lines.items()
    }
    ids = [region.id for region in page.regions if region.id in marked]
    lists = {
        region
        for region, marks in marked.items()
        if sum(marks) >= _LEAST and sum(marks) >= _SHARE * len(marks)
    }
    # Items that stand apart are blocks of their own: a run of them is a list, too.
    single = [region for region in ids if marked[region][0] and sum(marked[region]) == 1]
    for before, after in itertools.pairwise(ids):
        if before in single and after in single:
            lists |= {before, after}
    return replace(
        page,
        regions=tuple(
            replace(region, kind="list")
            if region.id in lists and region.kind in ("text", "paragraph")
            else region
            for region in page.regions
        ),
    )
