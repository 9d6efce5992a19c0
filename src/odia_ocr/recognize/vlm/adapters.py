"""LoRA adapters on a model: none is taken that does not fit.

PEFT only warns when no key of an adapter fits, and reads on with the bare model: five "checkpoints"
then read alike. Adapters saved with transformers < 4.52 are such a case; their keys are translated.
"""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odia_ocr.errors import ModelMissingError

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import nn

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
PREFIX = "base_model.model."  # before the names of all parts in an adapter's file
# As the parts of the model are called now, from what they were called before transformers 4.52.
_OLD_KEYS = {
    r"^model\.(?!language_model|visual)": "model.language_model.",
    r"^visual\.": "model.visual.",
    r"^language_model\.model\.": "model.language_model.",
}


def rename_part(name: str) -> str:
    """What a part of the model is called now, e.g. "model.layers.0" of transformers < 4.52.

    Present names stay. The files of whole models still hold the old ones.
    """
    for old, new in _OLD_KEYS.items():
        renamed, count = re.subn(old, new, name)
        if count:
            return renamed
    return name


def list_layers(model: nn.Module, name: str) -> list[tuple[str, Any]]:
    """The layers (module name, module) on which the adapter `name` lies."""
    return [
        (key, module)
        for key, module in model.named_modules()
        if hasattr(module, "lora_A") and name in module.lora_A
    ]


def add_adapter(
    model: Any, folder: str, name: str, *, trainable: bool = False, key_mapping: Any = None
) -> PeftModel:
    """Put an adapter onto a bare model or beside those that it has.

    Args:
        model: A bare model or a `PeftModel`.
        folder: Of the adapter, or its hub id.
        name: For the adapter.
        trainable: To train on.
        key_mapping: Old names of parts -> present ones; None tries both.

    Raises:
        ModelMissingError: If it is missing, damaged, or made for another model.
    """
    stored = find_files(folder)
    held = _read_keys(stored) if stored else None
    names = [key.removeprefix(PREFIX) for key in held or ()]
    old = any(rename_part(name) != name for name in names)
    mapping = key_mapping or (_OLD_KEYS if old else None)
    model = _load(model, folder, name, trainable=trainable, mapping=mapping)
    layers = list_layers(model, name)
    dead = [key for key, module in layers if not module.lora_B[name].weight.abs().sum().item()]
    expected = len({k.rsplit(".lora_B", 1)[0] for k in held if ".lora_B" in k}) if held else None
    if not layers or len(dead) == len(layers) or (expected is not None and expected != len(layers)):
        fits = len(layers) - len(dead)
        raise ModelMissingError(
            f"The adapter {folder} does not fit this model: {fits} of its "
            f"{expected or len(layers)} layers found their place.",
            next_step=f"It was made for {_name_base(stored)}; name that model, or another adapter.",
        )
    return model


def _load(model: Any, folder: str, name: str, *, trainable: bool, mapping: Any) -> Any:
    from peft import PeftModel

    options = {"key_mapping": mapping} if mapping else {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is checked above, and raised
            if isinstance(model, PeftModel):
                model.load_adapter(folder, name, is_trainable=trainable, **options)
                return model
            return PeftModel.from_pretrained(
                model, folder, adapter_name=name, is_trainable=trainable, **options
            )
    except Exception as error:  # peft, safetensors and the hub raise families of their own
        raise ModelMissingError(
            f"The adapter {folder} cannot be loaded: {str(error).splitlines()[0]}",
            next_step=f"Name a folder with {CONFIG} and {WEIGHTS} that was made for this model.",
        ) from error


def find_files(folder: str) -> Path | None:
    """The adapter's folder on this machine; None for a hub id.

    Raises:
        ModelMissingError: If the folder is there and its files are not.
    """
    path = Path(folder)
    if not path.exists():
        return None
    missing = [name for name in (CONFIG, WEIGHTS) if not (path / name).is_file()]
    if missing:
        raise ModelMissingError(
            f"No {' and no '.join(missing)} in {folder}.",
            next_step="Name the folder of a LoRA adapter, e.g. RUN/checkpoint-250.",
        )
    return path


def _read_keys(folder: Path) -> list[str]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(folder / WEIGHTS, framework="np") as file:
            return list(file.keys())
    except (SafetensorError, OSError) as error:
        raise ModelMissingError(
            f"{folder / WEIGHTS} is damaged: {error}.", next_step="Copy it again."
        ) from error


def _name_base(folder: Path | None) -> str:
    if folder is None:
        return "another model"
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return str(config.get("base_model_name_or_path") or "an unnamed model")
