"""The settings of a CTC training run, and reading them from plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from odia_ocr.data.compose import Mix
from odia_ocr.data.recipe import TRAINING, Recipe
from odia_ocr.train.ctc_model import CtcArchitecture, architecture_from
from odia_ocr.train.run_config import RunConfig, settings_from
from odia_ocr.train.stream import StreamConfig


@dataclass(frozen=True, slots=True)
class TrainConfig(RunConfig):
    """A training run; see `RunConfig` for what is not named here.

    Attributes:
        architecture: Shape of the network.
        stream: What is trained on.
        optimizer: "muon" for the weight matrices (with AdamW for the rest), or "adamw" for all.
        check_lines: Held-out lines of each validation set.
        keep_every: Steps between checkpoints that are kept for good, 0 for none.
    """

    architecture: CtcArchitecture = field(default_factory=CtcArchitecture)
    stream: StreamConfig = field(default_factory=StreamConfig)
    optimizer: str = "muon"
    check_lines: int = 128
    keep_every: int = 0


def config_from(values: dict[str, Any]) -> TrainConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    parts = {
        "architecture": architecture_from(values.get("architecture", {})),
        "stream": _stream_from(values.get("stream", {})),
    }
    return settings_from(TrainConfig, {**values, **parts}, what="training")


def _stream_from(values: dict[str, Any]) -> StreamConfig:
    """Of `mix` and `recipe` what is not named stays as it is by default."""
    parts: dict[str, Any] = {}
    if "mix" in values:
        parts["mix"] = settings_from(Mix, values["mix"], what="mix")
    if "recipe" in values:
        recipe = {**asdict(TRAINING), **values["recipe"]}
        parts["recipe"] = settings_from(Recipe, recipe, what="recipe")
    return settings_from(StreamConfig, {**values, **parts}, what="stream")
