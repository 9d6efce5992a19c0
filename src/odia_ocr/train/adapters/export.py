"""An adapter as a server takes it: as an adapter where it takes adapters, else merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import torch

from odia_ocr.errors import UsageError, name_choices
from odia_ocr.recognize.vlm.opening import find_source
from odia_ocr.recognize.vlm.settings import VlmSettings, read_vlm_settings
from odia_ocr.train.adapters.merge import Merge, check_fit, merge_adapter
from odia_ocr.train.adapters.replacing import replace_folder
from odia_ocr.train.adapters.serving import (
    VLLM_RANKS,
    Server,
    Serving,
    serve_adapter_by_vllm,
    serve_by_llama_cpp,
    serve_by_transformers,
    serve_model_by_vllm,
)
from odia_ocr.train.adapters.stored import (
    Adapter,
    LoraLayer,
    describe_layers,
    read_adapter,
    write_adapter,
)


@dataclass(frozen=True, slots=True)
class Export:
    """What was exported.

    Attributes:
        serving: How to serve it.
        reason: Why it was merged although the server takes adapters; empty when it was not.
        merge: What merging did; None for an adapter.
    """

    serving: Serving
    reason: str
    merge: Merge | None


def export_adapter(
    folder: Path, out: Path, *, server: str, base: str | None = None, check: bool = True
) -> Export:
    """Write what a server needs, and SERVING.md with the commands that start it.

    Args:
        folder: The adapter.
        out: Folder to write.
        server: "vllm", "llama.cpp" or "transformers".
        base: The model; None takes the one that the adapter names.
        check: Hold a merged model against model and adapter.

    Raises:
        UsageError: If the server is unknown, or no model is named.
        ModelMissingError: If something is missing, damaged or does not fit.
        OutputError: If `out` cannot be written.
    """
    if server not in get_args(Server):
        raise name_choices(server, list(get_args(Server)), kind="server")
    adapter = read_adapter(folder)
    base = base or adapter.base_name
    if not base:
        raise UsageError(f"{folder} names no model.", next_step="Name it with --base.")
    settings = _find_settings(folder, base)
    reason = _find_obstacle(adapter) if server == "vllm" else ""
    if server == "vllm" and not reason:
        return Export(_export_for_vllm(adapter, base, out, settings), "", None)
    merge = merge_adapter(base, folder, out, check=check)
    if server == "vllm":
        serving = serve_model_by_vllm(out.resolve(), settings)
    elif server == "llama.cpp":
        serving = serve_by_llama_cpp(out.resolve(), settings)
    else:
        serving = serve_by_transformers(out.resolve())
    serving.write(out)
    return Export(serving, reason, merge)


def _find_settings(folder: Path, base: str) -> VlmSettings:
    found = read_vlm_settings(folder) or read_vlm_settings(Path(find_source(base)))
    return found or VlmSettings()


def _find_obstacle(adapter: Adapter) -> str:
    """What vLLM would not take in an adapter; empty when it takes it."""
    if adapter.dora:
        return "vLLM knows no DoRA"
    if adapter.rank > VLLM_RANKS[-1]:
        return f"vLLM takes ranks up to {VLLM_RANKS[-1]}, this is {adapter.rank}"
    if adapter.others or adapter.variants:
        return "vLLM takes plain LoRA only"
    return ""


def _export_for_vllm(adapter: Adapter, base: str, out: Path, settings: VlmSettings) -> Serving:
    if Path(find_source(base)).is_dir():
        check_fit(adapter, Path(find_source(base)))
    layers = even_out(adapter.layers)
    even = layers is adapter.layers
    rslora = even and bool(adapter.config.get("use_rslora"))
    serving = serve_adapter_by_vllm(
        find_source(base),  # it knows no "tiny"
        out.resolve(),
        settings,
        rank=layers[0].rank,
        sight=any("visual." in layer.name for layer in layers),
    )
    config = describe_layers(adapter.config, layers, rslora=rslora)
    config["base_model_name_or_path"] = base
    with replace_folder(out, sources=[adapter.folder]) as made:
        write_adapter(
            made,
            config,
            layers,
            settings=adapter.folder,
            history=adapter.history or f"{adapter.folder.name} for vLLM",
        )
        settings.save(made)
        serving.write(made)
    return serving


def even_out(layers: Sequence[LoraLayer]) -> Sequence[LoraLayer]:
    """The same layers when all have one rank and scaling, else with one rank and the scaling 1.

    vLLM reads one alpha for all layers; a scaling of their own goes into B, in float32.
    """
    rank = max(layer.rank for layer in layers)
    if all((x.rank, x.scaling) == (rank, layers[0].scaling) for x in layers):
        return layers
    return tuple(_even(layer, rank) for layer in layers)


def _even(layer: LoraLayer, rank: int) -> LoraLayer:
    missing = rank - layer.rank
    pad = torch.nn.functional.pad
    up = pad(layer.up.float() * layer.scaling, (0, missing))
    return replace(layer, down=pad(layer.down.float(), (0, 0, 0, missing)), up=up, scaling=1.0)
