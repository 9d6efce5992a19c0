from __future__ import annotations

import pytest
from fake_engines import TEXTS, FakeRecognizer

from odia_ocr.errors import DataError, EngineMissingError, RecognitionError
from odia_ocr.evaluate import measure
from odia_ocr.evaluate.lineset import read_line_set
from odia_ocr.evaluate.measure import measure_lines
from odia_ocr.evaluate.scores import Bootstrap

QUICK = Bootstrap(resamples=1000)


def run(folder, recognizers, **options):
    return measure_lines(read_line_set(folder), recognizers, bootstrap=QUICK, **options)


def test_a_perfect_and_a_poor_engine(make_set) -> None:
    poor = {**TEXTS, "a_1": "ଧମ ଓ କମ"}  # four of eleven code points missing
    evaluation = run(
        make_set(), {"good": FakeRecognizer(TEXTS), "poor:x": FakeRecognizer(poor, name="poor-2")}
    )
    good, second = evaluation.results
    assert (good.engine, second.engine, second.model) == ("good", "poor:x", "poor-2")
    assert good.scores.cer.value == 0
    assert good.scores.exact.value == 1
    length = sum(line.counts.chars.length for line in good.lines)
    assert second.scores.cer.value == pytest.approx(4 / length)
    assert second.scores.exact.value == 0.75
    (pair,) = evaluation.paired
    assert (pair.first, pair.second) == ("good", "poor:x")
    assert pair.differences.cer.value == pytest.approx(-4 / length)
    assert [(c.reference, c.hypothesis, c.count) for c in second.confusions] == [("ର୍ମ", "ମ", 2)]


def test_groups_have_their_own_scores(make_set) -> None:
    (result,) = run(make_set(), {"fake": FakeRecognizer({"b_1": TEXTS["b_1"]})}).results
    groups = {group.group: group.scores for group in result.groups}
    assert groups["a"].cer.value == 1
    assert 0 < groups["b"].cer.value < 1
    assert groups["b"].n == 2


def test_one_group_is_no_grouping(make_set) -> None:
    (result,) = run(make_set({"a_1": "କ", "a_2": "ଖ"}), {"fake": FakeRecognizer({})}).results
    assert result.groups == ()


def test_three_engines_are_compared_in_pairs(make_set) -> None:
    engines = {name: FakeRecognizer(TEXTS) for name in "xyz"}
    pairs = [(p.first, p.second) for p in run(make_set(), engines).paired]
    assert pairs == [("x", "y"), ("x", "z"), ("y", "z")]


def test_a_problem_counts_as_an_empty_reading_and_is_listed(make_set) -> None:
    engine = FakeRecognizer(TEXTS, problems=frozenset({"a_2"}))
    (result,) = run(make_set(), {"fake": engine}).results
    line = result.lines[1]
    assert (line.sample.name, line.hypothesis) == ("a_2", "")
    assert line.counts.chars.rate == 1
    assert [problem.line_id for problem in result.problems] == ["a_2"]


class Raising(FakeRecognizer):
    def read(self, lines):
        if any(line.id == "b_1" for line in lines):
            raise ZeroDivisionError("float division by zero")
        return super().read(lines)


def test_a_line_that_makes_it_raise_leaves_the_others_alone(make_set) -> None:
    (result,) = run(make_set(), {"raising": Raising(TEXTS, name="raising")}).results
    assert [line.counts.exact for line in result.lines] == [True, True, False, True]
    (problem,) = result.problems
    assert (problem.line_id, problem.code) == ("b_1", "recognition")
    assert "division" in problem.message


class Short(FakeRecognizer):
    def read(self, lines):
        return super().read(lines)[:-1]


class Swapped(FakeRecognizer):
    def read(self, lines):
        return super().read(lines)[::-1]


@pytest.mark.parametrize(
    ("kind", "message"), [(Short, "3 results for 4 lines"), (Swapped, "'b_2' where 'a_1'")]
)
def test_a_broken_contract_gives_no_figures(make_set, kind, message: str) -> None:
    with pytest.raises(RecognitionError, match=message):
        run(make_set(), {"fake": kind(TEXTS)})


class Uninstalled(FakeRecognizer):
    def read(self, lines):
        raise EngineMissingError("gone")


def test_a_missing_engine_is_not_a_bad_line(make_set) -> None:
    with pytest.raises(EngineMissingError):
        run(make_set(), {"fake": Uninstalled({})})


def test_no_engine_is_an_error(make_set) -> None:
    with pytest.raises(DataError, match="No engine"):
        run(make_set(), {})


def test_corrupt_pictures_are_left_out_and_listed(make_set) -> None:
    folder = make_set()
    (folder / "a_1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    evaluation = run(folder, {"x": FakeRecognizer(TEXTS), "y": FakeRecognizer(TEXTS)})
    assert [result.scores.n for result in evaluation.results] == [3, 3]
    (problem,) = evaluation.problems
    assert problem.line_id == "a_1"
    assert "left out" in problem.message
    for name in ("a_2", "b_1", "b_2"):
        (folder / f"{name}.png").write_bytes(b"")
    with pytest.raises(DataError, match="can be decoded"):
        run(folder, {"x": FakeRecognizer(TEXTS)})


def test_lines_are_read_in_portions_and_progress_is_told(
    make_set, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "PORTION", 3)
    told: list[int] = []
    one, other = FakeRecognizer(TEXTS), FakeRecognizer(TEXTS)
    evaluation = run(make_set(), {"one": one, "other": other}, progress=told.append)
    assert one.calls == other.calls == [3, 1]
    assert sum(told) == 8
    assert [line.sample.name for line in evaluation.results[0].lines] == list(TEXTS)
    assert evaluation.results[0].lines_per_second > 0


def test_strict_goes_into_figures_and_signature(make_set) -> None:
    folder = make_set({"x": "“କ”"})
    engine = {"fake": FakeRecognizer({"x": '"କ"'})}
    assert run(folder, engine).results[0].scores.cer.value == 0
    strict = run(folder, engine, strict=True).results[0]
    assert strict.scores.cer.value == pytest.approx(2 / 3)
    assert "norm:strict" in strict.signature
