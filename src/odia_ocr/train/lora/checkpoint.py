"""Checkpoints of a LoRA run: an adapter that anyone can load, and beside it what a run needs.

A folder appears whole or not at all. Published folders hold the adapter alone; such a one can be
started from, not resumed.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from odia_ocr.errors import FileMissingError, ModelMissingError
from odia_ocr.recognize.vlm.settings import VlmSettings

STATE, LOG, CONFIG, BEST = "state.pt", "log.jsonl", "config.json", "best.json"


@dataclass(slots=True)
class LoraProgress:
    """Where a run stands.

    Attributes:
        step: Steps done.
        position: Samples seen.
        seconds: Time spent.
        best: Least character error rate so far; None before the first reading.
        best_step: When that was.
        stale: Readings since then.
        left_out: Samples that could not be used when their turn came.
    """

    step: int = 0
    position: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    stale: int = 0
    left_out: int = 0


def name_checkpoint(step: int) -> str:
    """E.g. "checkpoint-250"."""
    return f"checkpoint-{step}"


def list_checkpoints(run: Path) -> list[Path]:
    """Whole checkpoints of a run, oldest first."""
    found = [(re.fullmatch(r"checkpoint-(\d+)", path.name), path) for path in run.glob("*")]
    return [path for _, path in sorted((int(m[1]), path) for m, path in found if m is not None)]


def save_checkpoint(
    model: Any,
    optimizer: torch.optim.Optimizer,
    progress: LoraProgress,
    settings: VlmSettings,
    run: Path,
) -> Path:
    """Write a checkpoint of a `PeftModel` under training; returns its folder."""
    folder = run / name_checkpoint(progress.step)
    part = run / f".{folder.name}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model.save_pretrained(part, save_embedding_layers=False)  # adapters leave them alone
    (part / "README.md").unlink(missing_ok=True)  # a card with nothing in it
    settings.save(part)
    torch.save({"progress": asdict(progress), "optimizer": optimizer.state_dict()}, part / STATE)
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)
    return folder


def find_last(run: Path) -> Path:
    """The newest checkpoint that a run can go on from.

    Raises:
        FileMissingError: If there is none.
    """
    whole = [path for path in list_checkpoints(run) if (path / STATE).exists()]
    if not whole:
        raise FileMissingError(
            f"No checkpoint with {STATE} in {run}.",
            next_step="Start the run without --resume; an adapter alone is started from with "
            "--from FOLDER.",
        )
    return whole[-1]


def read_state(folder: Path) -> tuple[LoraProgress, dict[str, Any]]:
    """Progress and optimizer state of a checkpoint, on the CPU; an optimizer moves what it loads.

    Raises:
        ModelMissingError: If they are damaged.
    """
    try:
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        return LoraProgress(**state["progress"]), state["optimizer"]
    except Exception as error:  # torch and pickle raise families of their own
        raise ModelMissingError(
            f"{folder / STATE} cannot be read: {str(error).splitlines()[0]}",
            next_step="Delete this checkpoint's folder and resume from the one before.",
        ) from error


def drop_old(run: Path, keep: int, best_step: int) -> None:
    """Delete all but the last `keep` checkpoints and the best one; 0 keeps all."""
    if keep:
        for folder in list_checkpoints(run)[:-keep]:
            if folder.name != name_checkpoint(best_step):
                shutil.rmtree(folder)


def note_best(run: Path, progress: LoraProgress) -> None:
    """Write which checkpoint read best."""
    facts = {"checkpoint": name_checkpoint(progress.best_step), "cer": progress.best}
    (run / BEST).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
