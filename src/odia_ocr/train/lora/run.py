"""A LoRA run from start to end. Reads top to bottom: set-up, preflight, steps, checks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from odia_ocr.errors import ConfigError
from odia_ocr.recognize.vlm.opening import OpenVlm
from odia_ocr.train.device import choose_device
from odia_ocr.train.lora.checkpoint import (
    CONFIG,
    LOG,
    LoraProgress,
    drop_old,
    find_last,
    list_checkpoints,
    note_best,
    read_state,
    save_checkpoint,
)
from odia_ocr.train.lora.config import LoraConfig
from odia_ocr.train.lora.curve import draw_lora_curve
from odia_ocr.train.lora.order import Order
from odia_ocr.train.lora.parts import (
    Feeder,
    StepSamples,
    find_loss,
    make_optimizer,
    naming_memory,
    open_trainee,
    rate_at_step,
    read_check,
    seed_step,
    share_tokens,
)
from odia_ocr.train.lora.samples import Labelled
from odia_ocr.train.lora.sources import open_sources

Report = Callable[[str], None]
# What may change when a run goes on; anything else would make another run of it.
_MAY_CHANGE = {
    "check_every",
    "check_lines",
    "check",
    "checkpointing",
    "device",
    "keep_every",
    "keep_last",
    "patience",
    "threads",
}


@dataclass(frozen=True, slots=True)
class StepNews:
    """What is told after every step."""

    step: int
    steps: int
    loss: float
    rate: float
    samples_per_second: float
    cer: float | None


OnStep = Callable[[StepNews], None]
Tick = Callable[[int, int], None]


def train_lora(
    config: LoraConfig,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    report: Report = print,
    on_step: OnStep = lambda news: None,
    tick: Tick = lambda done, total: None,
) -> Path:
    """Train an adapter, or go on with a run; returns the folder of its best checkpoint.

    The run folder holds config.json, log.jsonl, best.json, checkpoint-N folders and, where
    TensorBoard is installed, its logs. A run that goes on does exactly what it would have done.

    Args:
        config: The run.
        run: Its folder.
        resume: Go on from the last checkpoint.
        start_from: Adapter to begin with, with a fresh optimizer; old key names are understood.
        report: Receives one line of text per event.
        on_step: Told after every step.
        tick: Told how far the preflight is.

    Raises:
        ConfigError: A fresh start in a folder that holds a run, or other settings than stored.
        FileMissingError: `resume` without a checkpoint, or data that are not there.
        ModelMissingError: If the base or the adapter is missing or does not fit.
        SampleError: If samples do not fit and are not to be left out.
    """
    from accelerate import Accelerator

    if resume and start_from is not None:
        raise ConfigError("A run that goes on starts from nothing else.", next_step="Drop --from.")
    choose_device(config.device)  # refuses a GPU that is not there
    accelerator = Accelerator(cpu=config.device == "cpu")
    if config.threads:
        torch.set_num_threads(config.threads)
    tell = report if accelerator.is_main_process else lambda text: None
    last = find_last(run) if resume else None
    if accelerator.is_main_process:
        _open_run(run, config, resume=resume)
    accelerator.wait_for_everyone()
    device = str(accelerator.device)
    vlm = open_trainee(config, start_from=last or start_from, device=device)
    sources = open_sources(config, vlm.encoder, report=tell, tick=tick)
    per_step = config.batch * config.accumulate * accelerator.num_processes
    growing = round(config.curriculum * config.steps * per_step)
    feeder = Feeder(
        sources.samples,
        Order(sources.numbers, config.seed, growing),
        vlm.encoder,
        config,
        accelerator.process_index,
        accelerator.num_processes,
    )
    optimizer = make_optimizer(vlm.model, config)
    progress = LoraProgress()
    if last is not None:
        progress, state = read_state(last)
        optimizer.load_state_dict(state)
        if progress.step and progress.position != progress.step * per_step:
            raise ConfigError(
                f"This run saw {progress.position // progress.step} samples a step, now it would "
                f"be {per_step}.",
                next_step="Go on with as many processes as it was started with.",
            )
        if accelerator.is_main_process:
            _cut_log(run / LOG, progress.step)
        if progress.step >= config.steps:
            tell("This run is finished; start another one --from its last checkpoint.")
    model, optimizer = accelerator.prepare(vlm.model, optimizer)
    tell(_describe(vlm, config, progress))
    board = _open_board(run) if accelerator.is_main_process else None
    began = time.monotonic() - progress.seconds
    losses: list[float] = []
    for made in feeder.stream(progress.step, config.steps):
        loss = _learn(accelerator, model, optimizer, made, config, progress.step)
        losses.append(loss)
        progress.step += 1
        progress.position += per_step
        progress.left_out += len(made.left_out)
        progress.seconds = time.monotonic() - began
        for said in made.left_out:
            tell(f"Left out: {said}")
        speed = progress.position / max(1e-9, progress.seconds)
        ended = progress.step >= config.steps
        if accelerator.is_main_process:
            rate = rate_at_step(config, progress.step - 1)
            cer = None
            if progress.step % config.check_every == 0 or ended:
                cer = _check(vlm, sources.held_out, progress, run, losses, rate, speed, board, tell)
            on_step(StepNews(progress.step, config.steps, loss, rate, speed, cer))
            best = progress.best_step == progress.step
            if best or ended or progress.step % config.keep_every == 0:
                save_checkpoint(
                    accelerator.unwrap_model(model), optimizer, progress, vlm.encoder.settings, run
                )
                drop_old(run, config.keep_last, progress.best_step)
        accelerator.wait_for_everyone()
        if config.patience and _agree(accelerator, progress.stale >= config.patience):
            tell(f"No better reading for {progress.stale} checks: the run stops here.")
            break
    return find_best(run)


def find_best(run: Path) -> Path:
    """The checkpoint that read best, or the last one where that is not kept."""
    facts = run / "best.json"
    kept = list_checkpoints(run)
    if facts.exists():
        best: Path = run / json.loads(facts.read_text(encoding="utf-8"))["checkpoint"]
        if best in kept:
            return best
    return kept[-1]


def _open_run(run: Path, config: LoraConfig, *, resume: bool) -> None:
    stored = run / CONFIG
    if not resume and list_checkpoints(run):
        raise ConfigError(
            f"{run} already holds a run.", next_step="Use --resume, or another folder."
        )
    values = json.loads(json.dumps(asdict(config)))
    if resume and stored.exists():
        before = json.loads(stored.read_text(encoding="utf-8"))
        changed = sorted(k for k in values if k not in _MAY_CHANGE and values[k] != before.get(k))
        if changed:
            raise ConfigError(
                f"This run was started with other values of {', '.join(changed)}.",
                next_step="Leave them out to go on, or start a new run --from its best checkpoint.",
            )
    run.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not resume:
        (run / LOG).write_text("", encoding="utf-8")


def _agree(accelerator: Any, stop: bool) -> bool:
    """What the main process says, in all processes."""
    from accelerate.utils import broadcast_object_list

    said = [stop]
    if accelerator.num_processes > 1:
        broadcast_object_list(said)
    return said[0]


def _learn(
    accelerator: Any,
    model: Any,
    optimizer: torch.optim.Optimizer,
    made: StepSamples,
    config: LoraConfig,
    step: int,
) -> float:
    """One step; returns its loss, the mean over the tokens of all its batches."""
    seed_step(config, step, accelerator.process_index)
    for group in optimizer.param_groups:
        group["lr"] = rate_at_step(config, step)
    shares = share_tokens(made.batches)
    total = 0.0
    for i, (batch, share) in enumerate(zip(made.batches, shares, strict=True)):
        waits = i + 1 < len(made.batches)
        with accelerator.no_sync(model) if waits else nullcontext():
            loss = share * find_loss(model, batch, accelerator.device)
            with naming_memory(batch, accelerator.device):
                accelerator.backward(loss)
        total += float(loss.detach())
    accelerator.clip_grad_norm_(model.parameters(), config.clip)
    with naming_memory(made.batches[-1], accelerator.device):  # the first step makes its moments
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return total


def _check(
    vlm: OpenVlm,
    held_out: Sequence[Labelled],
    progress: LoraProgress,
    run: Path,
    losses: list[float],
    rate: float,
    speed: float,
    board: Any,
    tell: Report,
) -> float | None:
    """Read the held-out samples, log it, and note whether it is the best so far."""
    score = read_check(vlm, held_out) if held_out else None
    entry: dict[str, Any] = {
        "step": progress.step,
        "lines": progress.position,
        "minutes": round(progress.seconds / 60, 2),
        "loss": round(sum(losses) / len(losses), 4),
        "rate": rate,
        "samples_per_second": round(speed, 2),
    }
    losses.clear()
    if score is not None:
        entry |= {"cer_check": round(score.cer, 5), "exact": round(score.exact, 4)}
        if score.failed:
            entry["failed"] = score.failed
        better = progress.best is None or score.cer < progress.best
        progress.stale = 0 if better else progress.stale + 1
        if better:
            progress.best, progress.best_step = score.cer, progress.step
            note_best(run, progress)
    with (run / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    draw_lora_curve(run / LOG, run / "learning_curve.svg")
    if board is not None:
        for key in entry.keys() - {"step", "lines", "minutes"}:
            board.add_scalar(key, entry[key], progress.step)
        board.flush()
    tell(json.dumps(entry))
    return score.cer if score else None


def _cut_log(log: Path, step: int) -> None:
    """Drop what was logged after the checkpoint that a run goes on from."""
    rows = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    log.write_text("".join(r for r in rows if json.loads(r)["step"] <= step), encoding="utf-8")


def _open_board(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(run / "tensorboard"))


def _describe(vlm: OpenVlm, config: LoraConfig, progress: LoraProgress) -> str:
    model: Any = vlm.model
    trained, total = model.get_nb_trainable_parameters()
    chosen = model.peft_config["default"]
    return (
        f"{vlm.name} on {vlm.device}: {trained / 1e6:.3f} M of {total / 1e6:.1f} M weights learn "
        f"(rank {chosen.r}, alpha {chosen.lora_alpha:g}), step {progress.step} of {config.steps}"
    )
