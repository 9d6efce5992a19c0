"""`odia-ocr train`: settings are checked and wrong use ends clearly, before anything is trained."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("matplotlib")


@pytest.fixture
def run(odia_ocr):
    return partial(odia_ocr, "train")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch):
    """Stand in for the training itself; gives the configurations it was asked for."""
    asked = []

    def train(config, run, **_):
        asked.append(config)
        return run / "best.safetensors"

    monkeypatch.setattr("odia_ocr.train.ctc.train_ctc", train)
    monkeypatch.setattr("odia_ocr.train.curve.draw_curve", lambda *_: None)
    return asked


def test_options_win_over_the_file(run, trained, tmp_path: Path) -> None:
    settings = {
        "steps": 70,
        "rate": 1,
        "seed": 5,
        "stream": {"batch": 3, "folders": ["mine"], "text": None},
        "architecture": {"channels": [4, 8, 8, 8], "blocks": [0, 0], "dropout": 0},
    }
    (tmp_path / "c.json").write_text(json.dumps(settings), "utf-8")
    code, _, said = run("ctc", "-o", "r", "--config", "c.json", "--steps", 9, "--no-export")
    assert (code, said) == (0, "")
    (config,) = trained
    assert (config.steps, config.seed, config.stream.batch) == (9, 5, 3)
    assert config.stream.folders == ("mine",)
    assert config.architecture.channels == (4, 8, 8, 8)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"stream": 5}, "stream must be an object, got 5"),
        ({"architecture": 3}, "architecture must be an object, got 3"),
        ({"steps": "many"}, "steps must be a whole number, got 'many'"),
        ({"steps": 2.5}, "steps must be a whole number, got 2.5"),
        ({"workers": True}, "workers must be a whole number, got True"),
        ({"rate": "fast", "clip": None}, "rate must be a number, got 'fast'; clip must be"),
        ({"device": 0}, "device must be a string, got 0"),
        ({"stream": {"text": 7}}, "stream.text must be a string, got 7"),
        ({"stream": {"folders": "mine"}}, "stream.folders must be a list of names"),
        ({"stream": {"folders": [1]}}, "stream.folders must be a list of names"),
        ({"architecture": {"channels": [1, 2]}}, "architecture.channels must be a list of 4"),
        ([1], "must hold a JSON object"),
    ],
)
def test_values_of_the_wrong_kind(run, trained, tmp_path: Path, settings, says: str) -> None:
    (tmp_path / "c.json").write_text(json.dumps(settings), "utf-8")
    code, _, said = run("ctc", "-o", "r", "--config", "c.json", "--data", "mine")
    assert code == 2
    assert said.startswith("odia-ocr: c.json")
    assert says in said
    assert trained == []


@pytest.mark.parametrize(
    ("content", "says"),
    [("{", "Cannot read c.json"), (None, "Cannot read c.json"), ('{"stepz": 3}', "stepz")],
)
def test_files_that_are_no_settings(run, trained, tmp_path: Path, content, says: str) -> None:
    if content is not None:
        (tmp_path / "c.json").write_text(content, "utf-8")
    code, _, said = run("ctc", "-o", "r", "--config", "c.json")
    assert code == 2
    assert says in said
    assert trained == []


def test_resuming_needs_a_state(run, tmp_path: Path) -> None:
    code, _, said = run("ctc", "-o", "r", "--resume")
    assert code == 3
    assert said == "odia-ocr: No state in r. Start it without --resume.\n"
    assert not (tmp_path / "r").exists()


def test_wrong_use(run, trained, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("mine", "utf-8")
    code, _, said = run("ctc", "-o", "f")
    assert (code, said) == (1, "odia-ocr: f is not a folder. Give -o a folder for the run.\n")
    code, _, said = run("ctc", "-o", "r", "--device", "tpu")
    assert code == 2
    assert "auto, cpu, cuda" in said
    code, _, said = run("ctc", "-o", "r", "--from", "nowhere.safetensors")
    assert code == 3
    assert "nowhere.safetensors" in said
    assert trained == []


def test_the_status_of_a_run(run, tmp_path: Path) -> None:
    code, _, said = run("status", "r")
    assert (code, said) == (3, "odia-ocr: No run in r. Name the folder given to train -o.\n")
    row = {"step": 3, "lines": 96, "minutes": 0.5, "loss": 1.25}
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "log.jsonl").write_text(
        json.dumps({**row, "cer_degraded": 0.5, "cer_clean": 0.25}) + "\n", "utf-8"
    )
    assert run("status", "r")[0] == 3
    (tmp_path / "r" / "config.json").write_text('{"steps": 9}', "utf-8")
    code, out, _ = run("status", "r")
    assert code == 0
    assert "step 3 of 9" in out
    assert "50.00" in out


@pytest.fixture
def adapted(monkeypatch: pytest.MonkeyPatch):
    """Stand in for the adaptation itself; gives the settings it was asked for."""
    asked = []

    def adapt(sets, out, *, config, start, **_):
        asked.append((sets, config, start))
        return out / "model.onnx"

    monkeypatch.setattr("odia_ocr.apps.train_adapt.adapt_to_sets", adapt)
    return asked


def test_labelled_lines_and_weights_make_an_adaptation(run, trained, adapted) -> None:
    code, _, said = run("ctc", "-o", "r", "--from", "shipped", "--data", "mine", "--steps", 7)
    assert code == 0
    assert "--engine ctc:r/model.onnx" in said
    ((sets, config, start),) = adapted
    assert (sets, config.steps, start) == ([Path("mine")], 7, None)
    assert trained == []


@pytest.mark.parametrize("other", [["--no-adapt"], ["--workers", 1], ["--no-export"]])
def test_a_long_run_is_still_there(run, trained, adapted, other: list[object]) -> None:
    pair = ["--from", "shipped", "--data", "mine"]
    assert run("ctc", "-o", "r", *pair, "--no-export", *other)[0] == 0
    (config,) = trained
    assert config.stream.folders == ("mine",)
    assert adapted == []


def test_settings_of_an_adaptation(run, trained, adapted, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"replay": 0.25, "steps": 9}', "utf-8")
    pair = ["--from", "shipped", "--data", "mine", "--config", "c.json"]
    assert run("ctc", "-o", "r", *pair, "--adapt", "--steps", 3)[0] == 0
    ((_, config, _),) = adapted
    assert (config.replay, config.steps) == (0.25, 3)
    (tmp_path / "c.json").write_text('{"stream": {}}', "utf-8")
    code, _, said = run("ctc", "-o", "r", *pair, "--adapt")
    assert code == 2
    assert "Unknown adaptation keys" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--adapt"], "needs weights and labelled lines"),
        (["--adapt", "--data", "mine"], "needs weights and labelled lines"),
        (["--adapt", "--data", "m", "--from", "shipped", "--resume"], "is not resumed"),
    ],
)
def test_adaptations_that_cannot_be(run, adapted, options: list[str], says: str) -> None:
    code, _, said = run("ctc", "-o", "r", *options)
    assert code == 2
    assert says in said
    assert adapted == []


def test_broken_pictures_are_counted_and_left_out(tmp_path: Path) -> None:
    from odia_ocr.apps.train_adapt import read_sets
    from odia_ocr.data.lines import make_renderer, render_lines
    from odia_ocr.data.render_folder import write_rendered
    from odia_ocr.errors import DataError

    folder = tmp_path / "mine"
    write_rendered(render_lines(make_renderer(clean=True, seed=8), 3), folder)
    (folder / "000001.png").write_bytes(b"no picture")
    said: list[str] = []
    assert len(read_sets([folder], said.append)) == 2
    assert said[-1].startswith("1 pictures that cannot be opened left out, the first: ")
    for name in ("000000.png", "000002.png"):
        (folder / name).write_bytes(b"no picture")
    with pytest.raises(DataError, match="No picture of the labelled lines"):
        read_sets([folder], said.append)


def test_the_help_of_lora_tells_the_defaults_that_hold(run) -> None:
    from odia_ocr.train.lora.config import LoraConfig

    options = " ".join(run("lora", "--help").out.partition("Options:")[2].split())
    plain = LoraConfig()
    names = ("base", "unit", "steps", "batch", "accumulate", "rate", "misfit")
    defaults = {name: getattr(plain, name) for name in names}
    defaults |= {"rank": plain.adapter.rank, "targets": plain.adapter.targets}
    for name, value in defaults.items():
        told = options.partition(f"--{name} ")[2].partition("[default: ")[2].partition("]")[0]
        assert (name, told) == (name, str(value))
    assert plain.adapter.alpha == 2 * plain.adapter.rank
