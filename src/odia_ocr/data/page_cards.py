"""Layouts of graphics: quote cards and television screens, text on pictures and colours."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.data.page_pictures import (
    draw_ornament,
    draw_stamp,
    paint_gradient,
    paint_photo,
    random_colour,
)
from odia_ocr.data.page_sheet import BLACK, WHITE, Colour, Ink, Sheet, luminance

if TYPE_CHECKING:
    from odia_ocr.data.page_desk import Desk, Look
    from odia_ocr.data.page_typeset import Align, SetLine, Setting

_LOUD: tuple[Colour, ...] = (
    (255, 255, 0),
    (250, 235, 30),
    (240, 100, 30),
    (0, 200, 20),
    (200, 10, 20),
    (20, 60, 200),
    (255, 255, 255),
    (10, 10, 10),
    (120, 20, 120),
    (0, 120, 130),
    (250, 150, 190),
)


def choose_colour(desk: Desk) -> Colour:
    """A loud colour half of the time, any colour otherwise."""
    return desk.dice.pick(_LOUD) if desk.dice.chance(0.5) else random_colour(desk.dice)


def _ground(desk: Desk, sheet: Sheet) -> Colour:
    """Paint the ground of a graphic; returns the colour that letters must stand out from."""
    dice = desk.dice
    height, width = sheet.height, sheet.width
    kind = dice.weigh({"plain": 0.4, "gradient": 0.25, "photo": 0.2, "pale": 0.15})
    if kind == "plain":
        colour = choose_colour(desk)
        sheet.fill((0, 0, width, height), colour)
        if dice.chance(0.25):
            inner = choose_colour(desk)
            edge = min(width, height) * dice.between(0.02, 0.1)
            sheet.fill(
                (edge, edge, width - edge, height - edge), inner, radius=dice.pick([0, 0, edge])
            )
            colour = inner
        return colour
    if kind == "gradient":
        first = choose_colour(desk)
        dark = luminance(first) < 128
        low, high = (0, 110) if dark else (140, 255)
        second = random_colour(dice, low, high)
        sheet.paste(paint_gradient(dice, height, width, first, second), 0, 0, region=False)
        return first
    photo = paint_photo(dice, height, width)
    dark = dice.chance(0.5)
    if kind == "pale":
        share = dice.between(0.5, 0.8)
        goal = 0.0 if dark else 255.0
        photo = (photo * (1 - share) + goal * share).astype(np.uint8)
    else:
        # Letters stay legible: the photograph is kept on one side of middle grey.
        span = dice.between(0.45, 0.6)
        photo = (photo * span if dark else 255 - (255 - photo.astype(float)) * span).astype(
            np.uint8
        )
    sheet.paste(photo, 0, 0, region=False)
    return (30, 30, 30) if dark else (225, 225, 225)


def make_ink(desk: Desk, ground: Colour, size: float, *, plain: float = 0.7) -> Ink:
    """Letters for a ground; `plain` is the chance that they have neither rim nor shadow."""
    dice = desk.dice
    colour = desk.contrast(ground)
    ink = Ink(colour, second=desk.contrast(ground) if dice.chance(0.15) else None)
    if dice.chance(plain):
        return ink
    other = BLACK if luminance(colour) > 110 else WHITE
    if dice.chance(0.6):
        return replace(ink, rim=other, rim_width=max(1, round(size * dice.between(0.02, 0.07))))
    return replace(ink, shadow=other, shadow_shift=max(1, round(size * dice.between(0.03, 0.08))))


def _loud_look(desk: Desk) -> Look:
    """Graphics: no worn type, often bold, sometimes with wide spaces."""
    dice = desk.dice
    return replace(
        desk.look,
        jitter=0.0,
        bold=dice.between(0.0, 0.06) if dice.chance(0.35) else 0.0,
        word_space=dice.scaled(1.6, 5.0) if dice.chance(0.15) else dice.scaled(0.8, 1.4),
    )


def lay_quote(desk: Desk) -> Sheet:
    """A quote card: a few big lines, mostly centred, on a colour, gradient or photograph."""
    dice = desk.dice
    desk.look = _loud_look(desk)
    small = dice.chance(0.35)
    width = dice.scaled(150, 500) if small else dice.scaled(500, 1200)
    sheet = desk.new_sheet(width, width * dice.between(0.55, 1.3))
    ground = _ground(desk, sheet)
    desk.unit = max(12.0 if small else 20.0, width / dice.scaled(7, 20))
    align: Align = dice.pick(["centre", "centre", "centre", "left", "right"])
    setting = desk.setting(align=align, leading=dice.between(1.35, 2.3))
    side = width * dice.between(0.04, 0.14)
    lines = desk.setter.set_words(
        desk.setter.paragraph(dice.whole(6, 36)), setting, width - 2 * side
    )
    room = int((sheet.height - 0.6 * desk.unit) // setting.step)
    lines = lines[: max(1, room - dice.whole(0, 1))]
    if dice.chance(0.2):
        edge = side * 0.3
        frame = (edge, edge, width - edge, sheet.height - edge)
        sheet.frame(frame, desk.contrast(ground), dice.whole(1, 4))
    y = (sheet.height - len(lines) * setting.step) * dice.between(0.15, 0.6)
    ink = make_ink(desk, ground, setting.size, plain=0.75)
    y = _print_quote(desk, sheet, lines, (side, y), setting, ink)
    if dice.chance(0.4) and sheet.height - y > 1.3 * desk.unit:
        by = desk.setting(
            dice.between(0.6, 0.85), align=dice.pick(["right", "centre"]), leading=1.5
        )
        name = desk.setter.name()
        if dice.chance(0.5):
            name = ["–", *name]
        y += dice.between(0, 0.5) * desk.unit
        desk.text(
            sheet, name, (side, y, width - side, sheet.height - 3), by, kind="text",
            ink=Ink(ink.colour),
        )  # fmt: skip
    _decorate(desk, sheet)
    return sheet


def _print_quote(
    desk: Desk,
    sheet: Sheet,
    lines: list[SetLine],
    at: tuple[float, float],
    setting: Setting,
    ink: Ink,
) -> float:
    """Lines under each other, some of them apart, all tilted or bowed alike; the lower edge."""
    dice = desk.dice
    x, y = at
    tilt = dice.between(-9, 9) if dice.chance(0.1) else 0.0
    arc = dice.between(-0.5, 0.7) * desk.unit if len(lines) <= 2 and dice.chance(0.2) else 0.0
    region = sheet.open_region("paragraph")
    for line in lines:
        base = y + 0.5 * setting.step + 0.55 * line.core
        # Tilted about its middle, so that it leaves the card on neither side.
        base += 0.5 * line.width * float(np.tan(np.radians(tilt)))
        sheet.put(line, x, base, region, ink, tilt=tilt, arc=arc)
        y += setting.step
        if dice.chance(0.1):
            y += setting.step * dice.between(0.3, 1.0)
    return y


def _decorate(desk: Desk, sheet: Sheet) -> None:
    """An emblem in a corner or ornaments where there is room."""
    dice = desk.dice
    if not dice.chance(0.25):
        return
    size = round(sheet.width * dice.between(0.08, 0.2))
    x = dice.pick([0.0, sheet.width - size * 1.1])
    y = dice.pick([0.0, sheet.height - size * 1.1])
    if sheet.is_free((x, y, x + size, y + size)):
        mask = draw_stamp(dice, size) if dice.chance(0.6) else draw_ornament(dice, size, size)
        sheet.draw(mask, x, y, choose_colour(desk))


def lay_ticker(desk: Desk) -> Sheet:
    """A television screen or news graphic: bands with text over photographs, a ticker, tiles."""
    dice = desk.dice
    desk.look = _loud_look(desk)
    width = dice.scaled(480, 1280)
    height = width * dice.pick([0.5625, 0.5625, 0.75, 1.0, 1.25])
    sheet = desk.new_sheet(width, height)
    height = float(sheet.height)
    sheet.paste(paint_photo(dice, sheet.height, sheet.width), 0, 0, region=False)
    if dice.chance(0.3):
        sheet.fill((0, 0, width, height), choose_colour(desk), strength=dice.between(0.5, 1.0))
    desk.unit = max(16.0, height / dice.between(11, 20))
    unit = desk.unit
    y = dice.between(0.0, 0.1) * height
    if dice.chance(0.5):
        y = _corner(desk, sheet, y)
    if dice.chance(0.25):
        y = _tiles(desk, sheet, y)
    ticker = unit * dice.between(1.5, 2.0) if dice.chance(0.7) else 0.0
    if dice.chance(0.55):  # a stack of bands, big and small
        while height - ticker - y > 1.6 * unit:
            y = _band(desk, sheet, y, height - ticker) + dice.between(0, 0.5) * unit
            if dice.chance(0.2):
                break
    else:  # a lower third
        deep = dice.between(1.6, 3.2) * unit * 1.5
        y = max(y, height - ticker - deep - dice.between(0, 0.08) * height)
        y = _band(desk, sheet, y, height - ticker)
        if height - ticker - y > 1.4 * unit:
            _band(desk, sheet, y, height - ticker)
    if ticker:
        ground = choose_colour(desk)
        sheet.fill((0, height - ticker, width, height), ground)
        setting = desk.setting(0.9, leading=1.4)
        words = desk.setter.paragraph(dice.whole(5, 14))
        line = desk.setter.set_words(words, setting, width - 1.2 * unit)[0]
        base = height - 0.5 * ticker + 0.45 * line.core
        sheet.put(line, 0.6 * unit, base, sheet.open_region("text"), Ink(desk.contrast(ground)))
    return sheet


def _corner(desk: Desk, sheet: Sheet, y: float) -> float:
    """A channel's name, a clock or LIVE in a corner box; returns the lower edge."""
    dice, unit = desk.dice, desk.unit
    setting = desk.setting(dice.between(0.7, 1.0), word_space=1.0, leading=1.5)
    words = dice.pick([["LIVE"], [desk.setter.word()], [desk.setter.number()], desk.setter.name()])
    line = desk.setter.set_line(words, setting, 0.5 * sheet.width)
    wide = line.width + 0.8 * unit
    left = 0.4 * unit if dice.chance(0.5) else sheet.width - wide - 0.4 * unit
    top = y + 0.3 * unit
    ground = choose_colour(desk)
    deep = 1.5 * setting.size
    sheet.fill((left, top, left + wide, top + deep), ground, radius=dice.pick([0.0, 0.3 * unit]))
    base = top + 0.5 * deep + 0.5 * line.core
    sheet.put(line, left + 0.4 * unit, base, sheet.open_region("text"), Ink(desk.contrast(ground)))
    return top + deep + 0.2 * unit


def _band(desk: Desk, sheet: Sheet, y: float, limit: float) -> float:
    """A coloured band, or bare letters with rims, with one to three lines; the lower edge."""
    dice, unit = desk.dice, desk.unit
    scale = dice.scaled(1.0, 2.6)
    setting = desk.setting(
        scale, head=dice.chance(0.5), align=dice.pick(["centre", "centre", "left"]),
        leading=dice.between(1.35, 1.6),
    )  # fmt: skip
    left, right = 0.0, float(sheet.width)
    if dice.chance(0.4):
        left, right = right * dice.between(0.0, 0.35), right * dice.between(0.7, 1.0)
    pad = dice.between(0.3, 0.8) * unit
    words = desk.setter.phrase(1, 7)
    lines = desk.setter.set_words(words, setting, right - left - 2 * pad)[: dice.whole(1, 3)]
    if dice.chance(0.4):  # set so large that it fills the band
        natural = max(1.0, desk.setter.natural_width(words, setting))
        grow = (right - left - 2 * pad) / natural
        setting = setting.resize(float(np.clip(grow, 0.5, 2.6 * unit / setting.size)))
        lines = desk.setter.set_words(words, setting, right - left - 2 * pad)[:1]
    deep = len(lines) * setting.step + 0.3 * unit
    if y + deep > limit:
        lines = lines[:1]
        deep = setting.step + 0.3 * unit
    if y + deep > limit or not lines:
        return limit
    bare = dice.chance(0.25)
    if bare:
        colour = dice.pick([WHITE, (255, 230, 0), (255, 255, 255), (20, 20, 20)])
        other = BLACK if luminance(colour) > 110 else WHITE
        rim = max(2, round(setting.size * dice.between(0.05, 0.09)))
        ink = Ink(colour, rim=other, rim_width=rim)
    else:
        ground = choose_colour(desk)
        strength = dice.pick([1.0, 1.0, 0.85])
        box = (left, y, right, y + deep)
        sheet.fill(box, ground, radius=dice.pick([0.0, 0.0, 0.4 * unit]), strength=strength)
        if dice.chance(0.15):
            sheet.frame(box, desk.contrast(ground), dice.whole(1, 3))
        ink = make_ink(desk, ground, setting.size)
    kind = "heading" if scale > 1.4 else "text"
    region = sheet.open_region(kind)
    if dice.chance(0.08) and bare:
        tilt = dice.between(-6, 6)
        base = y + 0.5 * deep + 0.5 * lines[0].core
        base += 0.5 * lines[0].width * float(np.tan(np.radians(tilt)))
        sheet.put(lines[0], left + pad, base, region, ink, tilt=tilt)
        return y + deep + abs(lines[0].width * float(np.tan(np.radians(tilt))))
    sheet.put_block(lines, left + pad, y + 0.15 * unit, setting.step, region, ink)
    return y + deep


def _tiles(desk: Desk, sheet: Sheet, y: float) -> float:
    """A row of small pictures, each with a word or two on or under it; the lower edge."""
    dice, unit = desk.dice, desk.unit
    count = dice.whole(2, 4)
    wide = sheet.width / count
    tall = dice.between(3.0, 5.0) * unit
    if y + tall > 0.7 * sheet.height:
        return y
    setting = desk.setting(0.9, align="centre", leading=1.45)
    under = dice.chance(0.5)
    for i in range(count):
        x = i * wide + 0.1 * unit
        edge = wide - 0.2 * unit
        sheet.paste(paint_photo(dice, round(tall), round(edge)), x, y, region=False)
        top = y + tall if under else y + tall - setting.step
        ground = choose_colour(desk)
        sheet.fill((x, top, x + edge, top + setting.step), ground)
        box = (x + 0.2 * unit, top, x + edge - 0.2 * unit, top + setting.step + 1)
        ink = Ink(desk.contrast(ground))
        desk.text(sheet, desk.setter.phrase(1, 2), box, setting, kind="caption", ink=ink)
    return y + tall + (setting.step if under else 0.0) + 0.3 * unit
