"""Two-page spreads: where the gutter is, and two sides that become one page in reading order.

A spread stays one page of its document, so page numbers, overlays and the pages of a searchable
PDF stay those of the file; its text is all of the left side, then all of the right. Each side is
looked at by itself, with its own skew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.pages.ink import erase_long_runs, find_ink, to_grey
from odia_ocr.pages.view import cut_view

if TYPE_CHECKING:
    from odia_ocr.pages.ink import Mask
    from odia_ocr.pages.view import View
    from odia_ocr.types import GreyPixels, Line, Page, PageImage, Problem, Region

_WIDE = 1.1  # width over height: narrower pictures are no spreads
_SIDE = 900  # longest side, pixels, at which the gutter is looked for
_MIDDLE = (0.33, 0.67)  # of the width, where a gutter may be
_EMPTY = 0.006  # of a column's pixels may be ink in the gutter
_FAINT = 0.2  # or so much of the ink of columns in general: specks and noise
_GUTTER = 0.012  # least width of the gutter, of the page's width
_SURE_GUTTER = 0.03  # narrower ones may be spaces between words, one above the other by chance:
_LINES = 8  # they need so many lines of text beside them
_NEAR = 0.12  # of the width: how far beside the gutter lines are counted
_SHARE = 0.1  # least part of the ink on either side
_LONG_RUN = 0.2  # of the longer side: the fold and rules, no letters


def split_spread(view: View) -> tuple[View, ...]:
    """The two sides of a spread, left first; the view itself where no gutter is clear."""
    grey = to_grey(view.image.pixels)
    gutter = find_gutter(grey)
    if gutter is None:
        return (replace(view, steps=(*view.steps, "spread: no gutter found")),)
    width = grey.shape[1]
    place = round(gutter * width)
    return (
        cut_view(view, 0, place, step=f"spread: left of x = {place}"),
        cut_view(view, place, width, step=f"spread: right of x = {place}"),
    )


def find_gutter(grey: GreyPixels) -> float | None:
    """Where the empty band between two pages lies, as a share of the width; None without one."""
    height, width = grey.shape
    if width < _WIDE * height:
        return None
    factor = -(-max(grey.shape) // _SIDE)
    small = np.asarray(Image.fromarray(grey).reduce(factor)) if factor > 1 else grey
    height, width = small.shape
    limit = max(30, int(_LONG_RUN * max(small.shape)))
    dark, light = (
        erase_long_runs(ink.mask, limit) for ink in find_ink(np.ascontiguousarray(small))
    )
    mask = dark if dark.sum() >= light.sum() else light
    columns = mask.mean(axis=0)
    total = float(columns.sum())
    if total == 0.0:
        return None
    left, right = (round(share * width) for share in _MIDDLE)
    empty = columns[left:right] <= max(_EMPTY, _FAINT * total / width)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], empty.astype(np.int8), [0]])))
    starts, ends = edges[::2] + left, edges[1::2] + left
    best: tuple[float, float] | None = None
    for start, end in zip(starts, ends, strict=True):
        before, after = float(columns[:start].sum()), float(columns[end:].sum())
        if end - start < _GUTTER * width or min(before, after) < _SHARE * total:
            continue
        if end - start < _SURE_GUTTER * width and _count_lines(mask, start, end) < _LINES:
            continue
        middle = (start + end) / 2
        # The widest band, and of like ones that nearest to the middle.
        worth = (end - start) / width - 0.3 * abs(middle / width - 0.5)
        if best is None or worth > best[0]:
            best = worth, middle / width
    return None if best is None else float(best[1])


def _count_lines(mask: Mask, start: int, end: int) -> int:
    """Lines of text beside a band, on the side that has more."""
    near = round(_NEAR * mask.shape[1])
    sides = (mask[:, max(0, start - near) : start], mask[:, end : end + near])
    return max(
        int(np.count_nonzero(np.diff(side.any(axis=1).astype(np.int8), prepend=0) == 1))
        for side in sides
    )


def join_sides(image: PageImage, sides: Sequence[Page]) -> Page:
    """One page of several parts in reading order; ids are counted through.

    Args:
        image: The page as given.
        sides: In the order they are read; their outlines lie on the page as given.
    """
    if len(sides) == 1:
        return sides[0]
    number = image.number
    regions: list[Region] = []
    lines: list[Line] = []
    problems: list[Problem] = []
    steps: list[str] = []
    for side in sides:
        region_ids = {
            region.id: f"p{number:04d}-r{len(regions) + i:03d}"
            for i, region in enumerate(side.regions, start=1)
        }
        line_ids = {
            line.id: f"p{number:04d}-l{len(lines) + i:03d}"
            for i, line in enumerate(side.lines, start=1)
        }
        regions += [replace(region, id=region_ids[region.id]) for region in side.regions]
        lines += [
            replace(line, id=line_ids[line.id], region=region_ids.get(line.region or ""))
            for line in side.lines
        ]
        problems += [
            replace(problem, line_id=line_ids.get(problem.line_id or ""))
            for problem in side.problems
        ]
        steps += [step for step in side.steps if step not in steps]
    return replace(
        sides[0],
        size=image.size,
        regions=tuple(regions),
        lines=tuple(lines),
        problems=tuple(problems),
        steps=tuple(steps),
    )
