from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import odia_ocr.pipeline
from odia_ocr.apps.cli import app
from odia_ocr.errors import DataError, EngineMissingError, FileMissingError, PictureError
from odia_ocr.types import Line, Page, PageImage, Problem, Reading

BOX = ((0.0, 0.0), (40.0, 0.0), (40.0, 20.0), (0.0, 20.0))


class Named:
    name = "fake"


class FakeReader:
    """Reads every page as two lines, except the page "bad"; says something about "odd"."""

    recognizer = Named()
    page_reader = None

    def read_page(self, image: PageImage) -> Page:
        name = Path(image.source).stem
        if name == "bad":
            raise PictureError("too odd.", next_step="Look at it.")
        lines = tuple(Line(f"l{i}", BOX, reading=Reading(t, None)) for i, t in enumerate("କଖ"))
        problems = (Problem("doubtful", "hm"),) if name == "odd" else ()
        if name == "cut":
            problems = (Problem("recognition", "a line was lost"),)
        return Page(image.source, 1, image.size, lines=lines, problems=problems)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int | None]]:
    calls: list[tuple[str, int | None]] = []

    def open_fake(engine: str = "ctc", *, threads: int | None = None) -> FakeReader:
        calls.append((engine, threads))
        return FakeReader()

    monkeypatch.setattr(odia_ocr.pipeline, "open_reader", open_fake)
    return calls


def write_set(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        Image.fromarray(np.full((60, 40), 255, np.uint8)).save(folder / f"{name}.png")
        (folder / f"{name}.gt.txt").write_text("କ\n\nଖ\n", encoding="utf-8")
    return folder


def run(*arguments: object):
    return CliRunner().invoke(app, ["evaluate", "--unit", "page", *map(str, arguments)])


def test_it_prints_tables_and_writes_both_files(opened, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", "x", "y")
    out = tmp_path / "out"
    result = run(
        folder, "--engine", "ctc", "--engine", "tesseract-lines", "--engine", "ctc",
        "--threads", "1", "--json", out / "s.json", "--html", out / "s.html", "--seed", "5",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert opened == [("ctc", 1), ("tesseract-lines", 1)]
    assert result.stderr == ""
    assert "order-free" in result.stdout
    record = json.loads((out / "s.json").read_text("utf-8"))
    assert [row["engine"] for row in record["results"]] == ["ctc", "tesseract-lines"]
    assert {row["unit"] for row in record["results"]} == {"page"}
    assert record["results"][0]["cer"]["value"] == 0
    assert "seed:5" in record["results"][0]["signature"]
    assert (out / "s.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_page_that_failed_is_told_and_ends_with_1(opened, tmp_path: Path) -> None:
    result = run(write_set(tmp_path / "set", "x", "bad"))
    assert result.exit_code == 1
    assert "ctc, page bad: too odd. Look at it." in result.stderr
    assert "50.00 %" in result.stdout


def test_a_lost_line_ends_with_1_and_doubt_does_not(opened, tmp_path: Path) -> None:
    doubted = run(write_set(tmp_path / "one", "odd"))
    assert (doubted.exit_code, "page odd: hm" in doubted.stderr) == (0, True)
    lost = run(write_set(tmp_path / "two", "cut"))
    assert (lost.exit_code, "page cut: a line was lost" in lost.stderr) == (1, True)


def test_a_picture_left_out_is_told(opened, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", "x", "y")
    (folder / "y.gt.txt").unlink()
    result = run(folder)
    assert result.exit_code == 1
    assert "y.png has no transcription" in result.stderr


def test_a_bad_set_ends_before_engines_open(opened, tmp_path: Path) -> None:
    result = run(write_set(tmp_path / "set"))
    assert isinstance(result.exception, DataError)
    assert "holds no picture with a usable transcription" in str(result.exception)
    assert isinstance(run(tmp_path / "none").exception, FileMissingError)
    folder = write_set(tmp_path / "other", "x")
    (folder / "x.json").write_text('{"schema": 1, "size": [40, 60], "lines": []}')
    result = run(folder)
    assert isinstance(result.exception, DataError)
    assert "has 0 lines" in str(result.exception)
    assert opened == []


def test_a_missing_engine_is_an_error_of_status_3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    result = run(write_set(tmp_path / "set", "x"), "--engine", "tesseract")
    assert isinstance(result.exception, EngineMissingError)
    assert result.exception.exit_code == 3
    assert "Install it" in str(result.exception)


def test_help_shows_how_to_measure_pages() -> None:
    result = CliRunner().invoke(app, ["evaluate", "--help"])
    assert "--unit page --engine ctc --engine tesseract" in result.stdout
    assert "Exit status" in result.stdout
