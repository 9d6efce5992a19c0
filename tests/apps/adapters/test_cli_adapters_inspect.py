"""`odia-ocr adapters inspect`: what is told is what is there, and damage is told apart."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from tiny_adapters import SHAPE, change_config, change_tensors, read_deltas, save_model

WEIGHTS = "adapter_model.safetensors"
QUERY = "model.language_model.layers.0.self_attn.q_proj"


@pytest.mark.parametrize("kind", ["plain", "rslora", "dora", "patterns"])
def test_norms_and_sizes_as_computed_in_full(run, adapter, base: Path, kind: str) -> None:
    folder = adapter(kind)
    code, out, _ = run("inspect", folder, "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["rank"], told["fits"], told["dead"]) == (4, True, 0)
    assert (told["rslora"], told["dora"]) == (kind == "rslora", kind == "dora")
    assert told["named_base"] == told["checked_base"] == str(base)
    assert told["targets"] == {"down_proj": 2, "q_proj": 2, "v_proj": 2}
    assert told["dtypes"] == ["float32"]
    assert told["size"] == (folder / WEIGHTS).stat().st_size
    deltas = read_deltas(folder)
    assert len(told["layers"]) == len(deltas) == 6
    for layer in told["layers"]:
        delta = deltas[f"base_model.model.{layer['name']}"]
        assert layer["norm"] == pytest.approx(float(delta.norm()), rel=1e-9)
        assert (layer["out_size"], layer["in_size"]) == tuple(delta.shape)


def test_the_table_for_people(run, adapter) -> None:
    code, out, _ = run("inspect", adapter("old"))
    assert code == 0
    assert "of transformers < 4.52, translated" in out
    assert "4 down_proj, 2 q_proj, 2 qkv" in out
    assert "model.visual.blocks.1.attn.qkv" in out
    assert "96 x 32" in out


def test_dead_layers_are_found(run, adapter) -> None:
    dead = f"base_model.model.{QUERY}.lora_B.weight"
    folder = change_tensors(adapter("plain"), lambda held: {**held, dead: held[dead] * 0})
    told = json.loads(run("inspect", folder, "--json").out)
    assert told["dead"] == 1
    assert [layer["name"] for layer in told["layers"] if layer["dead"]] == [QUERY]
    assert "1 of 6 layers add nothing" in run("inspect", folder).out


def test_what_is_more_than_lora_is_told(run, adapter) -> None:
    assert "model.language_model.norm.weight" in run("inspect", adapter("whole")).out
    folder = change_config(adapter("plain"), init_lora_weights="pissa_niter_4")
    assert "LoRA, init_lora_weights=pissa_niter_4" in run("inspect", folder).out


def test_another_model_does_not_fit(run, adapter, tmp_path: Path) -> None:
    from dataclasses import replace

    folder = adapter("plain")
    save_model(tmp_path / "wide", shape=replace(SHAPE, inner=96))
    code, out, _ = run("inspect", folder, "--base", "wide")
    assert code == 1
    assert "no, 2 layers do not fit wide" in out
    assert "layers.0.mlp.down_proj is 32 x 96 in the model, 32 x 64 in the adapter" in out
    save_model(tmp_path / "short", shape=replace(SHAPE, layers=1))
    code, out, _ = run("inspect", folder, "--base", "short", "--json")
    assert code == 1
    assert json.loads(out)["misfits"][0].startswith("the model has no layer model.language_model.l")


@pytest.mark.parametrize("name", ["tiny", "odia-ocr:tiny"], ids=["its name", "as published"])
def test_the_shipped_model_is_at_hand(run, adapter, name: str) -> None:
    own = Path(__file__).parents[3] / "campaigns" / "vlm-ladder" / "checkpoint-50"
    folder = Path(shutil.copytree(own, "own"))
    code, out, _ = run("inspect", change_config(folder, base_model_name_or_path=name))
    assert (code, f"yes, {name}" in out) == (0, True)
    folder = change_config(adapter("plain"), base_model_name_or_path=name)
    assert run("inspect", folder).code == 1


def test_without_a_model_at_hand(run, adapter) -> None:
    folder = change_config(adapter("plain"), base_model_name_or_path="Qwen/Qwen2.5-VL-3B-Instruct")
    code, out, _ = run("inspect", folder)
    assert code == 0
    assert "not checked: name the model with --base" in out
    assert json.loads(run("inspect", folder, "--json").out)["fits"] is None


@pytest.mark.parametrize("name", ["nowhere", "nobody/nothing-of-this-name"])
def test_a_model_that_is_not_here(run, adapter, name: str) -> None:
    code, _, said = run("inspect", adapter("plain"), "--base", name)
    assert code == 3
    assert name in said


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _spoil(folder: Path, change) -> None:
    change_tensors(folder, change)


FIRST = f"base_model.model.{QUERY}.lora_A.weight"
FAULTS = {
    "is damaged": lambda folder: _halve(folder / WEIGHTS),
    "adapter_config.json is damaged": lambda folder: _halve(folder / "adapter_config.json"),
    "peft_type 'IA3'": lambda folder: change_config(folder, peft_type="IA3"),
    "describes no LoRA adapter: 'r'": lambda folder: (folder / "adapter_config.json").write_text(
        '{"peft_type": "LORA"}', "utf-8"
    ),
    "No adapter_model.safetensors in": lambda folder: (folder / WEIGHTS).unlink(),
    "r 0, lora_alpha 8": lambda folder: change_config(folder, r=0),
    "has no magnitudes in layer": lambda folder: change_config(folder, use_dora=True),
    "says rank 8": lambda folder: change_config(folder, r=8),
    "holds only lora_B of layer": lambda folder: _spoil(
        folder, lambda held: {k: v for k, v in held.items() if k != FIRST}
    ),
    "not finite in layer": lambda folder: _spoil(
        folder, lambda held: {**held, FIRST: held[FIRST] * torch.inf}
    ),
    "holds no LoRA layers": lambda folder: _spoil(
        folder, lambda held: {"base_model.model.x.weight": torch.ones(2)}
    ),
}


@pytest.mark.parametrize("says", list(FAULTS))
def test_damage_is_named(run, adapter, says: str) -> None:
    folder = adapter("plain")
    FAULTS[says](folder)
    code, out, said = run("inspect", folder)
    assert (code, out) == (3, "")
    assert said.startswith("odia-ocr: ")
    assert says in said


def test_a_folder_that_is_not_there(run) -> None:
    code, _, said = run("inspect", "nowhere")
    assert (code, "No folder nowhere" in said) == (3, True)


def test_the_extra_is_named_when_a_library_is_missing(run, adapter, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "odia_ocr.train.adapters.inspect", None)
    code, _, said = run("inspect", adapter("plain"))
    assert code == 3
    assert "pip install 'odia-ocr[vlm]'" in said
