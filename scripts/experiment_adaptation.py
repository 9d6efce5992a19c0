"""Adaptation measured: what do 200 labelled lines of one archive give, and what do they cost?

    python scripts/experiment_adaptation.py            # all of it, goes on where it was stopped
    python scripts/experiment_adaptation.py --quick    # a minute, to see that it runs

The shipped model is adapted to 200 lines of the domain of `experiment_domain.py` that chance chose,
at three seeds; how long it learns was chosen on the check lines. Where general lines lose more than
is allowed, the shipped weights are mixed in (`odia_ocr.train.interpolate`); the weights without
that are measured too. Held-out lines are read in the end, by `--engine ctc:FILE`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from learning_report import Model, clock, tell
from learning_setup import Setup, label_lines, make_parser, make_pool

from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.train.adapt import UNMIXED, AdaptConfig, TrainingLine, adapt_ctc
from odia_ocr.train.checkpoint import open_model
from odia_ocr.train.export import write_onnx

LABELS = 200
SEEDS = (1, 2, 3)
CONFIG = AdaptConfig(steps=150, fit_lines=300, check_lines=128)
QUICK = AdaptConfig(
    steps=3,
    warmup=1,
    batch=4,
    replay_lines=16,
    check_lines=4,
    check_every=3,
    fit_lines=60,
    mix_lines=4,
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
    parser = make_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="how many of the three")
    options = parser.parse_args()
    setup = Setup.of("adaptation", options)
    labels, config = (12, QUICK) if setup.quick else (LABELS, CONFIG)
    models = [setup.shipped]
    pool = make_pool(setup.parts["pool"])
    for seed in SEEDS[: options.seeds]:
        lines = label_lines(pool, labels, seed)
        folder = adapt(lines, setup.out / f"seed-{seed}", replace(config, seed=seed))
        made = list_models(folder, f"adapted, seed {seed}", labels)
        for model in made:
            tell(f"{model.name}: {setup.rate(model):.2%} on check lines, {model.facts}")
        models += made
    facts = {"adaptation": asdict(config), "labels": labels}
    print(setup.write(models, setup.open_sets(), facts))


if __name__ == "__main__":
    main()
