"""Trains the CTC recognizer. Reads top to bottom: validation, one step, the run.

Lines are rendered by worker processes while the model learns; a run folder holds everything needed
to go on exactly: `config.json`, `state.pt` (last), `best.safetensors` + `best.json` (best smoothed
weights), `log.jsonl`, and with `keep_every` a ladder of `checkpoint-STEP.safetensors`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import make_renderer
from odia_ocr.data.lineset import load_labelled
from odia_ocr.data.recipe import CLEAN, TRAINING
from odia_ocr.data.texts import count_unknown
from odia_ocr.errors import DataError
from odia_ocr.language import ALPHABET, EditCounts, count_edits, fold
from odia_ocr.recognize.line_tensor import (
    PREPROCESSING,
    Geometry,
    line_to_pixels,
    pad_width,
    stack_lines,
)
from odia_ocr.train.checkpoint import read_facts, save_weights
from odia_ocr.train.ctc_config import TrainConfig
from odia_ocr.train.ctc_model import CtcArchitecture, CtcModel
from odia_ocr.train.run import LinesProgress, OnStep, Report, Run, open_folder
from odia_ocr.train.stream import Batch, StreamConfig, stream_chunks
from odia_ocr.types import GreyPixels


@dataclass(frozen=True, slots=True, eq=False)
class CheckSet:
    """Held-out lines for validation, shaped once."""

    name: str
    pixels: tuple[GreyPixels, ...]
    texts: tuple[str, ...]


def geometry_of(architecture: CtcArchitecture) -> Geometry:
    """How lines are shaped for a network."""
    return Geometry(height=architecture.height, stride=architecture.stride)


@functools.lru_cache(maxsize=2)
def make_check_sets(count: int, geometry: Geometry) -> tuple[CheckSet, ...]:
    """Held-out faces and texts, `count` lines degraded and `count` clean."""
    sets = []
    for name, recipe in (
        ("degraded", replace(TRAINING, name="check-1", strength=0.7, pen=0.0, proportion=0.0)),
        ("clean", CLEAN),
    ):
        renderer = make_renderer(
            split="check", seed=4242, recipe=recipe, mix=Mix(min_words=2, max_words=7)
        )
        lines = [renderer.render(i) for i in range(count)]
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


Judge = Callable[[Mapping[str, float]], float]


def mean_rate(rates: Mapping[str, float]) -> float:
    """All check sets count alike."""
    return sum(rates.values()) / len(rates)


def learn(run: Run[CtcModel, LinesProgress], batch: Batch, stride: int) -> float:
    """One step; returns the loss per line (NaN when the step was skipped)."""
    pixels = torch.from_numpy(batch.pixels).to(run.device)
    with run.autocast():
        logits = run.model(pixels)
    log_probs = logits.float().log_softmax(-1).transpose(0, 1)  # (T, N, V)
    frames = torch.from_numpy(batch.widths) // stride
    loss = nn.functional.ctc_loss(
        log_probs,
        torch.from_numpy(batch.labels).to(run.device),
        frames.clamp(1, log_probs.shape[0]),
        torch.from_numpy(batch.lengths),
        zero_infinity=True,
    )
    return float(loss.detach()) if run.follow(loss) else float("nan")


_MAY_CHANGE = {"steps", "workers", "threads", "device", "save_every", "check_every", "keep_every"}


def describe_sources(stream: StreamConfig) -> dict[str, Any]:
    """What is trained on, by names that mean something elsewhere too (no paths)."""
    return {
        "text": "a text folder" if stream.text else "the shipped text",
        "fonts": "a font folder" if stream.fonts else "the shipped faces",
        "labelled_folders": [Path(name).name for name in stream.folders],
    }


def _check_text(stream: StreamConfig) -> None:
    if stream.text and not any((Path(stream.text) / "text").rglob("*.txt")):
        raise DataError(
            f"No text in {Path(stream.text) / 'text'}.",
            next_step="Name a folder that holds text/*.txt, or leave the option out.",
        )


def _report_sources(stream: StreamConfig, report: Report) -> None:
    for name in stream.folders:
        report(f"{name}: {load_labelled(name)}")
    if stream.text:
        unknown = count_unknown(Path(stream.text)).most_common()
        shown = " ".join(f"{char!r}" for char, _ in unknown[:20])
        report(
            f"{stream.text}: lines with characters outside the alphabet are left out "
            f"({len(unknown)} such characters: {shown}{' ...' if len(unknown) > 20 else ''})"
        )


def train_ctc(
    config: TrainConfig,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    report: Report = print,
    on_step: OnStep | None = None,
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
    _check_text(config.stream)
    open_folder(run, config, resume=resume, may_change=_MAY_CHANGE)
    geometry = geometry_of(config.architecture)
    if start_from:
        read_facts(start_from)  # refuses weights of another alphabet
    going = Run(
        run,
        config,
        partial(CtcModel, config.architecture),
        LinesProgress(),
        optimizer=config.optimizer,
        start_from=start_from,
    )
    if resume:
        going.resume()
    progress = going.progress
    report(f"{going}, {config.workers} renderer(s)")
    _report_sources(config.stream, report)
    checks = make_check_sets(config.check_lines, geometry)
    chunks = stream_chunks(config.stream, geometry, workers=config.workers, first=progress.chunk)
    facts = describe_sources(config.stream)
    for _ in learn_lines(going, chunks, checks, facts=facts, report=report, on_step=on_step):
        if config.keep_every and progress.step % config.keep_every == 0:
            path = run / f"checkpoint-{progress.step:06d}.safetensors"
            save_weights(going.mean, path, {"step": progress.step, "lines": progress.lines})
        going.save_when_due()
    return going.best


def learn_lines(
    going: Run[CtcModel, LinesProgress],
    chunks: Iterator[tuple[int, list[Batch]]],
    checks: Sequence[CheckSet],
    *,
    facts: dict[str, Any],
    judge: Judge = mean_rate,
    report: Report = print,
    on_step: OnStep | None = None,
) -> Iterator[bool]:
    """Learn until the last step, keep the best weights, and yield after every step.

    Args:
        going: The run.
        chunks: Batches, from the chunk in which the run stands on.
        checks: Held-out lines that the running mean of the weights is measured on.
        facts: What is learned from, for the JSON beside the weights.
        judge: Makes one score of the error rates by name of their check set; the lowest is best.
        report: Receives one line of text per validation.
        on_step: Receives (step, steps) after every step.

    Yields:
        Whether that step ended in a validation.
    """
    geometry = geometry_of(going.model.architecture)
    progress = going.progress
    recent: list[float] = []
    for chunk, count, batch in going.take_batches(chunks, skip=progress.batch_in_chunk):
        recent.append(learn(going, batch, geometry.stride))
        progress.chunk, progress.batch_in_chunk = chunk, count
        progress.lines += len(batch.lengths)
        going.count_step(on_step)
        if going.check_due:
            rates = {
                check.name: measure(going.mean, check, geometry, going.device) for check in checks
            }
            entry: dict[str, Any] = {
                "step": progress.step,
                "lines": progress.lines,
                "minutes": round(progress.seconds / 60, 2),
                "loss": round(float(np.nanmean(recent)), 4),
                "rate": round(going.rate, 6),
                **{f"cer_{name}": round(value, 5) for name, value in rates.items()},
            }
            recent.clear()
            going.log(entry, report)
            score = judge(rates)
            if score <= progress.best:  # of equals the last, which has learned the most
                progress.best = score
                save_weights(
                    going.mean, going.best, {**entry, "preprocessing": PREPROCESSING, **facts}
                )
        yield going.check_due
