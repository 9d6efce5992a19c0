"""The mean of several checkpoints' weights, as one checkpoint.

It reads at the price of one model. For checkpoints of one run, or of runs that went on from the
same weights: independent models lie in different basins, and their mean reads nothing.

Source: Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization".
The running statistics of batch norms are averaged like weights, not gathered anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from odia_ocr.errors import ModelMissingError
from odia_ocr.train.checkpoint import open_model, read_facts, save_weights
from odia_ocr.train.ctc_model import CtcModel
from odia_ocr.train.shares import find_shares


def average_checkpoints(
    paths: Sequence[Path], out: Path, *, weights: Sequence[float] | None = None
) -> Path:
    """Write the weighted mean of checkpoints, summed in double precision, stored in float16.

    Args:
        paths: .safetensors files with their JSON, all of one architecture; the last one's facts go
            into the new JSON.
        out: The .safetensors file to write; its folder is made.
        weights: How much each counts; None counts all alike.

    Returns:
        `out`.

    Raises:
        ModelMissingError: If a checkpoint is missing, or they are of different architectures.
        UsageError: Without checkpoints, or with weights that make no mean.
    """
    shares = find_shares(len(paths), weights, what="checkpoints")
    metas = [read_facts(path) for path in paths]
    for path, meta in zip(paths, metas, strict=True):
        if meta["architecture"] != metas[-1]["architecture"]:
            raise ModelMissingError(
                f"{path} and {paths[-1]} are of different architectures.",
                next_step="Average checkpoints of one run.",
            )
    model = average_models([open_model(path) for path in paths], shares)
    facts: dict[str, Any] = dict(metas[-1]["facts"])
    # What was measured is of one checkpoint, not of the mean.
    facts = {name: value for name, value in facts.items() if not name.startswith("cer_")}
    facts["averaged"] = [
        f"{path.name}: {share:.4g}" for path, share in zip(paths, shares, strict=True)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    save_weights(model, out, facts)
    return out


@torch.no_grad()
def average_models(models: Sequence[CtcModel], shares: Sequence[float]) -> CtcModel:
    """A new model whose weights and running statistics are the mean of others'.

    Args:
        models: Of one architecture.
        shares: Of each, with the sum one.
    """
    states = [model.state_dict() for model in models]
    mean: dict[str, Tensor] = {}
    for name, last in states[-1].items():
        if last.dtype.is_floating_point:
            parts = [
                share * state[name].double() for share, state in zip(shares, states, strict=True)
            ]
            mean[name] = torch.stack(parts).sum(0).to(last.dtype)
        else:  # how many batches a norm has seen
            mean[name] = last.clone()
    averaged = CtcModel(models[-1].architecture)
    averaged.load_state_dict(mean)
    return averaged.eval()
