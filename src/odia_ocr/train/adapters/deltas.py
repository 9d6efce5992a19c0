"""Arithmetic on `scaling * B A`, at the price of the small rank: never as a matrix of out x in.

With B = Qb Rb and A = (Qa Ra)' the product is Qb (Rb Ra') Qa', and all that matters of it, norms
and singular values, is in the small Rb Ra'. In double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from odia_ocr.train.adapters.stored import LoraLayer


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """Singular value decomposition of a delta: `left @ diag(values) @ right`.

    Attributes:
        left: (out, k), orthonormal columns.
        values: (k,), falling.
        right: (k, in), orthonormal rows.
    """

    left: Tensor
    values: Tensor
    right: Tensor

    @property
    def rank(self) -> int:
        """Values that single precision can tell from zero beside the largest."""
        least = float(self.values[0]) * torch.finfo(torch.float32).eps
        return max(1, int((self.values > least).sum())) if least else 1


def join_factors(parts: Sequence[tuple[float, LoraLayer]]) -> tuple[Tensor, Tensor]:
    """Factors (out, sum of ranks), (sum of ranks, in) of a weighted sum of deltas, float64."""
    up = torch.cat([share * layer.scaling * layer.up.double() for share, layer in parts], 1)
    return up, torch.cat([layer.down.double() for _, layer in parts], 0)


def decompose(up: Tensor, down: Tensor) -> Decomposition:
    """The singular values and vectors of `up @ down`."""
    left, left_core = torch.linalg.qr(up)
    right, right_core = torch.linalg.qr(down.T)
    inner, values, outer = torch.linalg.svd(left_core @ right_core.T, full_matrices=False)
    return Decomposition(left @ inner, values, outer @ right.T)


def measure_norm(up: Tensor, down: Tensor) -> float:
    """Frobenius norm of `up @ down`."""
    left, right = (torch.linalg.qr(part, mode="r").R for part in (up, down.T))
    return float(torch.linalg.matrix_norm(left @ right.T))


def measure_layer(layer: LoraLayer) -> float:
    """Frobenius norm of what a layer adds."""
    return measure_norm(*join_factors([(1.0, layer)]))


def compare_outputs(first: LoraLayer, second: LoraLayer, *, probes: int = 16) -> float:
    """Largest difference of what two layers add, for random inputs, beside the largest addition."""
    generator = torch.Generator().manual_seed(0)
    given = torch.randn(first.shape[1], probes, generator=generator, dtype=torch.float64)
    one, other = (
        layer.scaling * (layer.up.double() @ (layer.down.double() @ given))
        for layer in (first, second)
    )
    scale = float(one.abs().max())
    difference = float((one - other).abs().max())
    return difference / scale if scale else difference
