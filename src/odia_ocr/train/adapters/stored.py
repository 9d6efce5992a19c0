"""An adapter as PEFT stores it: a folder with a configuration and tensors. Knows no model.

Names of layers are those of today, also for adapters saved with transformers < 4.52; what is
written has them too. Variants of LoRA that are more than `scaling * B A` beside a weight are read,
and told apart, so that a step can refuse them.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from odia_ocr.errors import ModelMissingError, UsageError
from odia_ocr.recognize.vlm.adapters import CONFIG, PREFIX, WEIGHTS, find_files, rename_part
from odia_ocr.recognize.vlm.settings import FILE_NAME as SETTINGS

HISTORY = "made"  # in the header of the tensors: how an adapter or model came about
_LORA = re.compile(r"(.+)\.(lora_A\.weight|lora_B\.weight|lora_magnitude_vector(?:\.weight)?)")
# Ways to begin that change the base as well: such an adapter is nothing without the changed base.
_CHANGES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga", "mica")
_VARIANTS = (
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_qalora",
    "velora_config",
)
_PATTERNS = ("rank_pattern", "alpha_pattern")


@dataclass(frozen=True, slots=True, eq=False)
class LoraLayer:
    """What an adapter adds to one layer: `scaling * up @ down`.

    Attributes:
        name: Of the layer in the model.
        down: LoRA's A (rank, in).
        up: LoRA's B (out, rank).
        scaling: Factor of the product.
        magnitude: DoRA's lengths of the weight's rows (out,); None without DoRA.
    """

    name: str
    down: Tensor
    up: Tensor
    scaling: float
    magnitude: Tensor | None = None

    @property
    def rank(self) -> int:
        """Rows of `down`."""
        return len(self.down)

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in) of the weight it changes."""
        return len(self.up), self.down.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """An adapter that was read.

    Attributes:
        folder: Where from.
        config: Its adapter_config.json.
        layers: In the order of their names.
        others: What else it holds, by present name: whole weights, biases, embeddings.
        renamed: Whether its names were of transformers < 4.52.
        history: How it came about; empty when it was trained.
    """

    folder: Path
    config: dict[str, Any]
    layers: tuple[LoraLayer, ...]
    others: dict[str, Tensor]
    renamed: bool
    history: str

    @property
    def rank(self) -> int:
        """The largest of its layers."""
        return max(layer.rank for layer in self.layers)

    @property
    def dora(self) -> bool:
        """Whether any of its layers has magnitudes."""
        return any(layer.magnitude is not None for layer in self.layers)

    @property
    def base_name(self) -> str:
        """The model that its configuration names; may be empty."""
        return str(self.config.get("base_model_name_or_path") or "")

    @property
    def variants(self) -> list[str]:
        """Settings that make it more than plain LoRA or DoRA, e.g. "init_lora_weights=pissa"."""
        found = [name for name in _VARIANTS if self.config.get(name)]
        begun = str(self.config.get("init_lora_weights", True)).lower()
        if begun.startswith(_CHANGES_BASE):
            found.append(f"init_lora_weights={begun}")
        return found


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter.

    Raises:
        ModelMissingError: If it is missing, damaged, no LoRA, or its parts contradict each other.
    """
    from safetensors import SafetensorError, safe_open

    if not folder.is_dir():
        raise ModelMissingError(
            f"No folder {folder}.", next_step="Name the folder of a LoRA adapter on this machine."
        )
    find_files(str(folder))
    config = _read_config(folder / CONFIG)
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            stored = {key.removeprefix(PREFIX): file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            history = str((file.metadata() or {}).get(HISTORY, ""))
    except (SafetensorError, OSError) as error:
        raise _refuse(folder / WEIGHTS, f"is damaged: {error}") from error
    parts: dict[str, dict[str, Tensor]] = {}
    others = {}
    for key, tensor in stored.items():
        found = _LORA.fullmatch(key)
        if found is None or (tensor.dim() != 2 and "_magnitude_" not in key):
            others[rename_part(key)] = tensor
        else:
            parts.setdefault(found[1], {})[found[2].split(".")[0]] = tensor
    if not parts:
        raise _refuse(folder / WEIGHTS, "holds no LoRA layers")
    layers = [_join(folder, name, part, config) for name, part in parts.items()]
    renamed = any(rename_part(key) != key for key in stored)
    ordered = tuple(sorted(layers, key=lambda layer: layer.name))
    return Adapter(folder, config, ordered, others, renamed, history)


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        sound = (
            config["peft_type"] == "LORA"
            and config["r"] > 0
            and math.isfinite(config["lora_alpha"])
            and all(isinstance(config.get(key) or {}, dict) for key in _PATTERNS)
        )
    except (OSError, ValueError) as error:
        raise _refuse(path, f"is damaged: {error}") from error
    except (KeyError, TypeError) as error:
        raise _refuse(path, f"describes no LoRA adapter: {error}") from error
    if not sound:
        shown = ", ".join(f"{key} {config[key]!r}" for key in ("peft_type", "r", "lora_alpha"))
        raise _refuse(path, f"describes no LoRA adapter: {shown}")
    found: dict[str, Any] = config
    return found


def _join(
    folder: Path, name: str, parts: Mapping[str, Tensor], config: Mapping[str, Any]
) -> LoraLayer:
    """A layer of its tensors, checked against each other and the configuration."""
    path = folder / WEIGHTS
    down, up = parts.get("lora_A"), parts.get("lora_B")
    if down is None or up is None:
        raise _refuse(path, f"holds only {', '.join(parts)} of layer {name}")
    rank = _find_value(config, "rank_pattern", name, config["r"])
    if not len(down) == up.shape[1] == rank:
        raise _refuse(
            path,
            f"has shapes {tuple(down.shape)} and {tuple(up.shape)} in layer {name}, but "
            f"{CONFIG} says rank {rank}",
        )
    magnitude = parts.get("lora_magnitude_vector")
    if bool(config.get("use_dora")) != (magnitude is not None):
        has, says = ("no", "DoRA") if magnitude is None else ("DoRA", "no DoRA")
        raise _refuse(path, f"has {has} magnitudes in layer {name}, but {CONFIG} says {says}")
    if any(not torch.isfinite(part).all() for part in parts.values()):
        raise _refuse(path, f"holds values that are not finite in layer {name}")
    alpha = _find_value(config, "alpha_pattern", name, config["lora_alpha"])
    scaling = alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
    return LoraLayer(rename_part(name), down, up, scaling, magnitude)


def _find_value(config: Mapping[str, Any], pattern: str, name: str, default: Any) -> Any:
    """A layer's own value, where a pattern gives one; as PEFT finds it."""
    for key, value in (config.get(pattern) or {}).items():
        if re.match(rf"(.*\.)?({key})$", name):
            return value
    return default


def _refuse(path: Path, what: str) -> ModelMissingError:
    return ModelMissingError(
        f"{path} {what}.", next_step="Copy it again, or name another LoRA adapter saved by PEFT."
    )


def require_plain(adapter: Adapter, *, step: str, dora: bool = False, whole: bool = False) -> None:
    """Refuse what a step cannot do rightly.

    Args:
        adapter: To look at.
        step: What is to be done, e.g. "grown".
        dora: DoRA is allowed.
        whole: Whole weights beside the layers are allowed.

    Raises:
        UsageError: Naming what stands in the way.
    """
    found = adapter.variants
    if adapter.dora and not dora:
        found.append("DoRA magnitudes")
    found += [name for name in adapter.others if not whole or ".lora_" in name]
    if not found:
        return
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    advice = "Merge it with PEFT's merge_and_unload."
    if any(name.startswith("init_lora_weights") for name in found):
        advice = (
            "It belongs to a base that was changed when training began; save it again with "
            "save_pretrained(path_initial_model_for_weight_conversion=...)."
        )
    elif adapter.dora and not dora:
        advice = "Merge it: odia-ocr adapters merge."
    raise UsageError(
        f"{adapter.folder} cannot be {step}: it has {', '.join(found[:3])}{more}.",
        next_step=advice,
    )


def describe_layers(
    config: Mapping[str, Any], layers: Sequence[LoraLayer], *, rslora: bool
) -> dict[str, Any]:
    """A configuration that gives each layer its rank and scaling, and aims at no other layer."""
    ranks = {layer.name: layer.rank for layer in layers}
    alphas = {
        layer.name: _tidy(layer.scaling * (math.sqrt(layer.rank) if rslora else layer.rank))
        for layer in layers
    }
    rank, alpha = (Counter(values.values()).most_common(1)[0][0] for values in (ranks, alphas))
    return {
        **config,
        "r": rank,
        "lora_alpha": alpha,
        "use_rslora": rslora,
        "rank_pattern": {name: value for name, value in ranks.items() if value != rank},
        "alpha_pattern": {name: value for name, value in alphas.items() if value != alpha},
        "target_modules": _aim(config, sorted(ranks)),
        "init_lora_weights": True,
        "inference_mode": True,
    }


def _tidy(alpha: float) -> float:
    """A whole number where it is one but for rounding."""
    return round(alpha) if math.isclose(alpha, round(alpha), rel_tol=1e-12) else alpha


def _aim(config: Mapping[str, Any], names: list[str]) -> Any:
    """`target_modules` as they are if they mean the present names, else the names themselves."""
    target = config.get("target_modules")
    if isinstance(target, str):
        return target if all(re.fullmatch(target, name) for name in names) else names
    if isinstance(target, list) and target:
        ends = tuple(f".{part}" for part in target)
        return target if all(f".{name}".endswith(ends) for name in names) else names
    return names


def write_adapter(
    out: Path,
    config: Mapping[str, Any],
    layers: Sequence[LoraLayer],
    *,
    others: Mapping[str, Tensor] | None = None,
    settings: Path,
    history: str,
) -> None:
    """Write an adapter into a folder that is there.

    Args:
        out: The folder.
        config: As `describe_layers` made it.
        layers: All of its layers.
        others: Whole weights that belong to it.
        settings: Folder of the adapter whose reading settings are copied, if it has some.
        history: How it came about, for `odia-ocr adapters inspect`.
    """
    from safetensors.torch import save_file

    tensors = {f"{PREFIX}{name}": tensor for name, tensor in (others or {}).items()}
    for layer in layers:
        tensors[f"{PREFIX}{layer.name}.lora_A.weight"] = layer.down
        tensors[f"{PREFIX}{layer.name}.lora_B.weight"] = layer.up
        if layer.magnitude is not None:
            tensors[f"{PREFIX}{layer.name}.lora_magnitude_vector"] = layer.magnitude
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, out / WEIGHTS, metadata={"format": "pt", HISTORY: history})
    text = json.dumps(config, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
    (out / CONFIG).write_text(text, encoding="utf-8")
    if (settings / SETTINGS).is_file():
        shutil.copyfile(settings / SETTINGS, out / SETTINGS)
