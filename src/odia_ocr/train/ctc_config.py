"""The settings of a CTC training run, and reading them from plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from odia_ocr.errors import ConfigError
from odia_ocr.train.ctc_model import CtcArchitecture, architecture_from
from odia_ocr.train.stream import StreamConfig


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A training run.

    Attributes:
        architecture: Shape of the network.
        stream: What is trained on.
        steps: Steps of the whole schedule.
        rate: Largest learning rate.
        warmup: Steps of linear warm-up.
        cooldown: Share of the steps, at the end, over which the rate falls.
        optimizer: "muon" for the weight matrices (with AdamW for the rest), or "adamw" for all.
        decay: Weight decay.
        clip: Largest gradient norm.
        smoothing: Decay of the running mean of the weights that is validated and kept.
        seed: Initial weights.
        workers: Rendering processes.
        threads: Threads of torch, 0 for its own choice.
        device: "auto", "cpu" or "cuda".
        precision: "auto", "float32" or "bfloat16"; auto takes bfloat16 where it is fast.
        save_every: Seconds between saved states.
        check_every: Steps between validations.
        check_lines: Held-out lines of each validation set.
        keep_every: Steps between checkpoints that are kept for good, 0 for none.
    """

    architecture: CtcArchitecture = field(default_factory=CtcArchitecture)
    stream: StreamConfig = field(default_factory=StreamConfig)
    steps: int = 8000
    rate: float = 2.5e-3
    warmup: int = 300
    cooldown: float = 0.4
    optimizer: str = "muon"
    decay: float = 0.02
    clip: float = 1.0
    smoothing: float = 0.998
    seed: int = 1
    workers: int = 1
    threads: int = 0
    device: str = "auto"
    precision: str = "auto"
    save_every: float = 240.0
    check_every: int = 500
    check_lines: int = 128
    keep_every: int = 0

    def __post_init__(self) -> None:
        for name, choices in (
            ("device", ("auto", "cpu", "cuda")),
            ("optimizer", ("muon", "adamw")),
            ("precision", ("auto", "float32", "bfloat16")),
        ):
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}."
                )
        if self.steps < 1:
            raise ConfigError(f"steps must be positive, got {self.steps}.")
        if not 0 < self.cooldown <= 1:
            raise ConfigError(f"cooldown must lie in 0..1 and not be 0, got {self.cooldown}.")


def config_from(values: dict[str, Any]) -> TrainConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    known = asdict(TrainConfig())
    parts = {
        "architecture": architecture_from(values.get("architecture", {})),
        "stream": _stream_from(values.get("stream", {})),
    }
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(
            f"Unknown training keys {unknown}.", next_step=f"Known: {', '.join(known)}."
        )
    return TrainConfig(**{**values, **parts})


def _stream_from(values: dict[str, Any]) -> StreamConfig:
    known = asdict(StreamConfig())
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(
            f"Unknown stream keys {unknown}.", next_step=f"Known: {', '.join(known)}."
        )
    return StreamConfig(**{**values, "folders": tuple(values.get("folders", ()))})
