from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_folders import sample_of

from odia_ocr.campaign.packing import (
    pack_candidates,
    pack_emissions,
    unpack_candidates,
    unpack_emissions,
)
from odia_ocr.recognize.ctc import load
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.types import Candidates, Emission, Hypothesis, Problem, Symbol

LOGP = st.floats(-50, 0, width=32)
SYMBOLS = st.builds(
    Symbol,
    st.sampled_from(["କ", "ଖ୍", " ", "a", ""]),
    LOGP,
    st.none() | st.tuples(st.integers(0, 9).map(float), st.integers(9, 20).map(float)),
    st.lists(st.tuples(st.sampled_from(["ଗ", "1"]), LOGP), max_size=2).map(tuple),
)
HYPOTHESES = st.builds(
    Hypothesis,
    st.lists(SYMBOLS, max_size=4).map(tuple),
    st.floats(-1e3, 0),
    st.none() | st.floats(-1e3, 0),
    st.none() | st.floats(0, 1),
    st.sampled_from(["", "ctc/beam"]),
)
OUTCOMES = st.builds(
    Candidates, st.text(max_size=5), st.lists(HYPOTHESES, min_size=1, max_size=3).map(tuple)
) | st.builds(Problem, st.just("x"), st.text(), st.text(), line_id=st.text())


@given(st.lists(OUTCOMES, max_size=4))
def test_candidates_come_back_as_they_were(outcomes: list[Candidates | Problem]) -> None:
    assert unpack_candidates(pack_candidates(outcomes)) == outcomes


def test_emissions_read_the_same_packed_or_not() -> None:
    recognizer = load(threads=1)
    emissions = recognizer.emit(sample_of(12).lines)
    packed = unpack_emissions(pack_emissions(emissions))
    assert len(packed) == len(emissions)
    for decode in (GreedyDecoder(), recognizer.decoder):
        assert [decode(e)[0].text for e in packed] == [decode(e)[0].text for e in emissions]
    for ours, theirs in zip(packed, emissions, strict=True):
        assert ours.line_id == theirs.line_id
        assert ours.px_per_frame == theirs.px_per_frame
        assert np.exp(ours.log_probs).sum(axis=1) == pytest.approx(1.0, abs=0.01)


def test_small_alphabets_and_impossible_classes() -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([[0.0, 1.0, 0.0], [0.5, 0.25, 0.25]], np.float32))
    emission = Emission("x", log_probs, ("କ", "ଖ"), 4.0)
    (back,) = unpack_emissions(pack_emissions([emission]))
    assert back.log_probs[1] == pytest.approx(log_probs[1], abs=1e-3)
    assert np.isfinite(back.log_probs).all()
    assert back.log_probs.argmax(axis=1).tolist() == [1, 0]


def test_nothing_cannot_be_packed() -> None:
    with pytest.raises(ValueError, match="no emissions"):
        pack_emissions([])


def test_packed_emissions_are_a_sequence() -> None:
    log_probs = np.log(np.full((2, 3), 1 / 3, np.float32))
    emissions = [Emission(str(i), log_probs, ("କ", "ଖ"), 4.0) for i in range(3)]
    packed = unpack_emissions(pack_emissions(emissions))
    assert [e.line_id for e in packed[1:]] == ["1", "2"]
    assert packed[-1].line_id == "2"
    with pytest.raises(IndexError):
        packed[3]
