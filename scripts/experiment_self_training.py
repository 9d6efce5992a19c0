"""Self-training measured: what do lines give that nobody labelled, alone and beside 100 labels?

    python scripts/experiment_self_training.py            # goes on where it was stopped
    python scripts/experiment_self_training.py --quick    # a minute or two, to see that it runs

Without labels: the shipped models read lines of the pool of `experiment_domain.py` together; what
is sure and agreed on is learned. No text of the domain is seen: the guard has general lines only.
With 100 labels: a model adapted to them reads the pool, and its readings are learned beside them;
the 100 labels alone are measured, too. Thresholds were chosen on the check lines, whose texts also
tell how right the labels are at each threshold. The pool's texts are read for the 100 chosen lines
alone, which is verified. Held-out lines are read in the end.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from experiment_adaptation import CONFIG as ADAPTATION
from experiment_adaptation import COST, QUICK, adapt
from learning_report import RUNS, THREADS, LineSet, Model, clock, tell
from learning_setup import Setup, label_lines, make_parser, make_pool

from odia_ocr.curate.pool import Pool
from odia_ocr.curate.pseudo import PseudoReading, Rule, rate_precision
from odia_ocr.curate.self_training import Plan, Tools, make_learner, read_with, self_train
from odia_ocr.data.sets.out_files import write_whole
from odia_ocr.evaluate.scores import score_lines
from odia_ocr.recognize.line_tensor import Geometry
from odia_ocr.train.adapt import AdaptConfig, TrainingLine
from odia_ocr.train.ctc import make_check_sets
from odia_ocr.types import LineImage

LINES = 1200  # of the pool are read
# Half a point may be lost on general lines, by all models alike.
CONFIG = replace(ADAPTATION, forget=0.005)
FORGET = 0.01  # what rolls a round back
LABELS = 100
SEED = 1
ROUNDS = {"alone": 1, "labelled": 1}
RULES = {
    "alone": Rule(confidence=0.8, agreement=0.8, soft=True),
    "labelled": Rule(confidence=0.8, agreement=0.8, soft=True),
}


def choose_config(setup: Setup) -> AdaptConfig:
    """How each model learns."""
    return replace(QUICK if setup.quick else CONFIG, seed=SEED)


def open_pool(setup: Setup) -> Pool:
    """The lines that are read."""
    return make_pool(setup.parts["pool"], 24 if setup.quick else LINES)


def open_guard(count: int) -> list[LineSet]:
    """General held-out lines, of the half that settings may be chosen on."""
    return [
        LineSet(one.name, [LineImage(str(i), p) for i, p in enumerate(one.pixels)], one.texts)
        for one in make_check_sets(count, Geometry())
    ]


def make_tools(setup: Setup, config: AdaptConfig) -> Tools:
    """Reading, fine-tuning and guarding; experiments share what the shipped models read."""
    readings = setup.name_folder("readings") / "ctc.jsonl"
    guard = open_guard(4 if setup.quick else config.check_lines)
    learn = make_learner(config, tell)

    def timed(lines: Sequence[TrainingLine], folder: Path) -> Path:
        with clock() as told:
            model = learn(lines, folder)
        write_whole(folder / COST, json.dumps(told).encode())
        return model

    def read(engine: str, lines: Sequence, path: Path) -> Sequence:
        place = readings if engine == "ctc" else path
        return read_with(engine, lines, place, threads=THREADS)

    def watch(engine: str) -> Mapping[str, float]:
        where = Path(engine.partition(":")[2]).parent if ":" in engine else None
        folder = where / "guard" if where else RUNS / f"guard-{len(guard[0].texts)}"
        return {x.name: score_lines(x.count(engine, folder)).cer.value for x in guard}

    return Tools(learn=timed, read=read, guard=watch, say=tell)


def judge_labels(check: LineSet, engine: str, path: Path, rule: Rule) -> list[dict]:
    """How right the readings of check lines are at each threshold."""
    pool = [Known(image) for image in check.images]
    found = read_with(engine, pool, path, threads=THREADS)
    readings = [one for one in found if isinstance(one, PseudoReading)]
    truth = dict(zip([image.id for image in check.images], check.texts, strict=True))
    return [asdict(row) for row in rate_precision(readings, truth, rule)]


class Known:
    """A line picture that is in memory, as a sample of a pool."""

    def __init__(self, image: LineImage) -> None:
        self.id, self.picture = image.id, self
        self.load = lambda: image.pixels


def list_rounds(name: str, run: Path, labels: int, seconds: float) -> list[Model]:
    """The models of a run's rounds, with the seconds of all fine-tuning up to each."""
    state = json.loads((run / "self-training.json").read_text("utf-8"))
    models = []
    for one in state["rounds"]:
        model = run / one["model"]
        cost = json.loads((model.parent / COST).read_text("utf-8"))
        seconds += cost["seconds"]
        facts = {**cost, "seconds": seconds, **{k: one[k] for k in ("lines", "taken", "kept")}}
        title = f"{name}, round {one['number']}"
        models.append(Model(title, f"ctc:{model}", model.parent / "readings", labels, facts))
    return models


def main() -> None:
    setup = Setup.of("self-training", make_parser(__doc__).parse_args())
    quick, out = setup.quick, setup.out
    config, pool = choose_config(setup), open_pool(setup)
    tools = make_tools(setup, config)
    rules = dict.fromkeys(RULES, Rule(0.5, 0.5, soft=True)) if quick else RULES
    judge = partial(judge_labels, setup.check)
    precision = {"shipped": judge("ctc", out / "check-shipped.jsonl", rules["alone"])}
    for row in precision["shipped"]:
        tell(f"labels of the shipped models: {row}")

    run = out / "alone"
    self_train(run, pool, Plan(ROUNDS["alone"], rules["alone"], forget=FORGET), tools)
    verify(pool, 0)
    alone = list_rounds("self-trained", run, 0, 0.0)

    labelled = make_pool(setup.parts["pool"])
    lines = label_lines(labelled, 12 if quick else LABELS, SEED)
    base = adapt(lines, out / "labels", config)
    engine = f"ctc:{base / 'model.onnx'}"
    cost = json.loads((base / COST).read_text("utf-8"))
    adapted = Model(f"{len(lines)} labels alone", engine, base / "readings", len(lines), cost)
    precision["adapted"] = judge(engine, out / "check-adapted.jsonl", rules["labelled"])
    run = out / "labelled"
    plan = Plan(ROUNDS["labelled"], rules["labelled"], engine, forget=FORGET)
    self_train(run, pool, plan, tools, lines)
    verify(pool, 0)
    verify(labelled, len(lines))
    both = list_rounds(f"{len(lines)} labels, self-trained", run, len(lines), cost["seconds"])

    models = [setup.shipped, *alone, adapted, *both]
    for model in models:
        tell(f"{model.name}: {setup.rate(model):.2%} on check lines")
    facts = {
        "adaptation": asdict(config),
        "rules": {name: asdict(rule) for name, rule in rules.items()},
        "pool_lines": len(pool.lines),
        "precision": precision,
    }
    print(setup.write(models, setup.open_sets(), facts, tell_precision(precision)))


def verify(pool: Pool, count: int) -> None:
    """Refuse to go on where more texts of the pool were read than chosen."""
    if len(pool.revealed) != count:
        raise SystemExit(f"{len(pool.revealed)} texts of {pool.name} were read, not {count}.")


def tell_precision(precision: Mapping[str, Sequence[Mapping]]) -> list[str]:
    """How right pseudo-labels are on check lines, as a table."""
    rows = ["", "Pseudo-labels on check lines, by the least confidence that is asked for:", ""]
    rows.append(
        "| Confidence | " + " | ".join(f"{x}: taken | right | CER" for x in precision) + " |"
    )
    rows.append("| ---: |" + " ---: | ---: | ---: |" * len(precision))
    for same in zip(*precision.values(), strict=True):
        cells = [
            f"{row['share']:.0%} | {row['exact']:.0%} | "
            + ("" if row["cer"] is None else f"{100 * row['cer']['value']:.1f} %")
            for row in same
        ]
        rows.append(f"| {same[0]['threshold']:.2f} | {' | '.join(cells)} |")
    return rows


if __name__ == "__main__":
    main()
