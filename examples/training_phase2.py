"""Phase 2: train a LoRA checkpoint on, past the step where it once stopped.

A full checkpoint (with state.pt) goes on exactly where it was; of an adapter alone, as hubs have
them, a new run starts with a fresh optimizer and a short warm-up.

    python examples/training_phase2.py runs/mine/checkpoint-250 --data my_lines --steps 500
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from odia_ocr.errors import OdiaOcrError
from odia_ocr.train.lora.checkpoint import CONFIG, STATE, find_last
from odia_ocr.train.lora.config import LoraConfig, lora_config_from
from odia_ocr.train.lora.run import train_lora


def main() -> None:
    """Go on with the checkpoint that was named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="folder of the checkpoint or adapter")
    parser.add_argument("--base", default="tiny", help="the model it belongs to")
    parser.add_argument("--data", nargs="*", default=[], help="labelled sets; none renders lines")
    parser.add_argument("--steps", type=int, default=500, help="steps of a new run")
    parser.add_argument("--rate", type=float, default=1e-4, help="largest learning rate")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/phase2"))
    asked = parser.parse_args()

    try:
        best = go_on(asked, parser)
    except OdiaOcrError as error:
        parser.exit(error.exit_code, f"training_phase2: {error}\n")
    print(f"Best checkpoint: {best}")


def go_on(asked: argparse.Namespace, parser: argparse.ArgumentParser) -> Path:
    """Resume the run of a full checkpoint, or start one from an adapter; gives the best one."""
    run = asked.checkpoint.parent
    if (asked.checkpoint / STATE).exists() and (run / CONFIG).exists():
        if find_last(run) != asked.checkpoint:
            parser.error(f"{find_last(run)} is newer: a run goes on from its last checkpoint")
        print(f"{run} goes on with its own settings; the options are for new runs")
        config = lora_config_from(json.loads((run / CONFIG).read_text(encoding="utf-8")))
        return train_lora(config, run, resume=True)
    config = LoraConfig(base=asked.base, data=tuple(asked.data), steps=asked.steps, rate=asked.rate)
    return train_lora(config, asked.out, start_from=asked.checkpoint)


if __name__ == "__main__":
    main()
