"""Sampled readings: deterministic, distributed as the emission says, greedy when cold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.recognize.decode.forward import score_labels
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.decode.sampling import SamplingDecoder
from odia_ocr.types import Emission

ROWS = st.lists(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), min_size=1, max_size=6)


def make_emission(rows: list[list[float]], line_id: str = "l") -> Emission:
    table = np.array(rows, np.float64)
    table /= table.sum(axis=1, keepdims=True)
    return Emission(line_id, np.log(table).astype(np.float32), ("କ", "ଖ", "7"), 4.0)


@given(ROWS)
def test_a_cold_sample_is_the_best_path(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    top = np.sort(emission.log_probs, axis=1)
    if float((top[:, -1] - top[:, -2]).min()) < 1e-3:
        return
    (hyp,) = SamplingDecoder(count=1, temperature=1e-5)(emission)
    assert hyp.text == GreedyDecoder()(emission)[0].text
    assert hyp.posterior == 1.0
    (cut,) = SamplingDecoder(count=4, top_k=1)(emission)
    assert cut.text == hyp.text


def test_readings_come_as_often_as_they_are_likely() -> None:
    emission = make_emission([[0.0001, 0.7, 0.2, 0.1]])
    hyps = SamplingDecoder(count=4000)(emission)
    shares = {hyp.text: hyp.posterior for hyp in hyps}
    assert shares["କ"] == pytest.approx(0.7, abs=0.03)
    assert shares["ଖ"] == pytest.approx(0.2, abs=0.03)
    assert [h.posterior for h in hyps] == sorted((h.posterior for h in hyps), reverse=True)
    assert sum(shares.values()) == pytest.approx(1.0)


@given(ROWS)
def test_scores_are_of_all_paths_and_symbols_of_a_drawn_one(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    for hyp in SamplingDecoder(count=8)(emission):
        labels = [emission.alphabet.index(symbol.text) + 1 for symbol in hyp.symbols]
        (logp,) = score_labels(emission.log_probs, [labels])
        assert hyp.optical_logp == pytest.approx(min(0.0, logp), abs=1e-4)
        spans = [symbol.span for symbol in hyp.symbols if symbol.span]
        assert all(0.0 <= a < b <= 4.0 * len(rows) for a, b in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_a_line_without_frames_is_blank() -> None:
    emission = Emission("l", np.zeros((0, 4), np.float32), ("କ", "ଖ", "7"), 4.0)
    (hyp,) = SamplingDecoder(count=3)(emission)
    assert (hyp.text, hyp.posterior) == ("", 1.0)


def test_cuts_leave_out_the_tail_and_heat_evens_out() -> None:
    emission = make_emission([[0.0001, 0.7, 0.2, 0.1]])
    assert {h.text for h in SamplingDecoder(count=500, top_p=0.75)(emission)} == {"କ", "ଖ"}
    assert {h.text for h in SamplingDecoder(count=500, top_p=0.6)(emission)} == {"କ"}
    assert {h.text for h in SamplingDecoder(count=500, top_k=2)(emission)} == {"କ", "ଖ"}
    hot = {h.text: h.posterior for h in SamplingDecoder(count=4000, temperature=5.0)(emission)}
    assert hot["7"] > 0.2


def test_the_same_line_and_seed_give_the_same_readings() -> None:
    rows = np.random.default_rng(0).random((12, 4)).tolist()
    decoder = SamplingDecoder(count=5)
    assert decoder(make_emission(rows)) == decoder(make_emission(rows))
    assert decoder(make_emission(rows)) != decoder(make_emission(rows, "m"))
    assert decoder(make_emission(rows)) != SamplingDecoder(count=5, seed=1)(make_emission(rows))
    first = SamplingDecoder(count=5, first=True)(make_emission(rows))
    assert {h.text for h in first} == {h.text for h in decoder(make_emission(rows))}


@pytest.mark.parametrize(
    "settings", [{"count": 0}, {"temperature": 0.0}, {"top_p": 0.0}, {"top_k": 0}], ids=str
)
def test_impossible_settings(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        SamplingDecoder(**settings)  # type: ignore[arg-type]
