"""Distillation measured: how much of what several models know goes into a single one?

    python scripts/experiment_distillation.py            # goes on where it was stopped
    python scripts/experiment_distillation.py --quick    # a minute, to see that it runs

The ensemble (`--preset best`: three models read together) reads lines of the pool of
`experiment_domain.py`, whose texts are not read. The shipped model learns all of its readings, with
their rivals as soft labels, and is measured against the ensemble on the held-out lines, with its
speed. Soft labels are whole readings by their posterior (Kim and Rush 2016), not emissions frame by
frame: models that were trained apart place their peaks in other frames, and the mean of their
emissions loses letters (see `odia_ocr.recognize.averaging`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from experiment_adaptation import QUICK
from experiment_domain import FOLDER, open_domain
from experiment_self_training import (
    CONFIG,
    FORGET,
    LINES,
    list_rounds,
    make_tools,
    open_guard,
    verify,
)
from learning_report import (
    DOCS,
    REPORTS,
    RUNS,
    SHIPPED,
    THREADS,
    LineSet,
    Model,
    make_pool,
    open_part,
    open_sets,
    tell,
    write,
)

from odia_ocr.curate.self_training import DISTIL, Plan, self_train
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.scores import score_lines
from odia_ocr.recognize import open_recognizer

SEED = 1
TIMED, PASSES = 60, 4  # check lines whose reading is timed, and how often


def time_reading(models: Sequence[Model], lines: LineSet, path: Path) -> dict[str, float]:
    """Lines that each model reads in a second, two threads: its best pass, turn by turn."""
    if not path.exists():
        opened = {one.name: open_recognizer(one.engine, threads=THREADS) for one in models}
        rates = dict.fromkeys(opened, 0.0)
        for _ in range(PASSES):
            for name, recognizer in opened.items():
                started = time.perf_counter()
                recognizer.read(lines.images[:TIMED])
                rate = len(lines.images[:TIMED]) / (time.perf_counter() - started)
                rates[name] = max(rates[name], round(rate, 2))
        write_whole(path, json.dumps(rates).encode())
    return dict(json.loads(path.read_text("utf-8")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test, in its own folder")
    parser.add_argument("--domain", type=Path, default=FOLDER)
    options = parser.parse_args()
    quick = options.quick
    parts = open_domain(options.domain)
    out = RUNS / ("distillation-quick" if quick else "distillation")
    config = replace(QUICK if quick else CONFIG, seed=SEED)
    pool = make_pool(parts["pool"], 24 if quick else LINES)
    check = open_part(parts["check"], "check", 10 if quick else None)
    readings = RUNS / ("readings-quick" if quick else "readings") / "ctc.jsonl"
    tools = make_tools(config, open_guard(4 if quick else config.check_lines), readings)
    self_train(out / "run", pool, Plan(1, DISTIL, forget=FORGET), tools)
    verify(pool, 0)
    shipped = replace(SHIPPED, folder=out / "shipped") if quick else SHIPPED
    ensemble = Model(
        "ensemble", "ctc-best", shipped.folder.with_name(f"{shipped.folder.name}-best")
    )
    student = replace(list_rounds("student", out / "run", 0, 0.0)[0], name="student")
    models = [shipped, ensemble, student]
    for model in models:
        cer = score_lines(check.count(model.engine, model.folder)).cer
        tell(f"{model.name}: {cer.value:.2%} on check lines")
    rates = time_reading(models, check, out / "lines-per-second.json")
    models = [
        replace(one, facts={**one.facts, "lines_per_second": rates[one.name]}) for one in models
    ]
    sets = open_sets(parts, quick=quick)
    before, best, after = (
        score_lines(sets[0].count(model.engine, model.folder)).cer.value for model in models
    )
    recovered = (before - after) / (before - best) if before > best else None
    facts = {
        "adaptation": asdict(config),
        "rule": asdict(DISTIL),
        "pool_lines": len(pool.lines),
        "recovered": recovered,
    }
    speeds = ", ".join(f"{m.name} {m.facts['lines_per_second']:.1f}" for m in models)
    told = ["", f"Lines a second on two threads: {speeds}."]
    if recovered is not None:
        told.append(f"The student has {recovered:.0%} of the ensemble's gain.")
    reports, docs = (out, None) if quick else (REPORTS, DOCS)
    print(write("distillation", models, sets, facts, out=reports, docs=docs, after=told))


if __name__ == "__main__":
    main()
