"""`odia-ocr adapters merge`: one model that says what model and adapter say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_adapters import (
    SHAPE,
    change_tensors,
    find_logits,
    load_model,
    open_with_peft,
    read_deltas,
    save_model,
)

pytest.importorskip("uharfbuzz")

MODEL = "model.safetensors"


def _save_as(base: Path, folder: Path, dtype: torch.dtype, **options) -> Path:
    """The model in another kind of numbers, or in several files."""
    import shutil

    shutil.copytree(base, folder)
    (folder / MODEL).unlink()
    load_model(base).to(dtype).save_pretrained(folder, **options)
    return folder


@pytest.mark.parametrize("kind", ["plain", "dora", "patterns", "old"])
def test_the_merged_model_says_the_same(run, adapter, base: Path, kind: str) -> None:
    folder = adapter(kind)
    code, out, _ = run("merge", "--base", base, folder, "-o", "merged")
    assert code == 0
    difference = float(re.search(r"difference of a logit: ([\d.e-]+)", out)[1])
    assert difference < 1e-5
    wanted = find_logits(base, folder)
    assert (find_logits(Path("merged"), None) - wanted).abs().max() < 1e-5 * wanted.abs().max()
    assert (wanted - find_logits(base, None)).abs().max() > 0.01


def test_weights_as_peft_merges_them(run, adapter, base: Path) -> None:
    folder = adapter("dora")
    run("merge", "--base", base, folder, "-o", "merged", "--no-check")
    wanted = open_with_peft(base, folder).merge_and_unload().state_dict()
    found = load_model(Path("merged")).state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.allclose(found[key], wanted[key], atol=1e-6) for key in wanted)


def test_only_the_adapters_layers_change(run, adapter, base: Path) -> None:
    folder = adapter("plain")
    code, out, _ = run("merge", "--base", base, folder, "-o", "merged", "--no-check")
    assert (code, "Not checked" in out) == (0, True)
    before, after = load_file(base / MODEL), load_file(Path("merged") / MODEL)
    changed = [key for key in before if not torch.equal(before[key], after[key])]
    assert before.keys() == after.keys()
    assert len(changed) == len(read_deltas(folder)) == 6


@pytest.mark.parametrize(("dtype", "name"), [("bfloat16", "BF16"), ("float16", "F16")])
def test_numbers_keep_their_kind(run, adapter, base: Path, tmp_path, dtype, name: str) -> None:
    from odia_ocr.train.adapters.model_files import read_weights

    half = _save_as(base, tmp_path / "half", getattr(torch, dtype))
    code, out, _ = run("merge", "--base", half, adapter("plain"), "-o", "merged")
    assert code == 0
    assert f"6 weights changed, kept as {dtype}" in out
    assert {weight.dtype for weight in read_weights(Path("merged")).values()} == {name}


def test_a_model_in_several_files(run, adapter, base: Path, tmp_path: Path) -> None:
    many = _save_as(base, tmp_path / "many", torch.float32, max_shard_size="60KB")
    assert len(list(many.glob("model-*.safetensors"))) > 2
    folder = adapter("plain")
    assert run("merge", "--base", many, folder, "-o", "merged").code == 0
    names = [path.name for path in sorted(many.glob("model*"))]
    assert [path.name for path in sorted(Path("merged").glob("model*"))] == names
    min(many.glob("model-*.safetensors")).unlink()
    code, _, said = run("merge", "--base", many, folder, "-o", "again")
    assert (code, "lacks model-00001-of" in said) == (3, True)


def test_it_opens_as_a_recognizer(run, adapter, base: Path) -> None:
    from odia_ocr.recognize import open_recognizer

    folder = adapter("plain")
    settings = json.loads((folder / "odia_ocr.json").read_text("utf-8"))
    (folder / "odia_ocr.json").write_text(json.dumps({**settings, "prompt": "Read"}), "utf-8")
    run("merge", "--base", base, folder, "-o", "merged", "--no-check")
    recognizer = open_recognizer("vlm:merged")
    assert recognizer.vlm.encoder.settings.prompt == "Read"
    assert not Path("merged/adapter_config.json").exists()


def test_a_wrong_model(run, adapter, tmp_path: Path) -> None:
    from dataclasses import replace

    save_model(tmp_path / "wide", shape=replace(SHAPE, inner=96))
    code, _, said = run("merge", "--base", "wide", adapter("plain"), "-o", "merged")
    assert code == 3
    assert "does not fit wide: model.language_model.layers.0.mlp.down_proj is 32 x 96" in said
    assert "(2 of 6 layers do not fit)" in said
    assert "It was made for " in said
    assert not Path("merged").exists()


def test_a_wrong_merge_is_found_and_not_kept(run, adapter, base, tmp_path, monkeypatch) -> None:
    folder = adapter("plain")
    monkeypatch.setattr("odia_ocr.train.adapters.merge.add_layer", lambda weight, _: weight)
    code, _, said = run("merge", "--base", base, folder, "-o", "merged")
    assert code == 3
    assert "does not agree with model and adapter: logits differ by up to" in said
    assert [path.name for path in tmp_path.iterdir()] == ["plain"]


def test_rounding_that_drowns_the_adapter_is_told(run, adapter, base, tmp_path) -> None:
    half = _save_as(base, tmp_path / "half", torch.bfloat16)
    faint = change_tensors(adapter("plain"), lambda held: {k: v * 1e-2 for k, v in held.items()})
    code, out, _ = run("merge", "--base", half, faint, "-o", "merged")
    assert code == 0
    assert "Rounding to bfloat16 undoes a good part" in out


@pytest.mark.parametrize("kind", ["whole", "embedding"])
def test_what_is_not_lora_is_refused(run, adapter, base: Path, kind: str) -> None:
    code, _, said = run("merge", "--base", base, adapter(kind), "-o", "merged")
    assert code == 2
    assert "cannot be merged: it has model.language_model." in said
    assert "merge_and_unload" in said


def test_a_damaged_model(run, adapter, base: Path, tmp_path: Path) -> None:
    broken = _save_as(base, tmp_path / "broken", torch.float32)
    (broken / MODEL).write_bytes((broken / MODEL).read_bytes()[:5000])
    code, _, said = run("merge", "--base", broken, adapter("plain"), "-o", "merged")
    assert (code, "model.safetensors is damaged" in said) == (3, True)
    (broken / MODEL).unlink()
    code, _, said = run("merge", "--base", broken, adapter("other"), "-o", "merged")
    assert (code, "No model.safetensors in" in said) == (3, True)


def test_the_base_is_never_written_to(run, adapter, base: Path) -> None:
    code, _, said = run("merge", "--base", base, adapter("plain"), "-o", base, "--force")
    assert (code, "is read from" in said) == (1, True)
