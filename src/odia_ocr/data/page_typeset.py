"""Text becomes set lines: words from the pool, broken to a measure, justified, drawn.

Knows faces and widths; does not know where on a page a line will stand, nor its colour.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from odia_ocr.data.compose import Mix, compose_line, make_latin, make_number
from odia_ocr.data.draw import CannotDraw, DrawnLine, Style, TextWidth, draw_line, measure_text
from odia_ocr.data.faces import Face, family_key
from odia_ocr.data.page_dice import Dice
from odia_ocr.data.texts import TextPool
from odia_ocr.errors import ShapingError
from odia_ocr.language import ALPHABET, normalise

Align = Literal["left", "right", "centre", "justify"]
_CORE_LETTERS = "କବମସପ"
# Never at the start of a line: they hang on the word before them.
_CLOSING = ("।", "।।", ",", ".", ";", ":", "?", "!", "%", ")", "”", "’", "–", "-", "=")
# These faces hold an empty box in the place of a letter.
_BOXES = {"odiautkal": "°×", "odiaotjagannatha": "°×"}
# A justified line whose spaces would grow beyond this, in em, is left ragged.
_WIDEST_SPACE = 2.2
_MADE = Mix(running=0.0, words=0.2, numbers=0.2, latin=0.2, rare=0.4, max_words=4, punctuated=0.2)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a block of text is set.

    Attributes:
        face: The Odia face.
        latin: Draws what `face` lacks; with `mixed` all Latin words.
        mixed: Latin words and digits come from `latin` though the face has them.
        style: Size and spacing; justified lines get their own `word_space`.
        leading: From baseline to baseline, in em.
        align: Where lines stand in their measure; "justify" stretches spaces.
        indent: Of a paragraph's first line, in em.
        hang: Of all its other lines, in em.
    """

    face: Face
    latin: Face | None
    mixed: bool
    style: Style
    leading: float = 1.5
    align: Align = "left"
    indent: float = 0.0
    hang: float = 0.0

    @property
    def size(self) -> float:
        """Pixels per em."""
        return self.style.size

    @property
    def step(self) -> float:
        """From baseline to baseline, in pixels."""
        return self.leading * self.style.size

    def resize(self, factor: float) -> Setting:
        """The same at another size."""
        return replace(self, style=replace(self.style, size=self.style.size * factor))


@dataclass(frozen=True, slots=True, eq=False)
class SetLine:
    """A drawn line and where it stands in its measure.

    Attributes:
        drawn: Its ink and exact text.
        left: From the left end of the measure to the ink, in pixels.
        core: From the baseline to the heads, in pixels.
        face: The face it is drawn in.
    """

    drawn: DrawnLine
    left: float
    core: float
    face: Face

    @property
    def width(self) -> int:
        """Width of the ink in pixels."""
        return int(self.drawn.mask.shape[1])


@functools.lru_cache(maxsize=1024)
def head_height(face: Face, bold: float) -> float:
    """From the baseline to the head of a plain letter, in em; the median of five letters."""
    heights = []
    for letter in _CORE_LETTERS:
        try:
            heights.append(draw_line(letter, face, Style(size=100.0, bold=bold)).baseline)
        except CannotDraw:
            continue
    return sorted(heights)[len(heights) // 2] / 100.0 if heights else 0.7


@functools.lru_cache(maxsize=60_000)
def _measure(text: str, face: Face, latin: Face | None) -> TextWidth | None:
    if any(letter in text for letter in _BOXES.get(family_key(face.family), "")):
        return None
    try:
        return measure_text(text, face, latin=latin)
    except CannotDraw:
        return None


def measure(text: str, setting: Setting) -> TextWidth | None:
    """Width of a text in a setting, or None where its faces cannot draw it."""
    width = None if setting.mixed else _measure(text, setting.face, None)
    return width or (_measure(text, setting.face, setting.latin) if setting.latin else None)


@dataclass(frozen=True, slots=True)
class Manner:
    """What kinds of words a page's text holds beside running text (chances for each word)."""

    numbers: float = 0.02
    latin: float = 0.015
    made: float = 0.01


class Typesetter:
    """Sets text for one page."""

    def __init__(self, dice: Dice, pool: TextPool, manner: Manner) -> None:
        self.dice = dice
        self.pool = pool
        self.manner = manner
        self.faces: dict[str, Face] = {}
        self._next = dice.whole(0, len(pool.lines) - 1)

    def sentence(self) -> list[str]:
        """The words of the next line of running text, with some strewn in."""
        words = self.pool.lines[self._next].split(" ")
        self._next = (self._next + 1) % len(self.pool.lines)
        out: list[str] = []
        for word in words:
            out.append(word)
            chance = self.dice.rng.random()
            if chance < self.manner.numbers:
                out.append(self.number())
            elif chance < self.manner.numbers + self.manner.latin:
                out.append(self.latin())
            elif chance < self.manner.numbers + self.manner.latin + self.manner.made:
                out.extend(compose_line(self.dice.rng, self.pool, _MADE).split(" "))
        return [word for word in out if word]

    def paragraph(self, count: int) -> list[str]:
        """About `count` words of running text, whole sentences, at least one."""
        words: list[str] = []
        while len(words) < count:
            words += self.sentence()
        return words[: max(1, int(count * 1.4))]

    def phrase(self, low: int, high: int) -> list[str]:
        """Low to high words as headings have them, without what ends a sentence."""
        count = self.dice.whole(low, high)
        self._next = self.dice.whole(0, len(self.pool.lines) - 1)
        words: list[str] = []
        while len(words) < count:
            words += self.sentence()
        start = self.dice.whole(0, max(0, len(words) - count))
        words = words[start : start + count]
        while len(words) > 1 and words[0] in _CLOSING:
            words = words[1:]
        last = words[-1].rstrip("।,;:-–.")
        words = [*words[:-1], last] if last else words[:-1]
        return words if any(char.isalnum() for word in words for char in word) else [self.word()]

    def name(self) -> list[str]:
        """One to three lexicon words, as names and labels."""
        return [self.word() for _ in range(self.dice.whole(1, 3))]

    def word(self) -> str:
        """One word of the lexicon."""
        return self.dice.pick(self.pool.words)

    def number(self) -> str:
        """A number, date or amount in the alphabet."""
        return _clean(make_number(self.dice.rng)) or "୧"

    def latin(self) -> str:
        """A Latin word or code."""
        return _clean(make_latin(self.dice.rng, self.pool)) or "Odia"

    def drawable(self, words: list[str], setting: Setting) -> list[str]:
        """The words, those that the faces cannot draw replaced by others."""
        return [word if measure(word, setting) else self._other(setting) for word in words]

    def _other(self, setting: Setting) -> str:
        for _ in range(40):
            word = self.word()
            if measure(word, setting):
                return word
        raise ShapingError(
            f"{setting.face.name} can draw none of 40 words.",
            next_step="Check that the fonts cover Odia letters, or give other text.",
        )

    def set_words(
        self, words: list[str], setting: Setting, width: float, *, indent: float | None = None
    ) -> list[SetLine]:
        """Break words to a measure and draw them.

        Args:
            words: The text; words that cannot be drawn are replaced.
            setting: Faces, size, spacing, alignment.
            width: The measure in pixels; a longer word stands out of it, unless it can be set
                smaller.
            indent: Of the first line in em, instead of the setting's.

        Returns:
            At least one line, unless `words` is empty.
        """
        first = (setting.indent if indent is None else indent) * setting.size
        hang = setting.hang * setting.size
        lines = list(_break(self.drawable(words, setting), setting, width, first, hang))
        out = []
        for i, line in enumerate(lines):
            inset = first if i == 0 else hang
            last = i + 1 == len(lines)
            out.append(self.set_line(line, setting, width, inset=inset, stretch=not last))
        return out

    def set_line(
        self,
        words: list[str],
        setting: Setting,
        width: float,
        *,
        inset: float = 0.0,
        stretch: bool = False,
    ) -> SetLine:
        """Draw one line of words.

        Args:
            words: Its words, at least one.
            setting: Faces, size, spacing, alignment.
            width: The measure in pixels.
            inset: Space left free at its left end, in pixels.
            stretch: A justified line that reaches to the right end of the measure.
        """
        words = self.drawable(words, setting)
        text = normalise(" ".join(words))
        extent = measure(text, setting)
        style = setting.style
        if extent and setting.align == "justify" and stretch and extent.spaces > 0:
            natural = extent.pixels(replace(style, word_space=0.0))
            unit = extent.spaces * style.size * style.stretch
            word_space = max(0.35, (width - inset - natural) / unit)
            if word_space * extent.spaces / max(1, len(words) - 1) <= _WIDEST_SPACE:
                style = replace(style, word_space=word_space)
        drawn = self._draw(text, setting, style)
        for _ in range(2):
            if drawn.mask.shape[1] <= width - inset + 1:
                break
            # A word longer than the measure: set smaller, as printers do in narrow columns.
            fit = 0.995 * (width - inset) / drawn.mask.shape[1]
            style = replace(style, size=style.size * fit)
            drawn = self._draw(text, setting, style)
        room = width - inset - drawn.mask.shape[1]
        share = {"left": 0.0, "justify": 0.0, "centre": 0.5, "right": 1.0}[setting.align]
        self.faces.setdefault(setting.face.name, setting.face)
        core = head_height(setting.face, round(style.bold, 3)) * style.size
        return SetLine(drawn, inset + room * share, core, setting.face)

    def natural_width(self, words: list[str], setting: Setting) -> float:
        """Width in pixels that words take in one line, not justified."""
        extents = [measure(word, setting) for word in words]
        gap = measure("କ କ", setting)
        space = gap.spaces * setting.style.word_space * setting.size if gap else 0.0
        letters = sum(extent.pixels(setting.style) for extent in extents if extent)
        return letters + space * setting.style.stretch * (len(words) - 1)

    def _draw(self, text: str, setting: Setting, style: Style) -> DrawnLine:
        words = text.split(" ")
        companions = (setting.latin,) if setting.mixed else (None, setting.latin)
        for _ in range(30):
            for latin in companions:
                try:
                    drawn = draw_line(
                        " ".join(words), setting.face, style, latin=latin, rng=self.dice.rng
                    )
                except CannotDraw:
                    continue
                return drawn
            # Good words that only fail together: a mark that collides over a space.
            words[self.dice.whole(0, len(words) - 1)] = self._other(setting)
        raise ShapingError(
            f"{setting.face.name} cannot draw {text!r}, nor thirty texts like it.",
            next_step="Check that the font covers Odia letters.",
        )


def _clean(text: str) -> str:
    return normalise("".join(char for char in normalise(text) if char in ALPHABET))


def _break(
    words: list[str], setting: Setting, width: float, first: float, hang: float
) -> Iterator[list[str]]:
    """Greedy line breaking; what may not begin a line stays with the word before it."""
    units: list[list[str]] = []
    for word in words:
        if units and word in _CLOSING:
            units[-1].append(word)
        else:
            units.append([word])
    space = (measure("କ କ", setting) or TextWidth(1.0, 0.25, 2)).spaces
    tracked = setting.style.tracking
    line: list[str] = []
    at = first
    for unit in units:
        advance = 0.0
        for word in unit:
            extent = measure(word, setting)
            advance += extent.pixels(setting.style) if extent else 0.0
        gap = (space * setting.style.word_space + tracked) * setting.size * setting.style.stretch
        advance += gap * (len(unit) - 1)
        if line and at + gap + advance > width:
            yield line
            line, at = [], hang
        at += advance + (gap if line else 0.0)
        line = line + unit
    if line:
        yield line
