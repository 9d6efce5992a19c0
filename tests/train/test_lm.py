"""Kneser-Ney against plain sums over dictionaries, pruning, the file, texts, and fitting."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from odia_ocr.data.texts import is_heldout
from odia_ocr.errors import DataError, UsageError
from odia_ocr.language.ngram import open_ngram_model, split_symbols
from odia_ocr.language.ngram_file import write_ngram_file
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.train import kneser_ney
from odia_ocr.train.lm import LmConfig, cut_pieces, encode_lines, read_corpus, train_lm
from odia_ocr.train.lm_fit import FittingLine, fit_fusion, store_fusion
from odia_ocr.types import Emission

KINDS = 5  # unknown, boundary, three letters
LINES = ["abc", "abab", "cab", "bca", "abcabc", "a", "cc", "bab", "abba", "cba"]
DISCOUNTS = [(0.4, 0.8, 1.1), (0.5, 0.9, 1.3), (0.6, 1.0, 1.4)]


ODIA = str.maketrans("abc", "କଖଗ")  # letters of the toy text are easier to tell apart in ASCII


def encode(lines: list[str]) -> np.ndarray:
    return encode_lines([line.translate(ODIA) for line in lines], ["\ufffd", "\n", *"କଖଗ"])


class SlowModel:
    """Modified Kneser-Ney as the paper writes it, one probability at a time."""

    def __init__(self, lines: list[str], order: int) -> None:
        self.order = order
        self.counts: dict[int, Counter[tuple[str, ...]]] = defaultdict(Counter)
        for line in lines:
            symbols = ["\n", *line, "\n"]
            for k in range(1, order + 1):
                for i in range(len(symbols) - k + 1):
                    if k > 1 or i > 0:
                        self.counts[k][tuple(symbols[i : i + k])] += 1

    def count(self, gram: tuple[str, ...]) -> int:
        k = len(gram)
        if k == self.order or (k > 1 and gram[0] == "\n"):
            return self.counts[k][gram]
        return len({longer[0] for longer in self.counts[k + 1] if longer[1:] == gram})

    def probability(self, gram: tuple[str, ...]) -> float:
        context, k = gram[:-1], len(gram)
        lower = self.probability(gram[1:]) if k > 1 else 1 / KINDS
        after = [self.count((*context, symbol)) for symbol in "\ufffd\nabc"]
        total = sum(after)
        if not total:
            return lower
        taken = [0.0, *DISCOUNTS[k - 1]]
        rest = sum(min(taken[min(n, 3)], n) for n in after) / total
        count = self.count(gram)
        return (count - min(taken[min(count, 3)], count)) / total + rest * lower


def keys_of(gram: tuple[str, ...]) -> np.ndarray:
    key = 0
    for symbol in gram:
        key = (key << kneser_ney.BITS) | "\ufffd\nabc".index(symbol)
    return np.array([key], np.uint64)


def test_fast_equals_slow_for_every_context() -> None:
    model = kneser_ney.estimate(encode(LINES), order=3, symbols=KINDS, discounts=DISCOUNTS)
    slow = SlowModel(LINES, 3)
    for gram in itertools.product("\ufffd\nabc", "\ufffdabc", "\ufffd\nabc"):
        expected = slow.probability(gram)
        got = float(np.exp(kneser_ney.score_keys(model, keys_of(gram), 3))[0])
        assert got == pytest.approx(expected, rel=1e-9), gram


def test_a_bigram_table_worked_out_by_hand() -> None:
    # Lines "ab", "ab", "b". Bigrams: ^a 2, ab 2, b$ 3, ^b 1.
    # Contexts before a: 1, before b: 2, before the end: 1; 4 in all, each less its discount.
    taken = [(0.5, 0.5, 0.5), (0.5, 0.5, 0.5)]
    model = kneser_ney.estimate(encode(["ab", "ab", "b"]), order=2, symbols=KINDS, discounts=taken)
    rest = 1.5 / 4 / KINDS
    unigrams = [rest, 0.5 / 4 + rest, 0.5 / 4 + rest, 1.5 / 4 + rest, rest]
    assert np.exp(model[0].logp) == pytest.approx(unigrams)
    for gram, expected in {
        "\na": 1.5 / 3 + 1 / 3 * unigrams[2],
        "\nb": 0.5 / 3 + 1 / 3 * unigrams[3],
        "ab": 1.5 / 2 + 0.5 / 2 * unigrams[3],
        "b\n": 2.5 / 3 + 0.5 / 3 * unigrams[1],
        "aa": 0.5 / 2 * unigrams[2],
        "ca": unigrams[2],
    }.items():
        got = np.exp(kneser_ney.score_keys(model, keys_of(tuple(gram)), 2))[0]
        assert got == pytest.approx(expected), gram


def test_discounts_are_those_of_chen_and_goodman() -> None:
    # n1..n4 = 6, 3, 2, 1: Y = 6 / 12; D = 1 - 2*Y*3/6, 2 - 3*Y*2/3, 3 - 4*Y*1/2.
    counts = np.array([1] * 6 + [2] * 3 + [3] * 2 + [4], np.int64)
    assert kneser_ney._find_discounts(counts) == pytest.approx((0.5, 1.0, 2.0))
    assert kneser_ney._find_discounts(np.array([9, 9], np.int64)) == kneser_ney._NO_DISCOUNTS


def all_sums(model: list[kneser_ney.Grams]) -> np.ndarray:
    """Sums of the probabilities after every context of two symbols."""
    return np.array(
        [
            sum(
                np.exp(kneser_ney.score_keys(model, keys_of((*context, last)), 3))[0]
                for last in "\ufffd\nabc"
            )
            for context in itertools.product("\ufffd\nabc", "\ufffdabc")
        ]
    )


def test_pruning_keeps_sums_at_one_and_costs_little_text() -> None:
    text = encode(LINES * 3)
    model = kneser_ney.estimate(text, order=3, symbols=KINDS)
    assert all_sums(model) == pytest.approx(1.0)
    smaller = kneser_ney.prune(model, 2.0)
    sizes = [len(grams.keys) for grams in smaller]
    assert 0 < sizes[2] < len(model[2].keys)
    assert all_sums(smaller) == pytest.approx(1.0)
    loss = [kneser_ney.score_text(some, text) for some in (model, smaller, model[:1])]
    assert loss[0] >= loss[1] > kneser_ney.score_text(kneser_ney.prune(model, 1e9), text)
    # No n-gram is left without the context it hangs on.
    contexts = smaller[2].keys >> np.uint64(kneser_ney.BITS)
    assert np.isin(contexts, smaller[1].keys).all()


def test_pruning_to_a_size() -> None:
    rng = np.random.default_rng(0)
    lines = ["".join("abc"[i] for i in rng.integers(0, 3, 40)) for _ in range(60)]
    model = kneser_ney.estimate(encode(lines), order=6, symbols=KINDS)
    size = (kneser_ney.count_bytes(model) + kneser_ney.count_bytes(model[:3])) // 2
    smaller = kneser_ney.prune_to_size(model, size)
    assert size * 0.8 < kneser_ney.count_bytes(smaller) <= size
    assert kneser_ney.prune_to_size(model, 10**9) == model


def test_the_file_says_what_the_estimate_says(tmp_path: Path) -> None:
    text = encode(LINES)
    model = kneser_ney.estimate(text, order=3, symbols=KINDS)
    levels, rounded = kneser_ney.quantise(kneser_ney.prune(model, 0.7))
    assert all_sums(rounded) == pytest.approx(1.0, abs=0.02)
    write_ngram_file(tmp_path / "m.ngram", ["\ufffd", "\n", *"କଖଗ"], {}, levels)
    opened = open_ngram_model(tmp_path / "m.ngram")
    for line in ["abc", "cab", "bbbb", "ca", "x", "acx"]:
        total = opened.score(line.translate(ODIA))
        expected = kneser_ney.score_text(rounded, encode([line])) * (len(line) + 1)
        assert total == pytest.approx(expected, abs=1e-4), line


def test_wrong_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        kneser_ney.estimate(encode(LINES), order=1, symbols=KINDS)
    with pytest.raises(UsageError, match="9"):
        LmConfig(order=9)
    with pytest.raises(UsageError, match=r"0\.001 MB"):
        LmConfig(size=1000)


def write_text(folder: Path, tier: str, lines: list[str]) -> None:
    path = folder / "text" / tier / "some.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


WORDS = "ଘର ନଦୀ ଫୁଲ ଆକାଶ ପାଣି ଗଛ ପକ୍ଷୀ ମଣିଷ ବହି କଲମ ରାସ୍ତା ବଜାର ସକାଳ ରାତି".split()


def make_lines(count: int) -> list[str]:
    rng = np.random.default_rng(4)
    return [" ".join(WORDS[i] for i in rng.integers(0, len(WORDS), 9)) for _ in range(count)]


def test_only_text_that_may_be_shipped_and_is_not_held_out_is_learned(tmp_path: Path) -> None:
    lines = make_lines(200)
    held = [line for line in lines if is_heldout(line)]
    assert held
    secret = "ଗୁପ୍ତ କଥା ଏଠାରେ ଅଛି ବୋଲି କିଏ ଜାଣେ"
    near = held[0].rsplit(" ", 1)[0] + " ଶେଷ"  # one word of a held-out line changed
    write_text(tmp_path, "open", [*lines, near])
    write_text(tmp_path, "research", [secret])
    corpus = read_corpus(tmp_path)
    assert set(corpus.lines) == set(lines) - set(held) - {near}
    assert corpus.check
    assert not set(corpus.check) & set(corpus.lines)
    write_text(tmp_path / "other", "research", [secret])
    with pytest.raises(DataError, match="open"):
        read_corpus(tmp_path / "other")


def test_pieces_are_the_line_again() -> None:
    line = make_lines(1)[0] * 3
    pieces = cut_pieces([line], np.random.default_rng(0))
    assert len(pieces) > 1
    assert " ".join(pieces) == line


def test_training_writes_a_model_that_prefers_its_text(tmp_path: Path) -> None:
    write_text(tmp_path / "data", "open", make_lines(300))
    said: list[str] = []
    path = train_lm(
        tmp_path / "out", tmp_path / "data", LmConfig(order=4, size=100_000), report=said.append
    )
    assert path.stat().st_size <= 100_000
    model = open_ngram_model(path)
    assert model.order == 4
    assert f"{model.facts['perplexity_check']:.3f}" in said[-1]
    per_symbol = [
        model.score(split_symbols(text)) / (len(text) + 1) for text in ("ନଦୀ ପାଣି ଘର", "ଣଦୀ ପାଣୀ ଘଋ")
    ]
    assert per_symbol[0] > per_symbol[1] + 1


def make_emission(text: str, rivals: dict[int, str]) -> Emission:
    """Every letter for certain, except at places where a rival is a little likelier."""
    alphabet = tuple(dict.fromkeys("".join([*WORDS, " ", *rivals.values(), "ଣୀ"])))
    rows = []
    for i, char in enumerate(text):
        row = np.full(len(alphabet) + 1, 1e-5)
        row[alphabet.index(char) + 1] = 1.0
        if i in rivals:
            row[alphabet.index(rivals[i]) + 1] = 1.4
        rows += [row, np.eye(len(row))[0] + 1e-5]
    table = np.array(rows)
    log_probs = np.log(table / table.sum(axis=1, keepdims=True)).astype(np.float32)
    return Emission("l", log_probs, alphabet, 4.0)


def test_fitting_finds_weights_that_mend_and_the_file_keeps_them(tmp_path: Path) -> None:
    write_text(tmp_path / "data", "open", make_lines(300))
    path = train_lm(
        tmp_path, tmp_path / "data", LmConfig(order=4, size=100_000), report=lambda _: None
    )
    lm = open_ngram_model(path)
    assert Fusion.of(lm) == Fusion()
    text = "ନଦୀ ପାଣି ଘର"
    lines = [FittingLine(make_emission(text, {0: "ଣ", 7: "ୀ"}), text)]
    fit = fit_fusion(lm, lines, GreedyDecoder(), report=lambda _: None)
    assert fit.beam < fit.greedy
    assert math.isclose(fit.greedy, 2 / len(text))
    store_fusion(path, fit, "ctc-test")
    again = open_ngram_model(path)
    assert Fusion.of(again) == fit.fusion
    assert again.facts["fitted"]["recognizer"] == "ctc-test"
    assert again.facts["perplexity_check"] == lm.facts["perplexity_check"]
    assert again.score(split_symbols(text)) == lm.score(split_symbols(text))
    best = BeamDecoder(again, Fusion.of(again))(lines[0].emission)[0]
    assert (best.text == text) == (fit.beam == 0)
