"""How a run's rate rises and falls, and the running mean of its weights that is kept."""

from __future__ import annotations

import math

import torch
from torch import nn

from odia_ocr.train.run_config import RunConfig


def rate_at(config: RunConfig, step: int) -> float:
    """Linear warm-up, a plateau, then a cosine to one percent over the last share of the steps.

    On the plateau a run can be given more or fewer steps with `resume` and nothing jumps.
    """
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    left = 1 - min(1.0, step / config.steps)
    if left > config.cooldown:
        return config.rate
    return config.rate * (0.01 + 0.99 * 0.5 * (1 - math.cos(math.pi * left / config.cooldown)))


@torch.no_grad()
def smooth(target: nn.Module, source: nn.Module, step: int, decay: float) -> None:
    """Move the running mean of the weights; early on it follows fast."""
    keep = min(decay, (1 + step) / (10 + step))
    for mean, value in zip(target.state_dict().values(), source.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)
