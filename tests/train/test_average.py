"""The mean of checkpoints: exact, statistics included, refused where it makes no sense."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from odia_ocr.errors import ModelMissingError, UsageError  # noqa: E402
from odia_ocr.train.average import average_checkpoints, average_models  # noqa: E402
from odia_ocr.train.checkpoint import open_model, save_weights  # noqa: E402
from odia_ocr.train.ctc_model import CtcArchitecture, CtcModel  # noqa: E402

TINY = CtcArchitecture(channels=(4, 8, 8, 8), blocks=(1, 0), width=12, hidden=8, layers=1)


def make_model(seed: int, architecture: CtcArchitecture = TINY) -> CtcModel:
    """Weights by chance; running statistics that differ from where they begin."""
    torch.manual_seed(seed)
    model = CtcModel(architecture)
    for name, value in model.state_dict().items():
        if "running" in name:
            value.copy_(torch.rand_like(value) + 0.5)
    return model.eval()


def write(folder: Path, seed: int, architecture: CtcArchitecture = TINY) -> Path:
    path = folder / f"checkpoint-{seed}.safetensors"
    save_weights(make_model(seed, architecture), path, {"step": seed, "cer_clean": 0.5})
    return path


def test_the_mean_of_equals_is_the_very_same(tmp_path: Path) -> None:
    path = write(tmp_path, 1)
    mean = open_model(average_checkpoints([path] * 3, tmp_path / "new" / "mean.safetensors"))
    for name, value in open_model(path).state_dict().items():
        assert torch.equal(mean.state_dict()[name], value), name


def test_every_weight_and_statistic_is_the_weighted_mean(tmp_path: Path) -> None:
    paths = [write(tmp_path, seed) for seed in (1, 2, 3)]
    out = average_checkpoints(paths, tmp_path / "mean.safetensors", weights=[1, 1, 2])
    states = [open_model(path).state_dict() for path in paths]
    mean = open_model(out).state_dict()
    moved = set()
    for name, value in mean.items():
        if not value.dtype.is_floating_point:
            continue
        wanted = 0.25 * states[0][name] + 0.25 * states[1][name] + 0.5 * states[2][name]
        assert torch.allclose(value, wanted, rtol=1e-3, atol=1e-4), name  # stored in float16
        if not torch.equal(value, states[2][name]):
            moved.add(name.rsplit(".", 1)[-1])
    assert {"weight", "bias", "running_mean", "running_var"} <= moved


def test_sums_are_exact_before_they_are_stored() -> None:
    models = [make_model(seed) for seed in range(7)]
    mean = average_models(models, [1 / 7] * 7).state_dict()
    name = "features.0.0.weight"
    wanted = sum(model.state_dict()[name].double() for model in models) / 7
    assert torch.equal(mean[name], wanted.float())
    assert not average_models(models, [1 / 7] * 7).training


def test_facts_name_the_members_and_hold_no_rate_of_one_of_them(tmp_path: Path) -> None:
    paths = [write(tmp_path, seed) for seed in (1, 2)]
    out = average_checkpoints(paths, tmp_path / "mean.safetensors")
    facts = json.loads(out.with_suffix(".json").read_text("utf-8"))["facts"]
    assert facts["step"] == 2
    assert "cer_clean" not in facts
    assert facts["averaged"] == ["checkpoint-1.safetensors: 0.5", "checkpoint-2.safetensors: 0.5"]


def test_what_makes_no_mean_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "mean.safetensors"
    paths = [write(tmp_path, 1), write(tmp_path, 2, replace(TINY, hidden=10))]
    with pytest.raises(ModelMissingError, match="different architectures"):
        average_checkpoints(paths, out)
    with pytest.raises(ModelMissingError, match="No weights"):
        average_checkpoints([tmp_path / "none.safetensors"], out)
    with pytest.raises(UsageError, match="No checkpoints"):
        average_checkpoints([], out)
    for weights, message in (([1.0], "1 weights for 2"), ([0.0, 0.0], "not all"), ([2, -1], "not")):
        with pytest.raises(UsageError, match=message):
            average_checkpoints([paths[0]] * 2, out, weights=weights)
    assert not out.exists()
