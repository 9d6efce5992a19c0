"""What an adapter is, layer by layer, and whether it fits a model: from files, nothing is built."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odia_ocr.recognize.vlm.adapters import WEIGHTS
from odia_ocr.recognize.vlm.opening import find_source
from odia_ocr.train.adapters.deltas import measure_layer
from odia_ocr.train.adapters.model_files import find_misfits, find_model_folder, read_weights
from odia_ocr.train.adapters.stored import Adapter, LoraLayer, read_adapter


@dataclass(frozen=True, slots=True)
class LayerReport:
    """One layer.

    Attributes:
        name: In the model.
        rank: Of the change.
        scaling: Factor of B A.
        out_size: Rows of the weight.
        in_size: Columns of the weight.
        norm: Frobenius norm of what is added to the weight.
        dead: B is all zero: the layer changes nothing.
        dora: It has DoRA magnitudes.
    """

    name: str
    rank: int
    scaling: float
    out_size: int
    in_size: int
    norm: float
    dead: bool
    dora: bool


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """An adapter.

    Attributes:
        folder: Where it is.
        rank: As configured for most layers.
        alpha: As configured for most layers.
        rslora: Scaling is alpha / sqrt(rank), not alpha / rank.
        dora: Any layer has DoRA magnitudes.
        targets: Layers aimed at, by the last part of their names: (name, count).
        layers: All of them.
        others: Names of what is stored beside them.
        variants: Settings that make it more than LoRA or DoRA.
        dtypes: Kinds of numbers, e.g. "float32".
        size: Of the weights' file, in bytes.
        old_names: Its names are of transformers < 4.52.
        history: How it came about; empty when it was trained.
        named_base: The model that it says it was made for; may be empty.
        checked_base: The model that it was held against; None when none was at hand.
        misfits: What does not fit that model.
    """

    folder: str
    rank: int
    alpha: float
    rslora: bool
    dora: bool
    targets: tuple[tuple[str, int], ...]
    layers: tuple[LayerReport, ...]
    others: tuple[str, ...]
    variants: tuple[str, ...]
    dtypes: tuple[str, ...]
    size: int
    old_names: bool
    history: str
    named_base: str
    checked_base: str | None
    misfits: tuple[str, ...]

    @property
    def dead(self) -> int:
        """Layers that change nothing."""
        return sum(layer.dead for layer in self.layers)

    @property
    def fits(self) -> bool | None:
        """Whether it fits the model; None when none was at hand."""
        return None if self.checked_base is None else not self.misfits


def inspect_adapter(folder: Path, *, base: str | None = None) -> AdapterReport:
    """Look at an adapter.

    Args:
        folder: The adapter.
        base: Model to hold it against; None takes the one it names, if that is a folder here.

    Raises:
        ModelMissingError: If the adapter or the named model is missing or damaged.
    """
    adapter = read_adapter(folder)
    if base is None and adapter.base_name and Path(find_source(adapter.base_name)).is_dir():
        base = adapter.base_name
    misfits: list[str] = []
    if base is not None:
        model = find_model_folder(base, download=False)
        misfits = find_misfits(adapter.layers, read_weights(model))
    tensors = [part for layer in adapter.layers for part in (layer.down, layer.up)]
    tensors += adapter.others.values()
    return AdapterReport(
        folder=str(folder),
        rank=adapter.config["r"],
        alpha=adapter.config["lora_alpha"],
        rslora=bool(adapter.config.get("use_rslora")),
        dora=adapter.dora,
        targets=_count_targets(adapter),
        layers=tuple(map(_report_layer, adapter.layers)),
        others=tuple(adapter.others),
        variants=tuple(adapter.variants),
        dtypes=tuple(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors})),
        size=(folder / WEIGHTS).stat().st_size,
        old_names=adapter.renamed,
        history=adapter.history,
        named_base=adapter.base_name,
        checked_base=base,
        misfits=tuple(misfits),
    )


def record_report(report: AdapterReport) -> dict[str, Any]:
    """A report as plain values for JSON."""
    from dataclasses import asdict

    targets = dict(report.targets)
    return {**asdict(report), "targets": targets, "dead": report.dead, "fits": report.fits}


def _report_layer(layer: LoraLayer) -> LayerReport:
    return LayerReport(
        layer.name,
        layer.rank,
        layer.scaling,
        *layer.shape,
        measure_layer(layer),
        not layer.up.any(),
        layer.magnitude is not None,
    )


def _count_targets(adapter: Adapter) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(layer.name.rsplit(".", 1)[-1] for layer in adapter.layers).items())
