"""Reliability: known values, a perfect and a constant confidence, thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.evaluate.reliability import (
    find_threshold,
    judge_threshold,
    measure_auroc,
    measure_reliability,
    tabulate_reliability,
)


def simulate(n: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stated probabilities that come true, errors, lengths."""
    rng = np.random.default_rng(0)
    p = rng.beta(3, 1, n)
    wrong = rng.random(n) > p
    return p, np.where(wrong, rng.integers(1, 9, n), 0), np.full(n, 30)


def test_a_perfect_confidence_is_within_what_perfection_shows() -> None:
    found = measure_reliability(*simulate())
    assert found.ece <= found.ece_perfect[1] < 0.03
    assert found.auroc > 0.7
    assert sum(b.lines for b in found.bins) == found.n == 6000
    assert [b.stated for b in found.bins] == sorted(b.stated for b in found.bins)
    full, half = found.risk[0], found.accept(0.5)
    assert half.coverage == 0.5
    assert half.cer < 0.5 * full.cer
    assert half.right > full.right


def test_stating_too_much_shows() -> None:
    p, edits, lengths = simulate()
    found = measure_reliability(np.sqrt(p), edits, lengths)
    assert found.ece > 0.08 > found.ece_perfect[1]


def test_a_constant_confidence_says_nothing() -> None:
    p, edits, lengths = simulate()
    share = float((edits == 0).mean())
    found = measure_reliability(np.full(len(p), share), edits, lengths)
    assert found.auroc == 0.5
    assert found.accept(0.8).cer > 0.9 * found.risk[0].cer


def test_auroc_by_hand() -> None:
    right = np.array([True, False, True, False])
    assert measure_auroc(np.array([0.9, 0.1, 0.8, 0.2]), right) == 1.0
    assert measure_auroc(np.array([0.1, 0.9, 0.2, 0.8]), right) == 0.0
    assert measure_auroc(np.array([0.5, 0.5, 0.9, 0.1]), right) == pytest.approx(0.875)
    assert measure_auroc(np.array([0.5]), np.array([True])) == 0.5


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=5, max_size=40))
def test_auroc_is_the_share_of_pairs_in_order(rows: list[tuple[float, bool]]) -> None:
    p, right = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    good, bad = p[right], p[~right]
    if not len(good) or not len(bad):
        return
    pairs = (good[:, None] > bad[None]).mean() + 0.5 * (good[:, None] == bad[None]).mean()
    assert measure_auroc(p, right) == pytest.approx(float(pairs))


def test_the_review_threshold_is_the_smallest_that_keeps_the_promise() -> None:
    stated = np.linspace(1.0, 0.0, 101)
    right = stated >= 0.4
    threshold = find_threshold(stated, right, 1.0)
    assert threshold == pytest.approx(0.4)
    assert find_threshold(stated, right, 0.9) < 0.4
    assert find_threshold(stated, np.zeros(101, bool), 0.9) is None
    assert find_threshold(stated, stated > 0.9, 1.0) is None  # too few lines


def test_a_threshold_is_judged_by_what_it_accepts() -> None:
    stated, edits = [0.9, 0.8, 0.7, 0.2], [0, 3, 0, 5]
    accepted = judge_threshold(stated, edits, 0.7)
    assert (accepted.coverage, accepted.right) == pytest.approx((0.75, 2 / 3))
    nothing = judge_threshold(stated, edits, 0.95)
    assert (nothing.coverage, nothing.right) == (0.0, 1.0)
    with pytest.raises(ValueError, match="equal lists"):
        judge_threshold(stated, edits[:2], 0.7)


def test_the_table_has_a_row_for_each_bin_and_coverage() -> None:
    found = measure_reliability(*simulate(300))
    rows = tabulate_reliability(found).splitlines()
    assert len(rows) == len(found.bins) + len(found.risk) + 3
    assert rows[1].split() == [f"{found.bins[0].stated:.3f}", f"{found.bins[0].right:.3f}", "20"]


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="15 lines"):
        measure_reliability([0.5] * 3, [0] * 3, [5] * 3)
    with pytest.raises(ValueError, match="equal lists"):
        measure_reliability([0.5] * 20, [0] * 19, [5] * 20)


def test_the_picture_is_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from odia_ocr.evaluate.reliability_plot import draw_reliability

    path = tmp_path / "reliability.svg"
    draw_reliability(measure_reliability(*simulate(300)), path, title="lines")
    assert "AUROC" in path.read_text("utf-8") or path.stat().st_size > 5000
