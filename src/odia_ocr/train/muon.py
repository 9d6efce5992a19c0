"""Muon: momentum whose matrix is made orthogonal before each step, for the weight matrices.

All directions of a weight matrix then move by the same amount, the rare ones as well. Vectors, the
output layer, embeddings and depthwise filters go to AdamW. Knows nothing of data or of what is
trained.

Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the scale of
a step, with which rates of AdamW can be kept, from Liu et al. 2025 (arXiv 2502.16982), section 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

# Coefficients of the quintic Newton-Schulz iteration; it brings singular values into 0.7 .. 1.2.
_QUINTIC = (3.4445, -4.7750, 2.0315)
_RMS = 0.2  # of an update by AdamW


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Bring the singular values of each matrix (n, rows, columns) close to one.

    Args:
        matrices: A batch of matrices of one shape.
        steps: Iterations.

    Returns:
        bfloat16 of the same shape.
    """
    a, b, c = _QUINTIC
    x = matrices.bfloat16()
    tall = x.shape[-2] > x.shape[-1]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    made: Tensor = x.mT if tall else x
    return made


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum.

    Args:
        groups: Each with `params` and `parts`: into how many matrices the rows of a weight fall (an
            LSTM stacks the matrices of its four gates). Filters (out, in, h, w) count as
            (out, in * h * w).
        lr: Rate, comparable with AdamW's.
        momentum: Decay of the running mean of gradients.
        weight_decay: Decoupled, as AdamW's.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        *,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "parts": 1}
        super().__init__(groups, defaults)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move all weights that have a gradient; closures are not called."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight, memory_format=torch.contiguous_format)
        mean = state["momentum"]
        gradient = weight.grad.contiguous()  # type: ignore[union-attr]
        mean.lerp_(gradient, 1 - group["momentum"])
        ahead = gradient.lerp(mean, group["momentum"])  # Nesterov
        rows = weight.shape[0] // group["parts"]
        update = orthogonalise(ahead.reshape(group["parts"], rows, -1)).to(weight.dtype)
        scale = float(_RMS * max(update.shape[-2:]) ** 0.5)
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(update.reshape(weight.shape), alpha=-group["lr"] * scale)


def make_optimizers(
    model: nn.Module, *, kind: str, rate: float, decay: float
) -> tuple[torch.optim.Optimizer, ...]:
    """AdamW for everything, or Muon for the hidden matrices and AdamW for the rest.

    Args:
        model: Its output layer is called `head`.
        kind: "adamw" or "muon".
        rate: Learning rate.
        decay: Weight decay.
    """
    if kind == "adamw":
        rest = list(model.parameters())
        return (torch.optim.AdamW(rest, rate, weight_decay=decay, fused=True),)
    groups: list[dict[str, Any]] = []
    rest = []
    gates = {id(p) for m in model.modules() if isinstance(m, nn.LSTM) for p in m.parameters()}
    tables = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    for name, weight in model.named_parameters():
        depthwise = weight.ndim == 4 and weight.shape[1] == 1
        kept_out = depthwise or id(weight) in tables or name.startswith("head.")
        if weight.ndim >= 2 and not kept_out:
            groups.append({"params": [weight], "parts": 4 if id(weight) in gates else 1})
        else:
            rest.append(weight)
    return (
        Muon(groups, rate, weight_decay=decay),
        torch.optim.AdamW(rest, rate, weight_decay=decay, fused=True),
    )
