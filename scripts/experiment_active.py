"""Active learning measured: how few labels do which strategies need?

    python scripts/experiment_active.py            # all of it, goes on where it was stopped
    python scripts/experiment_active.py --quick    # a minute, to see that it runs

Each run takes three rounds of the domain of `experiment_domain.py`: 50, 100 and 200 labels in all,
each time learned from the shipped weights on, and is measured on the 1,000 held-out lines as they
are read by `--engine ctc:FILE`. Of the pool's texts only those of chosen lines are read. Runs lie
in runs/learning/active; docs/reports/learning/active.json, active.svg and the table in
docs/active-learning.md are made of them.
"""

from __future__ import annotations

import argparse
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
from experiment_domain import FOLDER, NAME, Part, open_domain

from odia_ocr.curate.pool import Pool
from odia_ocr.curate.rounds import Plan, Tools, go_on, label_truly, look_at, name_round, read_state
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.data.sets.sample import FilePicture, Sample
from odia_ocr.evaluate.scores import LineCounts, count_line, score_lines
from odia_ocr.language import normalise
from odia_ocr.recognize import open_recognizer
from odia_ocr.train.adapt import AdaptConfig, TrainingLine, adapt_ctc
from odia_ocr.types import Candidates

OUT = Path("runs/learning/active")
REPORTS = Path("docs/reports/learning")
DOCS = Path("docs/active-learning.md")
READINGS = "heldout.json"
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
class Setup:
    """One experiment: what is run, and on how much."""

    out: Path
    budgets: tuple[int, ...] = (50, 50, 100)
    seeds: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: SEEDS)
    pool: int = 4000
    heldout: int = 1000
    config: AdaptConfig = CONFIG
    threads: int = 2

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(strategy, seed) of each run: what matters most comes first."""
        each = [[(strategy, seed) for seed in own] for strategy, own in self.seeds.items()]
        return [run for turn in zip_longest(*each) for run in turn if run is not None]


QUICK = Setup(
    OUT.with_name("active-quick"),
    budgets=(8, 8),
    seeds={"random": (1, 2), "combined": (1, 2), "diverse": (1,)},
    pool=60,
    heldout=30,
    config=AdaptConfig(
        steps=3, warmup=1, batch=4, replay_lines=16, check_lines=4, check_every=3, fit_lines=60
    ),
)


class Bench:
    """Held-out lines and what models read of them."""

    def __init__(self, part: Part, count: int, threads: int) -> None:
        self.names = part.names[:count]
        self._part, self._threads = part, threads

    @functools.cached_property
    def texts(self) -> list[str]:
        """Their transcriptions."""
        return [self._part.read_text(name) for name in self.names]

    def read(self, engine: str, path: Path) -> list[LineCounts]:
        """The counts of each line; readings are kept in `path` and not made twice."""
        if not path.exists():
            recognizer = open_recognizer(engine, threads=self._threads)
            read = recognizer.read(self._part.images[: len(self.names)])
            texts = [normalise(r.best.text) if isinstance(r, Candidates) else "" for r in read]
            write_whole(path, json.dumps(texts, ensure_ascii=False).encode())
        readings = json.loads(path.read_text("utf-8"))
        return [count_line(*pair) for pair in zip(self.texts, readings, strict=True)]

    def measure(self, model: Path) -> dict[str, Any]:
        """The figures of a model, as a round keeps them."""
        counts = self.read(f"ctc:{model}", model.with_name(READINGS))
        return asdict(score_lines(counts).cer)


def make_pool(part: Part, count: int) -> Pool:
    """The domain's pool: pictures, and texts that are read one by one when they are asked for."""
    samples = [Sample(n, FilePicture(part.folder / f"{n}.png"), "") for n in part.names[:count]]
    return Pool(samples, name=f"{NAME}, pool", truth=part.read_text)


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


def run_all(setup: Setup, parts: Mapping[str, Part], heldout: str = "heldout") -> list[Curve]:
    """All runs, each taken up where it was left; returns their curves."""
    bench = Bench(parts[heldout], setup.heldout, setup.threads)
    shipped = bench.read("ctc", setup.out / f"shipped-{READINGS}")
    tell(f"shipped model: CER {score_lines(shipped).cer.value:.2%}")
    look = functools.lru_cache(maxsize=1)(functools.partial(look_at, threads=setup.threads))
    first = functools.lru_cache(maxsize=1)(functools.partial(look_at, threads=setup.threads))
    curves = []
    for strategy, seed in setup.runs:
        run = setup.out / f"{strategy}-{seed}"
        pool = make_pool(parts["pool"], setup.pool)

        def see(engine: str, lines: Sequence[Sample], strategy: str = strategy) -> Any:
            # What random chooses does not depend on what a model sees.
            if engine == "ctc" or strategy == "random":
                return first("ctc", tuple(lines))
            return look(engine, tuple(lines))

        tools = Tools(
            learn=make_learner(setup.config, seed),
            measure=bench.measure,
            label=label_truly(pool),
            look=see,
            say=lambda said, run=run: tell(f"{run.name}: {said}"),
        )
        plan = Plan(setup.budgets, strategy, seed)
        go_on(run, pool, plan, tools, rounds=len(setup.budgets))
        curves.append(read_curve(run, pool, bench))
        points = ", ".join(f"{p.labels}: {p.cer.value:.2%}" for p in curves[-1].points)
        tell(f"{run.name}: {points}")
    return [Curve("shipped", 0, (Point.of(0, 0, 0, 0.0, shipped),)), *curves]


def read_curve(run: Path, pool: Pool, bench: Bench) -> Curve:
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
        counts = bench.read(f"ctc:{run / one.model}", folder / READINGS)
        points.append(Point.of(labels, letters, corrected, seconds, counts))
    return Curve(state.plan.strategy, state.plan.seed, tuple(points))


def tell(said: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {said}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test, in its own folder")
    parser.add_argument("--domain", type=Path, default=FOLDER)
    options = parser.parse_args()
    setup = QUICK if options.quick else Setup(OUT)
    parts = open_domain(options.domain)
    curves = run_all(setup, parts)
    reports, docs = (setup.out, None) if options.quick else (REPORTS, DOCS)
    facts = {
        "domain": NAME,
        "pool": setup.pool,
        "heldout": setup.heldout,
        "adaptation": asdict(setup.config),
    }
    print(write_report(curves, facts, reports, docs))


if __name__ == "__main__":
    main()
