"""What the XML formats share: escaping, identifiers, whole-pixel outlines, tokens with boxes.

Knows no format; each of them says what its elements are called.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from odia_ocr.types import Line, Point, Polygon, Word

# XML 1.0, production 2 (Char): everything else may not stand in a document, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_SPECIAL = re.compile('[&<>"\t\n\r]')
_NOT_NAME = re.compile(r"[^A-Za-z0-9_.-]")

Box = tuple[int, int, int, int]


def escape(text: str) -> str:
    """`text` for an element or a quoted attribute; what XML forbids becomes U+FFFD."""
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], _FORBIDDEN.sub("\ufffd", text))


def comment(text: str) -> str:
    """An XML comment; two hyphens may not stand in one."""
    text = _FORBIDDEN.sub("\ufffd", text)
    return f"<!-- {re.sub('-(?=-)', '- ', text)} -->"


def decimal(value: float, digits: int = 4) -> str:
    """`value` without an exponent and without idle zeros."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


@dataclass(slots=True)
class Identifiers:
    """Gives each element of one file an identifier of its own that XML allows."""

    _used: dict[str, int] = field(default_factory=dict)

    def make(self, *parts: str) -> str:
        """The parts joined by "-", changed until nothing else has that name."""
        name = _NOT_NAME.sub("_", "-".join(parts))
        if not name[:1].isalpha() and name[:1] != "_":
            name = f"_{name}"
        count = self._used.get(name, 0)
        self._used[name] = count + 1
        return name if not count else self.make(name, str(count + 1))

    def leave(self, key: str) -> None:
        """Forget the identifiers on the page `key`, so that a long book does not gather them."""
        self._used = {name: n for name, n in self._used.items() if not name.startswith(f"{key}-")}


def page_key(number: int) -> str:
    """What the identifiers on a page begin with, e.g. "p0001"."""
    return f"p{number:04d}"


def own_key(page: str, name: str) -> str:
    """The identifier of a line or region: its own, with its page before it unless it has that."""
    return name if name.startswith(page) else f"{page}-{name}"


def whole_points(points: Sequence[Point], size: tuple[int, int]) -> list[tuple[int, int]]:
    """Points in whole pixels, kept on a page of `size` (width, height)."""
    width, height = size
    return [(min(max(round(x), 0), width), min(max(round(y), 0), height)) for x, y in points]


def whole_box(polygon: Polygon, size: tuple[int, int]) -> Box:
    """(left, top, right, bottom) in whole pixels, kept on the page."""
    xs, ys = zip(*whole_points(polygon, size), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def is_box(polygon: Polygon, size: tuple[int, int]) -> bool:
    """True when the polygon, in whole pixels, is no more than its box, begun at its top left."""
    left, top, right, bottom = whole_box(polygon, size)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return whole_points(polygon, size) == corners


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a line's text between spaces, and the word that places it, where one does."""

    text: str
    word: Word | None = None


def split_tokens(line: Line) -> tuple[Token, ...]:
    """The text of a line at its spaces, each piece with its word.

    Words that were edited away, or could not be placed, leave a piece without one; so the pieces
    always make up the whole text.
    """
    texts = line.text.split()
    if [word.text for word in line.words] == texts:
        return tuple(Token(word.text, word) for word in line.words)
    from difflib import SequenceMatcher

    placed: list[Word | None] = [None] * len(texts)
    names = [word.text for word in line.words]
    for match in SequenceMatcher(None, names, texts, autojunk=False).get_matching_blocks():
        placed[match.b : match.b + match.size] = line.words[match.a : match.a + match.size]
    return tuple(Token(text, word) for text, word in zip(texts, placed, strict=True))


def software() -> tuple[str, str]:
    """Name and version of this program; the version is empty when it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return "odia-ocr", version("odia-ocr")
    except PackageNotFoundError:
        return "odia-ocr", ""
