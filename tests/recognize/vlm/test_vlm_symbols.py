"""Tokens become symbols, and no probability is lost on the way."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.language import normalise
from odia_ocr.recognize.vlm.symbols import ScoredToken, make_symbols

ODIA = "ଓଡ଼ିଆ ଭାଷାରେ ସ୍ତ୍ରୀ ଓ ଜଗନ୍ନାଥ ½ ok"


def cut_into_tokens(text: str, sizes: list[int]) -> list[ScoredToken]:
    """The bytes of a text as tokens of these sizes, whatever characters they cut through."""
    data, tokens = text.encode(), []
    for i, size in enumerate(sizes):
        if data:
            tokens.append(ScoredToken(data[:size], -0.1 * (i + 1)))
            data = data[size:]
    return [*tokens, ScoredToken(data, -0.5)] if data else tokens


@given(st.lists(st.integers(1, 7), max_size=40))
def test_text_and_sum_are_kept_however_tokens_cut(sizes: list[int]) -> None:
    tokens = cut_into_tokens(ODIA, sizes)
    symbols = make_symbols(tokens)
    assert "".join(symbol.text for symbol in symbols) == normalise(ODIA)
    assert math.isclose(sum(s.logp for s in symbols), sum(t.logp for t in tokens))


@given(st.lists(st.binary(min_size=1, max_size=5), min_size=1, max_size=6))
def test_any_bytes_make_symbols(pieces: list[bytes]) -> None:
    tokens = [ScoredToken(piece, -1.0) for piece in pieces]
    symbols = make_symbols(tokens)
    assert all(unicodedata.is_normalized("NFC", symbol.text) for symbol in symbols)
    assert sum(symbol.logp for symbol in symbols) >= -len(tokens) - 1e-9


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([b"a", b"\xe0\xac", b"b"], "ab"),  # a character without its end
        ([b"\x95", "କ".encode()], "କ"),  # an end without its character
        (["କ".encode(), b"\xff"], "କ"),
        ([b"\xed\xa0\x80", b"x"], "x"),  # half of a surrogate pair
    ],
)
def test_broken_bytes_are_left_out_and_their_share_kept(pieces: list[bytes], text: str) -> None:
    symbols = make_symbols([ScoredToken(piece, -0.25) for piece in pieces])
    assert "".join(symbol.text for symbol in symbols) == text
    assert math.isclose(sum(symbol.logp for symbol in symbols), -0.25 * len(pieces))


def test_a_token_of_several_characters_shares_its_probability_by_bytes() -> None:
    symbols = make_symbols([ScoredToken("ab କ".encode(), -6.0)])
    assert [(s.text, round(s.logp, 6)) for s in symbols] == [
        ("a", -1.0),
        ("b", -1.0),
        (" ", -1.0),
        ("କ", -3.0),
    ]


def test_special_tokens_have_no_symbols() -> None:
    assert make_symbols([ScoredToken(b"", -0.3)]) == ()
    assert [s.text for s in make_symbols([ScoredToken(b"a", -0.1), ScoredToken(b"", -2.0)])] == [
        "a"
    ]


def test_parts_that_join_become_one_symbol() -> None:
    """E sign and AA sign are the O sign; DDA with a nukta stays two signs."""
    tokens = [ScoredToken(char.encode(), -0.5) for char in "କ\u0b47\u0b3e"]
    assert [(s.text, s.logp) for s in make_symbols(tokens)] == [("କ", -0.5), ("\u0b4b", -1.0)]
    rra = make_symbols([ScoredToken("\u0b5c".encode(), -0.5)])
    assert ["".join(s.text for s in rra)] == ["\u0b21\u0b3c"]


def test_conjuncts_keep_their_parts_in_order() -> None:
    symbols = make_symbols([ScoredToken("ସ୍ତ୍ରୀ".encode(), -1.8)])
    assert [s.text for s in symbols] == list("ସ୍ତ୍ରୀ")
    assert all(math.isclose(s.logp, -0.3) for s in symbols)


def test_rivals_are_told_where_a_token_is_a_character() -> None:
    rivals = (
        ("ଖ".encode(), -2.0),
        ("ଗଘ".encode(), -2.5),  # two characters
        (b"\xe0\xac", -3.0),  # a part of one
        ("ଘ".encode(), -math.inf),
    )
    (symbol,) = make_symbols([ScoredToken("କ".encode(), -0.1, rivals)])
    assert symbol.alternatives == (("ଖ", -2.0),)
    whole = make_symbols([ScoredToken("କଖ".encode(), -0.1, rivals)])
    assert all(symbol.alternatives == () for symbol in whole)
