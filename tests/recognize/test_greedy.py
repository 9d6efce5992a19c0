"""Best-path decoding against brute force and on hand-made emissions."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.types import Emission, FloatArray

SYMBOLS = ("କ", "ଖ", "ା")


def make_emission(probabilities: list[list[float]]) -> Emission:
    rows = np.array(probabilities, np.float32)
    rows = rows / rows.sum(axis=1, keepdims=True)
    return Emission("l", np.log(rows).astype(np.float32), SYMBOLS, 4.0)


def collapse(path: tuple[int, ...]) -> str:
    kept = [k for k, before in zip(path, (0, *path), strict=False) if k != before]
    return "".join(SYMBOLS[k - 1] for k in kept if k)


@given(st.lists(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), min_size=1, max_size=4))
def test_greedy_is_the_best_single_path(rows: list[list[float]]) -> None:
    emission = make_emission(rows)
    log_probs: FloatArray = emission.log_probs
    paths = itertools.product(range(4), repeat=len(rows))
    best = max(paths, key=lambda path: sum(log_probs[t, k] for t, k in enumerate(path)))
    score = float(sum(log_probs[t, k] for t, k in enumerate(best)))
    (hyp,) = GreedyDecoder()(emission)
    assert abs(hyp.optical_logp - min(0.0, score)) < 1e-4
    ties = np.sort(log_probs, axis=1)
    if (ties[:, -1] - ties[:, -2] > 1e-6).all():
        assert hyp.text == collapse(best)


def test_repeats_merge_unless_a_blank_stands_between() -> None:
    blank, ka, kha = [0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]
    assert GreedyDecoder()(make_emission([ka, ka, blank, ka, kha]))[0].text == "କକଖ"
    assert GreedyDecoder()(make_emission([blank, blank]))[0].symbols == ()


def test_spans_touch_and_stay_in_the_line() -> None:
    blank, ka, kha = [0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]
    (hyp,) = GreedyDecoder()(make_emission([blank, ka, blank, blank, kha, kha]))
    (a, b) = hyp.symbols
    assert a.span == (4.0, 12.0)
    assert b.span == (12.0, 24.0)


def test_alternatives_are_rivals_in_order() -> None:
    (hyp,) = GreedyDecoder()(make_emission([[0.1, 0.6, 0.1, 0.2]]))
    (symbol,) = hyp.symbols
    assert [text for text, _ in symbol.alternatives] == ["ା", "ଖ"]
    assert all(logp <= symbol.logp for _, logp in symbol.alternatives)
