"""The settings that every training run has, and reading settings from plain values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from odia_ocr.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Settings = TypeVar("Settings", bound="DataclassInstance")
_CHOICES = {
    "device": ("auto", "cpu", "cuda"),
    "precision": ("auto", "float32", "bfloat16"),
    "optimizer": ("muon", "adamw"),  # of those runs that let it be chosen
}


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How a network is trained, whatever it is.

    Attributes:
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
        precision: "auto", "float32" or "bfloat16"; auto takes bfloat16 where it is fast.
        save_every: Seconds between saved states.
        check_every: Steps between validations.
    """

    steps: int = 8000
    rate: float = 2.5e-3
    warmup: int = 300
    cooldown: float = 0.4
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

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name, choices[0])
            if value not in choices:
                raise ConfigError(f"{name} must be one of {', '.join(choices)}, got {value!r}.")
        if self.steps < 1:
            raise ConfigError(f"steps must be positive, got {self.steps}.")
        if not 0 < self.cooldown <= 1:
            raise ConfigError(f"cooldown must lie in 0..1 and not be 0, got {self.cooldown}.")


def settings_from(kind: type[Settings], values: dict[str, Any], *, what: str) -> Settings:
    """Build a dataclass of settings from plain values, as JSON holds them; lists become tuples.

    Raises:
        ConfigError: On an unknown key; it says of `what`, e.g. "training".
    """
    known = [field.name for field in fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(
            f"Unknown {what} keys {unknown}.", next_step=f"Known: {', '.join(known)}."
        )
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
