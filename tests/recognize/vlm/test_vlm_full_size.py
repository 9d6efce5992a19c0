"""The measurement for owners of a GPU runs, and measures models of the published sizes."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytest.importorskip("accelerate")

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "vlm_full_size.py"


@pytest.mark.parametrize(("name", "weights"), [("3b", 3.7546), ("7b", 8.2922)])
def test_it_measures_the_published_sizes(name: str, weights: float) -> None:
    """Billions of weights, as the published models have them; nothing is held."""
    script = runpy.run_path(str(SCRIPT))
    size = script["SIZES"][name]
    model = script["make_bare"](size, script["make_encoder"](size), torch.device("meta"))
    assert sum(weight.numel() for weight in model.parameters()) / 1e9 == pytest.approx(
        weights, abs=5e-5
    )
    assert model.dtype == torch.bfloat16


def test_all_is_measured_on_a_tiny_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = runpy.run_path(str(SCRIPT))
    said = "--size tiny --device cpu --rank 2 --steps 1 --rounds 1 --tokens 3 --json"
    script["main"]([*said.split(), str(tmp_path / "full.json")])
    told = json.loads((tmp_path / "full.json").read_text())
    assert {(row["unit"], row["checkpointing"]) for row in told["training"]} == {
        (unit, again) for unit in ("line", "page") for again in (False, True)
    }
    assert {row["way"] for row in told["reading"]} == {
        "greedy",
        "beam 5",
        "five as one",
        "five passes",
    }
    assert all(row["samples_per_second"] > 0 for row in told["training"])
    assert all(row["tokens_per_second"] > 0 for row in told["reading"])
    assert f"on {told['chip']}" in capsys.readouterr().out


def test_what_does_not_fit_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = runpy.run_path(str(SCRIPT))

    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(torch.Tensor, "backward", fail)
    monkeypatch.setattr("odia_ocr.recognize.vlm.writing.Writer.see", fail)
    script["main"]("--size tiny --device cpu --rank 2 --steps 1 --rounds 1".split())
    assert capsys.readouterr().out.count("does not fit") == 4 + 8


@pytest.mark.gpu
def test_a_gpu_reports_its_memory(tmp_path: Path) -> None:
    script = runpy.run_path(str(SCRIPT))
    script["main"](
        ["--size", "tiny", "--device", "cuda", "--rank", "2", "--json", str(tmp_path / "full.json")]
    )
    told = json.loads((tmp_path / "full.json").read_text())
    assert told["chip"] == torch.cuda.get_device_name()
    assert all(row["peak_gib"] is not None for row in told["training"])
