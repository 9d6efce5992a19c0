"""The weights of a whole model as files: where they are and their shapes, from headers alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.errors import ModelMissingError
from odia_ocr.recognize.vlm.adapters import rename_part
from odia_ocr.recognize.vlm.opening import find_source
from odia_ocr.train.adapters.stored import LoraLayer

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True, slots=True)
class StoredWeight:
    """A weight in a file.

    Attributes:
        key: What the file calls it, often as transformers < 4.52 did.
        path: The file.
        shape: Its sizes.
        dtype: As safetensors writes it, e.g. "BF16".
    """

    key: str
    path: Path
    shape: tuple[int, ...]
    dtype: str


def find_model_folder(name: str, *, download: bool) -> Path:
    """The folder of a model on this machine.

    Args:
        name: Folder, "tiny" (the shipped one) or hub id.
        download: Fetch a hub model that is not in the cache.

    Raises:
        ModelMissingError: If it is not here, or cannot be had.
    """
    folder = Path(find_source(name))
    if folder.is_dir():
        return folder
    if not _HUB_ID.fullmatch(name):
        raise ModelMissingError(
            f"No folder {name}.", next_step="Name the folder of a model, its hub id, or tiny."
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, local_files_only=not download))
    except Exception as error:  # the hub raises families of its own
        raise ModelMissingError(
            f"{name} is no folder, and no such model was found: {str(error).splitlines()[0]}",
            next_step=f"Fetch it first: hf download {name}",
        ) from error


def list_weight_files(folder: Path) -> list[Path]:
    """The .safetensors files of a model, in the order of their names.

    Raises:
        ModelMissingError: If there are none, or some that the index names are missing.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    if not (folder / INDEX).is_file():
        raise ModelMissingError(
            f"No {WEIGHTS} in {folder}.",
            next_step="Name the folder of a whole model, saved as safetensors.",
        )
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        names = sorted(set(index["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refuse(folder / INDEX, error) from error
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise ModelMissingError(
            f"{folder} lacks {', '.join(missing)}.", next_step="Download the model again."
        )
    return [folder / name for name in names]


def read_weights(folder: Path) -> dict[str, StoredWeight]:
    """All weights of a model by present name, from the headers of its files.

    Raises:
        ModelMissingError: If they are missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    found = {}
    for path in list_weight_files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118 - no mapping
                    part = file.get_slice(key)
                    found[rename_part(key)] = StoredWeight(
                        key, path, tuple(part.get_shape()), part.get_dtype()
                    )
        except (SafetensorError, OSError) as error:
            raise _refuse(path, error) from error
    return found


def find_misfits(layers: Sequence[LoraLayer], weights: dict[str, StoredWeight]) -> list[str]:
    """What keeps layers of an adapter from these weights, a sentence each; empty when all fit."""
    misfits = []
    for layer in layers:
        weight = weights.get(f"{layer.name}.weight")
        if weight is None:
            misfits.append(f"the model has no layer {layer.name}")
        elif weight.shape != layer.shape:
            sizes = (" x ".join(map(str, shape)) for shape in (weight.shape, layer.shape))
            misfits.append("{} is {} in the model, {} in the adapter".format(layer.name, *sizes))
    return misfits


def _refuse(path: Path, error: Exception) -> ModelMissingError:
    return ModelMissingError(f"{path} is damaged: {error}.", next_step="Copy it again.")
