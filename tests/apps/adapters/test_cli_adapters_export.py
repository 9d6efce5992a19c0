"""`odia-ocr adapters export`: what each server takes, and the command that starts it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_adapters import change_config, find_logits, read_deltas

from odia_ocr.runtime import find_weights

WEIGHTS = "adapter_model.safetensors"


def _options(command: str) -> dict[str, str]:
    words = shlex.split(command)
    at = [i for i, word in enumerate(words) if word.startswith("--")]
    return {words[i]: words[i + 1] if i + 1 < len(words) else "" for i in at}


def test_vllm_takes_the_adapter(run, adapter, base: Path) -> None:
    folder = adapter("plain")
    code, out, _ = run("export", folder, "--for", "vllm", "-o", "out")
    assert code == 0
    command = out.strip()
    assert command.startswith(f"vllm serve {base} --enable-lora ")
    options = _options(command)
    assert options["--max-lora-rank"] == "8"
    assert options["--lora-modules"] == f"odia={Path('out').resolve()}"
    limits = json.loads(options["--mm-processor-kwargs"])
    settings = json.loads((folder / "odia_ocr.json").read_text("utf-8"))
    assert limits == {key: settings[key] for key in ("min_pixels", "max_pixels")}
    assert options["--max-model-len"] == str(settings["max_tokens"])
    assert options["--generation-config"] == "vllm"
    assert "--enable-tower-connector-lora" not in options
    assert command in Path("out/SERVING.md").read_text("utf-8")
    before, after = load_file(folder / WEIGHTS), load_file(Path("out") / WEIGHTS)
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("kind", ["patterns", "rslora"])
def test_vllm_reads_one_rank_and_one_alpha(run, adapter, base: Path, kind: str) -> None:
    folder = adapter(kind)
    assert run("export", folder, "--for", "vllm", "-o", "out").code == 0
    config = json.loads(Path("out/adapter_config.json").read_text("utf-8"))
    assert not config["rank_pattern"]
    assert not config["alpha_pattern"]
    # As vLLM computes the one scaling of all layers.
    scaling = config["lora_alpha"] / (config["r"] ** 0.5 if config["use_rslora"] else config["r"])
    wanted, tensors = read_deltas(folder), load_file(Path("out") / WEIGHTS)
    for name, delta in wanted.items():
        up, down = (tensors[f"{name}.lora_{part}.weight"].double() for part in "BA")
        assert len(down) == config["r"] == 4
        assert (scaling * up @ down - delta).norm() < 1e-6 * delta.norm()
    both = find_logits(base, folder), find_logits(base, Path("out"))
    assert (both[0] - both[1]).abs().max() < 1e-5 * both[0].abs().max()


def test_vllm_and_an_old_adapter_of_the_vision_tower(run, adapter) -> None:
    code, out, _ = run("export", adapter("old"), "--for", "vllm", "-o", "out")
    assert code == 0
    assert "--enable-tower-connector-lora" in out
    keys = load_file(Path("out") / WEIGHTS)
    assert all(".language_model.layers." in key or "model.visual." in key for key in keys)


def test_vllm_gets_a_merged_model_for_dora(run, adapter) -> None:
    code, out, _ = run("export", adapter("dora"), "--for", "vllm", "-o", "out", "--no-check")
    assert code == 0
    assert "Merged into the model: vLLM knows no DoRA." in out
    assert f"vllm serve {Path('out').resolve()} --served-model-name odia" in out
    assert Path("out/model.safetensors").exists()
    assert not Path("out/adapter_config.json").exists()


@pytest.mark.parametrize(
    ("server", "starts"),
    [("llama.cpp", "llama-server -m "), ("transformers", "transformers serve ")],
)
def test_the_others_get_a_merged_model(run, adapter, base, server: str, starts: str) -> None:
    folder = adapter("patterns")
    code, out, _ = run("export", folder, "--for", server, "-o", "out", "--base", base, "--no-check")
    assert code == 0
    assert any(line.startswith(starts) for line in out.splitlines())
    text = Path("out/SERVING.md").read_text("utf-8")
    assert all(line in text for line in out.splitlines() if line.startswith(("python", starts)))
    wanted = find_logits(base, folder)
    assert (find_logits(Path("out"), None) - wanted).abs().max() < 1e-5 * wanted.abs().max()


def test_a_hub_model_is_named_and_not_fetched_for_vllm(run, adapter) -> None:
    hub = "Qwen/Qwen2.5-VL-3B-Instruct"
    folder = change_config(adapter("plain"), base_model_name_or_path=hub)
    code, out, _ = run("export", folder, "--for", "vllm", "-o", "out")
    assert code == 0
    assert out.startswith(f"vllm serve {hub} ")


@pytest.mark.parametrize("name", ["tiny", "odia-ocr:tiny"])
def test_vllm_is_told_where_the_shipped_model_lies(run, name: str) -> None:
    own = Path(__file__).parents[3] / "campaigns" / "vlm-ladder" / "checkpoint-50"
    code, out, _ = run("export", own, "--base", name, "--for", "vllm", "-o", "out")
    assert code == 0
    assert out.startswith(f"vllm serve {find_weights('vlm-tiny/model', '.safetensors').parent} ")
    config = json.loads(Path("out/adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == name


def test_wrong_use(run, adapter) -> None:
    folder = adapter("plain")
    code, _, said = run("export", folder, "--for", "vlm", "-o", "out")
    assert (code, "Did you mean vllm?" in said) == (2, True)
    folder = change_config(folder, base_model_name_or_path=None)
    code, _, said = run("export", folder, "--for", "vllm", "-o", "out")
    assert (code, "names no model" in said, "--base" in said) == (2, True, True)
    assert not Path("out").exists()
