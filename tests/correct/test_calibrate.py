"""Confidence: monotone in the evidence, absent without a fit, clusters rated one by one."""

from __future__ import annotations

import pytest

from odia_ocr.correct.calibrate import FEATURES, Calibration, describe, load_for
from odia_ocr.language import split_clusters
from odia_ocr.types import Candidates, Hypothesis, Symbol

FITTED = Calibration(weights=(1.0, -2.0, 0.5, 1.0, 0.0), temperature=1.0)


def make_candidates(text: str, logp: float) -> Candidates:
    symbols = tuple(Symbol(char, logp) for char in text)
    return Candidates("l", (Hypothesis(symbols, logp * len(text)),))


def test_surer_symbols_give_more_confidence() -> None:
    sure, unsure = (FITTED(make_candidates("ଧର୍ମ", logp)) for logp in (-0.001, -0.7))
    assert sure.confidence is not None
    assert unsure.confidence is not None
    assert 1 >= sure.confidence > unsure.confidence >= 0


def test_without_a_fit_there_is_no_confidence() -> None:
    reading = Calibration()(make_candidates("ଭଲ", -0.1))
    assert reading.confidence is None
    assert reading.text == "ଭଲ"


def test_every_cluster_is_rated() -> None:
    reading = FITTED(make_candidates("କ୍ଷ୍ମୀ ଧର୍ମ", -0.1))
    assert len(reading.cluster_confidence) == len(split_clusters(reading.text))
    assert reading.cluster_confidence[0] == pytest.approx(2.718281828 ** (-0.1 * 6), rel=1e-6)


def test_the_output_is_normalised_and_the_hypothesis_kept() -> None:
    reading = FITTED(make_candidates("ସତ\u0b4d\u0b2f", -0.1))
    assert reading.text == "ସତ\u0b4d\u0b5f"
    assert reading.hypothesis is not None
    assert reading.hypothesis.text == "ସତ\u0b4d\u0b2f"
    assert reading.cluster_confidence == ()


def test_an_empty_hypothesis_has_numbers_too() -> None:
    assert len(describe(Hypothesis((), -3.0))) == len(FEATURES)
    assert FITTED(Candidates("l", (Hypothesis((), 0.0),))).text == ""


def test_extreme_scores_stay_probabilities() -> None:
    extreme = Calibration(weights=(0.0, -500.0, 0.0, 0.0, 0.0))
    confidence = extreme(make_candidates("କ", -30.0)).confidence
    assert confidence is not None
    assert 0 <= confidence <= 1


def test_a_wrong_number_of_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="needs 5 weights"):
        Calibration(weights=(1.0,))


def test_an_engine_without_calibration_still_reads() -> None:
    assert load_for(object())(make_candidates("କ", -0.5)).text == "କ"
