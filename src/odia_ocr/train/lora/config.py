"""The settings of a LoRA run, and reading them from plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from odia_ocr.errors import ConfigError
from odia_ocr.train.run_config import settings_from

Misfit = Literal["reject", "shrink", "skip"]
_LANGUAGE = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
# The MLPs are gate_proj, up_proj and down_proj in Qwen2.5-VL, fc1 and fc2 in Qwen2-VL.
_SIGHT = r".*visual\.blocks.*\.(qkv|proj|gate_proj|up_proj|down_proj|fc1|fc2)"
# Regular expressions, not lists of names: names of the language model's layers also stand in the
# vision tower, and an adapter there keeps checkpoints from sharing one look at the picture.
TARGETS = {"language": _LANGUAGE, "all": f"{_LANGUAGE}|{_SIGHT}"}
_CHOICES = {
    "schedule": ("cosine", "linear", "constant"),
    "misfit": ("reject", "shrink", "skip"),
    "device": ("auto", "cpu", "cuda"),
    "dtype": ("auto", "float32", "bfloat16"),
    "unit": ("line", "page"),
}


@dataclass(frozen=True, slots=True)
class AdapterShape:
    """What an adapter is.

    Attributes:
        rank: Of each update.
        alpha: Scale: an update counts alpha / rank, or alpha / sqrt(rank) with `rslora`.
        dropout: Share of an update's inputs that are dropped while it learns.
        targets: "language" (the language model alone), "all" (the vision tower too), or a regular
            expression over the names of layers.
        rslora: Rank-stabilised scale.
        dora: Weight-decomposed updates; such adapters cannot stand together in one batch.
    """

    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.05
    targets: str = "language"
    rslora: bool = False
    dora: bool = False

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha <= 0 or not 0 <= self.dropout < 1:
            raise ConfigError(
                f"rank must be 1 or more, alpha above 0, dropout in 0..1, got {self.rank}, "
                f"{self.alpha}, {self.dropout}."
            )

    @property
    def pattern(self) -> str:
        """The regular expression of the layers."""
        return TARGETS.get(self.targets, self.targets)


@dataclass(frozen=True, slots=True)
class RenderedConfig:
    """Lines that are rendered while a run learns, where no data are named.

    Attributes:
        recipe: "training" (all degradations), "clean", or a reporting recipe.
        families: Families of the faces; empty takes all training ones.
        text: Folder with text/ and words/, or None for the shipped text.
        fonts: Folder of fonts, or None for the shipped ones.
        min_words: Fewest words of a line.
        max_words: Most words of a line.
        strength: How far degradations go.
        latin: Share of Latin words and codes.
        numbers: Share of numbers.
    """

    recipe: str = "training"
    families: tuple[str, ...] = ()
    text: str | None = None
    fonts: str | None = None
    min_words: int = 1
    max_words: int = 6
    strength: float = 0.8
    latin: float = 0.11
    numbers: float = 0.09


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """A run.

    Attributes:
        base: "tiny", a folder or a hub id.
        adapter: Shape of the adapter; a warm start keeps that of the adapter it starts from.
        data: Sets of labelled pictures: folders, files, hub ids; empty renders lines.
        check: Held-out sets to measure on; empty takes `check_lines` of `data`, or renders them.
        columns: Which columns of tables hold picture and text, e.g. "image=img,text=label".
        stream: Take the samples of hub sets as they come, without holding them; `buffer` of them
            are mixed.
        buffer: Samples that are mixed when they are streamed.
        rendered: What is rendered.
        unit: "line" scales pictures to the model's line height, "page" leaves them as they are.
        prompt: Asked beside the picture; "" keeps the model's own.
        max_pixels: Area that larger pictures are scaled down to; 0 keeps the model's own.
        max_tokens: Longest sequence; 0 keeps the model's own.
        misfit: What is done with a sample that does not fit: "reject" ends the run before it
            begins, "shrink" scales its picture down, "skip" leaves it out; all are counted.
        augment: How strongly pictures are degraded, 0 for not at all.
        curriculum: Share of the steps in which samples grow from short to long.
        steps: Optimizer steps.
        batch: Samples of a forward pass.
        accumulate: Forward passes of a step.
        rate: Largest learning rate.
        warmup: Steps of linear warm-up.
        schedule: "cosine", "linear" or "constant" after it.
        decay: Weight decay.
        clip: Largest gradient norm.
        seed: Of the adapter, the order and the augmentation.
        check_every: Steps between readings of the held-out lines.
        check_lines: Held-out lines that are read.
        patience: Readings without a new best before the run stops; 0 never stops it.
        keep_every: Steps between checkpoints.
        keep_last: Checkpoints kept besides the best one; 0 keeps all.
        device: "auto", "cpu" or "cuda"; several GPUs through `accelerate launch`.
        dtype: Of the base's weights; "auto" takes float32 on a CPU, bfloat16 on a GPU.
        checkpointing: Compute activations again instead of holding them: slower, less memory.
        threads: Threads of torch, 0 for its own choice.
    """

    base: str = "tiny"
    adapter: AdapterShape = field(default_factory=AdapterShape)
    data: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    columns: str = ""
    stream: bool = False
    buffer: int = 1000
    rendered: RenderedConfig = field(default_factory=RenderedConfig)
    unit: str = "line"
    prompt: str = ""
    max_pixels: int = 0
    max_tokens: int = 0
    misfit: Misfit = "reject"
    augment: float = 0.0
    curriculum: float = 0.0
    steps: int = 500
    batch: int = 8
    accumulate: int = 1
    rate: float = 2e-4
    warmup: int = 20
    schedule: str = "cosine"
    decay: float = 0.0
    clip: float = 1.0
    seed: int = 1
    check_every: int = 50
    check_lines: int = 64
    patience: int = 0
    keep_every: int = 50
    keep_last: int = 0
    device: str = "auto"
    dtype: str = "auto"
    checkpointing: bool = False
    threads: int = 0

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ConfigError(f"{name} must be one of {', '.join(choices)}, got {value!r}.")
        for name in ("steps", "batch", "accumulate", "check_every", "keep_every", "buffer"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more, got {getattr(self, name)}.")
        if not 0 <= self.curriculum <= 1:
            raise ConfigError(f"curriculum must lie in 0..1, got {self.curriculum}.")
        if self.rate <= 0:
            raise ConfigError(f"rate must be above 0, got {self.rate}.")


def lora_config_from(values: dict[str, Any]) -> LoraConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key or a value out of range.
    """
    parts = {
        "adapter": settings_from(AdapterShape, values.get("adapter", {}), what="adapter"),
        "rendered": settings_from(RenderedConfig, values.get("rendered", {}), what="rendered"),
    }
    return settings_from(LoraConfig, {**values, **parts}, what="LoRA")
