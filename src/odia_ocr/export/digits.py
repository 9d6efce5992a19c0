"""Digits of a page in one script: as printed, all Odia, or all ASCII.

Both are code points of one cluster each, so confidences and boxes keep their places. The
hypothesis behind a reading stays what the machine saw.
"""

from __future__ import annotations

import re
from dataclasses import replace

from odia_ocr.errors import name_choices
from odia_ocr.types import Line, Page

KEEP, ODIA, ASCII = STYLES = ("keep", "odia", "ascii")

_ASCII_DIGITS = "0123456789"
_ODIA_DIGITS = "୦୧୨୩୪୫୬୭୮୯"
_TO_ODIA = str.maketrans(_ASCII_DIGITS, _ODIA_DIGITS)
_TO_ASCII = str.maketrans(_ODIA_DIGITS, _ASCII_DIGITS)
# A run without spaces and Odia signs: one with a Latin letter is a code, an address or a unit.
_FOREIGN_RUN = re.compile(r"[^\s\u0b00-\u0b7f\u0964\u0965]+")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")


def check_style(style: str) -> None:
    """Refuse an unknown style.

    Raises:
        UsageError: If it is none of `STYLES`.
    """
    if style not in STYLES:
        raise name_choices(style, list(STYLES), kind="style of digits")


def write_digits(text: str, style: str) -> str:
    """`text` with its digits as `style` says.

    For "odia", digits of a run with Latin letters (`A4`, an e-mail address, a URL) stay.

    Raises:
        UsageError: If the style is unknown.
    """
    check_style(style)
    if style == ASCII:
        return text.translate(_TO_ASCII)
    if style == ODIA:
        return _FOREIGN_RUN.sub(_to_odia, text)
    return text


def _to_odia(match: re.Match[str]) -> str:
    return match[0] if _LATIN.search(match[0]) else match[0].translate(_TO_ODIA)


def write_page_digits(page: Page, style: str) -> Page:
    """`page` with the digits of its readings and words as `style` says.

    Raises:
        UsageError: If the style is unknown.
    """
    check_style(style)
    if style == KEEP:
        return page
    return replace(page, lines=tuple(_write_line(line, style) for line in page.lines))


def _write_line(line: Line, style: str) -> Line:
    if line.reading is None:
        return line
    return replace(
        line,
        reading=replace(line.reading, text=write_digits(line.reading.text, style)),
        words=tuple(replace(word, text=write_digits(word.text, style)) for word in line.words),
    )
