"""An adapter added to the weights of its model, file by file: a model that needs no adapter.

Numbers keep the kind they have in the model, names those they have in its files. The sum is made in
float32 and rounded once.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from odia_ocr.errors import ModelMissingError
from odia_ocr.recognize.vlm.adapters import rename_part
from odia_ocr.recognize.vlm.settings import FILE_NAME as SETTINGS
from odia_ocr.train.adapters.agreement import Agreement, compare_merged, draw_lines
from odia_ocr.train.adapters.model_files import (
    find_misfits,
    find_model_folder,
    list_weight_files,
    read_weights,
)
from odia_ocr.train.adapters.replacing import replace_folder
from odia_ocr.train.adapters.stored import (
    HISTORY,
    Adapter,
    LoraLayer,
    read_adapter,
    require_plain,
)

# Of a model's folder: tokenizer, processor, configuration, licence; not its weights or its card.
_COMPANIONS = ("*.json", "*.jinja", "*.txt", "*.model", "LICENSE*", "NOTICE*")
_LEFT_OUT = ("training.json", "adapter_config.json")
_KINDS = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging did.

    Attributes:
        layers: Weights that were changed.
        dtype: Of those weights, e.g. "bfloat16".
        agreement: How the merged model was held against model and adapter; None unchecked.
    """

    layers: int
    dtype: str
    agreement: Agreement | None


def merge_adapter(base: str, folder: Path, out: Path, *, check: bool = True) -> Merge:
    """Write a model that reads as `base` with the adapter does.

    Args:
        base: Folder or hub id of the model; "tiny" is the shipped one.
        folder: The adapter, LoRA or DoRA.
        out: Folder to write: opens as `vlm:OUT`.
        check: Hold what comes out against model and adapter on rendered lines.

    Raises:
        ModelMissingError: If something is missing, damaged or does not fit, or the merged model
            does not agree.
        UsageError: If the adapter is of a kind that cannot be merged.
        OutputError: If `out` cannot be written.
    """
    adapter = read_adapter(folder)
    require_plain(adapter, step="merged", dora=True)
    model = find_model_folder(base, download=True)
    check_fit(adapter, model)
    lines = draw_lines() if check else ()  # before the work: it may lack a library
    layers = {layer.name: layer for layer in adapter.layers}
    kinds: set[torch.dtype] = set()
    with replace_folder(out, sources=[model, folder]) as made:
        for path in list_weight_files(model):
            history = f"{Path(base).name} with {folder.name}"
            kinds |= _merge_file(path, made / path.name, layers, history)
        _copy_companions(model, folder, made)
        dtype = max(kinds, key=lambda kind: torch.finfo(kind).eps)
        agreement = compare_merged(model, folder, made, lines, dtype=dtype) if check else None
    return Merge(len(layers), str(dtype).removeprefix("torch."), agreement)


def check_fit(adapter: Adapter, model: Path) -> None:
    """Refuse an adapter that was made for another model.

    Raises:
        ModelMissingError: Naming the first layer that does not fit.
    """
    misfits = find_misfits(adapter.layers, read_weights(model))
    if misfits:
        more = f" ({len(misfits)} of {len(adapter.layers)} layers do not fit)"
        raise ModelMissingError(
            f"The adapter {adapter.folder} does not fit {model}: {misfits[0]}{more}.",
            next_step=f"It was made for {adapter.base_name or 'an unnamed model'}.",
        )


def _merge_file(
    path: Path, out: Path, layers: Mapping[str, LoraLayer], history: str
) -> set[torch.dtype]:
    """Write one file of the model with its share of the layers; kinds of the changed weights."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
        metadata = {"format": "pt", **(file.metadata() or {}), HISTORY: history}
    kinds = set()
    for key, weight in tensors.items():
        layer = layers.get(rename_part(key).removesuffix(".weight"))
        if layer is not None and key.endswith(".weight"):
            tensors[key] = add_layer(weight, layer)
            kinds.add(weight.dtype)
    save_file(tensors, out, metadata=metadata)
    return kinds


def add_layer(weight: Tensor, layer: LoraLayer) -> Tensor:
    """A weight (out, in) with what the adapter adds, of the same kind.

    With magnitudes (DoRA: Liu et al. 2024, "DoRA: Weight-Decomposed Low-Rank Adaptation", eq. 5)
    each row then gets the length that was learned.

    Raises:
        ModelMissingError: If the weight is quantised, or the sum is too large for its kind.
    """
    if weight.dtype not in _KINDS:
        raise ModelMissingError(
            f"Layer {layer.name} is stored as {str(weight.dtype)[6:]}: the model is quantised.",
            next_step="Merge into the model as it was before.",
        )
    whole = weight.float() + layer.scaling * (layer.up.float() @ layer.down.float())
    if layer.magnitude is not None:
        whole *= (layer.magnitude.float() / whole.norm(dim=1))[:, None]
    merged = whole.to(weight.dtype)
    if not torch.isfinite(merged).all():
        raise ModelMissingError(
            f"Layer {layer.name} with the adapter is too large for {str(weight.dtype)[6:]}.",
            next_step="Save the model as bfloat16 or float32 first.",
        )
    return merged


def _copy_companions(model: Path, folder: Path, out: Path) -> None:
    for pattern in _COMPANIONS:
        for path in model.glob(pattern):
            if path.is_file() and path.name not in _LEFT_OUT:
                shutil.copyfile(path, out / path.name)
    if (folder / SETTINGS).is_file():  # the adapter was trained with these
        shutil.copyfile(folder / SETTINGS, out / SETTINGS)
