"""Prefix beam search against all paths, with and without a language model; symbols as greedy's."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odia_ocr.language.ngram import (
    BOUNDARY,
    UNKNOWN,
    NgramModel,
    is_spoken,
    open_ngram_model,
)
from odia_ocr.language.ngram_file import Level, write_ngram_file
from odia_ocr.recognize.decode.alignment import align_labels, find_best_path
from odia_ocr.recognize.decode.beam import BeamDecoder
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.types import Emission

SYMBOLS = ("କ", "ଖ", "7")
EXACT = {"width": 500, "margin": math.inf, "symbols": 9, "least": 0.0, "alone": 1.0}
ROWS = st.lists(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), min_size=1, max_size=4)


def make_emission(probabilities: list[list[float]], symbols: tuple[str, ...] = SYMBOLS) -> Emission:
    rows = np.array(probabilities, np.float64)
    rows = rows / rows.sum(axis=1, keepdims=True)
    return Emission("l", np.log(rows).astype(np.float32), symbols, 4.0)


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(k for k, before in zip(path, (0, *path), strict=False) if k and k != before)


def sum_paths(emission: Emission) -> dict[str, float]:
    """Probability of every text over all its paths."""
    sums: dict[str, float] = defaultdict(float)
    for path in itertools.product(range(4), repeat=len(emission.log_probs)):
        logp = sum(float(emission.log_probs[t, k]) for t, k in enumerate(path))
        sums["".join(SYMBOLS[k - 1] for k in collapse(path))] += math.exp(logp)
    return sums


@pytest.fixture(scope="module")
def lm(tmp_path_factory: pytest.TempPathFactory) -> NgramModel:
    """Bigrams over unknown, boundary, KA, KHA, digit: KA KHA is likely, KA KA is not."""
    kinds = [UNKNOWN, BOUNDARY, "କ", "ଖ", "0"]
    after = {
        1: [0.05, 0.05, 0.6, 0.2, 0.1],
        2: [0.05, 0.1, 0.05, 0.7, 0.1],
        3: [0.05, 0.35, 0.4, 0.1, 0.1],
        4: [0.1, 0.2, 0.2, 0.1, 0.4],
    }
    values = sorted({p for row in after.values() for p in row})
    codes = np.zeros(256, np.float32)
    codes[: len(values)] = np.log(values)
    none = np.empty(0, np.uint8)
    ones = Level(
        np.arange(5, dtype=np.uint8),
        np.full(5, values.index(0.2), np.uint8),
        codes,
        np.zeros(5, np.uint8),
        np.zeros(256, np.float32),
        np.array([0, 5, 5, 5, 5], np.uint8),
    )
    twos = Level(
        np.array([0, 1, 2, 3, 4] * 4, np.uint8),
        np.array([values.index(p) for row in after.values() for p in row], np.uint8),
        codes,
        none,
        np.empty(0, np.float32),
        none,
    )
    path: Path = tmp_path_factory.mktemp("lm") / "toy.ngram"
    write_ngram_file(path, kinds, {"fusion": {"alpha": 0.5, "beta": 0.25}}, [ones, twos])
    return open_ngram_model(path)


def score_language(lm: NgramModel, text: str) -> tuple[float, int]:
    """What the model says of Odia letters, and how many there are."""
    state, total, letters = lm.start, 0.0, 0
    for char in text:
        logp, state = lm.step(state, lm.number("0" if char == "7" else char))
        if char != "7":
            total += logp
            letters += 1
    return total, letters


@given(ROWS)
def test_without_pruning_every_text_has_the_sum_of_its_paths(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    hyps = BeamDecoder(nbest=500, **EXACT)(emission)
    sums = sum_paths(emission)
    assert {hyp.text for hyp in hyps} == set(sums)
    for hyp in hyps:
        assert math.exp(hyp.optical_logp) == pytest.approx(sums[hyp.text], rel=1e-4)
        assert hyp.posterior == pytest.approx(sums[hyp.text], rel=1e-3)
        assert hyp.lm_logp is None
    assert [h.optical_logp for h in hyps] == sorted((h.optical_logp for h in hyps), reverse=True)


@given(rows=ROWS)
@settings(max_examples=60)
def test_with_a_language_model_the_fused_score_is_that_of_all_paths(
    lm: NgramModel, rows: list[list[float]]
) -> None:
    emission = make_emission(rows)
    fusion = Fusion(0.7, 0.4)
    hyps = BeamDecoder(lm, fusion, nbest=500, **EXACT)(emission)
    expected = {}
    for text, probability in sum_paths(emission).items():
        language, letters = score_language(lm, text)
        expected[text] = math.log(probability) + 0.7 * language + 0.4 * letters
    assert hyps[0].text == max(expected, key=expected.__getitem__) or math.isclose(
        expected[hyps[0].text], max(expected.values()), abs_tol=1e-4
    )
    for hyp in hyps:
        language, letters = score_language(lm, hyp.text)
        assert hyp.lm_logp == pytest.approx(language, abs=1e-5)
        fused = hyp.optical_logp + 0.7 * hyp.lm_logp + 0.4 * letters
        assert fused == pytest.approx(expected[hyp.text], abs=1e-3)


@given(ROWS)
def test_width_one_without_a_model_is_greedy(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    assert BeamDecoder(width=1, source="g")(emission) == GreedyDecoder("g")(emission)


BLANK, KA, KHA, SEVEN = ([0.97 if i == k else 0.01 for i in range(4)] for k in range(4))


def test_pruned_search_finds_what_the_exact_one_finds(lm: NgramModel) -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        rows = [rng.dirichlet([0.5, 0.3, 0.3, 0.1]) ** 4 + 1e-5 for _ in range(25)]
        emission = make_emission([row.tolist() for row in rows])
        exact = BeamDecoder(lm, Fusion(0.5, 0.5), **EXACT)(emission)
        pruned = BeamDecoder(lm, Fusion(0.5, 0.5), width=16)(emission)
        assert pruned[0].text == exact[0].text
        assert pruned[0].optical_logp == pytest.approx(exact[0].optical_logp, abs=0.2)


def test_symbols_are_those_of_greedy_where_the_text_is(lm: NgramModel) -> None:
    emission = make_emission([KA, KA, BLANK, KA, KHA, BLANK, BLANK, SEVEN, BLANK])
    (greedy,) = GreedyDecoder()(emission)
    for decoder in (BeamDecoder(), BeamDecoder(lm, Fusion(0.3, 0.0))):
        assert decoder(emission)[0].symbols == greedy.symbols


def test_the_model_turns_a_doubtful_letter_and_its_symbol_says_so(lm: NgramModel) -> None:
    doubtful = [0.02, 0.50, 0.46, 0.02]
    emission = make_emission([BLANK, KA, BLANK, doubtful, BLANK])
    assert GreedyDecoder()(emission)[0].text == "କକ"
    hyps = BeamDecoder(lm, Fusion.of(lm))(emission)
    assert [hyp.text for hyp in hyps[:2]] == ["କଖ", "କକ"]
    turned = hyps[0].symbols[1]
    assert turned.logp == pytest.approx(math.log(0.46), abs=1e-3)
    assert turned.span == (10.0, 16.0)
    assert turned.alternatives[0] == ("କ", pytest.approx(math.log(0.5), abs=1e-3))
    assert hyps[0].optical_logp < hyps[1].optical_logp
    assert hyps[0].posterior > hyps[1].posterior
    assert sum(hyp.posterior for hyp in hyps) <= 1 + 1e-9


def test_digits_are_not_turned(lm: NgramModel) -> None:
    # After KA the model expects KHA; a digit that the picture prefers stays one.
    doubtful = [0.02, 0.02, 0.40, 0.56]
    text = BeamDecoder(lm, Fusion(0.5, 0.0))(make_emission([KA, BLANK, doubtful]))[0].text
    assert text == "କ7"
    assert [is_spoken(char) for char in "କ୍ ୭7a।."] == [True, True, True, *[False] * 5]


def test_a_number_stays_in_one_script(lm: NgramModel) -> None:
    doubtful = make_emission([[0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.54, 0.44]], ("୨", "9", "୯"))
    assert BeamDecoder(lm, Fusion(1.0, 0.0))(doubtful)[0].text == "୨୯"
    assert BeamDecoder(lm, Fusion(1.0, 0.0, mixed=0.0))(doubtful)[0].text == "୨9"
    sure = make_emission([[0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]], ("୨", "9", "୯"))
    assert BeamDecoder(lm, Fusion(1.0, 0.0))(sure)[0].text == "୨9"


def test_a_text_is_weighed_as_the_search_weighs_it(lm: NgramModel) -> None:
    emission = make_emission([[0.1, 0.5, 0.2, 0.2], [0.1, 0.2, 0.4, 0.3]], ("୨", "9", "କ"))
    fusion = Fusion(0.7, 0.3)
    hypotheses = BeamDecoder(lm, fusion, nbest=99, **EXACT)(emission)
    scores = {hyp.text: hyp.optical_logp + fusion.weigh(lm, hyp.text) for hyp in hypotheses}
    total = math.log(sum(math.exp(score) for score in scores.values()))
    assert {"୨9", "9୨", "କ9"} <= set(scores)
    for hyp in hypotheses:
        assert hyp.posterior == pytest.approx(math.exp(scores[hyp.text] - total), rel=1e-4)


def test_zwnj_is_passed_over(lm: NgramModel) -> None:
    symbols = ("କ", "ଖ", "\u200c", "୍")
    virama, zwnj = ([0.96 if i == k else 0.01 for i in range(5)] for k in (4, 3))
    ka, kha = ([0.96 if i == k else 0.01 for i in range(5)] for k in (1, 2))
    decoder = BeamDecoder(lm, Fusion(0.5, 0.0))
    joined = decoder(make_emission([ka, virama, kha], symbols))[0]
    apart = decoder(make_emission([ka, virama, zwnj, kha], symbols))[0]
    assert apart.text == "କ୍\u200cଖ"
    assert apart.lm_logp == pytest.approx(joined.lm_logp)


def test_readings_of_one_spelling_become_one() -> None:
    space = (" ", "କ", "ଖ")
    gap, ka = [0.05, 0.9, 0.04, 0.01], [0.01, 0.01, 0.97, 0.01]
    maybe = [0.5, 0.48, 0.01, 0.01]  # one space or two
    emission = make_emission([ka, gap, maybe, gap, ka], space)
    hyps = BeamDecoder(nbest=9, **EXACT)(emission)
    assert len({hyp.text for hyp in hyps}) == len(hyps)
    assert hyps[0].text == "କ କ"
    raw = BeamDecoder(nbest=1, **EXACT)(emission)
    assert hyps[0].optical_logp > raw[0].optical_logp


def test_recombining_loses_neither_the_best_readings_nor_their_share(lm: NgramModel) -> None:
    rng = np.random.default_rng(1)
    for _ in range(8):
        rows: list[list[float]] = []
        for _ in range(7):
            rows += [(rng.dirichlet([0.05, 0.3, 0.3, 0.2]) + 1e-4).tolist(), [1.0, 0.0, 0.0, 0.0]]
        emission = make_emission([[max(p, 1e-30) for p in row] for row in rows])
        wide = {"width": 10_000, "margin": math.inf, "symbols": 9, "least": 0.0}
        # All prefixes are kept where as many readings are asked for.
        full = BeamDecoder(lm, Fusion(0.5, 0.5), nbest=10_000, **wide)(emission)
        for nbest in (1, 3):
            some = BeamDecoder(lm, Fusion(0.5, 0.5), nbest=nbest, **wide)(emission)
            assert [hyp.text for hyp in some] == [hyp.text for hyp in full[:nbest]]
            for ours, theirs in zip(some, full, strict=False):
                # What was dropped can come back by later paths, without its earlier ones.
                assert ours.optical_logp == pytest.approx(theirs.optical_logp, abs=0.2)
                assert ours.posterior == pytest.approx(theirs.posterior, abs=0.1)


def test_blank_lines_and_impossible_settings(lm: NgramModel) -> None:
    for decoder in (BeamDecoder(), BeamDecoder(lm, Fusion(0.5, 0.5))):
        hyps = decoder(make_emission([BLANK, BLANK]))
        assert hyps[0].symbols == ()
    with pytest.raises(ValueError, match="width"):
        BeamDecoder(width=0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(0, 2**32 - 1))
def test_alignment_is_the_best_path_of_its_labels(path: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_probs = np.log(rng.dirichlet(np.ones(4), len(path)).clip(1e-9)).astype(np.float32)
    labels = collapse(tuple(path))
    near = find_best_path(log_probs)
    # Without anything in common, so that all of it is laid anew.
    peaks = align_labels(log_probs, labels, find_best_path(log_probs[:0].reshape(0, 4)))
    assert peaks.labels == labels
    if len(path) <= 5:
        score = 0.0
        for k, a, b in zip(peaks.labels, peaks.starts, peaks.ends, strict=True):
            score += float(log_probs[a:b, k].sum())
        inside = {t for a, b in zip(peaks.starts, peaks.ends, strict=True) for t in range(a, b)}
        score += float(sum(log_probs[t, 0] for t in range(len(path)) if t not in inside))
        best = max(
            sum(float(log_probs[t, k]) for t, k in enumerate(other))
            for other in itertools.product(range(4), repeat=len(path))
            if collapse(other) == labels
        )
        assert score == pytest.approx(best, abs=1e-4)
    close = align_labels(log_probs, labels, near)
    assert all(a < b for a, b in zip(close.starts, close.ends, strict=True))
    assert all(b <= a for b, a in zip(close.ends, close.starts[1:], strict=False))
