"""The exact weighted mean of adapters, as one adapter: it reads at the price of one.

PEFT's `add_weighted_adapter(combination_type="linear")` averages A and B apart. The product of the
means is not the mean of the products: K near-equal checkpoints weighted 1/K come out K times too
strong, because PEFT weights both factors by the square root. Here the factors are joined and cut by
a singular value decomposition, which is exact at the sum of the ranks, and nearest for its rank
below (Eckart and Young 1936).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from odia_ocr.errors import ModelMissingError
from odia_ocr.train.adapters.deltas import decompose, join_factors
from odia_ocr.train.adapters.replacing import replace_folder
from odia_ocr.train.adapters.stored import (
    Adapter,
    LoraLayer,
    describe_layers,
    read_adapter,
    require_plain,
    write_adapter,
)
from odia_ocr.train.shares import find_shares


@dataclass(frozen=True, slots=True)
class Average:
    """What averaging did.

    Attributes:
        shares: Of each adapter, with the sum one.
        rank: Of the mean.
        exact_rank: At which nothing is cut off.
        error: Norm of what was cut off, as a share of the norm of the whole mean; 0 when
            nothing was.
        worst_error: The same of the layer that lost most.
        worst_layer: Its name.
        layers: How many there are.
    """

    shares: tuple[float, ...]
    rank: int
    exact_rank: int
    error: float
    worst_error: float
    worst_layer: str
    layers: int


def average_adapters(
    folders: Sequence[Path],
    out: Path,
    *,
    weights: Sequence[float] | None = None,
    rank: int | None = None,
) -> Average:
    """Write the weighted mean of what adapters add, in float32.

    Args:
        folders: Adapters of one model on the same layers; their ranks may differ.
        out: Folder to write.
        weights: How much each counts; None counts all alike.
        rank: Largest rank of the mean; None takes the one at which nothing is lost.

    Raises:
        ModelMissingError: If an adapter cannot be read, or their layers differ.
        UsageError: With weights that make no mean, or for DoRA and adapters with whole weights.
        OutputError: If `out` cannot be written.
    """
    shares = find_shares(len(folders), weights, what="adapters")
    adapters = [read_adapter(folder) for folder in folders]
    for adapter in adapters:
        require_plain(adapter, step="averaged")
        _check_layers(adapters[0], adapter)
    means = [
        _average_layer(list(zip(shares, layers, strict=True)), rank)
        for layers in zip(*(adapter.layers for adapter in adapters), strict=True)
    ]
    layers = [mean.layer for mean in means]
    config = describe_layers(adapters[0].config, layers, rslora=False)
    config["lora_dropout"] = max(adapter.config.get("lora_dropout", 0.0) for adapter in adapters)
    told = ", ".join(
        f"{share:.4g} {folder.name}" for share, folder in zip(shares, folders, strict=True)
    )
    with replace_folder(out, sources=folders) as made:
        write_adapter(made, config, layers, settings=folders[0], history=f"mean of {told}")
    return _sum_up(tuple(shares), means)


@dataclass(frozen=True, slots=True, eq=False)
class _LayerMean:
    """The mean of one layer, the rank at which it is exact, its norm, and the norm of what was
    cut off."""

    layer: LoraLayer
    exact_rank: int
    norm: float
    lost: float

    @property
    def error(self) -> float:
        return self.lost / self.norm if self.norm else 0.0


def _average_layer(parts: Sequence[tuple[float, LoraLayer]], rank: int | None) -> _LayerMean:
    """The nearest layer of this rank; both factors share the singular values."""
    found = decompose(*join_factors(parts))
    kept = min(rank or found.rank, found.rank)
    root = found.values[:kept].sqrt()
    up, down = found.left[:, :kept] * root, root[:, None] * found.right[:kept]
    layer = LoraLayer(parts[0][1].name, down.float(), up.float(), 1.0)
    lost = float(found.values[kept:].norm()) if kept < found.rank else 0.0
    return _LayerMean(layer, found.rank, float(found.values.norm()), lost)


def _sum_up(shares: tuple[float, ...], means: Sequence[_LayerMean]) -> Average:
    worst = max(means, key=lambda mean: mean.error)
    lost = math.hypot(*(mean.lost for mean in means))
    whole = math.hypot(*(mean.norm for mean in means))
    return Average(
        shares=shares,
        rank=max(mean.layer.rank for mean in means),
        exact_rank=max(mean.exact_rank for mean in means),
        error=lost / whole if whole else 0.0,
        worst_error=worst.error,
        worst_layer=worst.layer.name,
        layers=len(means),
    )


def _check_layers(first: Adapter, other: Adapter) -> None:
    """Refuse adapters that do not change the same weights."""
    shapes, others = ({x.name: x.shape for x in adapter.layers} for adapter in (first, other))
    for name in sorted(shapes.keys() ^ others.keys()):
        holder, lacking = (first, other) if name in shapes else (other, first)
        raise ModelMissingError(
            f"{holder.folder} changes the layer {name}, {lacking.folder} does not.",
            next_step="Average adapters that were trained with the same target_modules.",
        )
    for name, shape in shapes.items():
        if others[name] != shape:
            raise ModelMissingError(
                f"Layer {name} is {shape[0]} x {shape[1]} in {first.folder}, but "
                f"{others[name][0]} x {others[name][1]} in {other.folder}.",
                next_step="Average adapters of one model.",
            )
