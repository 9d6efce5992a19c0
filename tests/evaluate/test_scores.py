from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.evaluate.scores import (
    Bootstrap,
    LineCounts,
    compare_lines,
    count_line,
    score_lines,
    sign_score,
)
from odia_ocr.language import EditCounts

QUICK = Bootstrap(resamples=1000)
ODIA = st.text("କଖଗଧମର୍ାିୁ ।୧a", max_size=12)


def slow_distance(one: str, other: str) -> int:
    """Levenshtein by its definition."""
    if not one or not other:
        return len(one) + len(other)
    return min(
        slow_distance(one[1:], other) + 1,
        slow_distance(one, other[1:]) + 1,
        slow_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


def line(edits: int, length: int = 10) -> LineCounts:
    counts = EditCounts(edits, length)
    return LineCounts(counts, EditCounts(min(edits, 2), 2), counts, edits == 0)


# Counted by hand: (reference, reading, chars, words, clusters) as edits/length.
TABLE = [
    ("ଧର୍ମ", "ଧର୍ମ", (0, 4), (0, 1), (0, 2)),
    ("ଧର୍ମ", "ଧମ", (2, 4), (1, 1), (1, 2)),  # the reph is gone
    ("ଧର୍ମ", "", (4, 4), (1, 1), (2, 2)),
    ("କ ଖ ଗ", "କଖ ଗ", (1, 5), (2, 3), (1, 5)),
    ("କ ଖ", "କ ଖ ଗ", (2, 3), (1, 2), (2, 3)),
    ("ସତ୍ୟ", "ସତ୍ଯ", (0, 4), (0, 1), (0, 2)),  # two spellings of one drawing
    ("ଭଲ ।", "ଭଲ|", (0, 3), (0, 1), (0, 3)),
    ("“ଭଲ” – ନା", '"ଭଲ"-ନା', (0, 7), (0, 1), (0, 6)),
]


@pytest.mark.parametrize(("reference", "reading", "chars", "words", "clusters"), TABLE)
def test_counts_of_known_lines(reference, reading, chars, words, clusters) -> None:
    counts = count_line(reference, reading)
    assert (counts.chars.edits, counts.chars.length) == chars
    assert (counts.words.edits, counts.words.length) == words
    assert (counts.clusters.edits, counts.clusters.length) == clusters
    assert counts.exact == (chars[0] == 0)


def test_strict_counts_what_folding_forgives() -> None:
    assert not count_line("ସତ୍ୟ", "ସତ୍ଯ", strict=True).exact
    assert count_line("ସତ୍ୟ  ଏକ", "ସତ୍ୟ ଏକ", strict=True).exact


@given(ODIA.filter(lambda t: len(t) < 6), ODIA.filter(lambda t: len(t) < 6))
def test_edits_equal_the_definition(one: str, other: str) -> None:
    counts = count_line(one, other, strict=True)
    ref, hyp = " ".join(one.split()), " ".join(other.split())
    assert counts.chars == EditCounts(slow_distance(ref, hyp), len(ref))


@given(ODIA, ODIA)
def test_counts_are_consistent(one: str, other: str) -> None:
    counts = count_line(one, other)
    assert counts.exact == (counts.chars.edits == 0) == (counts.clusters.edits == 0)
    assert counts.clusters.length <= counts.chars.length
    assert count_line(one, one).exact


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=8))
def test_rates_are_sums_and_intervals_hold_them_in_order(rows) -> None:
    lines = [line(edits, length) for edits, length in rows]
    scores = score_lines(lines, QUICK)
    assert scores.n == len(rows)
    assert scores.cer.value == pytest.approx(sum(e for e, _ in rows) / sum(n for _, n in rows))
    assert scores.exact.value == pytest.approx(sum(e == 0 for e, _ in rows) / len(rows))
    rates = [e / n for e, n in rows]
    assert min(rates) - 1e-9 <= scores.cer.low <= scores.cer.high <= max(rates) + 1e-9


def test_a_long_line_weighs_by_its_length() -> None:
    assert score_lines([line(0, 90), line(10, 10)], QUICK).cer.value == pytest.approx(0.1)


def test_intervals_repeat_with_the_seed_and_move_without() -> None:
    lines = [line(i % 4) for i in range(30)]
    one = score_lines(lines, Bootstrap(seed=1, resamples=1000))
    assert one == score_lines(lines, Bootstrap(seed=1, resamples=1000))
    other = score_lines(lines, Bootstrap(seed=2, resamples=1000))
    assert other.cer.value == one.cer.value
    assert other != one


def test_the_interval_is_the_binomial_one_for_exact_lines() -> None:
    # 40 of 100 lines exact: the normal approximation is 0.4 +- 1.96 * sqrt(0.24 / 100).
    lines = [line(0 if i < 40 else 1) for i in range(100)]
    exact = score_lines(lines, Bootstrap(resamples=5000)).exact
    assert exact.low == pytest.approx(0.4 - 0.096, abs=0.015)
    assert exact.high == pytest.approx(0.4 + 0.096, abs=0.015)


def test_resamples_drawn_in_portions_are_the_resamples_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [line(i % 3) for i in range(50)]
    whole = score_lines(lines, QUICK)
    monkeypatch.setattr("odia_ocr.evaluate.scores._CHUNK", 50 * 7)
    assert score_lines(lines, QUICK) == whole


def test_equal_engines_do_not_differ() -> None:
    lines = [line(i % 3) for i in range(20)]
    gap = compare_lines(lines, lines, QUICK).cer
    assert (gap.value, gap.low, gap.high, gap.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_clear_difference_excludes_zero_and_turns_with_the_order() -> None:
    good, bad = [line(i % 2) for i in range(40)], [line(2 + i % 3) for i in range(40)]
    gap = compare_lines(good, bad, QUICK).cer
    assert gap.value == pytest.approx(score_lines(good).cer.value - score_lines(bad).cer.value)
    assert gap.low <= gap.value <= gap.high < 0
    assert gap.p == pytest.approx(2 / 1001)
    back = compare_lines(bad, good, QUICK).cer
    assert (back.value, back.low, back.high) == pytest.approx((-gap.value, -gap.high, -gap.low))


def test_pairing_sees_what_separate_intervals_do_not() -> None:
    # Lines differ much, the engines by one edit a line, always in the same direction.
    hard = np.random.default_rng(0).integers(0, 9, size=60)
    one, other = [line(int(e)) for e in hard], [line(int(e) + 1) for e in hard]
    assert score_lines(one).cer.high > score_lines(other).cer.low
    assert compare_lines(one, other).cer.high < 0


def test_wrong_use_fails() -> None:
    with pytest.raises(ValueError, match="at least one line"):
        score_lines([])
    with pytest.raises(ValueError, match="same lines: 1, 2"):
        compare_lines([line(0)], [line(0), line(1)])
    with pytest.raises(ValueError, match="10"):
        Bootstrap(resamples=10)


def test_empty_references_do_not_divide_by_zero() -> None:
    assert score_lines([count_line("", "କ")], QUICK).cer.value == 1.0
    assert score_lines([count_line("", "")], QUICK).cer.value == 0.0


def test_the_signature_names_what_a_figure_depends_on() -> None:
    signature = sign_score(
        unit="line", n=44, strict=False, bootstrap=Bootstrap(seed=3), digest="abc"
    )
    for part in ("odia-ocr:", "unit:line", "n:44", "norm:fold", "clusters:regex-", "refs:abc"):
        assert part in signature
    assert signature.endswith("ci:95-bootstrap-2000|seed:3")
    strict = sign_score(unit="line", n=1, strict=True, bootstrap=QUICK, digest="")
    assert "norm:strict" in strict
