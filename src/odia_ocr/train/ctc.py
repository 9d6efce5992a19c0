"""Trains the CTC recognizer. Reads top to bottom: validation, schedule, state, the loop.

Lines are rendered by worker processes while the model learns; a run folder holds everything needed
to go on exactly: `config.json`, `state.pt` (last), `best.safetensors` + `best.json` (best smoothed
weights), `log.jsonl`, and with `keep_every` a ladder of `checkpoint-STEP.safetensors`.
"""

from __future__ import annotations

import ctypes
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.data.compose import Mix
from odia_ocr.data.degrade import CLEAN, TRAINING
from odia_ocr.data.lines import make_renderer
from odia_ocr.data.lineset import load_labelled
from odia_ocr.data.texts import count_unknown
from odia_ocr.errors import ConfigError, DataError, FileMissingError
from odia_ocr.language import ALPHABET, EditCounts, count_edits, fold
from odia_ocr.recognize.line_tensor import (
    PREPROCESSING,
    Geometry,
    line_to_pixels,
    pad_width,
    stack_lines,
)
from odia_ocr.train.checkpoint import load_weights, save_weights
from odia_ocr.train.ctc_config import TrainConfig
from odia_ocr.train.ctc_model import CtcModel, count_parameters
from odia_ocr.train.muon import make_optimizers
from odia_ocr.train.schedule import rate_at, smooth
from odia_ocr.train.stream import Batch, StreamConfig, stream_chunks
from odia_ocr.types import GreyPixels


@dataclass(frozen=True, slots=True, eq=False)
class CheckSet:
    """Held-out lines for validation, shaped once."""

    name: str
    pixels: tuple[GreyPixels, ...]
    texts: tuple[str, ...]


def make_check_sets(config: TrainConfig, geometry: Geometry) -> tuple[CheckSet, ...]:
    """Held-out faces and texts, degraded and clean."""
    sets = []
    for name, recipe in (
        ("degraded", replace(TRAINING, name="check-1", strength=0.7, pen=0.0, proportion=0.0)),
        ("clean", CLEAN),
    ):
        renderer = make_renderer(
            split="check", seed=4242, recipe=recipe, mix=Mix(min_words=2, max_words=7)
        )
        lines = [renderer.render(i) for i in range(config.check_lines)]
        sets.append(
            CheckSet(
                name,
                tuple(line_to_pixels(line.pixels, geometry) for line in lines),
                tuple(line.text for line in lines),
            )
        )
    return tuple(sets)


def greedy_text(logits: Tensor) -> str:
    """Best-path decoding of one line, logits (T, V): repeats merged, blanks dropped."""
    best = logits.argmax(-1).tolist()
    kept = [k for k, before in zip(best, [0, *best[:-1]], strict=True) if k and k != before]
    return ALPHABET.decode(kept)


@torch.no_grad()
def measure(model: CtcModel, check: CheckSet, geometry: Geometry, device: torch.device) -> float:
    """Character error rate of greedy reading, folded as it is published."""
    model.eval()
    total = EditCounts(0, 0)
    order = sorted(range(len(check.pixels)), key=lambda i: check.pixels[i].shape[1])
    for i in range(0, len(order), 16):
        part = order[i : i + 16]
        width = max(pad_width(check.pixels[j].shape[1], geometry) for j in part)
        pixels = torch.from_numpy(stack_lines([check.pixels[j] for j in part], width)).to(device)
        for j, logits in zip(part, model(pixels).float().cpu(), strict=True):
            total += count_edits(fold(check.texts[j]), fold(greedy_text(logits)))
    model.train()
    return total.rate


def choose_device(name: str) -> torch.device:
    """The device asked for; auto takes a GPU when there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("No CUDA device here.", next_step="Leave out --device or use cpu.")
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """bfloat16 on GPUs and on CPUs that compute with it; elsewhere it is slower than float32."""
    if name == "auto":
        fast = device.type == "cuda" or "avx512_bf16" in _cpu_flags() or "amx_bf16" in _cpu_flags()
        name = "bfloat16" if fast else "float32"
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def _cpu_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""


def keep_freed_memory() -> None:
    """Let glibc keep large freed blocks: activations come back every step.

    Without it each step maps and clears its memory anew; measured on two cores, a step took 0.85 s
    instead of 0.70 s. Does nothing elsewhere.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        for option, size in ((-3, 1 << 30), (-1, 1 << 30), (-2, 1 << 28)):  # mmap, trim, top pad
            libc.mallopt(option, size)
    except (OSError, AttributeError):
        return


def learn(
    model: CtcModel,
    batch: Batch,
    optimizers: Sequence[torch.optim.Optimizer],
    config: TrainConfig,
    device: torch.device,
    autocast: Callable[[], AbstractContextManager[Any]],
) -> float:
    """One step; returns the loss per line (NaN when the step was skipped)."""
    pixels = torch.from_numpy(batch.pixels).to(device)
    with autocast():
        logits = model(pixels)
    log_probs = logits.float().log_softmax(-1).transpose(0, 1)  # (T, N, V)
    frames = torch.from_numpy(batch.widths) // config.architecture.stride
    loss = nn.functional.ctc_loss(
        log_probs,
        torch.from_numpy(batch.labels).to(device),
        frames.clamp(1, log_probs.shape[0]),
        torch.from_numpy(batch.lengths),
        zero_infinity=True,
    )
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    if not bool(torch.isfinite(norm)):
        return float("nan")
    for optimizer in optimizers:
        optimizer.step()
    return float(loss.detach())


@dataclass(slots=True)
class Progress:
    """Where a run stands; saved with its state."""

    step: int = 0
    chunk: int = 0
    batch_in_chunk: int = 0
    lines: int = 0
    seconds: float = 0.0
    best: float = math.inf


def _save_state(
    run: Path,
    progress: Progress,
    models: tuple[CtcModel, CtcModel],
    optimizers: Sequence[torch.optim.Optimizer],
) -> None:
    state = {
        "progress": asdict(progress),
        "model": models[0].state_dict(),
        "smooth": models[1].state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "torch_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    partial = run / "state.pt.partial"
    torch.save(state, partial)
    partial.replace(run / "state.pt")


_MAY_CHANGE = {"steps", "workers", "threads", "device", "save_every", "check_every", "keep_every"}


def _check_same_run(config: TrainConfig, stored: Path) -> None:
    """Refuse to go on with settings that would make another run of it."""
    before = json.loads(stored.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(asdict(config)))
    changed = sorted(k for k in now if k not in _MAY_CHANGE and now[k] != before.get(k))
    if changed:
        raise ConfigError(
            f"This run was started with other values of {', '.join(changed)}.",
            next_step="Leave them out to go on, or start a new run, with --from its best weights.",
        )


def describe_sources(stream: StreamConfig) -> dict[str, Any]:
    """What is trained on, by names that mean something elsewhere too (no paths)."""
    return {
        "text": "a text folder" if stream.text else "the shipped text",
        "fonts": "a font folder" if stream.fonts else "the shipped faces",
        "labelled_folders": [Path(name).name for name in stream.folders],
    }


def _trim_log(path: Path, step: int) -> None:
    """Drop what was logged after the state that the run goes on from."""
    if path.exists():
        rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [row for row in rows if json.loads(row)["step"] <= step]
        path.write_text("".join(kept), encoding="utf-8")


def _batches_from(
    config: TrainConfig, geometry: Geometry, progress: Progress
) -> Iterator[tuple[int, int, Batch]]:
    """(chunk, batch in chunk, batch) from where the run stands."""
    first, skip = progress.chunk, progress.batch_in_chunk
    for chunk, batches in stream_chunks(
        config.stream, geometry, workers=config.workers, first=first
    ):
        for i, batch in enumerate(batches):
            if chunk == first and i < skip:
                continue
            yield chunk, i, batch


def train_ctc(
    config: TrainConfig,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    report: Callable[[str], None] = print,
    on_step: Callable[[int, int], None] | None = None,
) -> Path:
    """Train, or go on with, a run; returns the path of its best weights.

    Args:
        config: The run; with `resume` only `steps`, `workers`, `threads`, `device` and the check
            and save intervals may differ from the stored one.
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
    if resume:
        _check_same_run(config, run / "config.json")
    if config.stream.text and not any((Path(config.stream.text) / "text").rglob("*.txt")):
        raise DataError(
            f"No text in {Path(config.stream.text) / 'text'}.",
            next_step="Name a folder that holds text/*.txt, or leave the option out.",
        )
    run.mkdir(parents=True, exist_ok=True)
    if not resume:  # a run that was killed before its first saved state begins anew
        for name in ("log.jsonl", "best.safetensors", "best.json"):
            (run / name).unlink(missing_ok=True)
    (run / "config.json").write_text(
        json.dumps(asdict(config), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    keep_freed_memory()
    device = choose_device(config.device)
    precision = choose_precision(config.precision, device)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    geometry = Geometry(height=config.architecture.height, stride=config.architecture.stride)
    model, mean = (CtcModel(config.architecture).to(device) for _ in range(2))
    if start_from:
        load_weights(model, start_from)
    mean.load_state_dict(model.state_dict())
    optimizers = make_optimizers(model, kind=config.optimizer, rate=config.rate, decay=config.decay)
    progress = Progress()
    if resume:
        state = torch.load(state_path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        mean.load_state_dict(state["smooth"])
        for optimizer, stored in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(stored)
        torch.set_rng_state(state["torch_rng"].cpu())
        if torch.cuda.is_available() and state.get("cuda_rng"):
            torch.cuda.set_rng_state_all([rng.cpu() for rng in state["cuda_rng"]])
        progress = Progress(**state["progress"])
        _trim_log(run / "log.jsonl", progress.step)
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    model.train()

    def autocast() -> AbstractContextManager[Any]:
        return (
            nullcontext() if precision == torch.float32 else torch.autocast(device.type, precision)
        )

    report(
        f"{count_parameters(model) / 1e6:.2f} M weights on {device}, {str(precision)[6:]}, "
        f"{config.workers} renderer(s), step {progress.step} of {config.steps}"
    )
    for name in config.stream.folders:
        report(f"{name}: {load_labelled(Path(name))}")
    if config.stream.text:
        unknown = count_unknown(Path(config.stream.text)).most_common()
        shown = " ".join(f"{char!r}" for char, _ in unknown[:20])
        report(
            f"{config.stream.text}: lines with characters outside the alphabet are left out "
            f"({len(unknown)} such characters: {shown}{' ...' if len(unknown) > 20 else ''})"
        )
    checks = make_check_sets(config, geometry)
    started = time.monotonic() - progress.seconds
    saved = time.monotonic()
    recent: list[float] = []
    log = (run / "log.jsonl").open("a", encoding="utf-8")
    source = _batches_from(config, geometry, progress)
    while progress.step < config.steps:
        chunk, position, batch = next(source)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(config, progress.step)
        loss = learn(model, batch, optimizers, config, device, autocast)
        recent.append(loss)
        progress.step += 1
        progress.chunk, progress.batch_in_chunk = chunk, position + 1
        progress.lines += len(batch.lengths)
        progress.seconds = time.monotonic() - started
        smooth(mean, model, progress.step, config.smoothing)
        if on_step:
            on_step(progress.step, config.steps)
        last = progress.step == config.steps
        if progress.step % config.check_every == 0 or last:
            rates = {check.name: measure(mean, check, geometry, device) for check in checks}
            score = sum(rates.values()) / len(rates)
            entry: dict[str, Any] = {
                "step": progress.step,
                "lines": progress.lines,
                "minutes": round(progress.seconds / 60, 2),
                "loss": round(float(np.nanmean(recent)), 4),
                "rate": round(rate_at(config, progress.step), 6),
                **{f"cer_{name}": round(value, 5) for name, value in rates.items()},
            }
            recent.clear()
            log.write(json.dumps(entry) + "\n")
            log.flush()
            report(json.dumps(entry))
            if score < progress.best:
                progress.best = score
                save_weights(
                    mean,
                    run / "best.safetensors",
                    {**entry, "preprocessing": PREPROCESSING, **describe_sources(config.stream)},
                )
        if config.keep_every and progress.step % config.keep_every == 0:
            path = run / f"checkpoint-{progress.step:06d}.safetensors"
            save_weights(mean, path, {"step": progress.step, "lines": progress.lines})
        if last or time.monotonic() - saved > config.save_every:
            _save_state(run, progress, (model, mean), optimizers)
            saved = time.monotonic()
    log.close()
    return run / "best.safetensors"
