"""Confidence: monotone in the evidence, absent without a fit, clusters rated one by one."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from odia_ocr.correct.calibrate import (
    CLUSTER_FEATURES,
    LINE_FEATURES,
    Calibration,
    describe_cluster,
    describe_line,
    load_for,
    sum_clusters,
)
from odia_ocr.language import split_clusters
from odia_ocr.types import Candidates, Hypothesis, Symbol

FITTED = Calibration(line=(1.0, -2.0, 0.5, 0.0, 0.6, 0.3), cluster=(1.0, 0.5, 0.4))


def make_candidates(text: str, logp: float, posterior: float | None = 0.9) -> Candidates:
    symbols = tuple(Symbol(char, logp) for char in text)
    return Candidates("l", (Hypothesis(symbols, logp * len(text), -2.0 * len(text), posterior),))


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
    assert describe_cluster(sure, -3.0)[2] == pytest.approx(math.log(49), abs=0.1)
    doubtful, surer = (FITTED(make_candidates("କ", -3.0, p)) for p in (0.3, 0.98))
    assert surer.cluster_confidence[0] > doubtful.cluster_confidence[0]


def test_the_output_is_normalised_and_the_hypothesis_kept() -> None:
    reading = FITTED(make_candidates("ସତ\u0b4d\u0b2f", -0.1))
    assert reading.text == "ସତ\u0b4d\u0b5f"
    assert reading.hypothesis is not None
    assert reading.hypothesis.text == "ସତ\u0b4d\u0b2f"
    assert reading.cluster_confidence == ()


def test_an_empty_hypothesis_and_one_without_a_search_have_numbers_too() -> None:
    assert len(describe_line(Hypothesis((), -3.0))) == len(LINE_FEATURES)
    assert describe_line(Hypothesis((), -3.0))[4:] == (0.0, 0.0)
    assert len(describe_cluster(Hypothesis((), 0.0), -1.0)) == len(CLUSTER_FEATURES)
    assert FITTED(Candidates("l", (Hypothesis((), 0.0),))).text == ""


def test_extreme_scores_stay_probabilities() -> None:
    extreme = Calibration(line=(0.0, -500.0, 0.0, 0.0, 0.0, 0.0))
    confidence = extreme(make_candidates("କ", -30.0)).confidence
    assert confidence is not None
    assert 0 <= confidence <= 1


def test_a_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 6 weights"):
        Calibration(line=(1.0,))
    with pytest.raises(ValueError, match="needs 3 weights"):
        Calibration(cluster=(1.0,))


def test_a_recognizer_brings_its_calibration() -> None:
    fit = {"line": [1, 0, 0, 0, 0, 0], "cluster": [1, 0, 0], "review": 0.9}
    reading = load_for(SimpleNamespace(calibration=fit))(make_candidates("କ", -0.1))
    assert reading.confidence == pytest.approx(1 / (1 + math.exp(-1)))
    assert load_for(object())(make_candidates("କ", -0.1)).confidence is None
