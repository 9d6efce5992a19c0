"""Active learning measured: how few labels do which strategies need?

    python scripts/experiment_active.py            # all of it, goes on where it was stopped
    python scripts/experiment_active.py --quick    # a minute, to see that it runs

Each run takes three rounds of the domain of `experiment_domain.py`: 50, 100 and 200 labels in all,
each time learned from the shipped weights on, and is measured on the 1,000 held-out lines as they
are read by `--engine ctc:FILE`. Of the pool's texts only those of chosen lines are read. Runs lie
in runs/learning/active; docs/reports/learning/active.json, active.svg and the table in
docs/learning.md are made of them.
"""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from active_report import Curve, Point, write_report
from experiment_adaptation import QUICK as ADAPTATION_QUICK
from experiment_domain import NAME
from learning_report import THREADS, LineSet, tell
from learning_setup import HELDOUT, Setup, make_parser, make_pool, open_part

from odia_ocr.curate.pool import Pool
from odia_ocr.curate.rounds import Plan, Tools, go_on, label_truly, look_at, name_round, read_state
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.data.sets.sample import Sample
from odia_ocr.evaluate.scores import LineCounts, score_lines
from odia_ocr.language import normalise
from odia_ocr.train.adapt import AdaptConfig, TrainingLine, adapt_ctc

# What the chosen lines teach is measured: what is forgotten of general lines does not count.
CONFIG = AdaptConfig(steps=150, fit_lines=300, check_lines=64, mix=False, forget=1.0)
SEEDS = {
    "random": (1, 2, 3),
    "combined": (1, 2, 3),
    "uncertainty": (1,),
    "disagreement": (1,),
    "diverse": (1,),
}


@dataclass(frozen=True)
class Scale:
    """What is run, and on how much."""

    budgets: tuple[int, ...] = (50, 50, 100)
    seeds: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: SEEDS)
    pool: int = 4000
    heldout: int = 1000
    config: AdaptConfig = CONFIG

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(strategy, seed) of each run: what matters most comes first."""
        each = [[(strategy, seed) for seed in own] for strategy, own in self.seeds.items()]
        return [run for turn in zip_longest(*each) for run in turn if run is not None]


QUICK = Scale(
    budgets=(8, 8),
    seeds={"random": (1, 2), "combined": (1, 2), "diverse": (1,)},
    pool=60,
    heldout=30,
    config=ADAPTATION_QUICK,
)


def make_learner(config: AdaptConfig, seed: int) -> Callable[[Sequence[Sample], Path], Path]:
    """Fine-tuning from the shipped weights on; what a killed one left is thrown away."""

    def learn(samples: Sequence[Sample], folder: Path) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        lines = [TrainingLine(one.picture.load(), normalise(one.text)) for one in samples]
        started = time.monotonic()
        done = adapt_ctc(lines, folder, config=replace(config, seed=seed), report=lambda said: None)
        seconds = time.monotonic() - started
        write_whole(folder / "cost.json", json.dumps({"seconds": round(seconds, 1)}).encode())
        return done.model

    return learn


def run_all(setup: Setup, scale: Scale) -> list[Curve]:
    """All runs, each taken up where it was left; returns their curves."""
    heldout = open_part(setup.parts[HELDOUT], HELDOUT, scale.heldout)
    shipped = heldout.count_once("ctc", setup.out / f"shipped-{HELDOUT}.json")
    tell(f"shipped model: CER {score_lines(shipped).cer.value:.2%}")
    look = functools.lru_cache(maxsize=1)(functools.partial(look_at, threads=THREADS))
    first = functools.lru_cache(maxsize=1)(functools.partial(look_at, threads=THREADS))
    curves = []
    for strategy, seed in scale.runs:
        run = setup.out / f"{strategy}-{seed}"
        pool = make_pool(setup.parts["pool"], scale.pool)

        def see(engine: str, lines: Sequence[Sample], strategy: str = strategy) -> Any:
            # What random chooses does not depend on what a model sees.
            if engine == "ctc" or strategy == "random":
                return first("ctc", tuple(lines))
            return look(engine, tuple(lines))

        tools = Tools(
            learn=make_learner(scale.config, seed),
            measure=lambda model: asdict(score_lines(count_lines(heldout, model)).cer),
            label=label_truly(pool),
            look=see,
            say=lambda said, run=run: tell(f"{run.name}: {said}"),
        )
        plan = Plan(scale.budgets, strategy, seed)
        go_on(run, pool, plan, tools, rounds=len(scale.budgets))
        curves.append(read_curve(run, pool, heldout))
        points = ", ".join(f"{p.labels}: {p.cer.value:.2%}" for p in curves[-1].points)
        tell(f"{run.name}: {points}")
    return [Curve("shipped", 0, (Point.of(0, 0, 0, 0.0, shipped),)), *curves]


def count_lines(heldout: LineSet, model: Path) -> list[LineCounts]:
    """The counts of each line, as a model reads it; readings are kept beside it."""
    return heldout.count(f"ctc:{model}", model.parent)


def read_curve(run: Path, pool: Pool, heldout: LineSet) -> Curve:
    """What a run found, from its folder."""
    state = read_state(run)
    assert state is not None
    points, labels = [], 0
    letters = corrected = 0
    for one in state.rounds:
        batch = json.loads((run / name_round(one.number) / "chosen.json").read_text("utf-8"))
        texts = pool.reveal(one.labelled)
        labels += len(texts)
        letters += sum(map(len, texts.values()))
        corrected += sum(texts[row["id"]] != row["draft"] for row in batch["lines"])
        folder = (run / one.model).parent
        seconds = json.loads((folder / "cost.json").read_text("utf-8"))["seconds"]
        counts = count_lines(heldout, run / one.model)
        points.append(Point.of(labels, letters, corrected, seconds, counts))
    return Curve(state.plan.strategy, state.plan.seed, tuple(points))


def main() -> None:
    setup = Setup.of("active", make_parser(__doc__).parse_args())
    scale = QUICK if setup.quick else Scale()
    facts = {
        "domain": NAME,
        "pool": scale.pool,
        "heldout": scale.heldout,
        "adaptation": asdict(scale.config),
    }
    print(write_report(run_all(setup, scale), facts, setup.reports, setup.docs))


if __name__ == "__main__":
    main()
