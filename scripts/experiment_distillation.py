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

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from experiment_self_training import (
    FORGET,
    choose_config,
    list_rounds,
    make_tools,
    open_pool,
    verify,
)
from learning_report import THREADS, LineSet, Model, tell
from learning_setup import Setup, make_parser

from odia_ocr.curate.self_training import DISTIL, Plan, self_train
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.scores import score_lines
from odia_ocr.recognize import open_recognizer

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
    setup = Setup.of("distillation", make_parser(__doc__).parse_args())
    out, shipped = setup.out, setup.shipped
    config, pool = choose_config(setup), open_pool(setup)
    plan = Plan(1, DISTIL, forget=FORGET)
    self_train(out / "run", pool, plan, make_tools(setup, config))
    verify(pool, 0)
    ensemble = Model(
        "ensemble", "ctc-best", shipped.folder.with_name(f"{shipped.folder.name}-best")
    )
    student = replace(list_rounds("student", out / "run", 0, 0.0)[0], name="student")
    models = [shipped, ensemble, student]
    for model in models:
        tell(f"{model.name}: {setup.rate(model):.2%} on check lines")
    rates = time_reading(models, setup.check, out / "lines-per-second.json")
    models = [
        replace(one, facts={**one.facts, "lines_per_second": rates[one.name]}) for one in models
    ]
    sets = setup.open_sets()
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
    print(setup.write(models, sets, facts, told))


if __name__ == "__main__":
    main()
