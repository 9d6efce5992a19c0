"""Edit distance against a plain dynamic programme, and alignments that spell out both sides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.language import EditCounts, align, count_edits, distance

WORDS = st.lists(st.sampled_from(["କ", "ଖ", "ଗ୍ୟ", "ା"]), max_size=7)


def slow_distance(a: list[str], b: list[str]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@given(WORDS, WORDS)
def test_fast_equals_slow(a: list[str], b: list[str]) -> None:
    assert distance(a, b) == slow_distance(a, b)


@given(WORDS, WORDS)
def test_an_alignment_spells_both_and_costs_the_distance(a: list[str], b: list[str]) -> None:
    pairs = align(a, b)
    assert [p.reference for p in pairs if p.reference] == a
    assert [p.hypothesis for p in pairs if p.hypothesis] == b
    assert sum(p.reference != p.hypothesis for p in pairs) == distance(a, b)


def test_counts_add_up_and_an_empty_reference_has_a_rate() -> None:
    total = count_edits("ଧର୍ମ", "ଧମ") + count_edits("", "କ")
    assert total == EditCounts(3, 4)
    assert count_edits("", "କ").rate == 1.0
