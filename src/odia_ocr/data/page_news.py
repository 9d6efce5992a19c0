"""Layouts in columns: newspapers with headlines and insets, magazines with coloured boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.data.page_books import page_number
from odia_ocr.data.page_cards import choose_colour
from odia_ocr.data.page_pictures import paint_photo, random_colour
from odia_ocr.data.page_sheet import BLACK, WHITE, Box, Colour, Ink, Sheet

if TYPE_CHECKING:
    from odia_ocr.data.page_desk import Desk
    from odia_ocr.data.page_typeset import Align, Setting


@dataclass(frozen=True, slots=True)
class _Grid:
    """What the articles of a page share.

    Attributes:
        column: Width of a column in pixels.
        gap: Between columns.
        rules: A rule stands in the gap.
        align: Of running text.
        indent: Of paragraphs, in em.
        tints: Grounds of boxes and bands; empty in black and white.
    """

    column: float
    gap: float
    rules: bool
    align: Align
    indent: float
    tints: tuple[Colour, ...] = ()


def lay_news(desk: Desk) -> Sheet:
    """A newspaper page or a clipping: masthead, articles in columns, pictures, insets."""
    dice = desk.dice
    columns = dice.pick([1, 2, 2, 3, 3, 4])
    desk.unit = dice.scaled(21, 31)
    desk.look = replace(desk.look, leading=dice.between(1.2, 1.6), stretch=dice.scaled(0.82, 1.08))
    gap = dice.between(0.7, 1.6) * desk.unit
    column = dice.between(10, 16) * desk.unit
    margin = dice.between(0.5, 2.2) * desk.unit
    width = columns * column + (columns - 1) * gap + 2 * margin
    height = width * dice.between(0.6, 1.45) if columns > 1 else width * dice.between(1.0, 2.2)
    sheet = desk.new_sheet(width, min(height, 2_600_000 / width))
    grid = _Grid(
        column,
        gap,
        dice.chance(0.5),
        "justify" if dice.chance(0.75) else "left",
        dice.pick([0.0, 1.0, 1.5]),
    )
    top = margin
    if columns > 1 and dice.chance(0.35):
        top = _masthead(desk, sheet, (margin, top, width - margin, sheet.height / 3))
    _split(desk, sheet, (margin, top, width - margin, sheet.height - margin), columns, grid)
    return sheet


def lay_magazine(desk: Desk) -> Sheet:
    """A magazine page: coloured bands with light headings, tinted boxes, pictures, pull quotes."""
    dice = desk.dice
    columns = dice.pick([1, 2, 2, 3])
    desk.unit = dice.scaled(21, 32)
    gap = dice.between(0.9, 2.0) * desk.unit
    column = dice.between(11, 19) * desk.unit * (1.5 if columns == 1 else 1.0)
    margin = dice.between(0.8, 3.0) * desk.unit
    width = columns * column + (columns - 1) * gap + 2 * margin
    paper = WHITE if dice.chance(0.6) else random_colour(dice, 215, 255)
    sheet = desk.new_sheet(width, min(width * dice.between(0.9, 1.45), 2_200_000 / width), paper)
    tints = tuple(choose_colour(desk) for _ in range(dice.whole(1, 3)))
    align: Align = "justify" if dice.chance(0.4) else "left"
    grid = _Grid(column, gap, dice.chance(0.15), align, dice.pick([0.0, 1.0]), tints)
    left, right, top = margin, width - margin, margin
    furniture = desk.setting(0.75, align=dice.pick(["left", "right"]), leading=1.5)
    if dice.chance(0.5):
        base = top + furniture.size
        desk.line(sheet, desk.setter.phrase(1, 3), left, right - left, base, furniture)
        top = base + desk.unit
    foot = dice.chance(0.5)
    bottom = sheet.height - margin - (1.5 * desk.unit if foot else 0.0)
    top = _banner(desk, sheet, (0.0, top, width, bottom), margin, grid)
    _split(desk, sheet, (left, top, right, bottom), columns, grid)
    if foot:
        desk.line(sheet, [page_number(desk)], left, right - left, sheet.height - margin, furniture)
    return sheet


def _masthead(desk: Desk, sheet: Sheet, box: Box) -> float:
    """The paper's name, a dateline between rules; returns the lower edge."""
    dice = desk.dice
    left, y, right, bottom = box
    name = desk.setting(dice.between(2.4, 4.0), head=True, align="centre", leading=1.35)
    y = desk.text(
        sheet, desk.setter.phrase(1, 2)[:2], (left, y, right, bottom), name, kind="heading"
    )
    y += 0.2 * desk.unit
    date = desk.setting(0.85, leading=1.5)
    thick = dice.whole(1, 3)
    sheet.rule(left, y, right, y, thick=thick)
    base = y + 1.15 * date.size
    region = sheet.open_region("text")
    third = (right - left) / 3
    aligns: tuple[Align, ...] = ("left", "centre", "right")
    for i, align in enumerate(aligns):
        words = [desk.setter.word(), desk.setter.number()]
        chosen = replace(date, align=align)
        desk.line(sheet, words, left + i * third, third * 0.95, base, chosen, region=region)
    y = base + 0.6 * date.size
    sheet.rule(left, y, right, y, thick=thick)
    return y + 0.6 * desk.unit


def _banner(desk: Desk, sheet: Sheet, box: Box, margin: float, grid: _Grid) -> float:
    """A magazine's title on a band or a picture; returns the lower edge."""
    dice = desk.dice
    left, top, right, bottom = box
    head = desk.setting(
        dice.between(1.6, 3.2), head=True, align=dice.pick(["left", "centre"]), leading=1.4
    )
    words = desk.setter.phrase(2, 6)
    lines = desk.setter.set_words(words, head, right - left - 2 * margin)[:3]
    deep = len(lines) * head.step
    if top + deep > bottom - 6 * desk.unit:
        return top
    ink = Ink()
    if dice.chance(0.6):
        ground = dice.pick(grid.tints)
        sheet.fill((left, top, right, top + deep + 0.6 * desk.unit), ground)
        ink = Ink(desk.contrast(ground))
    elif dice.chance(0.4):  # the title on a picture
        tall = min((bottom - top) * 0.4, deep + dice.between(3, 9) * desk.unit)
        dark = dice.chance(0.6)
        photo = paint_photo(dice, round(tall), round(right - left)).astype(np.float32) * 0.5
        sheet.paste((photo if dark else photo + 127).astype(np.uint8), left, top)
        colour = WHITE if dark else BLACK
        ink = Ink(colour, shadow=BLACK if dark else None, shadow_shift=2)
        region = sheet.open_region("heading")
        start = top + dice.pick([0.3 * desk.unit, tall - deep - 0.3 * desk.unit])
        sheet.put_block(lines, left + margin, start, head.step, region, ink)
        return top + tall + dice.between(0.4, 1.2) * desk.unit
    region = sheet.open_region("heading")
    y = sheet.put_block(lines, left + margin, top + 0.3 * desk.unit, head.step, region, ink)
    return y + dice.between(0.6, 1.4) * desk.unit


def _split(desk: Desk, sheet: Sheet, box: Box, columns: int, grid: _Grid) -> None:
    """Share a box out among articles, above or beside each other, in reading order."""
    dice = desk.dice
    left, top, right, bottom = box
    unit = desk.unit
    tall = bottom - top > 30 * unit
    if tall and dice.chance(0.6):
        middle = top + (bottom - top) * dice.between(0.35, 0.65)
        _split(desk, sheet, (left, top, right, middle - 0.5 * unit), columns, grid)
        if dice.chance(0.5):
            sheet.rule(left, middle, right, middle, thick=dice.whole(1, 2))
        _split(desk, sheet, (left, middle + 0.5 * unit, right, bottom), columns, grid)
        return
    if columns >= 3 and dice.chance(0.5):
        first = dice.whole(1, columns - 1)
        middle = left + first * (grid.column + grid.gap) - grid.gap
        _article(desk, sheet, (left, top, middle, bottom), first, grid)
        if grid.rules:
            at = middle + grid.gap / 2
            sheet.rule(at, top, at, bottom)
        _article(desk, sheet, (middle + grid.gap, top, right, bottom), columns - first, grid)
        return
    _article(desk, sheet, box, columns, grid)


def _article(desk: Desk, sheet: Sheet, box: Box, columns: int, grid: _Grid) -> None:
    """A headline across the columns, then text, a picture in its place, an inset at the end."""
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    ink = Ink()
    if bottom - top < 5 * unit:
        return
    ground = None
    if dice.chance(0.12):
        ground = dice.pick(grid.tints) if grid.tints else dice.pick([(225, 225, 225), (40, 40, 40)])
        sheet.fill((left - 0.3 * unit, top, right + 0.3 * unit, bottom), ground)
        ink = Ink(desk.contrast(ground))
        top, bottom = top + 0.4 * unit, bottom - 0.4 * unit
    y = _headline(desk, sheet, (left, top, right, bottom), columns, grid, ink)
    setting = desk.setting(align=grid.align, indent=grid.indent)
    spots = [(left + i * (grid.column + grid.gap), y) for i in range(columns)]
    tops = [y] * columns
    picture = None
    if dice.chance(0.5) and bottom - y > 14 * unit:
        span = dice.whole(1, columns)
        first = dice.whole(0, columns - span)
        picture = (first, span)
        wide = span * (grid.column + grid.gap) - grid.gap
        tall = min((bottom - y) * 0.5, wide * dice.between(0.5, 1.0))
    inset = None
    if dice.chance(0.3) and bottom - y > 18 * unit:
        inset = (bottom - y) * dice.between(0.25, 0.4)
    for i, (x, start) in enumerate(spots):
        if picture and i == picture[0]:
            lower = desk.photo(
                sheet,
                (x, start + 0.2 * unit, x + wide, start + tall),
                caption=dice.chance(0.7),
            )
            for j in range(picture[0], picture[0] + picture[1]):
                tops[j] = lower + 0.5 * unit
        last = i + 1 == columns
        end = bottom - inset - unit if inset and last else bottom
        if dice.chance(0.15) and last:
            end -= dice.between(0, 0.4) * (end - tops[i])
        start = tops[i]
        if grid.tints and dice.chance(0.25) and end - start > 16 * unit:
            start = _pull_quote(desk, sheet, (x, start, x + grid.column, end), grid, setting, ink)
        desk.column(sheet, (x, start, x + grid.column, end), setting, ink=ink)
        if grid.rules and not last:
            at = x + grid.column + grid.gap / 2
            crossed = picture and picture[0] <= i < picture[0] + picture[1] - 1
            sheet.rule(at, tops[i] if crossed else y, at, bottom)
        if inset and last:
            _inset(desk, sheet, (x, bottom - inset, x + grid.column, bottom), grid)


def _pull_quote(
    desk: Desk, sheet: Sheet, box: Box, grid: _Grid, setting: Setting, ink: Ink
) -> float:
    """Some text, then a sentence in large letters between rules; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    y = top + setting.step * dice.whole(3, 6)
    y = desk.column(sheet, (left, top, right, y + 1), setting, ink=ink) + 0.5 * unit
    colour = (
        ink.colour if dice.chance(0.5) else desk.contrast(BLACK if ink.colour == WHITE else WHITE)
    )
    large = desk.setting(dice.between(1.2, 1.6), head=True, align="centre", leading=1.45)
    sheet.rule(left, y, right, y, colour, thick=2)
    words = ["“", *desk.setter.phrase(4, 9), "”"] if dice.chance(0.5) else desk.setter.phrase(4, 9)
    limit = min(bottom, y + 4 * large.step)
    y = desk.text(sheet, words, (left, y + 0.2 * unit, right, limit), large, ink=Ink(colour))
    sheet.rule(left, y + 0.2 * unit, right, y + 0.2 * unit, colour, thick=2)
    return y + 0.7 * unit


def _headline(desk: Desk, sheet: Sheet, box: Box, columns: int, grid: _Grid, ink: Ink) -> float:
    """Headline, sometimes on a band, with a line above or below it; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, y, right, bottom = box
    if not dice.chance(0.9):
        return y
    if dice.chance(0.2):
        kicker = desk.setting(
            dice.between(0.9, 1.2), align=dice.pick(["left", "centre"]), leading=1.5
        )
        limit = y + kicker.step + 1
        y = desk.text(sheet, desk.setter.phrase(2, 4), (left, y, right, min(bottom, limit)), kicker,
                      kind="heading", ink=ink)  # fmt: skip
    scale = dice.between(1.3, 1.8) + 0.45 * columns * dice.between(0.4, 1.0)
    head = desk.setting(scale, head=True, align=dice.pick(["left", "centre", "left"]), leading=1.38)
    words = desk.setter.phrase(2, 3 + 2 * columns)
    lines = desk.setter.set_words(words, head, right - left - 0.4 * unit)[:3]
    deep = len(lines) * head.step
    if y + deep > bottom - 2 * unit:
        return y
    if grid.tints and dice.chance(0.4):
        ground = dice.pick(grid.tints)
        sheet.fill((left, y, right, y + deep), ground, radius=dice.pick([0.0, 0.3 * unit]))
        ink = Ink(desk.contrast(ground))
    elif dice.chance(0.06):
        sheet.fill((left, y, right, y + deep), BLACK)
        ink = Ink(WHITE)
    region = sheet.open_region("heading")
    y = sheet.put_block(lines, left + 0.2 * unit, y, head.step, region, ink)
    if dice.chance(0.25):
        by = desk.setting(0.85, align=dice.pick(["left", "right"]), leading=1.5)
        words = [*desk.setter.name()[:2], dice.pick([":", ",", "–"])]
        limit = y + by.step + 1
        y = desk.text(sheet, words, (left, y, right, min(bottom, limit)), by, kind="text")
    return y + dice.between(0.1, 0.7) * unit


def _inset(desk: Desk, sheet: Sheet, box: Box, grid: _Grid) -> None:
    """A box at the foot of a column: tinted or framed, a heading, a short text or list."""
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    ink = Ink()
    if dice.chance(0.6):
        ground = dice.pick(grid.tints) if grid.tints else dice.pick([(215, 215, 215), (235,) * 3])
        sheet.fill(box, (ground[0], ground[1], ground[2]), radius=dice.pick([0.0, 0.4 * unit]))
        ink = Ink(desk.contrast((ground[0], ground[1], ground[2])))
    if dice.chance(0.6):
        sheet.frame(box, BLACK, dice.whole(1, 3))
    pad = dice.between(0.4, 0.8) * unit
    left, y, right, bottom = left + pad, top + pad, right - pad, bottom - 0.4 * pad
    head = desk.setting(dice.between(1.0, 1.4), head=True, align="centre", leading=1.45)
    y = desk.text(sheet, desk.setter.phrase(1, 4), (left, y, right, y + 2 * head.step + 1), head,
                  kind="heading", ink=ink)  # fmt: skip
    if dice.chance(0.4):
        item = desk.setting(0.95, align="left", hang=1.0, leading=1.45)
        region = sheet.open_region("list")
        for i in range(dice.whole(2, 5)):
            mark = dice.pick(["•", f"{i + 1}."])
            words = [mark, *desk.setter.phrase(2, 8)]
            if bottom - y < item.step:
                break
            y = desk.text(sheet, words, (left, y, right, bottom), item, region=region, ink=ink)
    else:
        desk.column(sheet, (left, y, right, bottom), desk.setting(0.95, align=grid.align), ink=ink)
