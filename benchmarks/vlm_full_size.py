"""Measure Qwen2.5-VL at full size: training, and reading with five adapters, on a GPU.

    python benchmarks/vlm_full_size.py --size 3b [--json docs/reports/vlm-full-size.json]
    python benchmarks/vlm_full_size.py --size tiny                    # tries the script on a CPU

The architecture is that of the published models and the code that of `train lora` and of the
recognizer. The weights are random, so nothing is downloaded: speed and memory do not depend on what
a model knows, only what it writes does. Texts are as long, in tokens, as Qwen's tokenizer makes
them of Odia: about three a letter.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from odia_ocr.errors import ResourceMissingError
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.ensemble import JointSpeaker
from odia_ocr.recognize.vlm.inputs import IMAGE_TOKEN, VlmEncoder
from odia_ocr.recognize.vlm.opening import OpenVlm, Weights
from odia_ocr.recognize.vlm.reader import SingleSpeaker
from odia_ocr.recognize.vlm.settings import PATCH, VlmSettings
from odia_ocr.recognize.vlm.writing import Writer
from odia_ocr.train.lora.config import TARGETS, LoraConfig
from odia_ocr.train.lora.parts import find_loss, make_optimizer, naming_memory, save_memory
from odia_ocr.train.vlm_tiny import make_image_processor, make_tokenizer

ADAPTERS = ("a0", "a1", "a2", "a3", "a4")
_SYMBOL = "କ"


@dataclass(frozen=True, slots=True)
class Size:
    """Sizes of a model, and of what it is measured on.

    Attributes:
        text: Language model: width, layers, heads, key heads, inner width, vocabulary.
        sight: Vision tower: width, layers, heads, inner width.
        whole: Layers of the vision tower that see the whole picture.
        sections: Of the rotary positions: time, height, width.
        tied: Output weights are those of the embeddings.
        batch: Lines of a training step.
        lines: Lines that are read together, one run for each.
        letters: Tokens of the text of a line and of a page.
        page: Width and height of a page, in pixels.
    """

    text: tuple[int, int, int, int, int, int]
    sight: tuple[int, int, int, int]
    whole: tuple[int, ...]
    sections: tuple[int, int, int]
    tied: bool
    batch: int = 16
    lines: tuple[int, ...] = (1, 8, 32)
    letters: tuple[int, int] = (120, 1500)
    page: tuple[int, int] = (1652, 2338)


_SIGHT, _WHOLE, _SECTIONS = (1280, 32, 16, 3420), (7, 15, 23, 31), (16, 24, 24)
SIZES = {
    "tiny": Size(
        (64, 2, 4, 2, 128, 640),
        (64, 2, 4, 128),
        (1,),
        (2, 3, 3),
        False,
        2,
        (1, 2),
        (6, 12),
        (168, 84),
    ),
    "3b": Size((2048, 36, 16, 2, 11008, 151936), _SIGHT, _WHOLE, _SECTIONS, True),
    "7b": Size((3584, 28, 28, 4, 18944, 152064), _SIGHT, _WHOLE, _SECTIONS, False),
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=list(SIZES), default="3b")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rank", type=int, default=32, help="of each of the five adapters")
    parser.add_argument("--steps", type=int, default=10, help="training steps that are timed")
    parser.add_argument("--rounds", type=int, default=5, help="readings that are timed, median")
    parser.add_argument("--tokens", type=int, default=64, help="tokens written of each line")
    parser.add_argument("--json", type=Path, help="write the figures there")
    asked = parser.parse_args(arguments)
    device = torch.device(asked.device)
    if asked.size != "tiny" and device.type == "cpu":
        parser.error(f"{asked.size} wants a GPU; --size tiny tries the script without one")
    size = SIZES[asked.size]
    vlm = open_random(size, device, rank=asked.rank)
    record = {
        "schema": 1,
        "report": "vlm-full-size",
        "size": asked.size,
        "weights": sum(weight.numel() for weight in vlm.base.parameters()),
        "chip": name_chip(device),
        "torch": torch.__version__,
        "dtype": str(vlm.base.dtype).removeprefix("torch."),
        "rank": asked.rank,
        "reading": measure_reading(vlm, size, tokens=asked.tokens, rounds=asked.rounds),
        "training": measure_training(vlm, size, steps=asked.steps),
    }
    if asked.json:
        asked.json.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")
    print("\n".join(tabulate(record)))


def make_config(size: Size, encoder: VlmEncoder) -> Qwen2_5_VLConfig:
    """The architecture; token ids are those of the encoder's tokenizer."""
    width, layers, heads, key_heads, inner, words = size.text
    sight, sight_layers, sight_heads, sight_inner = size.sight
    ids = encoder.tokenizer.convert_tokens_to_ids
    return Qwen2_5_VLConfig(
        text_config={
            "vocab_size": words,
            "hidden_size": width,
            "intermediate_size": inner,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "num_key_value_heads": key_heads,
            "max_position_embeddings": 32768,
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": list(size.sections),
                "rope_theta": 1e6,
            },
            "bos_token_id": None,
            "eos_token_id": ids("<|im_end|>"),
            "pad_token_id": encoder.pad_id,
        },
        vision_config={
            "depth": sight_layers,
            "hidden_size": sight,
            "intermediate_size": sight_inner,
            "num_heads": sight_heads,
            "out_hidden_size": width,
            "fullatt_block_indexes": list(size.whole),
        },
        image_token_id=ids(IMAGE_TOKEN),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=size.tied,
    )


def make_encoder(size: Size) -> VlmEncoder:
    """Lines 84 pixels high, pages of up to 1280 tokens, as a run of `train lora` has them."""
    settings = VlmSettings(line_height=3 * PATCH, max_tokens=sum(size.letters) + 2048)
    return VlmEncoder(make_tokenizer(), make_image_processor(settings), settings)


def make_bare(size: Size, encoder: VlmEncoder, device: torch.device) -> Any:
    """A model of random weights, made where it is to be; bfloat16 but for a CPU."""
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float32 if device.type == "cpu" else torch.bfloat16)
    try:
        with device:
            return Qwen2_5_VLForConditionalGeneration(make_config(size, encoder))
    finally:
        torch.set_default_dtype(torch.float32)


def open_random(size: Size, device: torch.device, *, rank: int) -> OpenVlm:
    """Such a model with five adapters on its language model."""
    from peft import LoraConfig as PeftLora
    from peft import get_peft_model

    encoder = make_encoder(size)
    chosen = PeftLora(r=rank, lora_alpha=2 * rank, target_modules=TARGETS["language"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for an old name
        model = get_peft_model(make_bare(size, encoder, device), chosen, adapter_name=ADAPTERS[0])
        for name in ADAPTERS[1:]:
            model.add_adapter(name, chosen)
    return OpenVlm("vlm-random", Weights(model.eval(), device), encoder, ADAPTERS)


def measure_training(vlm: OpenVlm, size: Size, *, steps: int) -> list[dict[str, object]]:
    """Samples a second and peak memory, with and without activations computed again."""
    rows: list[dict[str, object]] = []
    vlm.model.train()
    vlm.model.set_adapter(ADAPTERS[0])
    page = replace(vlm.encoder.settings, line_height=0)
    pages = VlmEncoder(vlm.encoder.tokenizer, vlm.encoder.image_processor, page)
    of_line, of_page = size.letters
    kinds = {
        "line": (vlm.encoder, size.batch, (900, 84), of_line),
        "page": (pages, 1, size.page, of_page),
    }
    for again in (False, True):
        if again:
            save_memory(vlm.model)
        for unit, (encoder, count, shape, letters) in kinds.items():
            picture = draw_noise(shape)
            sample = encoder.encode(unit, picture, _SYMBOL * letters)
            batch = encoder.collate([sample] * count)
            row = {"unit": unit, "batch": count, "tokens": len(sample.tokens)}
            rows.append({**row, "checkpointing": again, **time_steps(vlm, batch, steps)})
    vlm.model.eval()
    return rows


def time_steps(vlm: OpenVlm, batch: dict[str, torch.Tensor], steps: int) -> dict[str, object]:
    """Samples a second and peak memory in GiB of some steps; both None where memory ends."""
    optimizer = make_optimizer(vlm.model, LoraConfig(rate=1e-5))
    forget_peak(vlm.device)
    began = 0.0
    try:
        for step in range(steps + 2):
            if step == 2:  # the first ones make room and warm up
                wait_for(vlm.device)
                began = time.perf_counter()
            loss = find_loss(vlm.model, batch, vlm.device)
            with naming_memory(batch, vlm.device):
                loss.backward()
                optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    except ResourceMissingError:
        optimizer.zero_grad(set_to_none=True)
        return {"samples_per_second": None, "peak_gib": None}
    wait_for(vlm.device)
    speed = steps * len(batch["input_ids"]) / (time.perf_counter() - began)
    return {"samples_per_second": round(speed, 2), "peak_gib": read_peak(vlm.device)}


def measure_reading(
    vlm: OpenVlm, size: Size, *, tokens: int, rounds: int
) -> list[dict[str, object]]:
    """Seconds for some lines, and tokens of their texts a second: one adapter, five."""
    writer = Writer(vlm)
    one, five = SingleSpeaker(writer, ADAPTERS[0]), JointSpeaker(writer, ADAPTERS)
    greedy = VlmDecoding(limited=False)  # the small tokenizer's alphabet is not this vocabulary
    beams = replace(greedy, beams=5)
    rows = []
    for count in size.lines:
        samples = [vlm.encoder.encode(str(i), draw_noise((900, 84)), None) for i in range(count)]

        def read(speaker: Any, how: VlmDecoding, samples: Any = samples) -> int:
            return int(speaker.write(speaker.look(samples), how, tokens)[0].shape[1])

        ways: dict[str, Callable[[], int]] = {
            "greedy": lambda read=read: read(one, greedy),
            "beam 5": lambda read=read: read(one, beams),
            "five as one": lambda read=read: read(five, greedy),
            "five passes": lambda read=read: max(
                read(SingleSpeaker(writer, name), greedy) for name in ADAPTERS
            ),
        }
        for name, run in ways.items():
            rows.append({"way": name, "lines": count, **time_reading(vlm, run, count, rounds)})
    return rows


def time_reading(
    vlm: OpenVlm, run: Callable[[], int], count: int, rounds: int
) -> dict[str, object]:
    """Median seconds of a reading of `count` lines; all None where memory ends.

    `run` gives the tokens that it wrote of each line.
    """
    forget_peak(vlm.device)
    taken, length = [], 0
    try:
        for attempt in range(rounds + 1):
            wait_for(vlm.device)
            began = time.perf_counter()
            length = run()
            wait_for(vlm.device)
            if attempt:  # the first round warms up
                taken.append(time.perf_counter() - began)
    except torch.OutOfMemoryError:
        return {"seconds": None, "tokens_per_second": None, "peak_gib": None}
    seconds = statistics.median(taken)
    return {
        "seconds": round(seconds, 4),
        "tokens_per_second": round(count * length / seconds, 1),
        "peak_gib": read_peak(vlm.device),
    }


def draw_noise(shape: tuple[int, int]) -> Image.Image:
    """A picture of (width, height) pixels with something on it."""
    width, height = shape
    rng = np.random.default_rng([width, height])
    return Image.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8))


def name_chip(device: torch.device) -> str:
    """What computed."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def read_peak(device: torch.device) -> float | None:
    """GiB that were held at most since `forget_peak`; None on a CPU."""
    if device.type != "cuda":
        return None
    return round(torch.cuda.max_memory_allocated(device) / 2**30, 1)


def tabulate(record: dict[str, Any]) -> list[str]:
    """The figures as tables of the documentation."""

    def show(value: object, none: str) -> str:
        return none if value is None else str(value)

    rows = [
        f"Qwen2.5-VL-{record['size']} ({record['weights'] / 1e9:.3f} G random weights, "
        f"{record['dtype']}), adapters of rank {record['rank']}, on {record['chip']}, "
        f"torch {record['torch']}.",
        "",
        "| Training | samples a step | tokens a sample | checkpointing | samples/s | peak, GiB |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {row['unit']} | {row['batch']} | {row['tokens']} | "
        f"{'yes' if row['checkpointing'] else 'no'} | "
        f"{show(row['samples_per_second'], 'does not fit')} | {show(row['peak_gib'], '–')} |"
        for row in record["training"]
    ]
    rows += ["", "| Reading | lines | seconds | tokens/s | peak, GiB |", "|---|---|---|---|---|"]
    rows += [
        f"| {row['way']} | {row['lines']} | {show(row['seconds'], 'does not fit')} | "
        f"{show(row['tokens_per_second'], '–')} | {show(row['peak_gib'], '–')} |"
        for row in record["reading"]
    ]
    return rows


if __name__ == "__main__":
    main()
