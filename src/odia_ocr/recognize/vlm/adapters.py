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
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+", re.ASCII)
_OTHER_SIZE = re.compile(  # what torch says of a tensor: its name, its shape, the model's
    r"size mismatch for (?:base_model\.model\.)*(\S+): .*?(\[[\d, ]+\]).*?(\[[\d, ]+\])"
)
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
        key_mapping: Old names of parts -> present ones; None knows those before transformers 4.52.

    Raises:
        ModelMissingError: If it is missing, damaged, or made for another model.
    """
    stored = find_files(folder)
    held = _list_stored(stored)
    mapping = key_mapping or _OLD_KEYS  # present names are left as they are
    bare = model
    try:
        model, missing = _load(model, folder, name, trainable=trainable, mapping=mapping)
    except ModelMissingError:
        _take_off(bare, name)
        raise
    made = {f"{PREFIX}{key}" for key, _ in list_layers(model.get_base_model(), name)}
    unfilled = {key.partition(".lora_")[0] for key in missing}
    placed = len(made - unfilled)
    if not placed or not len(made) == len(held) == placed:
        _take_off(bare, name)
        raise ModelMissingError(
            f"The adapter {folder} does not fit this model: {placed} of its {len(held)} layers "
            "found their place.",
            next_step=f"It was made for {_name_base(stored)}; name that model, or another adapter.",
        )
    return model


def holds_adapters(model: Any) -> bool:
    """Whether a model is one of PEFT's, with adapters on it, not a bare one."""
    from peft import PeftModel

    return isinstance(model, PeftModel)


def _take_off(model: Any, name: str) -> None:
    """Leave a model as it was before an adapter that does not fit was put onto it."""
    if holds_adapters(model):
        if name in model.peft_config:
            model.delete_adapter(name)
        return
    model.__dict__.pop("peft_config", None)  # PEFT's note on the bare model
    for key, module in list(model.named_modules()):
        if hasattr(module, "lora_A"):
            parent, _, child = key.rpartition(".")
            setattr(model.get_submodule(parent), child, module.base_layer)


def fits_beside_others(folder: str) -> bool:
    """Whether an adapter can lie on one model with others, and in one batch with them.

    Not if it changes the vision tower, holds whole layers or is a DoRA adapter; one that is
    missing or damaged is to fail on a model of its own.
    """
    try:
        stored = find_files(folder)
        config = json.loads((stored / CONFIG).read_text(encoding="utf-8"))
        plain = not config.get("use_dora") and not config.get("modules_to_save")
        return plain and not any("visual" in layer for layer in _list_stored(stored))
    except (ModelMissingError, ValueError):
        return False


def is_somewhere(source: str) -> bool:
    """Whether a name is a folder here or can be one of a hub; no network is asked."""
    return Path(source).is_dir() or _HUB_ID.fullmatch(source) is not None


def find_file(source: str, name: str) -> Path | None:
    """A file of a model or adapter, from its folder or from the hub; None if it has none."""
    from transformers.utils import cached_file

    if not is_somewhere(source):  # asking the hub for a misspelt folder can take minutes
        return None
    try:
        found = cached_file(
            source,
            name,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
    except (OSError, ValueError):  # no such repository, or not a name of one
        return None
    return Path(found) if found else None


def tell_first_line(error: Exception) -> str:
    """The first line of what an error of another library says."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _load(
    model: Any, folder: str, name: str, *, trainable: bool, mapping: Any
) -> tuple[PeftModel, list[str]]:
    """The model with the adapter, and names of its tensors that the adapter's file lacks."""
    from peft import PeftConfig, PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is checked above, and raised
            if not isinstance(model, PeftModel):
                config = PeftConfig.from_pretrained(folder)
                config.inference_mode = not trainable
                model = PeftModel(model, config, adapter_name=name)
            told = model.load_adapter(folder, name, is_trainable=trainable, key_mapping=mapping)
            return model, told.missing_keys
    except Exception as error:  # peft, safetensors and the hub raise families of their own
        if sizes := _OTHER_SIZE.search(str(error)):
            layer, own, wanted = sizes.groups()
            raise ModelMissingError(
                f"The adapter {folder} does not fit this model: {layer} is {own}, here it would be "
                f"{wanted}.",
                next_step=f"It was made for {_name_base(find_files(folder))}; name that model, or "
                "another adapter.",
            ) from error
        raise ModelMissingError(
            f"The adapter {folder} cannot be loaded: {tell_first_line(error)}",
            next_step=f"Name a folder with {CONFIG} and {WEIGHTS} that was made for this model.",
        ) from error


def find_files(folder: str) -> Path:
    """The adapter's folder on this machine, also of one from the hub.

    Raises:
        ModelMissingError: If a file of it is missing.
    """
    found = {name: find_file(folder, name) for name in (CONFIG, WEIGHTS)}
    missing = [name for name, path in found.items() if path is None]
    weights = found[WEIGHTS]
    if missing or weights is None:
        held = sorted(Path(folder).glob(f"*/{CONFIG}"))
        one = held[-1].parent if held else "RUN/checkpoint-250"
        raise ModelMissingError(
            f"No {' and no '.join(missing)} in {folder}.",
            next_step=f"Name the folder of a LoRA adapter, e.g. {one}, or a hub id.",
        )
    return weights.parent


def _list_stored(folder: Path) -> set[str]:
    """The layers that an adapter changes, from the header of its file; no tensor is read."""
    from safetensors import SafetensorError, safe_open

    end = ".lora_B.weight"
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            names: list[str] = list(file.keys())
    except (SafetensorError, OSError) as error:
        raise ModelMissingError(
            f"{folder / WEIGHTS} is damaged: {error}.", next_step="Copy it again."
        ) from error
    return {name.removesuffix(end) for name in names if name.endswith(end)}


def _name_base(folder: Path) -> str:
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    return str(config.get("base_model_name_or_path") or "an unnamed model")
