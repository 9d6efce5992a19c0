"""`odia-ocr campaign` and `odia-ocr techniques`: files, tables, exit statuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("uharfbuzz")
pytest.importorskip("cv2")

from odia_ocr.apps.campaign_ladder import (
    open_floating,
    open_halved,
    open_ladder,
    sort_checkpoints,
)
from odia_ocr.campaign.sample import draw_sample
from odia_ocr.errors import DataError, ModelMissingError
from odia_ocr.recognize import open_recognizer
from odia_ocr.runtime import find_weights


@pytest.fixture
def run(odia_ocr):
    return odia_ocr


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A campaign on two folders of three lines."""
    sample = draw_sample(6)
    for name, start in (("fit", 0), ("report", 3)):
        (tmp_path / name).mkdir()
        for i in range(start, start + 3):
            Image.fromarray(sample.lines[i].pixels).save(tmp_path / name / f"{i}.png")
            (tmp_path / name / f"{i}.gt.txt").write_text(sample.texts[i], encoding="utf-8")
    values: dict[str, Any] = {
        "name": "tiny",
        "fit": {"folder": "fit"},
        "report": {"folder": "report"},
        "techniques": {"2A-1": {"width": [5]}, "2B-3/fusion": {"alpha": [0.75], "beta": [1.2]}},
        "resamples": 1000,
    }
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def test_run_writes_figures_and_reports(run, config: Path, tmp_path: Path) -> None:
    ended = run("campaign", "run", config, "-o", "out", "--also", "fit")
    assert ended.code == 0, ended.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "cache",
        "evaluation_results.json",
        "performance_improvement_strategies.json",
        "report.html",
        "report.md",
    }
    record = json.loads((tmp_path / "out" / "evaluation_results.json").read_text("utf-8"))
    assert next(iter(record)) == "schema"
    assert record["results"][0]["n"] == 3
    assert any(pair["set"].endswith("fit (3 lines)") for pair in record["paired"])
    assert "Language model in the beam" in ended.out
    assert "report.html" in ended.err
    compared = run("campaign", "diff", "out", "out")
    assert compared.code == 0
    assert "the stack" in compared.out


def test_a_level_takes_its_phases(run, config: Path, tmp_path: Path) -> None:
    assert run("campaign", "run", config, "-o", "out", "--level", "quick").code == 0
    path = tmp_path / "out" / "performance_improvement_strategies.json"
    rows = json.loads(path.read_text("utf-8"))
    measured = {row["id"] for row in rows if row["measured"]}
    assert measured == {"2A-1"}


def test_what_fails_is_told_and_gives_one(run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "report" / "4.gt.txt").unlink()
    ended = run("campaign", "run", config, "-o", "out")
    assert ended.code == 1
    assert "4.png has no transcription" in ended.err
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize(
    ("changes", "args", "code", "said"),
    [
        ({"colour": "red"}, (), 2, "unknown keys: colour"),
        ({}, ("--level", "deep"), 2, "Unknown level 'deep'"),
        ({"techniques": {"9Z": {}}}, (), 2, "Unknown technique '9Z'"),
        ({"single": "ctc:none.onnx"}, (), 3, "No model file none.onnx"),
        ({"fit": {"folder": "nowhere"}}, (), 3, "nowhere does not exist"),
        ({}, ("--ladder", "runs/checkpoint-*"), 3, "0 checkpoints"),
        ({}, ("--learned", "3-1"), 2, "--learned 3-1 names no technique and engine"),
        ({}, ("--learned", "9Z=ctc"), 2, "Unknown technique '9Z'"),
        ({"apart": ["nowhere"]}, (), 3, "No evaluation_results.json in nowhere"),
    ],
)
def test_wrong_use_ends_with_a_line(
    run, config: Path, changes: dict[str, Any], args: tuple[str, ...], code: int, said: str
) -> None:
    values = json.loads(config.read_text("utf-8")) | changes
    config.write_text(json.dumps(values), encoding="utf-8")
    ended = run("campaign", "run", config, "-o", "out", *args)
    assert ended.code == code, ended.err
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_the_folder_must_be_one(run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    ended = run("campaign", "run", config, "-o", "out")
    assert ended.code == 1
    assert "out is not a folder" in ended.err
    assert (tmp_path / "out").read_text("utf-8") == "mine"


def test_diff_needs_campaigns(run, tmp_path: Path) -> None:
    ended = run("campaign", "diff", tmp_path, tmp_path)
    assert ended.code == 3
    assert "evaluation_results.json" in ended.err


def test_techniques_are_listed_shown_and_given_as_json(run) -> None:
    listed = run("techniques")
    assert listed.code == 0
    for name in ("2A-1", "2B-3", "3-2", "Beam search", "LoRA"):
        assert name in listed.out
    shown = run("techniques", "2A-1")
    for part in ("Beam search", "When it helps", "Effort", "35–38 %", "BeamDecoder"):
        assert part in shown.out
    (entry,) = json.loads(run("techniques", "2A-1", "--json").out)
    assert entry["claimed"] == {"from": 42, "to": [35, 38]}
    assert "measured" in entry
    for name in ("2B-3/fusion", "+/cache"):  # as configurations name them
        assert name in listed.out
        assert run("techniques", name).out.startswith(name)
    unknown = run("techniques", "7X")
    assert unknown.code == 2
    assert "Known:" in unknown.err


def test_checkpoints_come_oldest_first(tmp_path: Path) -> None:
    names = ["checkpoint-50", "checkpoint-200", "checkpoint-100"]
    paths = [tmp_path / f"{name}.onnx" for name in names]
    weights = tmp_path / "checkpoint-200.safetensors"
    found = sort_checkpoints([*paths, weights, tmp_path / "log.jsonl"])
    assert [path.name for path in found] == [
        "checkpoint-50.onnx",
        "checkpoint-100.onnx",
        "checkpoint-200.safetensors",
    ]


def test_models_of_a_ladder_are_taken_as_they_are(tmp_path: Path) -> None:
    for step in (9, 10):
        (tmp_path / f"c-{step}.onnx").write_bytes(find_weights("ctc").read_bytes())
    ladder = open_ladder(f"{tmp_path}/c-*", tmp_path / "kept", say=print)
    assert ladder.engines == (f"ctc:{tmp_path}/c-9.onnx", f"ctc:{tmp_path}/c-10.onnx")
    assert ladder.averaged == ""
    (tmp_path / "mean.onnx").write_bytes(find_weights("ctc").read_bytes())
    for pattern in (f"{tmp_path}/c-*", str(tmp_path)):
        ladder = open_ladder(pattern, tmp_path / "kept", say=print)
        assert len(ladder.engines) == 2
        assert ladder.averaged == f"ctc:{tmp_path}/mean.onnx"
    with pytest.raises(DataError, match="1 checkpoints"):
        open_ladder(f"{tmp_path}/c-9*", tmp_path / "kept", say=print)


def test_what_int8_costs_is_left_out_without_the_floating_model(run, config: Path) -> None:
    values = json.loads(config.read_text("utf-8")) | {"floating": "nowhere/ctc.safetensors"}
    config.write_text(json.dumps(values), encoding="utf-8")
    ended = run("campaign", "run", config, "-o", "out")
    assert ended.code == 0, ended.err
    assert "nowhere/ctc.safetensors" in ended.err


def test_int8_is_measured_where_the_floating_model_cannot_be_halved(
    run, config: Path, tmp_path: Path
) -> None:
    changes = {"floating": "ctc", "techniques": {"+/int8": {}, "+/fp16": {}}}
    values = json.loads(config.read_text("utf-8")) | changes
    config.write_text(json.dumps(values), encoding="utf-8")
    ended = run("campaign", "run", config, "-o", "out")
    assert ended.code == 0, ended.err
    assert "What 16-bit weights cost is not measured: ctc names no file" in ended.err
    path = tmp_path / "out" / "performance_improvement_strategies.json"
    rows = json.loads(path.read_text("utf-8"))
    assert [row["name"] for row in rows if row["measured"]] == ["Quantisation to int8"]
    report = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "name it as halved" in report


def test_a_float_model_is_halved_once(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    shipped = Path(__file__).parents[2] / "training" / "ctc.safetensors"
    floating = open_floating(str(shipped), tmp_path)
    halved = open_halved(floating, tmp_path)
    path = Path(halved.partition(":")[2])
    assert path.stat().st_size < 0.55 * Path(floating.partition(":")[2]).stat().st_size
    made = path.stat().st_mtime_ns
    assert open_halved(floating, tmp_path) == halved
    assert path.stat().st_mtime_ns == made
    lines = draw_sample(6).lines
    texts = [
        [cands.best.text for cands in open_recognizer(engine, threads=1).read(lines)]
        for engine in (floating, halved)
    ]
    assert texts[0] == texts[1]
    with pytest.raises(ModelMissingError, match="ctc names no file"):
        open_halved("ctc", tmp_path)


def test_weights_of_a_ladder_are_exported_and_averaged(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    shipped = Path(__file__).parents[2] / "training" / "ctc"
    for step in (100, 200):
        for suffix in (".safetensors", ".json"):
            content = shipped.with_suffix(suffix).read_bytes()
            (tmp_path / f"checkpoint-{step}{suffix}").write_bytes(content)
    ladder = open_ladder(f"{tmp_path}/checkpoint-*", tmp_path / "kept", say=print)
    assert len(ladder.engines) == 2
    lines = draw_sample(6).lines
    texts = [
        [cands.best.text for cands in open_recognizer(engine, threads=1).read(lines)]
        for engine in (ladder.engines[0], ladder.averaged)
    ]
    assert texts[0] == texts[1], "the mean of equal weights reads as they do"
    (tmp_path / "checkpoint-300.onnx").write_bytes(find_weights("ctc").read_bytes())
    mixed = open_ladder(f"{tmp_path}/checkpoint-*", tmp_path / "kept", say=print)
    assert len(mixed.engines) == 3
    assert mixed.averaged == "", "weights and models have no mean"
