"""Confidence: monotone in the evidence, absent without a fit, clusters rated one by one."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from odia_ocr.correct.calibrate import (
    CLUSTER_FEATURES,
    LINE_FEATURES,
    Calibration,
    describe_clusters,
    describe_line,
    is_overruled,
    load_for,
    needs_review,
    sum_clusters,
)
from odia_ocr.language import split_clusters
from odia_ocr.types import Candidates, Hypothesis, Reading, Symbol

FITTED = Calibration(
    line=(1.0, -2.0, 0.5, -0.3, 0.6, 0.3, 0.2, 0.5), cluster=(1.0, 0.5, 0.4, 1.5), review=0.9
)


def make_candidates(text: str, logp: float, posterior: float | None = 0.9) -> Candidates:
    symbols = tuple(Symbol(char, logp) for char in text)
    return Candidates("l", (Hypothesis(symbols, logp * len(text), -2.0 * len(text), posterior),))


def make_symbol(char: str) -> Symbol:
    return Symbol(char, -0.1)


def rate(text: str, logp: float, posterior: float | None = 0.9) -> float:
    confidence = FITTED(make_candidates(text, logp, posterior)).confidence
    assert confidence is not None
    assert 0 <= confidence <= 1
    return confidence


def test_surer_symbols_and_a_surer_search_give_more_confidence() -> None:
    assert rate("ଧର୍ମ", -0.001) > rate("ଧର୍ମ", -0.7)
    assert rate("ଧର୍ମ", -0.1, 0.99) > rate("ଧର୍ମ", -0.1, 0.5) > rate("ଧର୍ମ", -0.1, 0.1)


def test_without_a_fit_there_is_no_confidence() -> None:
    reading = Calibration()(make_candidates("ଭଲ", -0.1))
    assert reading.confidence is None
    assert reading.text == "ଭଲ"
    assert reading.cluster_confidence == pytest.approx([math.exp(-0.1)] * 2)


def test_every_cluster_is_rated() -> None:
    reading = FITTED(make_candidates("କ୍ଷ୍ମୀ ଧର୍ମ", -0.1))
    assert len(reading.cluster_confidence) == len(split_clusters(reading.text))
    assert reading.cluster_confidence[0] < reading.cluster_confidence[1]
    (hyp,) = make_candidates("କ୍ଷ୍ମୀ ଧର୍ମ", -0.1).hypotheses
    assert sum_clusters(hyp)[0] == pytest.approx(-0.6)


def test_what_the_language_model_put_in_is_doubted_less_in_a_sure_line() -> None:
    (sure,) = make_candidates("କଖ", -3.0, 0.98).hypotheses
    assert describe_clusters(sure)[0][2] == pytest.approx(math.log(49), abs=0.1)
    doubtful, surer = (FITTED(make_candidates("କ", -3.0, p)) for p in (0.3, 0.98))
    assert surer.cluster_confidence[0] > doubtful.cluster_confidence[0]


def test_a_symbol_with_a_likelier_rival_was_overruled() -> None:
    beaten = Symbol("କ", -3.0, alternatives=(("ଖ", -0.1), ("ଗ", -5.0)))
    leading = Symbol("ମ", -0.1, alternatives=(("ଖ", -3.0),))
    hyp = Hypothesis((beaten, Symbol("\u0b4d", -0.1), leading, leading), -4.0, -8.0, 0.9)
    assert [is_overruled(symbol) for symbol in hyp.symbols] == [True, False, False, False]
    assert [row[3] for row in describe_clusters(hyp)] == [1.0, 0.0]  # କ୍ମ, ମ
    assert describe_line(hyp)[7] == pytest.approx(math.log(2))


def test_expected_errors_are_those_of_the_symbols() -> None:
    (hyp,) = make_candidates("ଧମ", math.log(0.75)).hypotheses
    assert describe_line(hyp)[3] == pytest.approx(math.log(0.51))


def test_the_language_model_is_asked_only_about_what_it_speaks_of() -> None:
    (odia,) = make_candidates("ଧମ", -0.1).hypotheses
    mixed = Hypothesis((*odia.symbols, *map(make_symbol, "12।")), -1.0, odia.lm_logp, 0.9)
    assert describe_line(mixed)[5] == describe_line(odia)[5] == -2.0
    assert describe_line(mixed)[6] == pytest.approx(math.log(2))  # one mark


def test_the_output_is_normalised_and_the_hypothesis_kept() -> None:
    reading = FITTED(make_candidates("ସତ\u0b4d\u0b2f", -0.1))
    assert reading.text == "ସତ\u0b4d\u0b5f"
    assert reading.hypothesis is not None
    assert reading.hypothesis.text == "ସତ\u0b4d\u0b2f"
    assert reading.cluster_confidence == ()


def test_an_empty_hypothesis_and_one_without_a_search_have_numbers_too() -> None:
    assert len(describe_line(Hypothesis((), -3.0))) == len(LINE_FEATURES)
    assert describe_line(Hypothesis((), -3.0))[4:] == (0.0,) * 4
    assert describe_clusters(Hypothesis((), 0.0)) == []
    (row,) = describe_clusters(Hypothesis((Symbol("କ", -1.0),), -1.0))
    assert len(row) == len(CLUSTER_FEATURES)
    assert FITTED(Candidates("l", (Hypothesis((), 0.0),))).text == ""


def test_extreme_scores_stay_probabilities() -> None:
    extreme = Calibration(line=(0.0, -500.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    confidence = extreme(make_candidates("କ", -30.0)).confidence
    assert confidence is not None
    assert 0 <= confidence <= 1


def test_a_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 8 weights"):
        Calibration(line=(1.0,))
    with pytest.raises(ValueError, match="needs 4 weights"):
        Calibration(cluster=(1.0,))


def test_a_recognizer_brings_its_calibration() -> None:
    fit = {"line": [1, 0, 0, 0, 0, 0, 0, 0], "cluster": [1, 0, 0, 0], "review": 0.9}
    reading = load_for(SimpleNamespace(calibration=fit))(make_candidates("କ", -0.1))
    assert reading.confidence == pytest.approx(1 / (1 + math.exp(-1)))
    assert load_for(object())(make_candidates("କ", -0.1)).confidence is None
    assert Calibration.of(fit).review == 0.9


def test_weights_of_another_version_are_left_out() -> None:
    old = {"line": [1, 0, 0, 0, 0], "cluster": [1, 0, 0, 0], "review": 0.9}
    assert Calibration.of(old) == Calibration()


def test_doubtful_lines_need_review() -> None:
    sure, doubtful, unrated = Reading("କ", 0.97), Reading("କ", 0.5), Reading("କ", None)
    assert not needs_review(sure, 0.9)
    assert not needs_review(sure, 0.97)
    assert needs_review(doubtful, 0.9)
    assert needs_review(unrated, 0.9)
    assert needs_review(sure, None)
