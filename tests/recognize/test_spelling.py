"""Respelling merges symbols and their scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.language import ALPHABET, normalise
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.decode.spelling import spell_symbols
from odia_ocr.types import Emission, Symbol


def make_symbols(text: str) -> tuple[Symbol, ...]:
    return tuple(
        Symbol(char, -0.1 * (i + 1), (4.0 * i, 4.0 * i + 4)) for i, char in enumerate(text)
    )


def test_two_parts_of_a_vowel_sign_become_one() -> None:
    ka, sign = spell_symbols(make_symbols("କ\u0b47\u0b3e"))
    assert (ka.text, sign.text) == ("କ", "\u0b4b")
    assert sign.logp == pytest.approx(-0.5)
    assert sign.span == (4.0, 12.0)


def test_a_stray_joiner_leaves_its_score() -> None:
    (ka, kha) = spell_symbols(make_symbols("କ\u200cଖ"))
    assert (ka.text, kha.text) == ("କ", "ଖ")
    assert ka.logp == pytest.approx(-0.3)


def test_usual_spelling_passes_through() -> None:
    symbols = make_symbols("ସତ୍ୟ ଧର୍ମ")
    assert spell_symbols(symbols) is symbols


@given(st.text(alphabet=[*ALPHABET.symbols, "\u0b56", "\u0b57"], max_size=14))
def test_the_text_is_always_normalised(text: str) -> None:
    spelled = spell_symbols(make_symbols(text))
    assert "".join(symbol.text for symbol in spelled) == normalise(text)
    assert all(symbol.logp <= 0 for symbol in spelled)


def test_the_decoder_puts_out_nfc() -> None:
    rows = np.full((5, 4), 0.01, np.float32)
    for frame, label in enumerate([1, 0, 2, 0, 3]):
        rows[frame, label] = 0.97
    alphabet = ("କ", "\u0b47", "\u0b3e")
    (hyp,) = GreedyDecoder()(Emission("l", np.log(rows), alphabet, 4.0))
    assert hyp.text == "କ\u0b4b"
