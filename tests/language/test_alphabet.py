"""The alphabet is part of every weight file: its order is pinned."""

from __future__ import annotations

import pytest

from odia_ocr.data.texts import SHIPPED, read_text_lines
from odia_ocr.language import ALPHABET, Alphabet, find_unknown, normalise


def test_the_label_space_is_pinned() -> None:
    assert len(ALPHABET) == 195
    assert ALPHABET.digest == "c969170eda9f"


def test_it_holds_no_symbol_that_normalising_would_change() -> None:
    joiner = "\u200c"  # shows a halant only between virama and consonant
    changed = [s for s in ALPHABET.symbols if s not in (" ", joiner) and normalise(s) != s]
    assert changed == []
    assert not {"\u0b5c", "\u0b5d", "\u0b35", "|", "\u0965"} & set(ALPHABET.symbols)


@pytest.mark.parametrize(
    "needed", ["।", "\u200c", "ୱ", "₹", "୦", "0", "A", "z", "%", "“", "’", "–"]
)
def test_it_holds_what_pages_need(needed: str) -> None:
    assert needed in ALPHABET


def test_every_code_point_of_the_shipped_texts_is_known() -> None:
    for name in ("train.txt", "heldout.txt"):
        assert not find_unknown(read_text_lines(SHIPPED / name))


def test_unknown_code_points_are_counted() -> None:
    assert find_unknown(["କ अ ଖ अ"]) == {"अ": 2}


def test_encode_decode_round_trip_and_errors() -> None:
    text = "ସତ୍ୟ ଦ୍ୱାର 12% (OK)"
    assert ALPHABET.decode(ALPHABET.encode(text)) == text
    with pytest.raises(ValueError, match=r"U\+0905"):
        ALPHABET.encode("अ")


def test_a_symbol_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        Alphabet(("କ", "ଖ", "କ"))
