"""Layouts of books: pages of prose with their furniture, and poems."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.data.page_pictures import paint_photo
from odia_ocr.data.page_sheet import BLACK, Box, Sheet

if TYPE_CHECKING:
    from odia_ocr.data.page_desk import Desk
    from odia_ocr.data.page_typeset import Align, Setting

_ODIA_DIGITS = str.maketrans("0123456789", "୦୧୨୩୪୫୬୭୮୯")


def page_number(desk: Desk) -> str:
    """A page number in Odia or ASCII digits, some with dashes or brackets."""
    number = str(desk.dice.whole(1, 640))
    if desk.dice.chance(0.6):
        number = number.translate(_ODIA_DIGITS)
    return desk.dice.pick([number, number, number, f"– {number} –", f"({number})", f"[{number}]"])


def lay_book(desk: Desk) -> Sheet:
    """A page of a book, or a spread of two: furniture, headings, paragraphs, footnotes."""
    dice = desk.dice
    two = dice.chance(0.1)
    width = dice.scaled(640, 1500) if not two else dice.scaled(620, 900)
    desk.unit = min(48.0, max(20.0, width / dice.scaled(18, 42)))
    sheet = desk.new_sheet(width * (2 if two else 1), width * dice.between(1.15, 1.55))
    unit, height = desk.unit, sheet.height
    if dice.chance(0.3) and not two:  # a crop that leaves no margin
        left, right = dice.between(0.2, 0.6) * unit, width - dice.between(0.2, 0.6) * unit
        top, bottom = 0.4 * unit, height - 0.4 * unit
    else:
        left, right = width * dice.between(0.06, 0.15), width * dice.between(0.86, 0.94)
        top, bottom = height * dice.between(0.04, 0.1), height * dice.between(0.9, 0.96)
    align: Align = "justify" if dice.chance(0.7) else "left"
    setting = desk.setting(align=align, indent=dice.pick([0.0, 1.0, 1.5, 2.0, 3.0]))
    for page in range(2 if two else 1):
        shift = page * width
        _lay_page(desk, sheet, (left + shift, top, right + shift, bottom), setting)
    return sheet


def _lay_page(desk: Desk, sheet: Sheet, box: Box, setting: Setting) -> None:
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    furniture = desk.setting(dice.between(0.75, 0.95), leading=1.5)
    number = page_number(desk)
    numbered = False
    if dice.chance(0.6):
        numbered = dice.chance(0.4)
        top = _running_head(desk, sheet, box, furniture, number if numbered else None)
    foot = None
    if not numbered and dice.chance(0.75):
        foot = bottom - 0.3 * unit
        bottom -= dice.between(1.7, 2.4) * unit
    notes = dice.whole(1, 3) if dice.chance(0.25) else 0
    note = desk.setting(0.72, align=setting.align, leading=1.4)
    limit = bottom - (notes * 2 * note.step + 0.4 * unit if notes else 0.0)
    if dice.chance(0.35):
        top = _chapter(desk, sheet, (left, top, right, limit))
    _prose(desk, sheet, (left, top, right, limit), setting)
    if notes:
        _footnotes(desk, sheet, (left, limit, right, bottom), note, notes)
    if foot:
        place = replace(furniture, align=dice.pick(["centre", "centre", "right", "left"]))
        desk.line(sheet, [number], left, right - left, foot, place)


def _running_head(
    desk: Desk, sheet: Sheet, box: Box, setting: Setting, number: str | None
) -> float:
    """Title of the book or chapter, perhaps with the page number; returns where text may begin."""
    dice, unit = desk.dice, desk.unit
    left, top, right, _ = box
    measure = right - left
    base = top + 1.1 * setting.size
    title = desk.setter.phrase(1, 4)
    region = sheet.open_region("text")
    if number:
        ends = [title, [number]] if dice.chance(0.5) else [[number], title]
        sides: tuple[Align, ...] = ("left", "right")
        for words, align in zip(ends, sides, strict=True):
            chosen = replace(setting, align=align)
            wide = 0.6 * measure if words is title else 0.3 * measure
            x = left if align == "left" else right - wide
            desk.line(sheet, words, x, wide, base, chosen, region=region)
    else:
        chosen = replace(setting, align=dice.pick(["centre", "left", "right"]))
        desk.line(sheet, title, left, measure, base, chosen, region=region)
    if dice.chance(0.4):
        sheet.rule(left, base + 0.6 * unit, right, base + 0.6 * unit, thick=dice.whole(1, 2))
    return base + dice.between(0.9, 1.8) * unit


def _chapter(desk: Desk, sheet: Sheet, box: Box) -> float:
    """A chapter's heading, perhaps with an ornament; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    head = desk.setting(
        dice.between(1.2, 2.2), head=True, align=dice.pick(["centre", "centre", "left"])
    )
    top += dice.between(0.0, 2.5) * unit
    region = sheet.open_region("heading")
    words = desk.setter.phrase(1, 6)
    top = desk.text(
        sheet, words, (left, top, right, min(bottom, top + 2.01 * head.step)), head, region=region
    )
    if dice.chance(0.2):
        desk.underline(sheet, region)
    top += dice.between(0.2, 1.2) * unit
    if dice.chance(0.25) and bottom - top > 2 * unit:
        middle = (left + right) / 2
        desk.ornament(sheet, middle, top + 0.3 * unit, unit * dice.between(2, 6), 0.6 * unit)
        top += unit
    return top


def _prose(desk: Desk, sheet: Sheet, box: Box, setting: Setting) -> None:
    """Paragraphs to the foot, between them subheadings, verses, quotations and pictures."""
    dice, unit = desk.dice, desk.unit
    left, y, right, limit = box
    gap = dice.pick([0.0, 0.0, 0.0, 0.5, 0.9])
    while limit - y >= setting.step:
        stop = limit if dice.chance(0.5) else min(limit, y + dice.between(4, 18) * setting.step)
        before = y
        y = desk.column(sheet, (left, y, right, stop), setting, gap=gap)
        if limit - y < 6 * setting.step or dice.chance(0.05):
            break
        y += 0.4 * unit
        kind = dice.weigh({"head": 0.35, "verse": 0.15, "quote": 0.15, "photo": 0.15, "none": 0.2})
        if kind == "head":
            head = desk.setting(
                dice.between(1.0, 1.35), head=True, align=dice.pick(["left", "centre"])
            )
            y = desk.text(
                sheet, desk.setter.phrase(1, 5), (left, y, right, limit), head, kind="heading"
            )
        elif kind == "verse":
            y = _stanza(desk, sheet, (left + 3 * unit, y, right, limit), setting) + 0.4 * unit
        elif kind == "quote":
            small = replace(setting.resize(0.9), indent=0.0)
            edge = dice.between(1.5, 3.0) * unit
            y = desk.text(
                sheet,
                desk.setter.paragraph(dice.whole(10, 40)),
                (left + edge, y, right - edge, limit),
                small,
            )
            y += 0.4 * unit
        elif kind == "photo" and limit - y > 9 * unit:
            wide = (right - left) * dice.between(0.4, 1.0)
            x = left + (right - left - wide) * dice.pick([0.0, 0.5, 1.0])
            tall = min(wide * dice.between(0.5, 0.9), limit - y - 4 * unit)
            lower = desk.photo(sheet, (x, y, x + wide, y + tall), caption=dice.chance(0.7))
            y = lower + 0.7 * unit
        if y <= before:
            break


def _stanza(desk: Desk, sheet: Sheet, box: Box, setting: Setting) -> float:
    """Two or four lines of verse within prose; returns the lower edge."""
    left, y, right, limit = box
    plain = replace(setting, align="left", indent=0.0)
    region = sheet.open_region("text")
    for row in range(desk.dice.pick([2, 4])):
        if limit - y < plain.step:
            break
        words = [*desk.setter.phrase(2, 4), "।" if row % 2 == 0 else "।।"]
        line = desk.setter.set_words(words, plain, right - left)[:1]
        y = sheet.put_block(line, left, y, plain.step, region, bottom=limit)
    return y


def _footnotes(desk: Desk, sheet: Sheet, box: Box, setting: Setting, count: int) -> None:
    """A short rule and small numbered notes."""
    dice = desk.dice
    left, top, right, bottom = box
    sheet.rule(left, top, left + (right - left) * dice.between(0.2, 0.5), top, BLACK)
    y = top + 0.3 * desk.unit
    for i in range(count):
        mark = str(i + 1).translate(_ODIA_DIGITS) if dice.chance(0.6) else str(i + 1)
        words = [mark + dice.pick([".", ")", ""]), *desk.setter.paragraph(dice.whole(4, 16))]
        limit = min(bottom, y + 2.01 * setting.step)
        y = desk.text(sheet, words, (left, y, right, limit), setting, kind="text")


def lay_poem(desk: Desk) -> Sheet:
    """A poem: title, stanzas of short ragged or centred lines, the poet's name."""
    dice = desk.dice
    width = dice.scaled(560, 1300)
    desk.unit = max(20.0, width / dice.scaled(15, 30))
    unit = desk.unit
    align: Align = dice.pick(["left", "left", "centre"])
    setting = desk.setting(align=align)
    stanzas = dice.whole(1, 6)
    rows = dice.pick([2, 2, 4, 4, 4, 5, 6])
    height = min(
        1.7 * width, (stanzas * (rows + 1.2) + 6) * setting.step + dice.between(2, 10) * unit
    )
    sheet = desk.new_sheet(width, max(0.7 * width, height))
    if desk.colour and dice.chance(0.6):
        _paint_behind(desk, sheet)
    left, right = width * dice.between(0.04, 0.25), width * dice.between(0.75, 0.96)
    if align == "centre" and dice.chance(0.5):
        left, right = width * 0.05, width * 0.95
    y = dice.between(0.5, 3) * unit
    limit = sheet.height - 0.6 * unit
    if dice.chance(0.85):
        head = desk.setting(dice.between(1.1, 2.0), head=True, align=dice.pick(["centre", align]))
        words = desk.setter.phrase(1, 4)
        if dice.chance(0.15):
            words = ['"', *words, '"']
        y = desk.text(sheet, words, (left, y, right, limit), head, kind="heading")
        y += dice.between(0.2, 1.2) * unit
    poet = desk.setter.name()
    by = desk.setting(dice.between(0.75, 1.0), align=dice.pick(["right", "centre", "left"]))
    name_first = dice.chance(0.4)
    if name_first:
        y = desk.text(sheet, poet, (left, y, right, limit), by, kind="text") + 0.6 * unit
    odd_indent = dice.pick([0.0, 0.0, 0.0, 1.5, 3.0])
    low, high = dice.pick([(2, 4), (3, 5), (4, 6)])
    for stanza in range(stanzas):
        region = sheet.open_region("text")
        for row in range(rows):
            if limit - y < setting.step:
                break
            words = desk.setter.phrase(low, high)
            if row % 2 == 1 or row + 1 == rows:
                words.append(dice.pick(["।", "।", "।।", ",", "!"]))
            inset = odd_indent * unit if row % 2 else 0.0
            lines = desk.setter.set_words(words, setting, right - left - inset)
            y = sheet.put_block(lines, left + inset, y, setting.step, region, bottom=limit)
        y += dice.between(0.5, 1.1) * setting.step
        if dice.chance(0.1) and stanza + 1 < stanzas and limit - y > 3 * unit:
            desk.ornament(sheet, (left + right) / 2, y, dice.between(1, 6) * unit, 0.5 * unit)
            y += unit
    if not name_first and dice.chance(0.7):
        desk.text(sheet, poet, (left, y, right, limit), by, kind="text")
    return sheet


def _paint_behind(desk: Desk, sheet: Sheet) -> None:
    """A pale picture under the whole poem, or beside it."""
    share = desk.dice.between(0.62, 0.9)
    photo = paint_photo(desk.dice, sheet.height, sheet.width).astype(np.float32)
    if desk.dice.chance(0.5):  # fades out to the left
        fade = np.linspace(1.0, 0.0, sheet.width, dtype=np.float32)[None, :, None]
        photo = photo * (1 - fade) + 255 * fade
    pale = (photo * (1 - share) + 255 * share).astype(np.uint8)
    sheet.paste(pale, 0, 0, region=False)
