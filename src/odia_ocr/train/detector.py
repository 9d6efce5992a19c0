"""Trains the line detector on tiles of rendered pages. Reads top to bottom, as `train.ctc` does.

A run folder holds `config.json`, `state.pt` (last), `best.safetensors` + `best.json` (best smoothed
weights) and `log.jsonl`; a run goes on where its last state was saved.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.data.page_render import make_page_renderer
from odia_ocr.errors import ConfigError, FileMissingError, ModelMissingError
from odia_ocr.train.checkpoint import read_tensors, write_tensors
from odia_ocr.train.ctc import choose_device, choose_precision, keep_freed_memory
from odia_ocr.train.ctc_model import count_parameters
from odia_ocr.train.detector_model import (
    DetectorArchitecture,
    DetectorModel,
    detector_architecture_from,
)
from odia_ocr.train.detector_stream import TileBatch, TileConfig, TileMaker, make_tiles
from odia_ocr.train.muon import make_optimizers
from odia_ocr.train.schedule import rate_at, smooth
from odia_ocr.train.workers import make_in_processes

_REACH_WEIGHT = 1.0
_OVERLAP_WEIGHT = 1.0


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """A training run.

    Attributes:
        architecture: Shape of the network.
        tiles: What is trained on.
        steps: Steps of the whole schedule.
        rate: Largest learning rate.
        warmup: Steps of linear warm-up.
        cooldown: Share of the steps, at the end, over which the rate falls.
        decay: Weight decay.
        clip: Largest gradient norm.
        smoothing: Decay of the running mean of the weights that is validated and kept.
        seed: Initial weights.
        workers: Rendering processes.
        threads: Threads of torch, 0 for its own choice.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "float32" or "bfloat16".
        save_every: Seconds between saved states.
        check_every: Steps between validations.
        check_chunks: Chunks of held-out pages that are validated on.
    """

    architecture: DetectorArchitecture = field(default_factory=DetectorArchitecture)
    tiles: TileConfig = field(default_factory=TileConfig)
    steps: int = 3000
    rate: float = 2e-3
    warmup: int = 100
    cooldown: float = 0.5
    decay: float = 0.02
    clip: float = 1.0
    smoothing: float = 0.995
    seed: int = 1
    workers: int = 1
    threads: int = 0
    device: str = "auto"
    precision: str = "auto"
    save_every: float = 240.0
    check_every: int = 250
    check_chunks: int = 3


def detector_config_from(values: dict[str, Any]) -> DetectorConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    parts: dict[str, Any] = dict(values)
    parts["architecture"] = detector_architecture_from(values.get("architecture", {}))
    tiles = dict(values.get("tiles", {}))
    for name, found, known in (
        ("training", set(values), set(asdict(DetectorConfig()))),
        ("tiles", set(tiles), set(asdict(TileConfig()))),
    ):
        if found - known:
            raise ConfigError(
                f"Unknown {name} keys {sorted(found - known)}.",
                next_step=f"Known: {', '.join(sorted(known))}.",
            )
    if "body" in tiles:
        tiles["body"] = tuple(tiles["body"])
    return DetectorConfig(**{**parts, "tiles": TileConfig(**tiles)})


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


def train_detector(
    config: DetectorConfig,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    report: Callable[[str], None] = print,
    on_step: Callable[[int, int], None] | None = None,
) -> Path:
    """Train, or go on with, a run; returns the path of its best weights.

    Args:
        config: The run.
        run: Folder of the run.
        resume: Go on from `state.pt`.
        start_from: Weights to begin with (safetensors with its JSON beside it).
        report: Receives one line of text per event.
        on_step: Receives (step, steps) after every step.

    Raises:
        ConfigError: Bad configuration, or a fresh start in a folder that holds a run.
        FileMissingError: `resume` without a state.
    """
    state_path = run / "state.pt"
    if resume and not state_path.exists():
        raise FileMissingError(f"No state in {run}.", next_step="Start it without --resume.")
    if not resume and state_path.exists():
        raise ConfigError(
            f"{run} already holds a run.", next_step="Use --resume, or another folder."
        )
    run.mkdir(parents=True, exist_ok=True)
    if not resume:  # a run that was killed before its first saved state begins anew
        for name in ("log.jsonl", "best.safetensors", "best.json"):
            (run / name).unlink(missing_ok=True)
    (run / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n", encoding="utf-8")
    keep_freed_memory()
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    model, mean = (DetectorModel(config.architecture).to(device) for _ in range(2))
    if start_from:
        read_tensors(model, _find_weights(start_from))
    mean.load_state_dict(model.state_dict())
    optimizers = make_optimizers(model, kind="muon", rate=config.rate, decay=config.decay)
    progress: dict[str, float] = {
        "step": 0,
        "chunk": 0,
        "in_chunk": 0,
        "seconds": 0.0,
        "best": -1.0,
    }
    if resume:
        state = torch.load(state_path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        mean.load_state_dict(state["mean"])
        for optimizer, stored in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(stored)
        progress = state["progress"]
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.train()

    def autocast() -> AbstractContextManager[Any]:
        return (
            nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)
        )

    report(
        f"{count_parameters(model) / 1e6:.2f} M weights on {device}, {str(precision)[6:]}, "
        f"step {progress['step']} of {config.steps}"
    )
    checks = make_check_tiles(config)
    started = time.monotonic() - progress["seconds"]
    saved = time.monotonic()
    losses: list[tuple[float, float]] = []
    step = int(progress["step"])
    source = _batches_from(config, progress)
    with (run / "log.jsonl").open("a", encoding="utf-8") as log:
        while step < config.steps:
            progress["chunk"], progress["in_chunk"], batch = next(source)
            rate = rate_at(config, step)
            targets = _to_device(batch, device)
            with autocast():
                maps = model(targets.pixels)
            shape, reach = detector_loss(maps.float(), targets)
            losses.append((float(shape.detach()), float(reach.detach())))
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
                for group in optimizer.param_groups:
                    group["lr"] = rate
            (shape + reach).backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            if bool(torch.isfinite(norm)):
                for optimizer in optimizers:
                    optimizer.step()
            step += 1
            progress["step"] = step
            progress["seconds"] = time.monotonic() - started
            smooth(mean, model, step, config.smoothing)
            if on_step:
                on_step(step, config.steps)
            last = step == config.steps
            if step % config.check_every == 0 or last:
                scores = measure_detector(mean, checks, device)
                entry: dict[str, Any] = {
                    "step": step,
                    "minutes": round(progress["seconds"] / 60, 2),
                    "loss_kernel": round(float(np.mean([a for a, _ in losses])), 4),
                    "loss_reach": round(float(np.mean([b for _, b in losses])), 4),
                    "rate": round(rate, 6),
                    **{name: round(value, 4) for name, value in scores.items()},
                }
                losses.clear()
                log.write(json.dumps(entry) + "\n")
                log.flush()
                report(json.dumps(entry))
                if scores["f1"] > progress["best"]:
                    progress["best"] = scores["f1"]
                    save_detector(mean, run / "best.safetensors", entry)
            if last or time.monotonic() - saved > config.save_every:
                partial = run / "state.pt.partial"
                state = {
                    "progress": progress,
                    "model": model.state_dict(),
                    "mean": mean.state_dict(),
                    "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                }
                torch.save(state, partial)
                partial.replace(state_path)
                saved = time.monotonic()
    return run / "best.safetensors"


def _batches_from(
    config: DetectorConfig, progress: dict[str, float]
) -> Iterator[tuple[int, int, TileBatch]]:
    first, skip = int(progress["chunk"]), int(progress["in_chunk"])
    for chunk, batches in make_in_processes(
        TileMaker(config.tiles), workers=config.workers, first=first
    ):
        for position, batch in enumerate(batches):
            if chunk > first or position >= skip:
                yield chunk, position + 1, batch


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
