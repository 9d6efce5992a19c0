"""The desk a page is laid out at: its faces and sizes, and what every layout does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from odia_ocr.data.draw import Style
from odia_ocr.data.page_pictures import draw_ornament, draw_scribble, draw_stamp, paint_photo
from odia_ocr.data.page_sheet import BLACK, WHITE, Colour, Ink, Sheet, luminance
from odia_ocr.data.page_typeset import Align, Setting, Typesetter, head_height

if TYPE_CHECKING:
    from odia_ocr.data.faces import Face
    from odia_ocr.data.page_dice import Dice
    from odia_ocr.data.page_sheet import Box


@dataclass(frozen=True, slots=True)
class Look:
    """What all text of a page has in common.

    Attributes:
        bold, slant, stretch, tracking, jitter: As in `Style`, of running text.
        word_space: Of running text that is not justified.
        leading: Of running text, in em.
    """

    bold: float
    slant: float
    stretch: float
    tracking: float
    jitter: float
    word_space: float
    leading: float


def choose_look(dice: Dice) -> Look:
    """A page's typography, from tight to loose."""
    leading = dice.between(1.4, 1.85)
    if dice.chance(0.2):
        leading = dice.between(1.14, 1.3)  # subscripts touch what is under them
    elif dice.chance(0.12):
        leading = dice.between(1.9, 2.6)
    word_space = dice.scaled(0.7, 1.5)
    if dice.chance(0.15):
        word_space = dice.scaled(1.8, 6.0)
    tracking = dice.between(-0.03, 0.14) if dice.chance(0.3) else 0.0
    if dice.chance(0.05):
        tracking = dice.between(0.15, 0.4)
    return Look(
        bold=dice.between(-0.02, 0.045) if dice.chance(0.35) else 0.0,
        slant=dice.between(-0.08, 0.25) if dice.chance(0.08) else 0.0,
        stretch=dice.scaled(0.78, 1.25) if dice.chance(0.35) else 1.0,
        tracking=tracking,
        jitter=dice.between(0.004, 0.014) if dice.chance(0.15) else 0.0,
        word_space=word_space,
        leading=leading,
    )


class Desk:
    """Faces, sizes and the typesetter of one page.

    Attributes:
        dice: All chance of the page.
        setter: Sets its text.
        unit: Size of running text in pixels per em; a layout sets it.
        colour: The page is printed in colours.
    """

    def __init__(
        self,
        dice: Dice,
        setter: Typesetter,
        *,
        body: Face,
        head: Face,
        latin: Face | None,
        mixed: bool,
        colour: bool,
    ) -> None:
        self.dice = dice
        self.setter = setter
        self.body = body
        self.head = head
        self.latin = latin
        self.mixed = mixed and latin is not None
        self.colour = colour
        self.look = choose_look(dice)
        self.unit = 32.0

    @property
    def core(self) -> float:
        """Height of the letter body in running text, in pixels."""
        return head_height(self.body, round(self.look.bold, 3)) * self.unit

    def setting(
        self,
        scale: float = 1.0,
        *,
        head: bool = False,
        align: Align = "left",
        leading: float | None = None,
        indent: float = 0.0,
        hang: float = 0.0,
        bold: float | None = None,
        word_space: float | None = None,
    ) -> Setting:
        """The page's setting at `scale` times the size of running text."""
        look = self.look
        style = Style(
            size=self.unit * scale,
            bold=(0.0 if head else look.bold) if bold is None else bold,
            slant=look.slant if not head else 0.0,
            stretch=look.stretch if not head else 1.0,
            tracking=look.tracking if not head else 0.0,
            word_space=(look.word_space if not head else 1.0) if word_space is None else word_space,
            jitter=look.jitter,
        )
        return Setting(
            face=self.head if head else self.body,
            latin=self.latin,
            mixed=self.mixed,
            style=style,
            leading=leading or (1.45 if head else look.leading),
            align=align,
            indent=indent,
            hang=hang,
        )

    def new_sheet(self, width: float, height: float, paper: Colour = WHITE) -> Sheet:
        """An empty sheet of the page's colours."""
        return Sheet(round(width), round(height), colour=self.colour, paper=paper)

    def text(
        self,
        sheet: Sheet,
        words: list[str],
        box: Box,
        setting: Setting,
        *,
        kind: str = "paragraph",
        region: str | None = None,
        ink: Ink | None = None,
        indent: float | None = None,
    ) -> float:
        """Set words into a box as one region; returns the lower edge of what was printed."""
        left, top, right, bottom = box
        if bottom - top < setting.step:
            return top
        lines = self.setter.set_words(words, setting, right - left, indent=indent)
        region = region or sheet.open_region(kind)
        return sheet.put_block(lines, left, top, setting.step, region, ink, bottom=bottom)

    def line(
        self,
        sheet: Sheet,
        words: list[str],
        x: float,
        width: float,
        baseline: float,
        setting: Setting,
        *,
        kind: str = "text",
        region: str | None = None,
        ink: Ink | None = None,
    ) -> bool:
        """Set words as one line on a baseline."""
        if not words:
            return False
        line = self.setter.set_line(words, setting, width)
        return sheet.put(line, x, baseline, region or sheet.open_region(kind), ink)

    def column(
        self,
        sheet: Sheet,
        box: Box,
        setting: Setting,
        *,
        gap: float = 0.0,
        words: tuple[int, int] = (18, 90),
        ink: Ink | None = None,
        indent_first: bool = True,
        full: bool = True,
    ) -> float:
        """Fill a box with paragraphs of running text; returns the lower edge.

        Args:
            sheet: Printed on.
            box: The column.
            setting: Of the text.
            gap: Between paragraphs, in em.
            words: Range of a paragraph's length.
            ink: Colours.
            indent_first: The first paragraph is indented as the others are.
            full: Go on to the foot of the box; otherwise one paragraph.
        """
        left, y, right, bottom = box
        first = True
        while bottom - y >= setting.step:
            count = self.dice.whole(*words)
            indent = None if indent_first or not first else 0.0
            before = y
            y = self.text(
                sheet,
                self.setter.paragraph(count),
                (left, y, right, bottom),
                setting,
                ink=ink,
                indent=indent,
            )
            first = False
            if y == before or not full:
                break
            y += gap * setting.size
        return y

    def photo(
        self, sheet: Sheet, box: Box, *, caption: bool, setting: Setting | None = None
    ) -> float:
        """A picture, with a caption under it if asked; returns the lower edge of both."""
        left, top, right, bottom = box
        height, width = round(bottom - top), round(right - left)
        sheet.paste(paint_photo(self.dice, height, width), left, top)
        if self.dice.chance(0.3):
            sheet.frame((left, top, right, bottom), BLACK, self.dice.whole(1, 2))
        if not caption:
            return bottom
        chosen = setting or self.setting(
            self.dice.between(0.72, 0.9), align=self.dice.pick(["left", "centre"]), leading=1.4
        )
        words = self.setter.phrase(3, 11)
        return self.text(
            sheet,
            words,
            (left, bottom + 0.15 * self.unit, right, bottom + 0.15 * self.unit + 2 * chosen.step),
            chosen,
            kind="caption",
        )

    def ornament(self, sheet: Sheet, x: float, y: float, width: float, height: float) -> None:
        """A printer's ornament in a box around (x, y)."""
        mask = draw_ornament(self.dice, round(height), round(width))
        sheet.draw(mask, x - mask.shape[1] / 2, y - mask.shape[0] / 2, BLACK)

    def mark_up(self, sheet: Sheet) -> None:
        """Pen marks, ticks and stamps where no text stands, as readers and offices leave them."""
        dice = self.dice
        for _ in range(dice.whole(1, 3)):
            tall, wide = dice.between(0.8, 3) * self.unit, dice.between(1.5, 8) * self.unit
            x = dice.between(0, max(1.0, sheet.width - wide))
            y = dice.between(0, max(1.0, sheet.height - tall))
            if not sheet.is_free((x, y, x + wide, y + tall)):
                continue
            if dice.chance(0.7):
                mask = draw_scribble(dice, round(tall), round(wide))
            else:
                mask = draw_stamp(dice, round(min(tall, wide)))
            sheet.draw(mask, x, y, dice.pick([BLACK, (30, 40, 150), (160, 30, 40)]))

    def underline(self, sheet: Sheet, region: str) -> None:
        """A rule under each line of a region; it may run through subscripts."""
        for line in sheet.lines:
            if line.region == region:
                (left, y), (right, _) = line.baseline[0], line.baseline[-1]
                drop = 0.3 * line.core_height
                thick = max(1, round(0.06 * line.core_height))
                sheet.rule(left, y + drop, right, y + drop, thick=thick)

    def contrast(self, ground: Colour, *, least: float = 90.0) -> Colour:
        """A colour for letters that can be read on `ground`."""
        dark = luminance(ground) > 128
        for _ in range(12):
            if self.dice.chance(0.45):
                return BLACK if dark else WHITE
            low, high = (0, 120) if dark else (140, 255)
            colour = (
                self.dice.whole(low, high),
                self.dice.whole(low, high),
                self.dice.whole(low, high),
            )
            if abs(luminance(colour) - luminance(ground)) >= least:
                return colour
        return BLACK if dark else WHITE
