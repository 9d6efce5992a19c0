"""Strategies on features of which it is known what is right."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_features import make_features

from odia_ocr.curate.coverage import LetterCoverage, StyleCoverage, pick_far, rate_coverage
from odia_ocr.curate.strategies import READABLE, STRATEGIES, choose_lines
from odia_ocr.errors import DataError, UsageError


def pick(lines, budget: int, strategy: str, **more) -> list[str]:
    return [choice.id for choice in choose_lines(lines, budget, strategy=strategy, **more)]


@pytest.mark.parametrize("strategy", list(STRATEGIES))
def test_every_strategy_gives_the_budget_and_no_line_twice(strategy: str) -> None:
    rng = np.random.default_rng(3)
    lines = [
        make_features(
            f"l{i}", "ଘର ନଦୀ"[: 2 + i % 5], doubts=float(rng.random()), point=rng.random(4)
        )
        for i in range(30)
    ]
    chosen = choose_lines(lines, 12, strategy=strategy, seed=5)
    assert len({choice.id for choice in chosen}) == 12
    assert [choice.rank for choice in chosen] == list(range(1, 13))
    assert pick(lines[::-1], 12, strategy, seed=5) == [c.id for c in chosen], "order says nothing"
    assert len(choose_lines(lines, 99, strategy=strategy)) == 30, "a smaller pool is chosen whole"


def test_what_is_unreadable_comes_last_except_at_random() -> None:
    lines = [make_features(f"dirt{i}", doubts=0.95, dissent=1.0, sureness=0.1) for i in range(5)]
    lines += [make_features(f"print{i}", doubts=0.2, point=(1.0, i / 10)) for i in range(5)]
    for strategy in STRATEGIES:
        chosen = pick(lines, 5, strategy)
        if strategy != "random":
            assert all(name.startswith("print") for name in chosen), strategy
        assert len(pick(lines, 8, strategy)) == 8, "they fill a budget up"
    assert READABLE > 0.1


def test_uncertainty_and_disagreement_rank() -> None:
    lines = [
        make_features("sure", doubts=0.01, dissent=0.6),
        make_features("unsure", doubts=0.5, dissent=0.1),
        make_features("between", doubts=0.2, dissent=0.3),
    ]
    assert pick(lines, 3, "uncertainty") == ["unsure", "between", "sure"]
    assert pick(lines, 3, "disagreement") == ["sure", "between", "unsure"]


def test_diverse_takes_one_of_each_kind() -> None:
    kinds = np.eye(4)
    lines = [
        make_features(f"{kind}-{i}", point=kinds[kind] + 0.01 * i)
        for kind in range(4)
        for i in range(6)
    ]
    assert {name[0] for name in pick(lines, 4, "diverse")} == set("0123")
    known = [line for line in lines if line.id in ("0-0", "1-0")]
    rest = [line for line in lines if line not in known]
    assert {name[0] for name in pick(rest, 2, "diverse", known=known)} == {"2", "3"}


def test_combined_learns_each_letter_before_it_learns_one_again() -> None:
    lines = [make_features(f"k{i}", "କକକ", doubts=0.5, point=(1, i / 9)) for i in range(4)]
    lines += [make_features(f"g{i}", "ଗଗଗ", doubts=0.5, point=(1, i / 9)) for i in range(4)]
    assert {name[0] for name in pick(lines, 2, "combined")} == {"k", "g"}
    known = [lines[0], lines[1]]
    assert pick(lines[2:], 1, "combined", known=known)[0].startswith("g")


def test_combined_goes_for_errors_of_the_pool_and_not_of_a_line() -> None:
    common = [make_features(f"common{i}", "କଖ", doubts=0.3) for i in range(20)]
    rare = make_features("rare", "ଗଘ", doubts=0.6)
    assert pick([*common, rare], 1, "combined")[0].startswith("common")


def test_combined_listens_to_dissent() -> None:
    agreed = [make_features(f"agreed{i}", "କ", doubts=0.1, point=(1, 0)) for i in range(5)]
    disputed = [
        make_features(f"disputed{i}", "ଗ", doubts=0.1, dissent=1.0, rivals=(("ଘ", 1.0),))
        for i in range(5)
    ]
    assert pick([*agreed, *disputed], 1, "combined")[0].startswith("disputed")


def test_combined_counts_the_work() -> None:
    short = make_features("short", "କ" * 10, doubts=0.5)
    long = make_features("long", "କ" * 10 + "ଖ" * 60, doubts=(0.5,) * 10 + (0.0,) * 60)
    assert pick([long, short], 1, "combined") == ["short"]


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=3, max_size=5))
def test_letters_are_monotone_and_submodular(rows: list[list[int]]) -> None:
    lines = [
        make_features(str(i), "".join("କଖଗଘଚଛ"[v] for v in row), doubts=0.3)
        for i, row in enumerate(rows)
    ]
    plain, after = LetterCoverage(lines), LetterCoverage(lines)
    after.add(0)
    assert (plain.gains() >= -1e-12).all()
    assert (after.gains() <= plain.gains() + 1e-12).all()


def test_looks_are_what_facility_location_says() -> None:
    rng = np.random.default_rng(7)
    lines = [make_features(str(i), point=rng.random(3)) for i in range(6)]
    points = np.stack([line.embedding for line in lines])
    near = points @ points.T
    near -= near.min(axis=0)
    style = StyleCoverage(lines, [], rng)
    best = max(near[list(pair)].max(axis=0).sum() for pair in combinations(range(6), 2))
    first = int(np.argmax(style.gains()))
    style.add(first)
    style.add(int(np.argmax(style.gains())))
    assert style.share * near.max(axis=0).sum() >= (1 - 1 / np.e) * best
    known = StyleCoverage(lines, [lines[first]], rng)
    assert known.gains()[first] == pytest.approx(0.0, abs=1e-6)


def test_far_points_are_found_greedily() -> None:
    points = np.array([[0, 0], [1, 0], [10, 0], [0, 6]], np.float32)
    assert [one.at for one in pick_far(points, 3, known=points[:1])] == [2, 3, 1]
    assert len(pick_far(points, 9)) == 4


def test_coverage_of_all_is_whole() -> None:
    lines = [make_features(str(i), text, point=(1, i)) for i, text in enumerate(("କଖ", "ଗଘ"))]
    whole, half = rate_coverage(lines, [0, 1]), rate_coverage(lines, [0])
    assert (whole.clusters, whole.errors) == (1.0, pytest.approx(1.0))
    assert whole.nearness == pytest.approx(1.0)
    assert (half.clusters, half.errors) == (0.5, pytest.approx(0.5))
    assert rate_coverage([], []).clusters == 0.0


def test_wrong_use() -> None:
    with pytest.raises(UsageError, match="Did you mean random"):
        choose_lines([make_features("a")], 1, strategy="randm")
    with pytest.raises(DataError, match="no line left"):
        choose_lines([], 1)
