"""A tiny random model in a folder, and random adapters for it saved by PEFT."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch

from odia_ocr.train.vlm_tiny import (
    TINY_SETTINGS,
    TinyShape,
    make_model,
    make_tokenizer,
)
from random_vlm import SHAPE, save_base

TARGETS = r".*language_model.*\.(q_proj|v_proj|down_proj)"


def save_model(folder: Path, *, seed: int = 0, shape: TinyShape = SHAPE) -> Path:
    """A model that `open_vlm` opens, float32."""
    torch.manual_seed(seed)
    return save_base(make_model(make_tokenizer(), shape), folder)


def open_with_peft(base: Path, folder: Path, **options) -> Any:
    """A model with an adapter, put together by PEFT alone, which warns of its own habits."""
    from peft import PeftModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PeftModel.from_pretrained(load_model(base), folder, **options)


def load_model(folder: Path) -> Any:
    """The bare model of a folder."""
    from transformers import Qwen2_5_VLForConditionalGeneration

    return Qwen2_5_VLForConditionalGeneration.from_pretrained(folder).eval()


def save_adapter(base: Path, folder: Path, *, seed: int = 1, size: float = 0.3, **options) -> Path:
    """A LoRA adapter with random B (and magnitudes) for a model."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    config = LoraConfig(**{"r": 4, "lora_alpha": 8, "target_modules": TARGETS, **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PEFT on tied embeddings and biases
        model = get_peft_model(load_model(base), config)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if "lora_B" in name:
                    weight.normal_(0.0, size)
                if "magnitude" in name:
                    weight.mul_(1 + 0.2 * torch.rand_like(weight))
        model.save_pretrained(folder)
    TINY_SETTINGS.save(folder)
    return folder


def name_as_before(folder: Path) -> Path:
    """Rename an adapter's layers as transformers < 4.52 called them."""
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    tensors = {k.replace(".language_model.", "."): v.clone() for k, v in load_file(path).items()}
    tensors = {k.replace("model.model.visual.", "model.visual."): v for k, v in tensors.items()}
    save_file(tensors, path, metadata={"format": "pt"})
    return folder


def change_config(folder: Path, **values: Any) -> Path:
    """Change values of adapter_config.json."""
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**config, **values}), "utf-8")
    return folder


def change_tensors(folder: Path, change, name: str = "adapter_model.safetensors") -> Path:
    """Replace the tensors of a file by what `change` makes of them."""
    from safetensors.torch import load_file, save_file

    tensors = change({k: v.clone() for k, v in load_file(folder / name).items()})
    tensors = {k: v.contiguous() for k, v in tensors.items()}
    save_file(tensors, folder / name, metadata={"format": "pt"})
    return folder


def read_deltas(folder: Path) -> dict[str, torch.Tensor]:
    """What an adapter adds to each weight, formed in full from the files by PEFT's rules."""
    from safetensors.torch import load_file

    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    tensors = load_file(folder / "adapter_model.safetensors")
    deltas = {}
    for key, down in tensors.items():
        if not key.endswith("lora_A.weight"):
            continue
        name = key.removesuffix(".lora_A.weight")
        rank = len(down)
        alphas = [v for k, v in config["alpha_pattern"].items() if name.endswith(k)]
        alpha = alphas[0] if alphas else config["lora_alpha"]
        scaling = alpha / (rank**0.5 if config["use_rslora"] else rank)
        up = tensors[f"{name}.lora_B.weight"]
        deltas[name] = scaling * up.double() @ down.double()
    return deltas


def find_logits(base: Path, folder: Path | None) -> torch.Tensor:
    """Logits of a fixed text under a model, with an adapter put on by the recognizer's own code."""
    from odia_ocr.recognize.vlm.adapters import add_adapter

    model = load_model(base)
    if folder is not None:
        model = add_adapter(model, str(folder), "a").eval()
    with torch.inference_mode():
        return model(input_ids=torch.arange(20, 60)[None]).logits
