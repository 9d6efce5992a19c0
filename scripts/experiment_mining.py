"""Hard-example mining measured: are the worst of many transcribed lines better to learn from?

    python scripts/experiment_mining.py            # all of it, goes on where it was stopped
    python scripts/experiment_mining.py --quick    # a minute, to see that it runs

Of 2,000 transcribed lines of the domain of `experiment_domain.py` the shipped model is adapted to
the 200 that it reads worst, as `odia-ocr curate mine` lists them, and to 200 that chance chose.
Settings are those of `experiment_adaptation.py`. Held-out lines are read in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from experiment_adaptation import CONFIG, LABELS, QUICK, adapt, list_models
from learning_report import LineSet, Model, tell
from learning_setup import Setup, make_parser, open_part

from odia_ocr.curate.mine import mine_report
from odia_ocr.curate.report_lines import ReadLine, ReadReport
from odia_ocr.language import normalise
from odia_ocr.train.adapt import TrainingLine

TRANSCRIBED = 2000


def find_hard(lines: LineSet, readings: Path, count: int) -> list[int]:
    """The places of the lines that the shipped model reads worst, in order."""
    counts = lines.count("ctc", readings)
    rows = tuple(
        ReadLine(str(i), text, None, one.chars.edits, one.chars.length)
        for i, (text, one) in enumerate(zip(lines.texts, counts, strict=True))
    )
    mined = mine_report(ReadReport(readings, "ctc", lines.name, "line", rows), worst=count)
    return sorted(int(one.line.name) for one in mined.hard)


def take(lines: LineSet, places: Sequence[int]) -> list[TrainingLine]:
    """Lines at some places, to learn from."""
    return [TrainingLine(lines.images[i].pixels, normalise(lines.texts[i])) for i in places]


def main() -> None:
    setup = Setup.of("mining", make_parser(__doc__).parse_args())
    labels, config, count = (12, QUICK, 40) if setup.quick else (LABELS, CONFIG, TRANSCRIBED)
    lines = open_part(setup.parts["pool"], "transcribed", count)
    hard = find_hard(lines, setup.out, labels)
    chance = sorted(np.random.default_rng([1, 92]).permutation(count)[: len(hard)].tolist())
    models: list[Model] = [setup.shipped]
    for name, places in (("hard", hard), ("chance", chance)):
        folder = adapt(take(lines, places), setup.out / name, replace(config, seed=1))
        made = list_models(folder, f"{len(places)} lines, {name}", len(places))
        for model in made:
            tell(f"{model.name}: {setup.rate(model):.2%} on check lines, {model.facts}")
        models += made
    facts = {"adaptation": asdict(config), "labels": len(hard), "transcribed": count}
    print(setup.write(models, setup.open_sets(), facts))


if __name__ == "__main__":
    main()
