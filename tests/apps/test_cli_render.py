"""`odia-ocr render lines`: what lands in the folder, and how wrong use ends."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("uharfbuzz")
pytest.importorskip("cv2")


@pytest.fixture
def run(odia_ocr):
    return partial(odia_ocr, "render", "lines")


def test_a_folder_and_a_count_are_enough(run, tmp_path: Path) -> None:
    assert run("-o", "lines", "--count", 2) == (0, "", "2 lines in lines\n")
    folder = tmp_path / "lines"
    assert sorted(path.name for path in folder.iterdir()) == [
        "000000.gt.txt",
        "000000.png",
        "000001.gt.txt",
        "000001.png",
        "metadata.jsonl",
    ]
    rows = [json.loads(row) for row in (folder / "metadata.jsonl").read_text("utf-8").splitlines()]
    for i, row in enumerate(rows):
        assert row["file"] == f"{i:06d}.png"
        assert (folder / f"{i:06d}.gt.txt").read_text("utf-8") == row["text"] + "\n"
        assert row["face"]
        with Image.open(folder / row["file"]) as picture:
            assert picture.width > 10


def test_a_folder_with_files_needs_force(run, tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "mine.txt").write_text("mine", "utf-8")
    code, _, said = run("-o", "lines", "--count", 1)
    assert code == 1
    assert "lines is not empty. Choose another folder or use --force." in said
    assert [path.name for path in (tmp_path / "lines").iterdir()] == ["mine.txt"]
    assert run("-o", "lines", "--count", 1, "--clean", "--force")[0] == 0
    assert (tmp_path / "lines" / "mine.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("where", ["page.txt", "page.txt/lines"])
def test_a_file_is_no_output_folder(run, tmp_path: Path, where: str) -> None:
    (tmp_path / "page.txt").write_text("mine", "utf-8")
    code, _, said = run("-o", where, "--count", 1, "--clean")
    assert code == 1
    assert said.startswith(f"odia-ocr: Cannot write into {where}: Not a directory.")
    assert said.count("\n") == 1
    assert (tmp_path / "page.txt").read_text("utf-8") == "mine"


@pytest.mark.parametrize("folder", ["nowhere", "empty"])
def test_without_fonts_there_is_nothing_to_draw_with(run, tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    code, _, said = run("-o", "lines", "--count", 1, "--fonts", folder)
    assert code == 3
    assert f"No font with Odia letters in {folder}." in said
    assert not (tmp_path / "lines").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--split", "traim"], "Did you mean train"),
        (["--words", "nonsense"], "Write 3 or 1-4"),
        (["--words", "4-1"], "Write 3 or 1-4"),
        (["--words", "0"], "Write 3 or 1-4"),
        (["--seed", "-1"], "--seed"),
        (["--count", "0"], "--count"),
    ],
)
def test_wrong_use(run, tmp_path: Path, args: list[str], says: str) -> None:
    code, _, said = run("-o", "lines", *args)
    assert code == 2
    assert says in said
    assert not (tmp_path / "lines").exists()
