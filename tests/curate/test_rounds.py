"""Rounds: truth of chosen lines only, and a run that can be killed at any step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from made_features import TEXTS, look_without_model, make_sample

from odia_ocr.curate import rounds as rounds_module
from odia_ocr.curate.labelling import Labels, read_labels
from odia_ocr.curate.pool import Pool
from odia_ocr.curate.rounds import Plan, State, Tools, go_on, label_truly, read_state
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import ConfigError, DataError
from odia_ocr.types import Problem


def make_pool(count: int = 20, *, labelled: bool = True) -> Pool:
    return Pool(
        [
            make_sample(f"l{i:02d}", TEXTS[i % len(TEXTS)] if labelled else "", seed=i)
            for i in range(count)
        ],
        name="scans",
    )


class Learner:
    """Writes down what it was given."""

    def __init__(self) -> None:
        self.given: list[list[tuple[str, str]]] = []

    def __call__(self, samples: Sequence[Sample], folder: Path) -> Path:
        self.given.append([(sample.id, sample.text) for sample in samples])
        folder.mkdir(parents=True, exist_ok=True)
        model = folder / "model.onnx"
        model.write_text(str(len(samples)), "utf-8")
        return model


def make_tools(pool: Pool, learner: Learner, **more) -> Tools:
    tools = Tools(
        learn=learner,
        measure=lambda model: {"cer": 1 / int(model.read_text("utf-8"))},
        label=label_truly(pool),
        look=look_without_model,
        say=lambda text: None,
    )
    return replace(tools, **more)


PLAN = Plan(budgets=(3, 4), strategy="combined", seed=7)


def run_whole(folder: Path, *, count: int = 20, rounds: int = 3) -> tuple[State, Pool, Learner]:
    pool, learner = make_pool(count), Learner()
    return go_on(folder, pool, PLAN, make_tools(pool, learner), rounds=rounds), pool, learner


def test_a_round_reads_the_truth_of_chosen_lines_only(tmp_path: Path) -> None:
    asked: list[str] = []

    def tell(name: str) -> str:
        asked.append(name)
        return "ଘର"

    samples = [make_sample(f"l{i:02d}", seed=i) for i in range(20)]
    pool, learner = Pool(samples, name="scans", truth=tell), Learner()
    state = go_on(tmp_path / "run", pool, PLAN, make_tools(pool, learner), rounds=2)
    chosen = {key for one in state.rounds for key in one.chosen}
    assert len(chosen) == 7
    assert set(asked) == set(pool.revealed) == chosen
    assert {text for _, text in learner.given[-1]} == {"ଘର"}
    assert all(line.text == "" for line in pool.lines)


def test_rounds_add_labels_and_choose_new_lines(tmp_path: Path) -> None:
    state, _, learner = run_whole(tmp_path / "run")
    assert [len(one.chosen) for one in state.rounds] == [3, 4, 4]
    assert len({key for one in state.rounds for key in one.chosen}) == 11
    assert [len(given) for given in learner.given] == [3, 7, 11]
    assert learner.given[2][:7] == learner.given[1], "labels of earlier rounds stay"
    truth = dict(zip((f"l{i:02d}" for i in range(20)), TEXTS * 2, strict=False))
    assert all(truth[key] == text for key, text in learner.given[2])
    assert [one.figures["cer"] for one in state.rounds] == [1 / 3, 1 / 7, 1 / 11]
    assert read_state(tmp_path / "run") == state


def test_the_model_of_a_round_chooses_the_next(tmp_path: Path) -> None:
    engines: list[str] = []

    def look(engine: str, lines: Sequence[Sample]):
        engines.append(engine)
        return look_without_model(engine, lines)

    pool = make_pool()
    go_on(tmp_path / "r", pool, PLAN, make_tools(pool, Learner(), look=look), rounds=2)
    assert engines == ["ctc", f"ctc:{tmp_path / 'r' / 'round-01-model' / 'model.onnx'}"]


class Killed(BaseException):
    """As a signal ends a process: nothing after it runs."""


@pytest.mark.parametrize("at", range(1, 31))
def test_a_run_killed_at_any_step_ends_as_a_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    whole, *_ = run_whole(tmp_path / "whole", rounds=2)
    steps = 0

    def count(function):
        def counted(*args, **more):
            nonlocal steps
            steps += 1
            if steps == at:
                raise Killed
            result = function(*args, **more)
            steps += 1
            if steps == at:
                raise Killed
            return result

        return counted

    pool, learner = make_pool(), Learner()
    tools = make_tools(pool, learner)
    broken = replace(
        tools, learn=count(learner), measure=count(tools.measure), look=count(tools.look)
    )
    with monkeypatch.context() as patch:
        for name in ("write_batch", "write_record"):
            patch.setattr(rounds_module, name, count(getattr(rounds_module, name)))
        with pytest.raises(Killed):
            go_on(tmp_path / "run", pool, PLAN, broken, rounds=2)
    again = go_on(tmp_path / "run", pool, PLAN, tools, rounds=2)
    assert [(one.chosen, one.figures) for one in again.rounds] == [
        (one.chosen, one.figures) for one in whole.rounds
    ]


def test_people_are_waited_for(tmp_path: Path) -> None:
    pool, learner, said = make_pool(labelled=False), Learner(), []
    tools = make_tools(pool, learner, label=read_labels, say=said.append)
    state = go_on(tmp_path / "run", pool, PLAN, tools)
    assert "Round 1 waits for labels: 0 of 3 are there" in said[-1]
    lines = tmp_path / "run" / "round-01" / "lines"
    files = sorted(lines.glob("*.gt.txt"))
    files[0].write_text("ଘର\n", "utf-8")
    files[1].write_text("यह हिन्दी\n", "utf-8")
    assert go_on(tmp_path / "run", pool, PLAN, tools) == state
    assert "1 of 3 are there, 1 cannot be used" in said[-1]
    partial = replace(tools, partial=True)
    state = go_on(tmp_path / "run", pool, PLAN, partial)
    first, second = state.rounds
    assert (len(first.labelled), len(first.skipped), first.done) == (1, 1, True)
    assert learner.given == [[(first.labelled[0], "ଘର")]]
    assert len(second.chosen) == 4
    assert not {*first.labelled, *first.skipped} & set(second.chosen), "waiting ones may come back"


def test_labels_nobody_can_use_end_in_an_error(tmp_path: Path) -> None:
    pool = make_pool()
    wrong = Labels({}, 0, (), (Problem("text-empty", "empty", line_id="l00"),))
    tools = make_tools(pool, Learner(), label=lambda batch: wrong)
    with pytest.raises(DataError, match="No label of round 1 can be used"):
        go_on(tmp_path / "run", pool, PLAN, tools)


def test_a_small_pool_and_broken_pictures_are_told(tmp_path: Path) -> None:
    pool, said = make_pool(5), []

    def look(engine: str, lines: Sequence[Sample]):
        found = look_without_model(engine, lines)
        found[2] = Problem("input", "l02 is empty.", "Scan it again.", line_id="l02")
        return found

    tools = make_tools(pool, Learner(), say=said.append, look=look)
    state = go_on(tmp_path / "run", pool, Plan((3,)), tools)
    assert [len(one.chosen) for one in state.rounds] == [3, 1]
    assert "l02 is empty. Scan it again." in said
    assert "1 pictures of scans cannot be read and are skipped." in said
    assert "scans has 1 lines left, fewer than the budget of 3." in said
    assert said[-1] == "All lines of scans are labelled."


def test_a_run_keeps_its_plan_and_pool(tmp_path: Path) -> None:
    run_whole(tmp_path / "run", rounds=1)
    pool = make_pool()
    tools = make_tools(pool, Learner())
    with pytest.raises(ConfigError, match=r"begun with scans and combined, budgets 3, 4, seed 7"):
        go_on(tmp_path / "run", pool, Plan((9,)), tools)
    (tmp_path / "run" / "rounds.json").write_text(json.dumps({"plan": {}}), "utf-8")
    with pytest.raises(DataError, match=r"rounds\.json cannot be read"):
        read_state(tmp_path / "run")
    with pytest.raises(ConfigError, match="budget of 1 or more"):
        Plan(())
