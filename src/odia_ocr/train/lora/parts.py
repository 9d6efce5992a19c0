"""The parts of a LoRA run: the model with its adapter, batches, one step, reading held-out lines.

A training script of one's own can be made of them; `run.train_lora` is the one that ships.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from odia_ocr.errors import ConfigError, OdiaOcrError, ResourceMissingError
from odia_ocr.language import EditCounts, count_edits, fold
from odia_ocr.recognize.vlm.adapters import add_adapter, tell_first_line
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.inputs import EncodedSample, VlmEncoder
from odia_ocr.recognize.vlm.opening import (
    OpenVlm,
    Weights,
    find_settings,
    find_source,
    open_vlm,
)
from odia_ocr.recognize.vlm.placement import Placement
from odia_ocr.recognize.vlm.reader import DETERMINISTIC, SingleSpeaker, VlmRecognizer
from odia_ocr.recognize.vlm.settings import VlmSettings
from odia_ocr.recognize.vlm.writing import Writer
from odia_ocr.train.lora.config import AdapterShape, LoraConfig
from odia_ocr.train.lora.order import Order
from odia_ocr.train.lora.samples import Labelled, Samples, augment
from odia_ocr.types import Candidates, LineImage

ADAPTER = "default"


def open_trainee(
    config: LoraConfig, *, start_from: Path | None = None, device: str | None = None
) -> OpenVlm:
    """The base with an adapter to train: a new one, or that of `start_from` with its settings.

    Raises:
        ModelMissingError: If the base or the adapter is missing or does not fit.
        ConfigError: If no layer of the base is meant by the adapter's targets.
    """
    dtype = config.dtype
    placement = Placement(device=device or config.device, dtype=dtype)
    if dtype == "auto" and torch.cuda.is_available() and placement.device != "cpu":
        placement = replace(placement, dtype="bfloat16")
    vlm = open_vlm(config.base, placement=placement, shared=False)
    stored = vlm.encoder.settings
    if start_from is not None:  # what an adapter was trained with goes before its base's
        found = find_settings(find_source(config.base), (str(start_from),))
        stored = replace(found, dtype=stored.dtype)
    vlm.encoder = VlmEncoder(
        vlm.encoder.tokenizer, vlm.encoder.image_processor, _change_settings(stored, config)
    )
    torch.manual_seed(config.seed)
    if start_from is not None:
        model: Any = add_adapter(vlm.model, str(start_from), ADAPTER, trainable=True)
    else:
        model = _add_new(vlm.model, config.adapter)
    model.peft_config[ADAPTER].base_model_name_or_path = config.base
    base = model.get_base_model()
    if vlm.device.type == "cpu":  # learning through the fused kernel is slow there
        base.model.language_model.config._attn_implementation = "eager"
    if config.checkpointing:
        save_memory(model)
    return OpenVlm(vlm.name, Weights(model.train(), vlm.device), vlm.encoder, (ADAPTER,))


def save_memory(model: Any) -> None:
    """Let a `PeftModel` compute activations again instead of holding them."""
    base = model.get_base_model()
    enable = getattr(base, "activation_checkpointing_enable", None)  # since transformers 5.24
    (enable or base.gradient_checkpointing_enable)({"use_reentrant": False})
    model.enable_input_require_grads()


def _change_settings(settings: VlmSettings, config: LoraConfig) -> VlmSettings:
    return replace(
        settings,
        prompt=config.prompt or settings.prompt,
        line_height=settings.line_height if config.unit == "line" else 0,
        max_pixels=config.max_pixels or settings.max_pixels,
        max_tokens=config.max_tokens or settings.max_tokens,
        dtype=settings.dtype if config.dtype == "auto" else config.dtype,
    )


def _add_new(model: Any, shape: AdapterShape) -> Any:
    from peft import LoraConfig as PeftLora
    from peft import get_peft_model

    chosen = PeftLora(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules=shape.pattern,
        use_rslora=shape.rslora,
        use_dora=shape.dora,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for an old name
            return get_peft_model(model, chosen, adapter_name=ADAPTER)
    except (ValueError, re.error) as error:
        raise ConfigError(
            f"No layers can be adapted by targets {shape.targets!r}: {tell_first_line(error)}",
            next_step="Use language, all, or a regular expression that the whole name of each "
            r"layer matches, e.g. .*language_model.*\.(q_proj|v_proj).",
        ) from error


def make_optimizer(model: Any, config: LoraConfig) -> torch.optim.Optimizer:
    """AdamW over what is trained."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    return torch.optim.AdamW(trained, config.rate, weight_decay=config.decay)


def rate_at_step(config: LoraConfig, step: int) -> float:
    """Learning rate of a step: a linear warm-up, then the schedule down to nothing."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    gone = (step - config.warmup) / max(1, config.steps - config.warmup)
    if config.schedule == "linear":
        return config.rate * max(0.0, 1 - gone)
    if config.schedule == "cosine":
        return config.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, gone)))
    return config.rate


@dataclass(frozen=True, slots=True, eq=False)
class StepSamples:
    """What one step learns from.

    Attributes:
        batches: One for each forward pass of this process.
        names: Samples, in order.
        left_out: Samples that could not be used.
    """

    batches: tuple[dict[str, Tensor], ...]
    names: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Feeder:
    """Makes the samples of each step; step s of process p is always the same.

    Attributes:
        samples: To learn from.
        order: Which comes when.
        encoder: Of the model.
        config: Of the run.
        process: Number of this process, of `processes`.
        processes: How many learn together.
    """

    samples: Samples
    order: Order
    encoder: VlmEncoder
    config: LoraConfig
    process: int = 0
    processes: int = 1

    @property
    def per_step(self) -> int:
        """Samples of a step, over all processes."""
        return self.config.batch * self.config.accumulate * self.processes

    def make(self, step: int) -> StepSamples:
        """The samples of a step; a broken one is replaced by the next that works."""
        batches, names, left_out = [], [], []
        each = self.config.batch * self.config.accumulate
        first = step * self.per_step + self.process * each
        spare = first + self.per_step
        good: list[EncodedSample] = []
        for position in range(first, first + each):
            while True:
                try:
                    good.append(self._encode(position))
                    break
                except OdiaOcrError as error:
                    left_out.append(str(error))
                    if len(left_out) > 4 * each:
                        raise
                    position, spare = spare, spare + 1
        for at in range(0, each, self.config.batch):
            part = good[at : at + self.config.batch]
            batches.append(self.encoder.collate(part))
            names += [sample.id for sample in part]
        return StepSamples(tuple(batches), tuple(names), tuple(left_out))

    def _encode(self, position: int) -> EncodedSample:
        place = self.order.at(position)
        sample = self.samples.take(place.number)
        if self.config.augment:
            key = (self.config.seed, 85, place.epoch, place.number)
            sample = augment(sample, self.config.augment, key)
        return self.encoder.encode(
            sample.id, sample.picture, sample.text, shrink=self.config.misfit == "shrink"
        )

    def stream(self, first: int, last: int) -> Iterator[StepSamples]:
        """The samples of steps `first` .. `last - 1`; the next ones are made meanwhile."""
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self.make, first)
            for step in range(first, last):
                made = coming.result()
                if step + 1 < last:
                    coming = pool.submit(self.make, step + 1)
                yield made


def seed_step(config: LoraConfig, step: int, process: int = 0) -> None:
    """Let what a step draws (dropout) depend on nothing but the run's seed and the step."""
    torch.manual_seed((config.seed * 1_000_003 + step) * 64 + process)


def find_loss(model: Any, batch: dict[str, Tensor], device: torch.device) -> Tensor:
    """Mean cross-entropy of the answers' tokens.

    Raises:
        ResourceMissingError: If the memory of the device does not hold the batch.
    """
    with naming_memory(batch, device):
        given = {key: value.to(device) for key, value in batch.items()}
        labels = given.pop("labels")
        logits = model(**given, use_cache=False).logits
        return torch.nn.functional.cross_entropy(
            logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100
        )


@contextmanager
def naming_memory(batch: dict[str, Tensor], device: torch.device) -> Iterator[None]:
    """Say what to change when the memory of the device does not hold what is computed.

    Raises:
        ResourceMissingError: Instead of torch's own error.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ResourceMissingError(
            f"No memory left on {device} for a batch of {len(batch['input_ids'])} samples of "
            f"{batch['input_ids'].shape[1]} tokens.",
            next_step="Set checkpointing to true, lower batch (and raise accumulate), or lower "
            "max_pixels.",
        ) from error


def share_tokens(batches: Sequence[dict[str, Tensor]]) -> list[float]:
    """The share of a step's learned tokens that each of its batches holds."""
    counts = [int((batch["labels"][:, 1:] >= 0).sum()) for batch in batches]
    return [count / max(1, sum(counts)) for count in counts]


@dataclass(frozen=True, slots=True)
class CheckScore:
    """How held-out samples were read.

    Attributes:
        cer: Character error rate, folded as it is published.
        exact: Share of the samples without an error.
        failed: Samples that could not be read; they count as wrong.
    """

    cer: float
    exact: float
    failed: int


def read_check(
    vlm: OpenVlm, held_out: Sequence[Labelled], decoding: VlmDecoding = DETERMINISTIC
) -> CheckScore:
    """Read held-out samples and score them; one whose text comes to no end counts as not read.

    Args:
        vlm: A model under training, bare or with an adapter; it is left as it was.
        held_out: What is read.
        decoding: How; as the command does, where nothing else is said.
    """
    import numpy as np

    learning = vlm.model.training
    vlm.model.eval()
    reader = VlmRecognizer(vlm.name, vlm, SingleSpeaker(Writer(vlm), *vlm.adapters), decoding)
    lines = [
        LineImage(str(i), np.asarray(x.picture.convert("RGB"))) for i, x in enumerate(held_out)
    ]
    try:
        results = reader.read(lines)
    finally:
        vlm.model.train(learning)
        if vlm.adapters:
            vlm.model.set_adapter(*vlm.adapters)
    total, exact, failed = EditCounts(0, 0), 0, 0
    for sample, result in zip(held_out, results, strict=True):
        text = result.best.text if isinstance(result, Candidates) else ""
        failed += not isinstance(result, Candidates)
        counts = count_edits(fold(sample.text), fold(text))
        total += counts
        exact += not counts.edits
    return CheckScore(total.rate, exact / max(1, len(held_out)), failed)
