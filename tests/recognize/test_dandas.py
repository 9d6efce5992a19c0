"""Strokes that look like a danda: their surroundings decide."""

from __future__ import annotations

import math

import pytest

from odia_ocr.recognize.decode.dandas import DANDA, settle_dandas
from odia_ocr.types import Symbol


def make_symbols(text: str, danda: float | None = 0.2) -> tuple[Symbol, ...]:
    rivals = () if danda is None else ((DANDA, math.log(danda)), ("ା", -9.0))
    return tuple(
        Symbol(char, math.log(0.7), None, rivals if char in "I]|/l!" else ()) for char in text
    )


def read(text: str, danda: float | None = 0.2) -> str:
    return "".join(symbol.text for symbol in settle_dandas(make_symbols(text, danda)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("କଖ I", "କଖ ।"),
        ("କଖI", "କଖ।"),
        ("କଖ ।I୨୨୧ ଗ", "କଖ ।।୨୨୧ ଗ"),
        ("କଖ] ଗ", "କଖ। ଗ"),
        ("କଖ / ଗ", "କଖ । ଗ"),
    ],
)
def test_strokes_after_odia_are_dandas(before: str, after: str) -> None:
    assert read(before) == after


@pytest.mark.parametrize(
    "text",
    ["କଖ India", "କଖ I.E. ଗ", "PART I", "କଖ II ଗଘ", "[କଖ] ଗ", "କଖ!", "I କଖ", "12/10", "କଖ /12", ""],
)
def test_latin_words_brackets_and_exclamations_stay(text: str) -> None:
    assert read(text) == text


def test_the_picture_must_allow_a_danda() -> None:
    assert read("କଖ I", danda=None) == "କଖ I"
    assert read("କଖ I", danda=1e-4) == "କଖ I"


def test_a_changed_symbol_keeps_its_former_reading_as_a_rival() -> None:
    changed = settle_dandas(make_symbols("କI"))[1]
    assert changed.logp == pytest.approx(math.log(0.2))
    assert changed.alternatives[0] == ("I", pytest.approx(math.log(0.7)))
    untouched = make_symbols("କଖ")
    assert settle_dandas(untouched) is untouched
