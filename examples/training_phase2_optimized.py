"""Phase 2 with a loop of your own, made of the same parts that `train lora` is made of.

Small batches add up to a large one, memory is saved by computing activations again, the rate warms
up and falls by a cosine, and each checkpoint can be resumed by `odia-ocr train lora --resume` too.

    python examples/training_phase2_optimized.py runs/old/checkpoint-250 -o runs/optimized
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

from odia_ocr.errors import OdiaOcrError
from odia_ocr.train.lora.checkpoint import CONFIG, LoraProgress, save_checkpoint
from odia_ocr.train.lora.config import AdapterShape, LoraConfig
from odia_ocr.train.lora.order import Order
from odia_ocr.train.lora.parts import (
    Feeder,
    find_loss,
    make_optimizer,
    open_trainee,
    rate_at_step,
    read_check,
    seed_step,
    share_tokens,
)
from odia_ocr.train.lora.sources import open_sources


def main() -> None:
    """Train, print, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("adapter", type=Path, nargs="?", help="adapter to start from")
    parser.add_argument("--base", default="tiny")
    parser.add_argument("--data", nargs="*", default=[], help="labelled sets; none renders lines")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/optimized"))
    asked = parser.parse_args()
    config = LoraConfig(
        base=asked.base,
        adapter=AdapterShape(rank=16, alpha=32),
        data=tuple(asked.data),
        steps=asked.steps,
        batch=4,
        accumulate=4,
        checkpointing=True,
        misfit="skip",
        check_lines=32,
    )

    vlm = open_trainee(config, start_from=asked.adapter)
    sources = open_sources(config, vlm.encoder, report=print)
    feeder = Feeder(sources.samples, Order(sources.numbers, config.seed), vlm.encoder, config)
    optimizer = make_optimizer(vlm.model, config)
    progress = LoraProgress()
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / CONFIG).write_text(json.dumps(asdict(config), indent=1) + "\n", encoding="utf-8")

    began = time.monotonic()
    for made in feeder.stream(0, config.steps):
        seed_step(config, progress.step)
        for group in optimizer.param_groups:
            group["lr"] = rate_at_step(config, progress.step)
        loss = 0.0
        for batch, share in zip(made.batches, share_tokens(made.batches), strict=True):
            part = share * find_loss(vlm.model, batch, vlm.device)
            part.backward()
            loss += float(part.detach())
        torch.nn.utils.clip_grad_norm_(vlm.model.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        progress.position += feeder.per_step
        progress.seconds = time.monotonic() - began
        if progress.step % config.keep_every == 0 or progress.step == config.steps:
            score = read_check(vlm, sources.held_out)
            folder = save_checkpoint(
                vlm.model, optimizer, progress, vlm.encoder.settings, asked.out
            )
            print(f"{folder}: loss {loss:.3f}, held-out CER {100 * score.cer:.2f} %")


if __name__ == "__main__":
    try:
        main()
    except OdiaOcrError as error:
        sys.exit(f"training_phase2_optimized: {error}")
