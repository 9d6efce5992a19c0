"""Adapters of one base side by side: their rows go through each layer in two multiplications.

The rows of a batch are copies of the same lines, copy after copy, one copy for each adapter. PEFT's
own mixed batches take the adapters of a layer in turn, and leave their marks on a model when they
fail; here the low-rank weights are stacked once, and layers compute with them as long as asked to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any

import torch
from torch import Tensor

from odia_ocr.recognize.vlm.adapters import list_layers


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """A layer with the weights of all adapters.

    Attributes:
        layer: PEFT's layer around the base's.
        down: (adapters, in, rank).
        up: (adapters, rank, out), scaled.
    """

    layer: Any
    down: Tensor
    up: Tensor

    def forward(self, _: Any, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The base's output (adapters * B, ..., out) and each copy's own update."""
        made: Tensor = self.layer.base_layer(x, *args, **kwargs)
        copies = x.to(self.down.dtype).reshape(len(self.down), -1, x.shape[-1])
        update = torch.bmm(torch.bmm(copies, self.down), self.up)
        return made + update.reshape(made.shape).to(made.dtype)


class StackedAdapters:
    """The adapters of a model, stacked layer by layer."""

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        layers: dict[str, Any] = {}
        for name in names:
            layers.update(list_layers(model, name))
        self._stacks = [_stack(layer, names) for layer in layers.values()]

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let all layers compute with all adapters, each for its own copy of the rows."""
        for stack in self._stacks:
            stack.layer.forward = MethodType(stack.forward, stack.layer)
        try:
            yield
        finally:
            for stack in self._stacks:
                del stack.layer.forward


def _stack(layer: Any, names: Sequence[str]) -> _Stack:
    """Ranks may differ, and an adapter may leave the layer alone: what lacks is zero."""
    held = [name for name in names if name in layer.lora_A]
    rank = max(layer.lora_A[name].weight.shape[0] for name in held)
    first_down, first_up = layer.lora_A[held[0]].weight, layer.lora_B[held[0]].weight
    down = first_down.new_zeros(len(names), first_down.shape[1], rank)
    up = first_up.new_zeros(len(names), rank, first_up.shape[0])
    with torch.no_grad():
        for i, name in enumerate(names):
            if name in layer.lora_A:
                own = layer.lora_A[name].weight
                down[i, :, : len(own)] = own.T
                up[i, : len(own)] = layer.lora_B[name].weight.T * layer.scaling[name]
    return _Stack(layer, down, up)
