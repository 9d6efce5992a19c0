"""`odia-ocr render pages`: what lands in the folder, and how wrong use ends."""

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
    return partial(odia_ocr, "render", "pages")


def test_a_folder_and_a_count_are_enough(run, tmp_path: Path) -> None:
    assert run("-o", "pages", "--count", 3) == (0, "", "3 pages in pages\n")
    folder = tmp_path / "pages"
    names = [f"{i:06d}{end}" for i in range(3) for end in (".gt.txt", ".json", ".png")]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "metadata.jsonl"]
    rows = [json.loads(row) for row in (folder / "metadata.jsonl").read_text("utf-8").splitlines()]
    for i, row in enumerate(rows):
        assert row["file"] == f"{i:06d}.png"
        truth = json.loads((folder / f"{i:06d}.json").read_text("utf-8"))
        assert truth["schema"] == 1
        assert truth["layout"] == row["layout"]
        assert truth["faces"] == row["faces"]
        assert len(truth["lines"]) == row["lines"] > 0
        with Image.open(folder / row["file"]) as picture:
            assert [picture.width, picture.height] == truth["size"]
        regions = {region["id"] for region in truth["regions"]}
        text = ""
        before = truth["lines"][0]["region"]
        for line in truth["lines"]:
            assert set(line) == {"id", "text", "polygon", "baseline", "core_height", "region"}
            assert line["region"] in regions
            text += ("\n" if line["region"] != before else "") + line["text"] + "\n"
            before = line["region"]
        assert (folder / f"{i:06d}.gt.txt").read_text("utf-8") == text


def test_the_same_seed_gives_the_same_pages(run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("-o", name, "--count", 1, "--seed", 9, "--layout", "quote")
    for file in ("000000.png", "000000.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_layouts_own_text_and_clean_pages(run, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("ଭଲ ଦିନ ଆସିଲା\n", encoding="utf-8")
    code, _, _ = run(
        "-o", "pages", "--count", 2, "--clean", "--layout", "poem", "--text", "own.txt"
    )  # fmt: skip
    assert code == 0
    for i in range(2):
        truth = json.loads((tmp_path / "pages" / f"{i:06d}.json").read_text("utf-8"))
        assert truth["layout"] == "poem"
        assert truth["condition"] == "clean"
        assert truth["degradation"] == []
        words = {word.strip('।,!"') for line in truth["lines"] for word in line["text"].split()}
        assert words <= {"ଭଲ", "ଦିନ", "ଆସିଲା", ""}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--layout", "newz"], "Did you mean news"),
        (["--split", "traim"], "Did you mean train"),
        (["--count", "0"], "--count"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_wrong_use(run, tmp_path: Path, args: list[str], says: str) -> None:
    code, _, said = run("-o", "pages", *args)
    assert code == 2
    assert says in said
    assert not (tmp_path / "pages").exists()


def test_a_folder_with_files_needs_force(run, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "mine.txt").write_text("mine", "utf-8")
    code, _, said = run("-o", "pages", "--count", 1, "--layout", "quote")
    assert code == 1
    assert "pages is not empty. Choose another folder or use --force." in said
    assert run("-o", "pages", "--count", 1, "--layout", "quote", "--force")[0] == 0
    assert (tmp_path / "pages" / "mine.txt").read_text("utf-8") == "mine"


def test_without_fonts_there_is_nothing_to_draw_with(run, tmp_path: Path) -> None:
    code, _, said = run("-o", "pages", "--count", 1, "--fonts", "nowhere")
    assert code == 3
    assert "No font with Odia letters in nowhere." in said
    assert not (tmp_path / "pages").exists()
