"""Spelling: one per drawing in labels and output; more is folded for scoring only."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.language import ALPHABET, find_unknown, fold, normalise, split_clusters

# Every symbol, and the spellings that fold into others.
_SPELLINGS = "\u0b35\u0b5c\u0b5d\u200d\u200c\u0965|\u2014\u0b56\u0b57 "
ODIA = st.text(alphabet=[*ALPHABET.symbols, *_SPELLINGS], max_size=24)


@pytest.mark.parametrize(
    ("spelling", "usual"),
    [
        ("ସତ\u0b4d\u0b2f", "ସତ\u0b4d\u0b5f"),  # ya-phala
        ("ସୂର\u0b4d\u0b2f\u0b4d\u0b2f", "ସୂର\u0b4d\u0b2f\u0b4d\u0b5f"),  # reph on YA, then ya-phala
        ("ଆର\u0b4d\u0b5f", "ଆର\u0b4d\u0b5f"),
        ("\u0b2f\u0b3c", "\u0b5f"),  # YYA
        ("\u0b5c", "\u0b21\u0b3c"),  # RRA comes apart
        ("\u0b5d", "\u0b22\u0b3c"),  # RHA comes apart
        ("କ\u0b47\u0b3e", "କ\u0b4b"),
        ("କ\u0b47\u0b56", "କ\u0b48"),
        ("କ\u0b47\u0b57", "କ\u0b4c"),
        ("\u0b05\u0b3e", "\u0b06"),
        ("ବିଶ\u0b4d\u0b35", "ବିଶ\u0b4d\u0b71"),  # VA -> WA
        ("ବିଶ\u0b4d\u0b2c", "ବିଶ\u0b4d\u0b71"),  # BA after SHA -> WA
        ("ଦ\u0b4d\u0b2cାର", "ଦ\u0b4d\u0b71ାର"),
        ("ସମ\u0b4d\u0b71ାଦ", "ସମ\u0b4d\u0b2cାଦ"),  # WA after MA -> BA
        ("ଧର\u0b4d\u0b2c", "ଧର\u0b4d\u0b2c"),  # drawn apart after RA: kept
        ("ଧର\u0b4d\u0b71", "ଧର\u0b4d\u0b71"),
        ("\u0b35ାଟ", "\u0b71ାଟ"),
        ("ଭଗବତ\u0b4d\u200cକୃପା", "ଭଗବତ\u0b4d\u200cକୃପା"),  # shown halant: kept
        ("ଭଗବତ\u0b4d\u200dକୃପା", "ଭଗବତ\u0b4d\u200cକୃପା"),
        ("କ\u200dଖ\u200cଗ", "କଖଗ"),  # joiners that show nothing
        ("ଅଛି\u0965", "ଅଛି।।"),
        ("ଅଛି |", "ଅଛି ।"),
        ("ହୁଏ\u2014ମାନବ…", "ହୁଏ\u2013ମାନବ..."),
        ("  କ \t\n ଖ ", "କ ଖ"),
        ("ok 12% (a)", "ok 12% (a)"),
    ],
)
def test_normalise_writes_the_usual_spelling(spelling: str, usual: str) -> None:
    assert normalise(spelling) == usual


@given(ODIA)
def test_normalise_is_idempotent_and_nfc(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.normalize("NFC", once) == once


@given(ODIA)
def test_fold_is_idempotent_and_blind_to_spelling(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert fold(normalise(text)) == once


@given(ODIA)
def test_normalised_odia_fits_the_alphabet(text: str) -> None:
    lone_marks = {"\u0b56", "\u0b57"}  # without their vowel sign they are no text
    assert set(find_unknown([text])) <= lone_marks


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ଭଗବତ୍\u200cକୃପା", "ଭଗବତ୍କୃପା"),
        ("“ଭଲ”", '"ଭଲ"'),
        ("‘ଭଲ’", "'ଭଲ'"),
        ("କ — ଖ", "କ-ଖ"),
        ("କ , ଖ ।", "କ, ଖ।"),
        ("ଅଛି ॥", "ଅଛି ।।"),
        ("( ୧୨ )", "(୧୨)"),
        ("ଅଛି |", "ଅଛି।"),
    ],
)
def test_fold_makes_these_equal(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("ଧର୍ବ", "ଧର୍ୱ"), ("ଡ", "ଡ଼"), ("ଳ", "ଲ"), ("୧", "1"), ("କଖ", "କ ଖ"), ("ଯ", "ୟ"), ("a", "A")],
)
def test_fold_keeps_these_apart(left: str, right: str) -> None:
    assert fold(left) != fold(right)


def test_strict_folding_changes_only_white_space_and_nfc() -> None:
    assert fold(" “କ”  , ଖ |", strict=True) == "“କ” , ଖ |"
    assert fold("\u0b5c", strict=True) == "\u0b21\u0b3c"


@given(ODIA)
def test_clusters_rejoin(text: str) -> None:
    assert "".join(split_clusters(text)) == text


@pytest.mark.parametrize(
    ("text", "clusters"),
    [
        ("କ୍ଷ୍ମୀ", ["କ୍ଷ୍ମୀ"]),
        ("ଧର୍ମ", ["ଧ", "ର୍ମ"]),
        ("ତ୍\u200cକ", ["ତ୍\u200c", "କ"]),  # ZWNJ splits
        ("ତ୍\u200dକ", ["ତ୍\u200dକ"]),  # ZWJ does not
        ("ଢ଼ୋ", ["ଢ଼ୋ"]),
    ],
)
def test_cluster_boundaries(text: str, clusters: list[str]) -> None:
    assert split_clusters(text) == clusters
