"""Layouts of offices: forms with dotted lines, tables with rules, notices with numbered lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from odia_ocr.data.page_pictures import draw_scribble, draw_stamp
from odia_ocr.data.page_sheet import BLACK, Box, Colour, Ink, Sheet

if TYPE_CHECKING:
    from odia_ocr.data.page_desk import Desk
    from odia_ocr.data.page_typeset import Align, Setting

_ODIA_DIGITS = str.maketrans("0123456789", "୦୧୨୩୪୫୬୭୮୯")
_LETTERS = "କଖଗଘଙଚଛଜଝଟ"
_BLUE: Colour = (30, 40, 150)


def lay_form(desk: Desk) -> Sheet:
    """A form: title, labels with dotted lines or boxes to fill in, or a table with rules."""
    dice = desk.dice
    desk.unit = dice.scaled(21, 34)
    unit = desk.unit
    width = unit * dice.between(24, 42)
    sheet = desk.new_sheet(width, min(width * dice.between(0.6, 1.5), 2_400_000 / width))
    margin = unit * dice.between(0.6, 2.5)
    left, right, y = margin, width - margin, margin
    bottom = sheet.height - margin
    if dice.chance(0.25):
        sheet.frame((margin / 3, margin / 3, width - margin / 3, sheet.height - margin / 3), BLACK,
                    dice.whole(1, 3))  # fmt: skip
    if dice.chance(0.85):
        head = desk.setting(dice.between(1.1, 1.8), head=True, align=dice.pick(["centre", "left"]))
        y = desk.text(
            sheet, desk.setter.phrase(2, 6), (left, y, right, bottom), head, kind="heading"
        )
        y += 0.6 * unit
    while bottom - y > 5 * unit:
        if dice.chance(0.55):
            y = _fields(desk, sheet, (left, y, right, bottom))
        else:
            y = _table(desk, sheet, (left, y, right, bottom))
        y += dice.between(0.8, 1.6) * unit
        if dice.chance(0.3) and bottom - y > 6 * unit:
            setting = desk.setting(align=dice.pick(["left", "justify"]))
            limit = min(bottom, y + 4 * setting.step)
            words = desk.setter.paragraph(dice.whole(8, 30))
            y = desk.text(sheet, words, (left, y, right, limit), setting) + 0.8 * unit
        if dice.chance(0.3):
            break
    if bottom - y > 2.5 * unit and dice.chance(0.6):
        _sign(desk, sheet, (left, y + 0.6 * unit, right, bottom))
    return sheet


def _fields(desk: Desk, sheet: Sheet, box: Box) -> float:
    """Labels with room to fill in, some filled in; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, y, right, bottom = box
    setting = desk.setting(leading=1.5)
    pair = dice.chance(0.3)  # two to a row
    numbered = dice.chance(0.4)
    style = dice.pick(["dots", "dots", "line", "box", "none"])
    step = unit * dice.between(1.7, 2.8)
    region = sheet.open_region("text")
    for i in range(dice.whole(3, 12)):
        if y + step > bottom:
            break
        base = y + 0.65 * step
        for part in range(2 if pair else 1):
            wide = (right - left) / (2 if pair else 1)
            x = left + part * wide
            words = desk.setter.phrase(1, 2 if pair else 4)
            if numbered:
                number = str(i + 1)
                mark = number.translate(_ODIA_DIGITS) if dice.chance(0.5) else number
                words = [mark + dice.pick([".", ")"]), *words]
            words[-1] += dice.pick([":", ":", "", " :"])
            line = desk.setter.set_line(" ".join(words).split(" "), setting, 0.62 * wide)
            if not sheet.put(line, x, base, region):
                continue
            start, end = x + line.width + 0.4 * unit, x + 0.97 * wide
            if style == "dots":
                sheet.rule(start, base, end, base, thick=max(1, round(unit / 18)), dash=unit / 9)
            elif style == "line":
                sheet.rule(start, base, end, base)
            elif style == "box":
                sheet.frame((start, base - 0.9 * unit, end, base + 0.35 * unit), BLACK, 1)
            if dice.chance(0.35) and end - start > 4 * unit:
                _fill_in(desk, sheet, start + 0.4 * unit, base, end - start - 0.6 * unit, region)
        y += step
    return y


def _fill_in(desk: Desk, sheet: Sheet, x: float, base: float, width: float, region: str) -> None:
    """What was typed into a field, or a scribble that is no text."""
    dice, unit = desk.dice, desk.unit
    if dice.chance(0.25):
        wide = min(width, unit * dice.between(2, 6))
        mask = draw_scribble(dice, round(1.1 * unit), round(wide))
        sheet.draw(mask, x, base - 0.9 * unit, _BLUE)
        return
    words = [desk.setter.number()] if dice.chance(0.4) else desk.setter.name()
    setting = desk.setting(dice.between(0.85, 1.0))
    line = desk.setter.set_line(words, setting, width)
    sheet.put(line, x, base - 0.06 * unit, region)


def _table(desk: Desk, sheet: Sheet, box: Box) -> float:
    """Rows and columns of short cells, mostly ruled; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    columns = dice.whole(2, 5)
    shares = [dice.between(0.7, 2.2) for _ in range(columns)]
    edges = [left]
    for share in shares:
        edges.append(edges[-1] + (right - left) * share / sum(shares))
    step = unit * dice.between(1.55, 2.3)
    rows = min(dice.whole(3, 14), int((bottom - top) // step))
    if rows < 2:
        return top
    grid = dice.weigh({"all": 0.5, "rows": 0.25, "head": 0.15, "none": 0.1})
    numeric = [dice.chance(0.35) for _ in range(columns)]
    counted = dice.chance(0.4)
    aligns: list[Align] = [dice.pick(["left", "left", "centre", "right"]) for _ in range(columns)]
    region = sheet.open_region("table")
    header = dice.chance(0.7)
    ink = Ink()
    if header and dice.chance(0.35):
        ground: Colour = dice.pick([(60, 60, 60), (215, 215, 215), (30, 60, 140)])
        sheet.fill((left, top, right, top + step), ground)
        ink = Ink(desk.contrast(ground))
    for row in range(rows):
        y = top + row * step
        for i in range(columns):
            x, wide = edges[i] + 0.35 * unit, edges[i + 1] - edges[i] - 0.7 * unit
            if wide < 1.5 * unit:
                continue
            first = header and row == 0
            setting = desk.setting(0.95, align=aligns[i], leading=1.4, word_space=1.0)
            if first:
                words = desk.setter.phrase(1, 2)
                setting = replace(setting, align="centre")
            elif counted and i == 0:
                number = str(row + (0 if header else 1))
                words = [number.translate(_ODIA_DIGITS) if dice.chance(0.5) else number]
            elif numeric[i]:
                words = [desk.setter.number()]
            else:
                words = desk.setter.phrase(1, max(1, int(wide / (3.2 * unit))))
            if not first and dice.chance(0.04):
                continue  # an empty cell
            line = desk.setter.set_line(_fit(desk, words, setting, wide), setting, wide)
            base = y + 0.5 * step + 0.5 * line.core
            sheet.put(line, x, base, region, ink if first else None)
    end = top + rows * step
    thick = dice.whole(1, 2)
    if grid in ("all", "rows"):
        for row in range(rows + 1):
            sheet.rule(left, top + row * step, right, top + row * step, thick=thick)
    elif grid == "head":
        for y in (top, top + step, end):
            sheet.rule(left, y, right, y, thick=thick)
    if grid == "all":
        for edge in edges:
            sheet.rule(edge, top, edge, end, thick=thick)
    return end


def _fit(desk: Desk, words: list[str], setting: Setting, width: float) -> list[str]:
    """Fewer words where all of them would be set much smaller."""
    while len(words) > 1 and desk.setter.natural_width(words, setting) > 1.1 * width:
        words = words[:-1]
    return words


def _sign(desk: Desk, sheet: Sheet, box: Box) -> None:
    """Place and date at the left, a signature at the right, perhaps a stamp."""
    dice, unit = desk.dice, desk.unit
    left, top, right, bottom = box
    setting = desk.setting(0.95, leading=1.5)
    half = (right - left) / 2
    base = min(bottom - 0.4 * unit, top + dice.between(1.2, 3.0) * unit)
    if dice.chance(0.6):
        words = [desk.setter.word() + ":", desk.setter.number()]
        desk.line(sheet, words, left, 0.8 * half, base, setting)
    if dice.chance(0.5) and base - top > 1.2 * unit:
        mask = draw_scribble(dice, round(1.1 * unit), round(dice.between(3, 7) * unit))
        sheet.draw(mask, right - mask.shape[1] - unit, base - 2.1 * unit, dice.pick([BLACK, _BLUE]))
    desk.line(sheet, desk.setter.name(), left + half, half, base, replace(setting, align="right"))
    if dice.chance(0.3):
        size = round(min(bottom - top, unit * dice.between(3, 5)))
        if size > 2 * unit:
            sheet.draw(
                draw_stamp(dice, size),
                left + half - size / 2,
                bottom - size,
                dice.pick([_BLUE, (150, 30, 40)]),
            )


def lay_notice(desk: Desk) -> Sheet:
    """A notice or letter: letterhead, number and date, heading, text, numbered list, signature."""
    dice = desk.dice
    desk.unit = dice.scaled(21, 36)
    unit = desk.unit
    width = unit * dice.between(21, 38)
    sheet = desk.new_sheet(width, min(width * dice.between(0.9, 1.5), 2_400_000 / width))
    margin = unit * dice.between(0.7, 3.2)
    left, right, y, bottom = margin, width - margin, margin, sheet.height - margin
    if dice.chance(0.25):
        edge = margin * 0.4
        frame = (edge, edge, width - edge, sheet.height - edge)
        sheet.frame(frame, BLACK, dice.whole(1, 4))
        if dice.chance(0.4):
            inner = 0.25 * unit
            sheet.frame((edge + inner, edge + inner, width - edge - inner,
                         sheet.height - edge - inner), BLACK, 1)  # fmt: skip
    if dice.chance(0.6):
        y = _letterhead(desk, sheet, (left, y, right, bottom))
    setting = desk.setting(
        align="justify" if dice.chance(0.5) else "left", indent=dice.pick([0.0, 2.0])
    )
    if dice.chance(0.75):
        head = desk.setting(dice.between(1.15, 1.9), head=True, align="centre")
        words = desk.setter.phrase(1, 4)
        before = y
        y = desk.text(sheet, words, (left, y, right, bottom), head, kind="heading")
        if dice.chance(0.3) and y > before:
            sheet.rule((left + right) / 2 - 3 * unit, y, (left + right) / 2 + 3 * unit, y)
        y += 0.6 * unit
    foot = 3.5 * unit if dice.chance(0.7) else 0.0
    while bottom - foot - y > 2 * setting.step:
        if dice.chance(0.6):
            y = _list(desk, sheet, (left, y, right, bottom - foot))
        else:
            limit = bottom - foot
            y = desk.text(
                sheet, desk.setter.paragraph(dice.whole(10, 60)), (left, y, right, limit), setting
            )
        y += dice.between(0.3, 0.9) * unit
        if dice.chance(0.2):
            break
    if foot:
        _sign(desk, sheet, (left, min(y, bottom - foot), right, bottom))
    return sheet


def _letterhead(desk: Desk, sheet: Sheet, box: Box) -> float:
    """Name and address of an office, a rule, number and date; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, y, right, _ = box
    if dice.chance(0.3):
        size = round(unit * dice.between(2, 3))
        sheet.draw(draw_stamp(dice, size), left, y, dice.pick([BLACK, _BLUE]))
    head = desk.setting(dice.between(1.2, 1.9), head=True, align="centre", leading=1.4)
    inner = (left + 3.2 * unit, y, right - 3.2 * unit, y + 2 * head.step + 1)
    y = desk.text(sheet, desk.setter.phrase(2, 4), inner, head, kind="heading")
    small = desk.setting(0.85, align="centre", leading=1.45)
    region = sheet.open_region("text")
    for _ in range(dice.whole(0, 2)):
        words = [*desk.setter.phrase(1, 3), dice.pick([desk.setter.number(), desk.setter.latin()])]
        inner = (left + 3.2 * unit, y, right - 3.2 * unit, y + small.step + 1)
        y = desk.text(sheet, words, inner, small, region=region)
    y += 0.4 * unit
    sheet.rule(left, y, right, y, thick=dice.whole(1, 4))
    y += 0.3 * unit
    if dice.chance(0.7):
        base = y + 1.1 * unit
        ends = desk.setting(0.9, leading=1.5)
        region = sheet.open_region("text")
        half = (right - left) / 2
        number = [desk.setter.word(), desk.setter.number()]
        desk.line(sheet, number, left, half * 0.9, base, ends, region=region)
        date = [desk.setter.word() + ":", desk.setter.number()]
        desk.line(sheet, date, left + half, half, base, replace(ends, align="right"), region=region)
        y = base + 0.9 * unit
    return y + 0.3 * unit


def _list(desk: Desk, sheet: Sheet, box: Box) -> float:
    """Items with Odia or ASCII numerals, letters or bullets; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    left, y, right, bottom = box
    kind = dice.weigh({"odia": 0.4, "ascii": 0.3, "letters": 0.1, "bullets": 0.2})
    form = dice.pick(["{}.", "{}.", "{})", "({})"])
    setting = desk.setting(
        align="justify" if dice.chance(0.4) else "left", hang=dice.pick([0.0, 1.4, 1.8])
    )
    region = sheet.open_region("list")
    gap = dice.pick([0.0, 0.0, 0.3, 0.6]) * unit
    for i in range(dice.whole(3, 9)):
        if bottom - y < setting.step:
            break
        if kind == "bullets":
            mark = "•"
        elif kind == "letters":
            mark = form.format(_LETTERS[i])
        else:
            number = str(i + 1)
            mark = form.format(number.translate(_ODIA_DIGITS) if kind == "odia" else number)
        words = [mark, *desk.setter.paragraph(dice.whole(3, 22))]
        y = desk.text(sheet, words, (left, y, right, bottom), setting, region=region) + gap
    return y
