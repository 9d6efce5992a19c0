"""Rounds of self-training: no truth of the pool is read, and a bad round is rolled back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_features import TEXTS, make_sample

pytest.importorskip("torch")

from odia_ocr.curate.pool import Pool
from odia_ocr.curate.pseudo import PseudoReading, Rule
from odia_ocr.curate.self_training import (
    MANIFEST,
    STATE,
    Plan,
    Tools,
    read_state,
    self_train,
    write_lines,
)
from odia_ocr.data.sets.sample import Sample
from odia_ocr.errors import ConfigError, DataError
from odia_ocr.train.adapt import TrainingLine

PLAN = Plan(rounds=3, rule=Rule(0.5, 0.5, soft=True), labelled_share=0.6)


def make_pool(count: int = 10) -> Pool:
    def refuse(name: str) -> str:
        raise AssertionError(f"the text of {name} was read")

    lines = [make_sample(f"l{i:02d}", seed=i) for i in range(count)]
    return Pool(lines, name="scans", truth=refuse)


class Bench:
    """Reads, learns and measures, and writes down what it was asked."""

    def __init__(self, rates: Sequence[Mapping[str, float]] = (), die_in: int = 0) -> None:
        self.engines: list[str] = []
        self.given: list[list[TrainingLine]] = []
        self.rates, self.die_in = list(rates), die_in

    def read(self, engine: str, lines: Sequence[Sample], path: Path) -> list[PseudoReading]:
        self.engines.append(engine)
        return [
            PseudoReading(x.id, TEXTS[i], 0.9 if i % 2 else 0.3, None, 1.0, (("ଘ", 0.1),))
            for i, x in enumerate(lines)
        ]

    def learn(self, lines: Sequence[TrainingLine], folder: Path) -> Path:
        assert not folder.exists()
        folder.mkdir(parents=True)
        if len(self.engines) == self.die_in:
            raise KeyboardInterrupt
        self.given.append(list(lines))
        model = folder / "model.onnx"
        model.write_text("model", "utf-8")
        return model

    def guard(self, engine: str) -> Mapping[str, float]:
        return self.rates.pop(0) if self.rates else {}

    @property
    def tools(self) -> Tools:
        return Tools(learn=self.learn, read=self.read, guard=self.guard, say=lambda said: None)


def test_readings_are_learned_round_by_round_and_no_truth_is_read(tmp_path: Path) -> None:
    pool, bench = make_pool(), Bench()
    labelled = [TrainingLine(np.zeros((32, 90), np.uint8), "ମାଟି") for _ in range(2)]
    state = self_train(tmp_path / "run", pool, PLAN, bench.tools, labelled)
    assert pool.revealed == ()
    assert [one.kept for one in state.rounds] == [True] * 3
    assert [(one.lines, one.taken) for one in state.rounds] == [(10, 5)] * 3
    run = tmp_path / "run"
    assert bench.engines == ["ctc", *(f"ctc:{run}/round-0{n}/model/model.onnx" for n in (1, 2))]
    learned = bench.given[0]
    assert [line.text for line in learned] == [*TEXTS[1:10:2], "ମାଟି", "ମାଟି"]
    assert learned[0].rivals == (("ଘ", 0.1),)
    assert sum(line.weight for line in learned[:5]) == pytest.approx(0.4, abs=1e-3)
    assert sum(line.weight for line in learned[5:]) == pytest.approx(0.6)
    rows = (run / "round-01" / MANIFEST).read_text("utf-8").splitlines()
    assert sum('"taken": true' in row for row in rows) == 5
    assert read_state(run) == state


@pytest.mark.parametrize(
    "worse", [{"own": 0.13, "clean": 0.02}, {"own": 0.05, "clean": 0.04}], ids=["own", "general"]
)
def test_a_round_that_reads_worse_is_rolled_back(tmp_path: Path, worse) -> None:
    rates = [{"own": 0.2, "clean": 0.02}, {"own": 0.1, "clean": 0.022}, worse]
    bench = Bench(rates)
    state = self_train(tmp_path, make_pool(), PLAN, bench.tools)
    assert [one.kept for one in state.rounds] == [True, False]
    assert state.best is not None
    assert state.best.model == "round-01/model/model.onnx"
    assert state.rounds[1].rates == worse


def test_a_killed_run_goes_on_at_its_round(tmp_path: Path) -> None:
    killed = Bench(die_in=2)
    with pytest.raises(KeyboardInterrupt):
        self_train(tmp_path, make_pool(), PLAN, killed.tools)
    state = read_state(tmp_path)
    assert state is not None
    assert len(state.rounds) == 1
    bench = Bench()
    assert len(self_train(tmp_path, make_pool(), PLAN, bench.tools).rounds) == 3
    assert len(bench.engines) == 2
    idle = Bench()
    self_train(tmp_path, make_pool(), PLAN, idle.tools)
    assert idle.engines == []
    with pytest.raises(ConfigError, match="other settings"):
        self_train(tmp_path, make_pool(), replace(PLAN, rounds=4), idle.tools)


def test_bad_runs_are_told(tmp_path: Path) -> None:
    strict = Plan(rule=Rule(0.99))
    with pytest.raises(DataError, match="None of 10 readings is sure"):
        self_train(tmp_path / "a", make_pool(), strict, Bench().tools)
    (tmp_path / STATE).write_text("{", "utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        read_state(tmp_path)
    with pytest.raises(ConfigError, match="1 round or more"):
        Plan(rounds=0)


def test_labels_are_written_as_pairs(tmp_path: Path) -> None:
    from odia_ocr.curate.pseudo import choose_labels

    pool = make_pool()
    labels = choose_labels(Bench().read("ctc", pool.lines, tmp_path), PLAN.rule)
    write_lines(pool, labels, tmp_path / "lines")
    texts = {path.name: path.read_text("utf-8") for path in (tmp_path / "lines").glob("*.gt.txt")}
    assert texts == {f"l{i:02d}.gt.txt": f"{TEXTS[i]}\n" for i in range(1, 10, 2)}
    assert len(list((tmp_path / "lines").glob("*.png"))) == 5
