"""Which characters hardly stand side by side: digits of two scripts, a small letter and a capital.

A language model of Odia text does not speak about digits and Latin letters. That a number is
written in one script, and a word in one case from its second letter on, holds for all of them.
"""

from __future__ import annotations

from enum import Enum
from itertools import pairwise


class Kind(Enum):
    """What matters about a character for its neighbours."""

    ASCII_DIGIT = "ascii digit"
    ODIA_DIGIT = "odia digit"
    SMALL = "small latin letter"
    CAPITAL = "capital latin letter"
    OTHER = "other"


_LATIN = (Kind.SMALL, Kind.CAPITAL)
STRANGE_PAIRS = frozenset(
    {
        (Kind.ASCII_DIGIT, Kind.ODIA_DIGIT),
        (Kind.ODIA_DIGIT, Kind.ASCII_DIGIT),
        (Kind.SMALL, Kind.CAPITAL),
        *((letter, Kind.ODIA_DIGIT) for letter in _LATIN),
        *((Kind.ODIA_DIGIT, letter) for letter in _LATIN),
    }
)


def kind_of(char: str) -> Kind:
    """The kind of one character."""
    if not char.isascii():
        return Kind.ODIA_DIGIT if "୦" <= char <= "୯" else Kind.OTHER
    if char.isdigit():
        return Kind.ASCII_DIGIT
    if char.isalpha():
        return Kind.SMALL if char.islower() else Kind.CAPITAL
    return Kind.OTHER


def count_strange_pairs(text: str) -> int:
    """How many neighbours in a text hardly stand side by side.

    >>> count_strange_pairs("୨୦9୫ ଜଣ"), count_strange_pairs("୨୦୯୫ iPhone 9")
    (2, 1)
    """
    return sum(pair in STRANGE_PAIRS for pair in pairwise(map(kind_of, text)))
