"""`odia-ocr adapters grow`: a larger rank, the same outputs, by PEFT's own reckoning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_adapters import (
    change_config,
    change_tensors,
    find_logits,
    open_with_peft,
    read_deltas,
)

WEIGHTS = "adapter_model.safetensors"


@pytest.mark.parametrize("kind", ["plain", "rslora", "dora", "patterns", "old", "whole"])
def test_the_same_outputs_through_peft(run, adapter, base: Path, kind: str) -> None:
    folder = adapter(kind)
    code, out, _ = run("grow", folder, "-o", "grown", "--rank", 9)
    assert code == 0
    assert "Largest difference of an output" in out
    wanted, found = find_logits(base, folder), find_logits(base, Path("grown"))
    assert (found - wanted).abs().max() < 2e-6 * wanted.abs().max()
    assert (wanted - find_logits(base, None)).abs().max() > 0.01  # it does something
    told = json.loads(run("inspect", "grown", "--json").out)
    assert {layer["rank"] for layer in told["layers"]} == {told["rank"]} == {9}
    assert told["fits"] is True
    assert not told["old_names"]
    assert told["history"].startswith(f"grown from {kind}, rank ")
    assert Path("grown/odia_ocr.json").read_bytes() == (folder / "odia_ocr.json").read_bytes()


def test_new_columns_are_zero_and_new_rows_random(run, adapter) -> None:
    folder = adapter("plain")
    for name, seed in (("one", 1), ("same", 1), ("two", 2)):
        run("grow", folder, "-o", name, "--rank", 6, "--seed", seed)
    before, one, same, two = (
        load_file(Path(name) / WEIGHTS) for name in (folder, "one", "same", "two")
    )
    for key, tensor in one.items():
        assert torch.equal(tensor, same[key])
        if "lora_B" in key:
            assert torch.equal(tensor[:, :4], before[key])
            assert not tensor[:, 4:].any()
        else:
            assert torch.equal(tensor[:4], before[key])
            assert not torch.equal(tensor[4:], two[key][4:])
            assert 0 < tensor[4:].abs().max() <= tensor.shape[1] ** -0.5
    config = json.loads(Path("one/adapter_config.json").read_text("utf-8"))
    assert (config["r"], config["lora_alpha"]) == (6, 12)


def test_new_columns_learn(run, adapter, base: Path) -> None:
    run("grow", adapter("plain"), "-o", "grown", "--rank", 6)
    model = open_with_peft(base, Path("grown"), is_trainable=True)
    model(input_ids=torch.arange(20, 40)[None]).logits.square().sum().backward()
    grads = [p.grad[:, 4:] for n, p in model.named_parameters() if "lora_B" in n]
    assert len(grads) == 6
    assert all(grad.abs().sum() > 0 for grad in grads)


def test_numbers_keep_their_kind(run, adapter) -> None:
    folder = change_tensors(adapter("plain"), lambda held: {k: v.half() for k, v in held.items()})
    assert run("grow", folder, "-o", "grown", "--rank", 8).code == 0
    assert {tensor.dtype for tensor in load_file(Path("grown") / WEIGHTS).values()} == {
        torch.float16
    }
    for name, delta in read_deltas(Path("grown")).items():
        assert torch.equal(delta, read_deltas(folder)[name])


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("plain", {"rank": 4}, "has rank 4; 4 is not larger. Give a larger one, e.g. --rank 8"),
        ("patterns", {"rank": 3}, "has rank 4; 3 is not larger"),
        ("embedding", {"rank": 8}, "cannot be grown: it has model.language_model.embed_tokens"),
    ],
)
def test_what_cannot_grow(run, adapter, kind: str, options, says: str) -> None:
    code, _, said = run("grow", adapter(kind), "-o", "grown", "--rank", options["rank"])
    assert code == 2
    assert says in said
    assert not Path("grown").exists()


def test_an_adapter_of_a_changed_base(run, adapter) -> None:
    folder = change_config(adapter("plain"), init_lora_weights="pissa")
    code, _, said = run("grow", folder, "-o", "grown", "--rank", 8)
    assert code == 2
    assert "init_lora_weights=pissa" in said
    assert "path_initial_model_for_weight_conversion" in said


def test_existing_output(run, adapter) -> None:
    folder, out = adapter("plain"), Path("out")
    out.mkdir()
    (out / "notes.txt").write_text("mine", "utf-8")
    (out / "model.safetensors").write_text("stale", "utf-8")
    code, _, said = run("grow", folder, "-o", out, "--rank", 8)
    assert (code, "--force" in said) == (1, True)
    assert run("grow", folder, "-o", out, "--rank", 8, "--force").code == 0
    assert (out / "notes.txt").read_text("utf-8") == "mine"
    assert not (out / "model.safetensors").exists()
    assert (out / WEIGHTS).exists()
    before = (folder / WEIGHTS).read_bytes()
    code, _, said = run("grow", folder, "-o", folder, "--rank", 8, "--force")
    assert (code, "is read from" in said) == (1, True)
    assert (folder / WEIGHTS).read_bytes() == before


def test_nothing_is_left_when_writing_fails(run, adapter, monkeypatch, tmp_path: Path) -> None:
    folder = adapter("plain")

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", fail)
    code, _, said = run("grow", folder, "-o", "grown", "--rank", 8)
    assert code == 1
    assert "Cannot write grown: No space left on device." in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain"]
