"""Pools: what may be chosen from, and a truth that is told on request only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_features import make_sample
from PIL import Image

from odia_ocr.curate.pool import Pool, may_be_pages, open_pool
from odia_ocr.errors import DataError, FileMissingError, UsageError
from odia_ocr.types import Problem


def save_picture(path: Path, size: tuple[int, int] = (90, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size[::-1], 200, np.uint8)).save(path)


def test_lines_are_handed_out_without_their_texts() -> None:
    sample = make_sample("a", "ଘର")
    pool = Pool([sample.__class__(**{**_fields(sample), "extras": (("text2", "ଘର"),)})])
    assert [line.text for line in pool.lines] == [""]
    assert pool.lines[0].extras == ()
    assert pool.find(["a"])[0].text == ""
    assert pool.revealed == ()
    assert pool.reveal(["a"]) == {"a": "ଘର"}
    assert pool.revealed == ("a",)


def _fields(sample) -> dict:
    return {name: getattr(sample, name) for name in sample.__dataclass_fields__}


def test_what_a_pool_does_not_know_it_says() -> None:
    pool = Pool([make_sample("a"), make_sample("b", "ନଦୀ")], name="scans")
    with pytest.raises(UsageError, match="scans does not know the text of a"):
        pool.reveal(["b", "a"])
    with pytest.raises(DataError, match="scans has no line 'c'"):
        pool.find(["c"])
    assert pool.revealed == ("b",)


def test_lines_of_one_name_are_told_apart() -> None:
    pool = Pool([make_sample("a", "ଘର"), make_sample("a", "ନଦୀ"), make_sample("a")])
    assert [line.id for line in pool.lines] == ["a", "a-2", "a-3"]
    assert pool.reveal(["a-2"]) == {"a-2": "ନଦୀ"}


def test_pictures_with_and_without_transcriptions_make_one_pool(tmp_path: Path) -> None:
    for name in ("a", "b", "deep/c"):
        save_picture(tmp_path / f"{name}.png")
    (tmp_path / "b.gt.txt").write_text("ଘର\n", "utf-8")
    (tmp_path / "lone.gt.txt").write_text("ଘର\n", "utf-8")
    pool = open_pool(tmp_path)
    assert [line.id for line in pool.lines] == ["a", "b", "deep/c"]
    assert [problem.code for problem in pool.problems] == ["picture-missing"]
    assert pool.reveal(["b"]) == {"b": "ଘର"}


def test_an_empty_pool_says_why() -> None:
    problem = Problem("picture-missing", "x.gt.txt has no picture.")
    with pytest.raises(DataError, match=r"scans holds no line .* \(1 left out\)\. x\.gt\.txt has"):
        Pool([problem], name="scans")


def test_a_pool_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        open_pool(tmp_path / "gone")


def test_sets_that_say_where_lines_stand_are_no_pages(tmp_path: Path) -> None:
    save_picture(tmp_path / "scans" / "p.png", (400, 600))
    assert may_be_pages(str(tmp_path / "scans"))
    (tmp_path / "scans" / "p.page.xml").write_text("<PcGts></PcGts>", "utf-8")
    assert not may_be_pages(str(tmp_path / "scans"))
