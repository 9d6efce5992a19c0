"""`odia-ocr adapters average`: the mean of what adapters add, beside PEFT's ways to combine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tiny_adapters import change_tensors, find_logits, open_with_peft, read_deltas

KEY = "base_model.model.model.language_model.layers.1.mlp.down_proj"


def _mean(folders, shares) -> dict[str, torch.Tensor]:
    deltas = [read_deltas(folder) for folder in folders]
    return {
        name: sum(share * delta[name] for share, delta in zip(shares, deltas, strict=True))
        for name in deltas[0]
    }


@pytest.mark.parametrize(
    ("kinds", "weights", "rank"),
    [
        (("plain", "other"), None, 6),
        (("plain", "other"), "3,1", 6),
        (("patterns", "rslora", "other"), "1,1,2", 10),
        (("plain",), None, 4),
    ],
)
def test_the_exact_mean(run, adapter, base: Path, kinds, weights, rank: int) -> None:
    folders = [adapter(kind) for kind in kinds]
    given = [float(part) for part in (weights or ",".join("1" * len(kinds))).split(",")]
    shares = [part / sum(given) for part in given]
    options = ["--weights", weights] if weights else []
    code, out, _ = run("average", *folders, "-o", "mean", *options)
    assert code == 0
    assert "the mean is exact" in out
    assert f"{shares[0]:.4f}  {folders[0]}" in out
    found, wanted = read_deltas(Path("mean")), _mean(folders, shares)
    assert found.keys() == wanted.keys()
    for name, delta in wanted.items():
        assert (found[name] - delta).norm() < 1e-6 * delta.norm()
    told = json.loads(run("inspect", "mean", "--json").out)
    assert (told["rank"], told["fits"], told["rslora"]) == (rank, True, False)
    assert find_logits(base, Path("mean")).isfinite().all()  # PEFT opens it


def test_equal_adapters_need_no_more_rank(run, adapter, base: Path) -> None:
    folder = adapter("plain")
    assert "Rank 4 of 4" in run("average", folder, adapter("plain", "copy"), "-o", "mean").out
    wanted = find_logits(base, folder)
    assert (find_logits(base, Path("mean")) - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_the_cut_is_the_nearest_and_its_price_is_told(run, adapter) -> None:
    folders = [adapter("plain"), adapter("other")]
    code, out, _ = run("average", *folders, "-o", "mean", "--rank", 3)
    assert code == 0
    assert "Rank 3 of 6" in out
    lost = whole = 0.0
    for name, delta in _mean(folders, [0.5, 0.5]).items():
        values = torch.linalg.svdvals(delta)
        error = (read_deltas(Path("mean"))[name] - delta).norm()
        assert float(error) == pytest.approx(float(values[3:].norm()), rel=1e-4)
        lost += float(values[3:].square().sum())
        whole += float(values.square().sum())
    assert f"Cut off: {100 * (lost / whole) ** 0.5:.3g} % of the norm" in out
    assert "Rank 6 of 6" in run("average", *folders, "-o", "wide", "--rank", 64).out


def test_what_peft_makes_of_it(adapter, base: Path) -> None:
    """Why there is a mean of our own: PEFT's "linear" is none, and one source never grows."""
    folder = adapter("plain")
    model = open_with_peft(base, folder, adapter_name="a")
    names = ["a"]
    for name in ("b", "c", "d"):
        model.load_adapter(folder, name)
        names.append(name)
    shares = [0.25] * 4
    for kind, options in (("cat", {}), ("svd", {"svd_rank": 16}), ("linear", {})):
        model.add_weighted_adapter(names, shares, kind, combination_type=kind, **options)
    model.add_weighted_adapter(["a"], [1.0], "one", combination_type="svd", svd_rank=8)
    layer = model.base_model.model.model.language_model.layers[0].self_attn.q_proj
    single = layer.get_delta_weight("a")
    for kind, times in (("cat", 1.0), ("svd", 1.0), ("linear", 4.0)):
        assert torch.allclose(layer.get_delta_weight(kind), times * single, atol=1e-5)
    assert layer.r["one"] == 4


def _drop_layer(held):
    return {key: value for key, value in held.items() if not key.startswith(KEY)}


def test_other_layers_are_refused(run, adapter) -> None:
    folder = change_tensors(adapter("other"), _drop_layer)
    for order in ([folder, adapter("plain")], [adapter("plain", "again"), folder]):
        code, _, said = run("average", *order, "-o", "mean")
        assert code == 3
        assert "changes the layer model.language_model.layers.1.mlp.down_proj, " in said
        assert f"{folder} does not" in said


def test_other_shapes_are_refused(run, adapter) -> None:
    down = f"{KEY}.lora_A.weight"
    folder = change_tensors(adapter("other"), lambda held: {**held, down: held[down][:, :40]})
    code, _, said = run("average", adapter("plain"), folder, "-o", "mean")
    assert code == 3
    assert "layers.1.mlp.down_proj is 32 x 64 in" in said
    assert "but 32 x 40 in" in said


@pytest.mark.parametrize(
    ("kinds", "weights", "says"),
    [
        (("plain", "dora"), None, "cannot be averaged: it has DoRA magnitudes"),
        (("plain", "whole"), None, "cannot be averaged: it has model.language_model."),
        (("plain", "other"), "1", "1 weights for 2 adapters"),
        (("plain", "other"), "0,0", "not all 0"),
        (("plain", "other"), "2,-1", "must not be negative"),
        (("plain", "other"), "nan,1", "Weights must"),
        (("plain", "other"), "1;2", "--weights '1;2' are no numbers"),
    ],
)
def test_what_makes_no_mean(run, adapter, kinds, weights, says: str) -> None:
    options = ["--weights", weights] if weights else []
    code, _, said = run("average", *map(adapter, kinds), "-o", "mean", *options)
    assert code == 2
    assert says in said
    assert not Path("mean").exists()


def test_the_help_says_why_linear_is_wrong(run) -> None:
    code, out, _ = run("average", "--help")
    assert code == 0
    assert "linear" in out
