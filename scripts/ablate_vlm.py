"""What the choices of an adapter are worth on the small model.

Starting from checkpoint 250 of the ladder, 250 steps more at the same rank, and at twice the rank
after growing it; with --sight also 250 steps from nothing on the language model alone, and on the
vision tower too; the last checkpoint merged into the weights. All on the shifted domain, paired.

    python scripts/ablate_vlm.py --ladder campaigns/vlm-ladder
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

from report_vlm import evaluate

from odia_ocr.data.reporting import make_reporting_set
from odia_ocr.evaluate.lineset import read_line_set
from odia_ocr.recognize import open_recognizer
from odia_ocr.train.adapters.grow import grow_adapter
from odia_ocr.train.adapters.merge import merge_adapter
from odia_ocr.train.lora.config import LoraConfig, lora_config_from
from odia_ocr.train.lora.run import train_lora

REPORT = Path("docs/reports/vlm-choices.json")
CONFIG = Path("training/vlm-ladder.json")
STEPS = 250


def main() -> None:
    """Train the variants, measure them, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ladder", type=Path, default=Path("campaigns/vlm-ladder"))
    parser.add_argument("--work", type=Path, default=Path("out/vlm"))
    parser.add_argument("--sight", action="store_true", help="train the vision tower too")
    asked = parser.parse_args()
    plain = lora_config_from(json.loads(CONFIG.read_text(encoding="utf-8")))
    short = replace(plain, steps=STEPS, keep_every=STEPS, check_every=STEPS, seed=2)
    middle = asked.ladder / "checkpoint-250"
    grown = asked.work / "grown"
    shutil.rmtree(grown, ignore_errors=True)
    growth = grow_adapter(middle, grown, rank=2 * plain.adapter.rank)
    wide = replace(plain.adapter, targets="all")
    names = {
        "same rank, 250 more": train(short, asked.work / "same", middle),
        "twice the rank, 250 more": train(short, asked.work / "twice", grown),
    }
    if asked.sight:
        names |= {
            "language model, 250": train(short, asked.work / "language", None),
            "vision tower too, 250": train(replace(short, adapter=wide), asked.work / "wide", None),
        }
    merged = asked.work / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    last = asked.ladder / "last" / "checkpoint-500"
    merge = merge_adapter("tiny", last, merged)
    engines = {
        "checkpoint-250": f"vlm:tiny::{middle}",
        **{name: f"vlm:tiny::{folder}" for name, folder in names.items()},
        "checkpoint-500": f"vlm:tiny::{last}",
        "checkpoint-500, merged": f"vlm:{merged}",
    }
    lines = asked.work / "shifted"
    if not lines.exists():
        make_reporting_set("shifted", lines)
    report = {
        "growth": str(growth),
        "merge": str(merge),
        **evaluate(lines, tuple(engines.values()), names=tuple(engines)),
        "seconds": {
            name: time_reading(engines[name], lines)
            for name in ("checkpoint-500", "checkpoint-500, merged")
        },
    }
    REPORT.write_text(
        json.dumps(report, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )


def train(config: LoraConfig, run: Path, start_from: Path | None) -> Path:
    """A run; returns its last checkpoint, that of an earlier time where there is one."""
    last = run / f"checkpoint-{config.steps}"
    if not last.exists():
        shutil.rmtree(run, ignore_errors=True)
        train_lora(config, run, start_from=start_from, report=print)
    return last


def time_reading(engine: str, folder: Path, count: int = 64) -> float:
    """Seconds of some lines, the better of three rounds."""
    recognizer = open_recognizer(engine, threads=1)
    images = [sample.load() for sample in read_line_set(folder).samples[:count]]
    recognizer.read(images[:8])
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        recognizer.read(images)
        taken.append(time.perf_counter() - began)
    return round(min(taken), 3)


if __name__ == "__main__":
    main()
