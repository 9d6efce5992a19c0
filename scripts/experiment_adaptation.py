"""Adaptation measured: what do 200 labelled lines of one archive give, and what do they cost?

    python scripts/experiment_adaptation.py            # all of it, goes on where it was stopped
    python scripts/experiment_adaptation.py --quick    # a minute, to see that it runs

The shipped model is adapted to 200 lines of the domain of `experiment_domain.py` that chance chose,
at three seeds; how long it learns was chosen on the check lines. Where general lines lose more than
is allowed, the shipped weights are mixed in (`odia_ocr.train.interpolate`); the weights without
that are measured too. Held-out lines are read in the end, by `--engine ctc:FILE`.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from experiment_domain import FOLDER, open_domain
from learning_report import (
    DOCS,
    REPORTS,
    RUNS,
    SHIPPED,
    Model,
    clock,
    label_lines,
    make_pool,
    open_part,
    open_sets,
    tell,
    write,
)

from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.scores import score_lines
from odia_ocr.train.adapt import UNMIXED, AdaptConfig, TrainingLine, adapt_ctc
from odia_ocr.train.checkpoint import open_model
from odia_ocr.train.export import write_onnx

LABELS = 200
SEEDS = (1, 2, 3)
CONFIG = AdaptConfig(steps=150, fit_lines=300, check_lines=128)
QUICK = AdaptConfig(
    steps=3, warmup=1, batch=4, replay_lines=16, check_lines=4, check_every=3, fit_lines=60
)
COST = "cost.json"


def adapt(lines: list[TrainingLine], folder: Path, config: AdaptConfig) -> Path:
    """Fine-tune once, with its cost on record; what a killed one left is thrown away."""
    if not (folder / COST).exists():
        shutil.rmtree(folder, ignore_errors=True)
        with clock() as told:
            made = adapt_ctc(lines, folder, config=config, report=tell)
        unmixed = folder / UNMIXED
        if unmixed.exists():
            write_onnx(open_model(unmixed), unmixed.with_suffix(".onnx"), version="unmixed")
        record = {**told, "share": made.share, "steps": made.steps}
        write_whole(folder / COST, json.dumps(record).encode())
    return folder


def list_models(folder: Path, name: str, labels: int) -> list[Model]:
    """What an adaptation made: the model, and the one before mixing where that differs."""
    facts = json.loads((folder / COST).read_text("utf-8"))
    models = [Model(name, f"ctc:{folder / 'model.onnx'}", folder / "readings", labels, facts)]
    unmixed = (folder / UNMIXED).with_suffix(".onnx")
    if unmixed.exists():
        readings = folder / "readings-unmixed"
        models.append(Model(f"{name}, not mixed", f"ctc:{unmixed}", readings, labels))
    return models


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a smoke test, in its own folder")
    parser.add_argument("--domain", type=Path, default=FOLDER)
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many of the three")
    options = parser.parse_args()
    parts = open_domain(options.domain)
    quick = options.quick
    out = RUNS / ("adaptation-quick" if quick else "adaptation")
    labels, config = (12, QUICK) if quick else (LABELS, CONFIG)
    shipped = replace(SHIPPED, folder=out / "shipped") if quick else SHIPPED
    models = [shipped]
    pool = make_pool(parts["pool"])
    check = open_part(parts["check"], "check", 10 if quick else None)
    for seed in SEEDS[: options.seeds]:
        lines = label_lines(pool, labels, seed)
        folder = adapt(lines, out / f"seed-{seed}", replace(config, seed=seed))
        made = list_models(folder, f"adapted, seed {seed}", labels)
        for model in made:
            cer = score_lines(check.count(model.engine, model.folder)).cer
            tell(f"{model.name}: {cer.value:.2%} on check lines, {model.facts}")
        models += made
    reports, docs = (out, None) if quick else (REPORTS, DOCS)
    facts = {"adaptation": asdict(config), "labels": labels}
    sets = open_sets(parts, quick=quick)
    print(write("adaptation", models, sets, facts, out=reports, docs=docs))


if __name__ == "__main__":
    main()
