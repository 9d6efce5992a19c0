from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import odia_ocr.recognize
from odia_ocr.apps.cli import app
from odia_ocr.errors import DataError, UsageError
from odia_ocr.types import Candidates, Hypothesis, Problem, Symbol


class Fake:
    """Reads every line as "କ", except the one named "bad"."""

    name = "fake"

    def read(self, lines):
        return [
            Problem("recognition", "too odd", line_id=line.id)
            if line.id == "bad"
            else Candidates(line.id, (Hypothesis((Symbol("କ", -0.1),), -0.1),))
            for line in lines
        ]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    calls: list[tuple[str, int | None]] = []

    def open_fake(name: str = "ctc", *, threads: int | None = None) -> Fake:
        calls.append((name, threads))
        return Fake()

    monkeypatch.setattr(odia_ocr.recognize, "open_recognizer", open_fake)
    return calls


def write_set(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        Image.fromarray(np.full((20, 40), 255, np.uint8)).save(folder / f"{name}.png")
        (folder / f"{name}.gt.txt").write_text("କ", encoding="utf-8")
    return folder


def run(*arguments: object):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def test_it_prints_tables_and_writes_both_files(opened, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", "x", "y")
    out = tmp_path / "out"
    result = run(
        folder, "--engine", "ctc", "--engine", "tesseract:ori", "--threads", "1",
        "--json", out / "s.json", "--html", out / "s.html", "--seed", "5",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert opened == [("ctc", 1), ("tesseract:ori", 1)]
    assert "tesseract:ori" in result.stdout
    assert result.stderr == ""
    record = json.loads((out / "s.json").read_text("utf-8"))
    assert [row["engine"] for row in record["results"]] == ["ctc", "tesseract:ori"]
    assert record["results"][0]["cer"]["value"] == 0
    assert "seed:5" in record["results"][0]["signature"]
    assert (out / "s.html").read_text("utf-8").startswith("<!doctype html>")


def test_ctc_is_the_default_and_double_names_count_once(opened, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", "x")
    assert run(folder).exit_code == 0
    assert run(folder, "--engine", "ctc", "--engine", "ctc").exit_code == 0
    assert [name for name, _ in opened] == ["ctc", "ctc"]


def test_failed_lines_are_told_and_end_with_1(opened, tmp_path: Path) -> None:
    result = run(write_set(tmp_path / "set", "x", "bad"))
    assert result.exit_code == 1
    assert "bad: too odd" in result.stderr
    assert "50.00 %" in result.stdout


def test_a_picture_without_transcription_is_told(opened, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", "x", "y")
    (folder / "y.gt.txt").unlink()
    result = run(folder)
    assert result.exit_code == 1
    assert "y.png has no transcription" in result.stderr


def test_other_units(opened, tmp_path: Path) -> None:
    result = run(write_set(tmp_path / "set", "x"), "--unit", "word")
    assert isinstance(result.exception, UsageError)
    assert "Unknown unit 'word'" in str(result.exception)


def test_a_bad_set_ends_before_engines_open(opened, tmp_path: Path) -> None:
    result = run(write_set(tmp_path / "set"))
    assert isinstance(result.exception, DataError)
    assert opened == []
