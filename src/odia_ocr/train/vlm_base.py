"""Trains a small Qwen2.5-VL to read from nothing. Reads top to bottom: loss, validation, the run.

Two things make its language model look at the picture: lines that begin with a single word, and a
CTC head on the features of the picture (left out of the saved model), by which the features
hold the letters in order before the language model has learned where to look.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from odia_ocr.data.compose import Mix
from odia_ocr.data.lines import make_renderer
from odia_ocr.errors import ModelMissingError
from odia_ocr.language import ALPHABET
from odia_ocr.recognize.vlm.attention import group_attention
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.inputs import VlmEncoder
from odia_ocr.recognize.vlm.opening import OpenVlm, Weights
from odia_ocr.train.lora.parts import read_check
from odia_ocr.train.lora.samples import Labelled, RenderedSamples
from odia_ocr.train.run import LinesProgress, OnStep, Report, Run, open_folder
from odia_ocr.train.run_config import RunConfig, settings_from
from odia_ocr.train.vlm_stream import VlmBatch, VlmStreamConfig, stream_vlm_chunks
from odia_ocr.train.vlm_tiny import (
    SPECIAL,
    TINY_SETTINGS,
    TinyShape,
    make_image_processor,
    make_model,
    make_tokenizer,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_FRAMES = 4  # of the CTC head, for each column of tokens
# A young model babbles: what it would write at length, or again, costs time and tells nothing.
_ONCE = VlmDecoding(most=72, retries=())


@dataclass(frozen=True, slots=True)
class VlmBaseConfig(RunConfig):
    """A run from nothing; see `RunConfig` for what is not named here.

    Attributes:
        shape: Sizes of the model.
        stream: What is trained on.
        ctc: Weight of the CTC head's loss.
        noise: Share of the answer's tokens that are replaced in what the language model is given,
            so that it cannot lean on what it wrote before.
        check_lines: Held-out lines of a validation.
    """

    shape: TinyShape = field(default_factory=TinyShape)
    stream: VlmStreamConfig = field(default_factory=VlmStreamConfig)
    ctc: float = 0.5
    noise: float = 0.1
    check_lines: int = 128


def vlm_base_config_from(values: dict[str, Any]) -> VlmBaseConfig:
    """Build a configuration from plain values, as JSON holds them.

    Raises:
        ConfigError: On an unknown key.
    """
    parts = {
        "shape": settings_from(TinyShape, values.get("shape", {}), what="shape"),
        "stream": settings_from(VlmStreamConfig, values.get("stream", {}), what="stream"),
    }
    return settings_from(VlmBaseConfig, {**values, **parts}, what="training")


class TinyReader(nn.Module):
    """The model and its CTC head, which helps it to learn and is not kept."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, shape: TinyShape, start_from: Path | None = None
    ) -> None:
        """Random weights, or those of a model that `save_model` wrote.

        Raises:
            ModelMissingError: If that one is missing or of another shape.
        """
        super().__init__()
        model: Any = make_model(tokenizer, shape)
        if start_from is not None:
            _load_weights(model, start_from)
        # Learning through the fused kernel is slow on a CPU.
        model.model.language_model.config._attn_implementation = "eager"
        self.vlm = group_attention(model)
        self.rows = TINY_SETTINGS.line_height // 28
        self.head = nn.Linear(self.rows * shape.width, _FRAMES * ALPHABET.size)

    def forward(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Logits of the language model (B, L, V), and of the CTC head (B, T, symbols)."""
        seen = self.vlm.model.visual(
            batch["pixel_values"], grid_thw=batch["image_grid_thw"]
        ).pooler_output  # (tokens of all pictures, width), row by row
        words = self.vlm.get_input_embeddings()(batch["input_ids"])
        places = (batch["mm_token_type_ids"] == 1)[..., None].expand_as(words)
        given = {key: batch[key] for key in ("attention_mask", "mm_token_type_ids")}
        logits = self.vlm(
            input_ids=batch["input_ids"],
            inputs_embeds=words.masked_scatter(places, seen.to(words.dtype)),
            image_grid_thw=batch["image_grid_thw"],
            use_cache=False,
            **given,
        ).logits
        frames: Tensor = self.head(self._lay_columns(seen, batch["image_grid_thw"]))
        return logits, frames.reshape(len(frames), -1, ALPHABET.size)

    def _lay_columns(self, seen: Tensor, grids: Tensor) -> Tensor:
        """Features of each column of tokens, top row first: (B, columns, rows * width)."""
        columns = (grids[:, 2] // 2).tolist()
        laid = seen.new_zeros(len(columns), max(columns), self.rows * seen.shape[1])
        for i, part in enumerate(torch.split(seen, [self.rows * count for count in columns])):
            grid = part.reshape(self.rows, columns[i], -1)  # (rows, columns, width)
            laid[i, : columns[i]] = grid.transpose(0, 1).flatten(1)
        return laid


def _load_weights(model: nn.Module, folder: Path) -> None:
    from transformers import Qwen2_5_VLForConditionalGeneration

    try:
        stored = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
        model.load_state_dict(stored.state_dict())
    except Exception as error:  # transformers and safetensors raise families of their own
        raise ModelMissingError(
            f"The model in {folder} cannot be begun with: {str(error).splitlines()[0]}",
            next_step="Name the folder of a model of the same shape.",
        ) from error


def add_noise(batch: dict[str, Tensor], share: float, vocabulary: int) -> Tensor:
    """`input_ids` in which a share of the answer's tokens is replaced by any others."""
    ids = batch["input_ids"]
    hit = (batch["labels"] >= 0) & (torch.rand(ids.shape, device=ids.device) < share)
    return torch.where(hit, torch.randint_like(ids, len(SPECIAL), vocabulary), ids)


def learn(
    run: Run[TinyReader, LinesProgress], batch: VlmBatch, config: VlmBaseConfig
) -> tuple[float, float]:
    """One step; returns the losses of the language model and the CTC head."""
    tensors = {k: torch.from_numpy(v).to(run.device) for k, v in batch.tensors.items()}
    tensors["pixel_values"] = tensors["pixel_values"].float()
    ids = add_noise(tensors, config.noise, run.model.vlm.config.text_config.vocab_size)
    with run.autocast():
        logits, frames = run.model({**tensors, "input_ids": ids})
    spoken = nn.functional.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), tensors["labels"][:, 1:].flatten(), ignore_index=-100
    )
    seen = nn.functional.ctc_loss(
        frames.float().log_softmax(-1).transpose(0, 1),
        torch.from_numpy(batch.symbols).to(run.device),
        tensors["image_grid_thw"][:, 2].cpu() // 2 * _FRAMES,
        torch.from_numpy(batch.lengths),
        zero_infinity=True,
    )
    run.follow(spoken + config.ctc * seen)
    return float(spoken.detach()), float(seen.detach())


def make_check_lines(count: int) -> tuple[Labelled, ...]:
    """Clean lines of two to four words in held-out faces and texts."""
    renderer = make_renderer(
        split="check", seed=4343, clean=True, mix=Mix(min_words=2, max_words=4)
    )
    lines = RenderedSamples(renderer, count)
    return tuple(lines.take(i) for i in range(count))


def measure(model: TinyReader, check: Sequence[Labelled], encoder: VlmEncoder) -> float:
    """Character error rate, folded as it is published; what comes to no end counts as not read."""
    weights = Weights(model.vlm, model.head.weight.device)
    return read_check(OpenVlm("vlm-base", weights, encoder), check, _ONCE).cer


def save_model(model: TinyReader, encoder: VlmEncoder, folder: Path, facts: dict[str, Any]) -> None:
    """Write a folder that transformers opens: float16 weights, tokenizer, processor, settings."""
    import copy

    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    vlm = copy.deepcopy(model.vlm).half()
    vlm.generation_config.do_sample = False
    vlm.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)
    make_image_processor(TINY_SETTINGS).save_pretrained(folder)
    TINY_SETTINGS.save(folder)
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    (folder / "training.json").write_text(text, encoding="utf-8")


def _describe(config: VlmBaseConfig) -> dict[str, Any]:
    """The settings, without the folders of this machine."""
    values = asdict(config)
    for name in ("text", "fonts"):
        given = values["stream"][name]
        values["stream"][name] = f"a folder of {name}" if given else f"the shipped {name}"
    return {"config": values}


def train_vlm_base(
    config: VlmBaseConfig,
    run: Path,
    *,
    resume: bool = False,
    start_from: Path | None = None,
    report: Report = print,
    on_step: OnStep | None = None,
) -> Path:
    """Train, or go on with, a run; returns the folder of its best model.

    Args:
        config: The run.
        run: Folder of the run.
        resume: Go on from `state.pt`; the settings may change.
        start_from: Folder of a model of the same shape to begin with.
        report: Receives one line of text per event.
        on_step: Receives (step, steps) after every step.

    Raises:
        ConfigError: Bad configuration, or a fresh start in a folder that holds a run.
        ModelMissingError: If `start_from` is missing or of another shape.
        FileMissingError: `resume` without a state.
    """
    open_folder(run, config, resume=resume)
    tokenizer = make_tokenizer()
    encoder = VlmEncoder(tokenizer, make_image_processor(TINY_SETTINGS), TINY_SETTINGS)
    going = Run(
        run,
        config,
        partial(TinyReader, tokenizer, config.shape, start_from),
        LinesProgress(),
        channels_last=False,
    )
    if resume:
        going.resume()
    progress = going.progress
    report(f"{going}, {config.workers} renderer(s)")
    check = make_check_lines(config.check_lines)
    best = run / "best"
    chunks = stream_vlm_chunks(config.stream, workers=config.workers, first=progress.chunk)
    recent: list[tuple[float, float]] = []
    for chunk, count, batch in going.take_batches(chunks, skip=progress.batch_in_chunk):
        recent.append(learn(going, batch, config))
        progress.chunk, progress.batch_in_chunk = chunk, count
        progress.lines += len(batch.lengths)
        going.count_step(on_step)
        if going.check_due:
            rate = measure(going.mean, check, encoder)
            spoken, seen = np.nanmean(recent, axis=0)
            recent.clear()
            entry = {
                "step": progress.step,
                "lines": progress.lines,
                "minutes": round(progress.seconds / 60, 2),
                "loss": round(float(spoken), 4),
                "ctc_loss": round(float(seen), 4),
                "rate": round(going.rate, 6),
                "cer_clean": round(rate, 5),
            }
            going.log(entry, report)
            if rate < progress.best:
                progress.best = rate
                save_model(going.mean, encoder, best, {**entry, **_describe(config)})
        going.save_when_due()
    return best
