"""A larger rank with the same outputs, so that training goes on with more room.

New columns of B are zero, so nothing is added; new rows of A are random, so that these columns
learn from the first step on. Alpha grows with the rank, so the scaling stays. (PEFT's
`add_weighted_adapter` does not grow: of one source it ignores the rank.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from odia_ocr.errors import ModelMissingError, UsageError
from odia_ocr.train.adapters.deltas import compare_outputs
from odia_ocr.train.adapters.replacing import replace_folder
from odia_ocr.train.adapters.stored import (
    Adapter,
    LoraLayer,
    describe_layers,
    read_adapter,
    require_plain,
    write_adapter,
)

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Growth:
    """What growing did.

    Attributes:
        before: Smallest and largest rank before.
        rank: Of all layers now.
        alpha: Of most layers now.
        layers: How many there are.
        difference: Largest difference of the outputs of a layer, as a share of its largest output.
    """

    before: tuple[int, int]
    rank: int
    alpha: float
    layers: int
    difference: float


def grow_adapter(folder: Path, out: Path, *, rank: int, seed: int = 0) -> Growth:
    """Write an adapter of a larger rank that adds the same.

    Args:
        folder: The adapter.
        out: Folder to write.
        rank: The new one, of all layers.
        seed: Of the new rows of A.

    Raises:
        ModelMissingError: If the adapter cannot be read, or what was written adds something else.
        UsageError: If the rank is not larger, or the adapter is of a kind that cannot grow.
        OutputError: If `out` cannot be written.
    """
    adapter = read_adapter(folder)
    require_plain(adapter, step="grown", dora=True, whole=True)
    ranks = [layer.rank for layer in adapter.layers]
    if rank < max(ranks) or rank == min(ranks):
        raise UsageError(
            f"{folder} has rank {max(ranks)}; {rank} is not larger.",
            next_step=f"Give a larger one, e.g. --rank {2 * max(ranks)}.",
        )
    generator = torch.Generator().manual_seed(seed)
    layers = [_widen(layer, rank, generator) for layer in adapter.layers]
    rslora = bool(adapter.config.get("use_rslora"))
    config = describe_layers(adapter.config, layers, rslora=rslora)
    with replace_folder(out, sources=[folder]) as made:
        write_adapter(
            made,
            config,
            layers,
            others=adapter.others,
            settings=folder,
            history=f"grown from {folder.name}, rank {_show(ranks)} to {rank}, seed {seed}",
        )
        difference = _compare(adapter, read_adapter(made))
        if not difference <= _TOLERANCE:
            raise ModelMissingError(
                f"The grown adapter differs by {difference:.2g} of its outputs.",
                next_step="This is a fault of the program; please report it with the adapter.",
            )
    return Growth((min(ranks), max(ranks)), rank, config["lora_alpha"], len(layers), difference)


def _widen(layer: LoraLayer, rank: int, generator: torch.Generator) -> LoraLayer:
    """The layer with more rows of A, drawn as PEFT draws them, and columns of zeros in B."""
    missing, width = rank - layer.rank, layer.shape[1]
    bound = width**-0.5
    drawn = torch.rand(missing, width, generator=generator) * 2 * bound - bound
    return replace(
        layer,
        down=torch.cat([layer.down, drawn.to(layer.down.dtype)]),
        up=torch.cat([layer.up, layer.up.new_zeros(len(layer.up), missing)], 1),
    )


def _compare(before: Adapter, after: Adapter) -> float:
    pairs = zip(before.layers, after.layers, strict=True)
    return max(compare_outputs(one, other) for one, other in pairs)


def _show(ranks: list[int]) -> str:
    return str(ranks[0]) if min(ranks) == max(ranks) else f"{min(ranks)}..{max(ranks)}"
