"""The n-gram model against a table worked out by hand; its states; files that are no model."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from odia_ocr.errors import ModelMissingError
from odia_ocr.language.ngram import (
    BOUNDARY,
    UNKNOWN,
    NgramModel,
    open_ngram_model,
    split_symbols,
    symbol_of,
)
from odia_ocr.language.ngram_file import Level, open_ngram_file, write_ngram_file

SYMBOLS = (UNKNOWN, BOUNDARY, "କ", "ଖ")
# p(symbol), and what the contexts weigh.
UNIGRAMS = {UNKNOWN: 0.1, BOUNDARY: 0.2, "କ": 0.4, "ଖ": 0.3}
BIGRAMS = {(BOUNDARY, "କ"): 0.9, ("କ", BOUNDARY): 0.25, ("କ", "ଖ"): 0.6}
TRIGRAMS = {(BOUNDARY, "କ", "ଖ"): 0.8}
BACKOFF = {(BOUNDARY,): 0.1 / 0.6, ("କ",): 0.15 / 0.5, (BOUNDARY, "କ"): 0.2 / 0.4}


def make_codes(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    table = np.zeros(256, np.float32)
    table[: len(values)] = np.log(values)
    return np.arange(len(values), dtype=np.uint8), table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    none = np.empty(0, np.uint8)
    ones, one_codes = make_codes(list(UNIGRAMS.values()))
    twos, two_codes = make_codes(list(BIGRAMS.values()))
    threes, three_codes = make_codes(list(TRIGRAMS.values()))
    weights, weight_codes = make_codes([1.0, *BACKOFF.values()])
    levels = [
        Level(
            np.arange(4, dtype=np.uint8),
            ones,
            one_codes,
            weights[[0, 1, 2, 0]],
            weight_codes,
            np.array([0, 1, 2, 0], np.uint8),
        ),
        Level(
            np.array([2, 1, 3], np.uint8),
            twos,
            two_codes,
            weights[[3, 0, 0]],
            weight_codes,
            np.array([1, 0, 0], np.uint8),
        ),
        Level(np.array([3], np.uint8), threes, three_codes, none, np.empty(0, np.float32), none),
    ]
    file = tmp_path / "toy.ngram"
    write_ngram_file(file, SYMBOLS, {"made": "by hand"}, levels)
    return file


@pytest.fixture
def model(path: Path) -> NgramModel:
    return open_ngram_model(path)


@pytest.mark.parametrize(
    ("text", "factors"),
    [
        ("", [0.1 / 0.6 * 0.2]),
        ("କ", [0.9, 0.2 / 0.4 * 0.25]),
        ("କଖ", [0.9, 0.8, 0.2]),
        ("କକ", [0.9, 0.2 / 0.4 * 0.3 * 0.4, 0.25]),
        ("ଖକଖ", [0.1 / 0.6 * 0.3, 0.4, 0.6, 0.2]),
        ("ଗକଖ", [0.1 / 0.6 * 0.1, 0.4, 0.6, 0.2]),  # what it has never seen is unknown
    ],
)
def test_a_line_has_the_probability_worked_out_by_hand(
    model: NgramModel, text: str, factors: list[float]
) -> None:
    assert model.score(split_symbols(text)) == pytest.approx(sum(map(math.log, factors)), abs=1e-5)
    without = model.score(split_symbols(text), end=False)
    assert without == pytest.approx(sum(map(math.log, factors[:-1])), abs=1e-5)


def test_after_every_state_probabilities_sum_to_one(model: NgramModel) -> None:
    states = {model.start}
    for _ in range(3):
        states |= {model.step(state, k)[1] for state in states for k in (0, 2, 3)}
    assert len(states) >= 4
    for state in states:
        total = sum(math.exp(model.step(state, k)[0]) for k in range(4))
        assert total == pytest.approx(1.0, abs=1e-5)


def test_states_hold_no_more_than_the_model_can_use(model: NgramModel) -> None:
    # After KHA nothing longer goes on: all histories are one state.
    assert model.step(model.start, 3)[1] == model.step((), 3)[1] == ()
    assert model.step(model.start, 2)[1] != model.step((), 2)[1]


def test_a_full_cache_changes_nothing(model: NgramModel, monkeypatch: pytest.MonkeyPatch) -> None:
    before = model.score(split_symbols("କଖକକ"))
    monkeypatch.setattr("odia_ocr.language.ngram._CACHE", 1)
    model._cache.clear()
    assert model.score(split_symbols("କଖକକ")) == before


def test_digits_and_latin_letters_are_one_symbol_each_and_zwnj_is_none() -> None:
    assert [symbol_of(char) for char in "୩7Zqଓ।"] == ["0", "0", "a", "a", "ଓ", "।"]
    assert split_symbols("ମନ୍\u200cକି  12") == [*"ମନ୍କି ", "0", "0"]


def test_facts_come_back(path: Path) -> None:
    file = open_ngram_file(path)
    assert file.facts == {"made": "by hand"}
    assert file.symbols == SYMBOLS
    assert [len(level.symbols) for level in file.levels] == [4, 3, 1]


@pytest.mark.parametrize("damage", ["missing", "empty", "other", "cut", "header", "children"])
def test_a_file_that_is_no_model_is_told(path: Path, damage: str) -> None:
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "children":
        file = open_ngram_file(path)
        at = file.offsets[0] + 3 * 4  # of the unigrams
        path.write_bytes(content[:at] + bytes([7]) + content[at + 1 :])
    else:
        changed = {
            "empty": b"",
            "other": b"PK" + content[2:],
            "cut": content[:-1],
            "header": content[:12] + b"?" + content[13:],
        }
        path.write_bytes(changed[damage])
    with pytest.raises(ModelMissingError) as caught:
        open_ngram_model(path)
    assert str(path) in str(caught.value)
    assert "train lm" in caught.value.next_step
