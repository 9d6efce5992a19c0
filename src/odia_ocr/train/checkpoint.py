"""Weights with their configuration: NAME.safetensors (float16) beside NAME.json."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from odia_ocr.errors import ModelMissingError
from odia_ocr.language import ALPHABET
from odia_ocr.train.ctc_model import CtcModel, architecture_from


def save_weights(model: CtcModel, path: Path, facts: dict[str, Any]) -> None:
    """Write float16 weights to `path` and architecture, alphabet and `facts` to the JSON beside."""
    meta = {
        "architecture": asdict(model.architecture),
        "alphabet": "".join(ALPHABET.symbols),
        "alphabet_digest": ALPHABET.digest,
        "facts": facts,
    }
    write_tensors(model, path, meta)


def write_tensors(model: nn.Module, path: Path, meta: dict[str, Any]) -> None:
    """Write the float16 weights of any model to `path` and `meta` to the JSON beside."""
    from safetensors.torch import save_file

    tensors = {
        name: (value.half() if value.dtype.is_floating_point else value).contiguous().cpu()
        for name, value in model.state_dict().items()
    }
    save_file(tensors, path)
    path.with_suffix(".json").write_text(
        json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def read_facts(path: Path) -> dict[str, Any]:
    """The JSON beside a weight file.

    Raises:
        ModelMissingError: If the weights or their JSON are missing or of another alphabet.
    """
    side = path.with_suffix(".json")
    if not path.exists() or not side.exists():
        raise ModelMissingError(
            f"No weights {path} with {side.name} beside it.",
            next_step="Name a .safetensors file written by `odia-ocr train ctc`.",
        )
    meta: dict[str, Any] = json.loads(side.read_text(encoding="utf-8"))
    if meta.get("alphabet_digest") != ALPHABET.digest:
        raise ModelMissingError(
            f"{path} was trained with another alphabet ({meta.get('alphabet_digest')}, this "
            f"program has {ALPHABET.digest}).",
            next_step="Use weights of the same version, or train again.",
        )
    return meta


def load_weights(model: CtcModel, path: Path) -> None:
    """Load weights into a model of the same architecture.

    Raises:
        ModelMissingError: If they are missing or do not fit.
    """
    read_facts(path)
    read_tensors(model, path)


def read_tensors(model: nn.Module, path: Path) -> None:
    """Load weights that `write_tensors` wrote.

    Raises:
        ModelMissingError: If they do not fit.
    """
    from safetensors.torch import load_file

    try:
        model.load_state_dict(
            {
                name: value.float() if value.dtype == torch.float16 else value
                for name, value in load_file(path).items()
            }
        )
    except RuntimeError as error:
        raise ModelMissingError(
            f"{path} does not fit this architecture: {str(error).splitlines()[0]}",
            next_step="Start from weights of the same architecture.",
        ) from error


def open_model(path: Path) -> CtcModel:
    """The model of a weight file, ready to read (eval mode).

    Raises:
        ModelMissingError: If the file is missing or does not fit.
    """
    model = CtcModel(architecture_from(read_facts(path)["architecture"]))
    load_weights(model, path)
    return model.eval()
