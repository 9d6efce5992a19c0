"""Matching of lines by text: hand-made pages, an optimum by trying all, and what always holds."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.evaluate.page_match import (
    LineMatch,
    OrderCounts,
    assign,
    count_inversions,
    match_lines,
)
from odia_ocr.language import distance

ONE, TWO, THREE = "ଧର୍ମ ଓ କର୍ମ", "ସତ୍ୟ ବା ଜ୍ଞାନ", "ଭାରତ ଦେଶ"
texts = st.lists(st.text("ab ", max_size=5), max_size=5)


def in_order(printed: list[str], read: list[str]) -> int:
    """Edits when lines are matched one to one and none may cross another."""
    costs = np.zeros((len(printed) + 1, len(read) + 1), int)
    for i in range(len(printed) + 1):
        for j in range(len(read) + 1):
            ways = []
            if i:
                ways.append(costs[i - 1, j] + len(printed[i - 1]))
            if j:
                ways.append(costs[i, j - 1] + len(read[j - 1]))
            if i and j:
                ways.append(costs[i - 1, j - 1] + distance(printed[i - 1], read[j - 1]))
            costs[i, j] = min(ways, default=0)
    return int(costs[-1, -1])


def test_lines_in_another_order_cost_nothing_and_are_counted_as_crossed() -> None:
    matching = match_lines([ONE, TWO, THREE], [THREE, ONE, TWO])
    assert matching.edits == 0
    assert [(m.printed, m.read) for m in matching.matches] == [
        ((0,), (1,)),
        ((1,), (2,)),
        ((2,), (0,)),
    ]
    assert matching.order == OrderCounts(inversions=2, pairs=3)
    assert match_lines([ONE, TWO, THREE], [THREE, TWO, ONE]).order.rate == 1


def test_a_missed_and_an_extra_line_count_in_full() -> None:
    missed = match_lines([ONE, TWO], [TWO])
    assert (missed.missed, missed.extra, missed.edits) == ((0,), (), len(ONE))
    extra = match_lines([ONE], ["xyz", ONE])
    assert (extra.missed, extra.extra, extra.edits) == ((), (0,), 3)
    assert match_lines([ONE, TWO], []).edits == len(ONE) + len(TWO)
    assert match_lines([], []).edits == 0


def test_the_whole_is_weighed_and_not_pair_by_pair() -> None:
    # The first pair, 0000 with 0001, has one edit as well, but leaves 0011 with 1000.
    matching = match_lines(["0000", "0011"], ["0001", "1000"])
    assert matching.edits == 2
    assert [m.read for m in matching.matches] == [(1,), (0,)]


def test_a_line_read_in_pieces_is_one_line() -> None:
    matching = match_lines([ONE, "ପୁସ୍ତକ ମେଳା ଖବର"], ["ଖବର", ONE, "ପୁସ୍ତକ", "ମେଳା"])
    assert matching.edits == 0
    assert matching.matches[1].printed == (1,)
    assert set(matching.matches[1].read) == {0, 2, 3}
    assert (matching.missed, matching.extra) == ((), ())


def test_lines_read_across_two_columns_are_found_and_their_order_is_wrong() -> None:
    left = ["ଧର୍ମ ଓ କର୍ମ", "ସତ୍ୟ ବା ଜ୍ଞାନ"]
    right = ["ପୁସ୍ତକ ମେଳା", "ନୂଆ ଖବର ଆସିଲା"]
    across = [f"{one} {other}" for one, other in zip(left, right, strict=True)]
    matching = match_lines([*left, *right], across)
    assert matching.edits == 0
    assert [m.printed for m in matching.matches] == [(0, 2), (1, 3)]
    assert matching.order == OrderCounts(inversions=1, pairs=6)


def test_rubbish_is_no_piece() -> None:
    matching = match_lines([f"{ONE} {TWO}"], [ONE, "qqqqqqqqqqqqq"])
    assert matching.extra == (1,)
    assert matching.edits == len(TWO) + 1 + 13


def test_a_match_of_which_most_is_wrong_is_not_the_same_line() -> None:
    assert LineMatch((0,), (0,), edits=5, length=10).same
    assert not LineMatch((0,), (0,), edits=6, length=10).same
    # Wrong matches have no place in the order.
    assert match_lines(["abcdefgh", ONE], [ONE, "qrstuvwx"]).order.pairs == 0


def test_equal_lines_do_not_cross() -> None:
    printed = ["ମାଆ", ONE, "ମାଆ", TWO, "ମାଆ"]
    assert match_lines(printed, printed).order.inversions == 0
    read = ["ମାଅ", ONE, "ମାଆ", TWO, "ମାଅ"]
    assert match_lines(printed, read).order.inversions == 0


def test_places_tell_equal_lines_apart_and_change_no_edits() -> None:
    printed = ["ମାଆ", ONE, "ମାଆ"]
    # Only the last one was read, in its place after the second line.
    read = [ONE, "ମାଆ"]
    near = {(1, 0), (2, 1)}
    matching = match_lines(printed, read, near=near)
    assert [(m.printed, m.read) for m in matching.matches] == [((1,), (0,)), ((2,), (1,))]
    assert (matching.missed, matching.order.inversions) == ((0,), 0)
    assert match_lines(printed, read, near={(0, 1)}).missed == (2,)
    # A place is no reason to take a worse text.
    far = match_lines([ONE, TWO], [TWO, ONE], near={(0, 0), (1, 1)})
    assert far.edits == 0


@pytest.mark.parametrize(
    ("places", "inversions"),
    [([], 0), ([0], 0), ([0, 1, 2], 0), ([2, 1, 0], 3), ([0, 2, 1], 1), ([2, 0, 1], 2)],
)
def test_inversions_by_hand(places: list[int], inversions: int) -> None:
    counts = count_inversions([(place, 0) for place in places])
    assert counts == OrderCounts(inversions, len(places) * (len(places) - 1) // 2)


@given(
    st.integers(0, 4).flatmap(
        lambda rows: st.integers(0, 5).flatmap(
            lambda columns: st.lists(
                st.lists(st.integers(-9, 9), min_size=columns, max_size=columns),
                min_size=rows,
                max_size=rows,
            )
        )
    )
)
def test_no_assignment_is_cheaper(table: list[list[int]]) -> None:
    costs = np.array(table, np.int64).reshape(len(table), len(table[0]) if table else 0)
    pairs = assign(costs)
    count = min(costs.shape)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs) == count
    if costs.shape[0] > costs.shape[1]:
        costs, pairs = costs.T, [(j, i) for i, j in pairs]
    cheapest = min(
        sum(int(costs[i, j]) for i, j in enumerate(chosen))
        for chosen in permutations(range(costs.shape[1]), count)
    )
    assert sum(int(costs[i, j]) for i, j in pairs) == cheapest


@given(texts, texts, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(printed, read, random) -> None:
    edits = match_lines(printed, read).edits
    for lines in (printed, read):
        random.shuffle(lines)
    assert match_lines(printed, read).edits == edits


@given(texts, texts, st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4))))
def test_places_never_cost_an_edit(printed, read, near) -> None:
    # The best one-to-one pairs stay the best: still no dearer than keeping the order.
    assert match_lines(printed, read, near=near).edits <= in_order(printed, read)


@given(texts, texts)
def test_keeping_the_order_is_never_cheaper(printed, read) -> None:
    assert match_lines(printed, read).edits <= in_order(printed, read)


@given(texts)
def test_equal_pages_have_no_edits_and_are_in_order(lines) -> None:
    matching = match_lines(lines, lines)
    assert matching.edits == 0
    assert matching.order.inversions == 0


@given(texts, texts)
def test_every_line_is_in_one_place(printed, read) -> None:
    matching = match_lines(printed, read)
    rows = [i for match in matching.matches for i in match.printed] + [*matching.missed]
    columns = [j for match in matching.matches for j in match.read] + [*matching.extra]
    assert sorted(rows) == list(range(len(printed)))
    assert sorted(columns) == list(range(len(read)))
