"""A training run under way: what learns, and its folder with config.json, state.pt and log.jsonl.

Knows weights, files, steps and time; what is learned from, and how, is the trainer's matter.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from odia_ocr.errors import ConfigError, FileMissingError
from odia_ocr.train.checkpoint import read_tensors
from odia_ocr.train.ctc_model import count_parameters
from odia_ocr.train.device import choose_device, choose_precision, keep_freed_memory
from odia_ocr.train.muon import make_optimizers
from odia_ocr.train.run_config import RunConfig
from odia_ocr.train.schedule import rate_at, smooth

STATE, LOG, CONFIG, BEST = "state.pt", "log.jsonl", "config.json", "best.safetensors"
Report = Callable[[str], None]
OnStep = Callable[[int, int], None]


@dataclass(slots=True)
class Progress:
    """Where a run stands: steps done, chunk of the last batch, time, score of the kept weights.

    Saved with the state; a trainer adds what else it must remember.
    """

    step: int = 0
    chunk: int = 0
    seconds: float = 0.0
    best: float = math.inf


@dataclass(slots=True)
class LinesProgress(Progress):
    """Of a run on lines: `batch_in_chunk` batches of the chunk and `lines` in all are learned."""

    batch_in_chunk: int = 0
    lines: int = 0


Network = TypeVar("Network", bound=nn.Module)
Place = TypeVar("Place", bound=Progress)
Batch = TypeVar("Batch")


class Run(Generic[Network, Place]):
    """A run under way, in a folder that `open_folder` opened.

    Attributes:
        model: The weights that are learned.
        mean: Their running mean, which is validated and kept.
        device: Where both are.
        progress: Where the run stands.
        best: File of the best weights.
    """

    def __init__(
        self,
        folder: Path,
        config: RunConfig,
        make: Callable[[], Network],
        progress: Place,
        *,
        optimizer: str = "muon",
        start_from: Path | None = None,
        mean_key: str = "smooth",
        channels_last: bool = True,
    ) -> None:
        """Set torch up as configured; make the network, with the weights of `start_from` if given.

        `optimizer` is a kind of `odia_ocr.train.muon`; `mean_key` is what the state calls `mean`;
        `channels_last` suits networks of two-dimensional filters.
        """
        keep_freed_memory()
        self.device = choose_device(config.device)
        self._precision = choose_precision(config.precision, self.device)
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        model, self.mean = (make().to(self.device) for _ in range(2))
        if start_from:
            read_tensors(model, start_from)
        self.mean.load_state_dict(model.state_dict())
        self._optimizers = make_optimizers(
            model, kind=optimizer, rate=config.rate, decay=config.decay
        )
        if channels_last:
            model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model: Network = model.train()
        self.progress = progress
        self.best = folder / BEST
        self._folder, self._config, self._mean_key = folder, config, mean_key
        self._started = self._saved = time.monotonic()

    def __str__(self) -> str:
        size = count_parameters(self.model) / 1e6
        return (
            f"{size:.2f} M weights on {self.device}, {str(self._precision)[6:]}, "
            f"step {self.progress.step} of {self._config.steps}"
        )

    @property
    def rate(self) -> float:
        """The learning rate where the run stands."""
        return rate_at(self._config, self.progress.step)

    @property
    def check_due(self) -> bool:
        """Whether the step just done is one to validate after."""
        return self.progress.step % self._config.check_every == 0 or self._ended()

    def _ended(self) -> bool:
        return self.progress.step >= self._config.steps

    def resume(self) -> None:
        """Take up the saved state; what was logged after it is dropped."""
        state = torch.load(self._folder / STATE, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.mean.load_state_dict(state[self._mean_key])
        for optimizer, stored in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(stored)
        if "torch_rng" in state:  # older states of detectors have none
            torch.set_rng_state(state["torch_rng"].cpu())
        if torch.cuda.is_available() and state.get("cuda_rng"):
            torch.cuda.set_rng_state_all([rng.cpu() for rng in state["cuda_rng"]])
        self.progress = replace(self.progress, **state["progress"])
        log = self._folder / LOG
        if log.exists():
            rows = log.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [row for row in rows if json.loads(row)["step"] <= self.progress.step]
            log.write_text("".join(kept), encoding="utf-8")

    def take_batches(
        self, chunks: Iterator[tuple[int, Sequence[Batch]]], *, skip: int
    ) -> Iterator[tuple[int, int, Batch]]:
        """Start the clock and yield (chunk, batches of it so far, batch) until the last step.

        `chunks` begins with the one in which the run stands; `skip` batches of it were learned.
        """
        self._started = time.monotonic() - self.progress.seconds
        self._saved = time.monotonic()
        first = self.progress.chunk
        if self._ended():
            return
        for chunk, batches in chunks:
            for count, batch in enumerate(batches, start=1):
                if chunk > first or count > skip:
                    yield chunk, count, batch
                    if self._ended():
                        return

    def autocast(self) -> AbstractContextManager[Any]:
        """The context in which the model computes while it learns."""
        if self._precision == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, self._precision)

    def follow(self, loss: Tensor) -> bool:
        """Follow the gradient of a loss; False when it is not finite and that was left out."""
        rate = self.rate
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                group["lr"] = rate
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self._config.clip)
        if not bool(torch.isfinite(norm)):
            return False
        for optimizer in self._optimizers:
            optimizer.step()
        return True

    def count_step(self, on_step: OnStep | None) -> None:
        """Count a step that was made: progress, and the running mean of the weights."""
        self.progress.step += 1
        self.progress.seconds = time.monotonic() - self._started
        smooth(self.mean, self.model, self.progress.step, self._config.smoothing)
        if on_step:
            on_step(self.progress.step, self._config.steps)

    def log(self, entry: dict[str, Any], report: Report) -> None:
        """Append a row to the log, and report it."""
        row = json.dumps(entry)
        with (self._folder / LOG).open("a", encoding="utf-8") as file:
            file.write(row + "\n")
        report(row)

    def save_when_due(self) -> None:
        """Save the state after the last step, and when the last save is long enough ago."""
        if not self._ended() and time.monotonic() - self._saved <= self._config.save_every:
            return
        state = {
            "progress": asdict(self.progress),
            "model": self.model.state_dict(),
            self._mean_key: self.mean.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        partial = self._folder / f"{STATE}.partial"
        torch.save(state, partial)
        partial.replace(self._folder / STATE)
        self._saved = time.monotonic()


def open_folder(
    folder: Path, config: RunConfig, *, resume: bool, may_change: AbstractSet[str] | None = None
) -> None:
    """Make the folder of a run, or open that of one to go on with, and write its config.json.

    A run goes on with the stored settings, but for those that `may_change`: None for all.

    Raises:
        ConfigError: A fresh start in a folder that holds a run, or other settings than stored.
        FileMissingError: `resume` without a state.
    """
    held = (folder / STATE).exists()
    if resume and not held:
        raise FileMissingError(f"No state in {folder}.", next_step="Start it without --resume.")
    if not resume and held:
        raise ConfigError(
            f"{folder} already holds a run.", next_step="Use --resume, or another folder."
        )
    if resume and may_change is not None:
        _check_same_run(config, folder / CONFIG, may_change)
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:  # a run that was killed before its first saved state begins anew
        for name in (LOG, BEST, "best.json"):
            (folder / name).unlink(missing_ok=True)
    text = json.dumps(asdict(config), indent=1, ensure_ascii=False) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    (folder / LOG).touch()


def _check_same_run(config: RunConfig, stored: Path, may_change: AbstractSet[str]) -> None:
    """Refuse to go on with settings that would make another run of it."""
    before = json.loads(stored.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(asdict(config)))
    changed = sorted(k for k in now if k not in may_change and now[k] != before.get(k))
    if changed:
        raise ConfigError(
            f"This run was started with other values of {', '.join(changed)}.",
            next_step="Leave them out to go on, or start a new run, with --from its best weights.",
        )
