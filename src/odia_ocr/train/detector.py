"""Trains the line detector on tiles of rendered pages. Reads top to bottom, as `train.ctc` does.

A run folder holds `config.json`, `state.pt` (last), `best.safetensors` + `best.json` (best smoothed
weights) and `log.jsonl`; a run goes on where its last state was saved.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.data.page_render import make_page_renderer
from odia_ocr.errors import ModelMissingError
from odia_ocr.train.checkpoint import read_tensors, write_tensors
from odia_ocr.train.detector_model import (
    DetectorArchitecture,
    DetectorModel,
    detector_architecture_from,
)
from odia_ocr.train.detector_stream import TileBatch, TileConfig, TileMaker, make_tiles
from odia_ocr.train.run import OnStep, Progress, Report, Run, open_folder
from odia_ocr.train.run_config import RunConfig, settings_from
from odia_ocr.train.workers import make_in_processes

_REACH_WEIGHT = 1.0
_OVERLAP_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class DetectorConfig(RunConfig):
    """A training run; see `RunConfig` for what is not named here.

    Attributes:
        architecture: Shape of the network.
        tiles: What is trained on.
        check_chunks: Chunks of held-out pages that are validated on.
    """

    architecture: DetectorArchitecture = field(default_factory=DetectorArchitecture)
    tiles: TileConfig = field(default_factory=TileConfig)
    steps: int = 3000
    rate: float = 2e-3
    warmup: int = 100
    cooldown: float = 0.5
    smoothing: float = 0.995
    check_every: int = 250
    check_chunks: int = 3


def detector_config_from(values: dict[str, Any]) -> DetectorConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    parts = {
        "architecture": detector_architecture_from(values.get("architecture", {})),
        "tiles": settings_from(TileConfig, values.get("tiles", {}), what="tiles"),
    }
    return settings_from(DetectorConfig, {**values, **parts}, what="training")


@dataclass(frozen=True, slots=True, eq=False)
class _Targets:
    pixels: Tensor
    kernel: Tensor
    reach: Tensor
    known: Tensor
    weight: Tensor


def _to_device(batch: TileBatch, device: torch.device) -> _Targets:
    parts = (batch.pixels, batch.kernel, batch.reach, batch.known, batch.weight)
    return _Targets(*(torch.from_numpy(part).to(device) for part in parts))


def detector_loss(maps: Tensor, targets: _Targets) -> tuple[Tensor, Tensor]:
    """Cross entropy and overlap (dice) of the kernel, and the error of the distances."""
    logits, reach = maps[:, 0], maps[:, 1:]
    entropy = nn.functional.binary_cross_entropy_with_logits(
        logits, targets.kernel, reduction="none"
    )
    entropy = (entropy * targets.weight).mean()
    share = logits.sigmoid() * targets.weight
    truth = targets.kernel * targets.weight
    both = 2 * (share * truth).sum() + 1.0
    overlap = 1 - both / ((share * share).sum() + (truth * truth).sum() + 1.0)
    error = nn.functional.smooth_l1_loss(reach, targets.reach, reduction="none", beta=0.1)
    error = (error * targets.known[:, None]).sum() / (2 * targets.known.sum() + 1.0)
    return 4 * entropy + _OVERLAP_WEIGHT * overlap, _REACH_WEIGHT * error


@torch.no_grad()
def measure_detector(
    model: DetectorModel, batches: Sequence[TileBatch], device: torch.device
) -> dict[str, float]:
    """Cell-wise F1 of the kernel and mean relative error of the distances."""
    model.eval()
    both = found = there = 0.0
    error = cells = 0.0
    for batch in batches:
        targets = _to_device(batch, device)
        maps = model(targets.pixels).float()
        hit = (maps[:, 0] > 0) & (targets.weight > 0)
        truth = (targets.kernel > 0.5) & (targets.weight > 0)
        both += float((hit & truth).sum())
        found += float(hit.sum())
        there += float(truth.sum())
        away = (maps[:, 1:] - targets.reach).abs() * targets.known[:, None]
        error += float(away.sum())
        cells += 2 * float(targets.known.sum())
    model.train()
    return {"f1": 2 * both / max(1.0, found + there), "reach_error": error / max(1.0, cells)}


def make_check_tiles(config: DetectorConfig) -> list[TileBatch]:
    """Tiles of pages with held-out faces and texts, the half that chooses checkpoints."""
    renderer = make_page_renderer(split="check", seed=4243)
    return [
        batch
        for chunk in range(config.check_chunks)
        for batch in make_tiles(renderer, config.tiles, chunk)
    ]


@dataclass(slots=True)
class DetectorProgress(Progress):
    """Where a run stands; `in_chunk` batches of the chunk are learned, `best` is the best F1."""

    in_chunk: int = 0
    best: float = -1.0


def train_detector(
    config: DetectorConfig,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    report: Report = print,
    on_step: OnStep | None = None,
) -> Path:
    """Train, or go on with, a run; arguments, result and errors as those of `train_ctc`.

    With `resume` any setting may differ from the stored one that leaves the network as it is.
    """
    open_folder(run, config, resume=resume)
    weights = _find_weights(start_from) if start_from else None
    going = Run(
        run,
        config,
        partial(DetectorModel, config.architecture),
        DetectorProgress(),
        start_from=weights,
        mean_key="mean",
    )
    if resume:
        going.resume()
    progress = going.progress
    report(str(going))
    checks = make_check_tiles(config)
    maker = TileMaker(config.tiles)
    chunks = make_in_processes(maker, workers=config.workers, first=progress.chunk)
    losses: list[tuple[float, float]] = []
    for chunk, count, batch in going.take_batches(chunks, skip=progress.in_chunk):
        rate = going.rate
        targets = _to_device(batch, going.device)
        with going.autocast():
            maps = going.model(targets.pixels)
        shape, reach = detector_loss(maps.float(), targets)
        losses.append((float(shape.detach()), float(reach.detach())))
        going.follow(shape + reach)
        progress.chunk, progress.in_chunk = chunk, count
        going.count_step(on_step)
        if going.check_due:
            scores = measure_detector(going.mean, checks, going.device)
            entry: dict[str, Any] = {
                "step": progress.step,
                "minutes": round(progress.seconds / 60, 2),
                "loss_kernel": round(float(np.mean([a for a, _ in losses])), 4),
                "loss_reach": round(float(np.mean([b for _, b in losses])), 4),
                "rate": round(rate, 6),
                **{name: round(value, 4) for name, value in scores.items()},
            }
            losses.clear()
            going.log(entry, report)
            if scores["f1"] > progress.best:
                progress.best = scores["f1"]
                save_detector(going.mean, going.best, entry)
        going.save_when_due()
    return going.best


def save_detector(model: DetectorModel, path: Path, facts: dict[str, Any]) -> None:
    """Write weights and their description, as `open_detector` reads them."""
    write_tensors(model, path, {"architecture": asdict(model.architecture), "facts": facts})


def open_detector(path: Path) -> DetectorModel:
    """The model of a weight file, ready to find lines (eval mode).

    Raises:
        ModelMissingError: If the file is missing or does not fit.
    """
    side = _find_weights(path).with_suffix(".json")
    meta = json.loads(side.read_text(encoding="utf-8"))
    model = DetectorModel(detector_architecture_from(meta["architecture"]))
    read_tensors(model, path)
    return model.eval()


def _find_weights(path: Path) -> Path:
    """The path, when weights and their JSON are there.

    Raises:
        ModelMissingError: If they are not.
    """
    side = path.with_suffix(".json")
    if not path.is_file() or not side.exists():
        raise ModelMissingError(
            f"No weights {path} with {side.name} beside it.",
            next_step="Name a .safetensors file written by `odia-ocr train detector`.",
        )
    return path
