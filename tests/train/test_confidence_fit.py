"""The confidence fit finds what was put in, and is worth more than a constant on drawn lines."""

from __future__ import annotations

import numpy as np
import pytest

from odia_ocr.correct.calibrate import Calibration, load_for
from odia_ocr.evaluate.reliability import measure_reliability
from odia_ocr.recognize import open_recognizer
from odia_ocr.train.confidence import (
    NOT_ODIA,
    FittingReading,
    fit_logistic,
    fit_readings,
    read_fitting_lines,
)
from odia_ocr.types import Candidates, Hypothesis, Symbol

AUROC = 0.8  # of so few lines; reports hold the figure of many


def draw_readings(n: int, seed: int) -> list[FittingReading]:
    """Readings of one word whose posterior is the truth about them."""
    rng = np.random.default_rng(seed)
    readings = []
    for p in rng.uniform(0.02, 0.98, n):
        symbols = tuple(Symbol(char, float(np.log(p)) / 3) for char in "ଧରମ")
        truth = "ଧରମ" if rng.random() < p else "ଧନମ"
        readings.append(FittingReading(Hypothesis(symbols, float(np.log(p)), -6.0, p), truth))
    return readings


def test_known_weights_are_found() -> None:
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(20_000), rng.normal(size=(20_000, 2))])
    wanted = np.array([0.5, -1.0, 2.0])
    y = (rng.random(20_000) < 1 / (1 + np.exp(-x @ wanted))).astype(np.float64)
    assert fit_logistic(x, y) == pytest.approx(wanted, abs=0.1)


def test_confidence_comes_true_on_readings_not_fitted_on() -> None:
    fit = fit_readings(draw_readings(3000, seed=1))
    rate = Calibration(fit.line, fit.cluster, fit.review)
    fresh = draw_readings(3000, seed=2)
    stated = [rate(Candidates("l", (r.hyp,))).confidence or 0.0 for r in fresh]
    found = measure_reliability(stated, [int(not r.right) for r in fresh], [3] * len(fresh))
    assert found.ece <= found.ece_perfect[1] + 0.01
    assert fit.lines == 3000
    assert fit.review is None or 0.9 < fit.review < 1.0


@pytest.mark.parametrize("engine", ["ctc", "ctc-fast"])
def test_the_shipped_confidence_tells_right_lines_from_wrong_ones(engine: str) -> None:
    recognizer = open_recognizer(engine, threads=1)
    lines = read_fitting_lines(recognizer, count=150, seed=5)
    corrector = load_for(recognizer)
    stated = [corrector(Candidates("l", (line.hyp,))).confidence for line in lines]
    assert None not in stated
    edits = [int(not line.right) for line in lines]
    found = measure_reliability([p or 0.0 for p in stated], edits, [1] * len(lines))
    assert found.auroc >= AUROC
    strangers = [p for p, line in zip(stated, lines, strict=True) if line.truth == NOT_ODIA]
    assert len(strangers) > 5
    assert max(p or 0.0 for p in strangers) < 0.9
    share = 1 - sum(edits) / len(edits)
    constant = measure_reliability([share] * len(lines), edits, [1] * len(lines))
    assert constant.auroc < AUROC
