from __future__ import annotations

import json
from pathlib import Path

import pytest
from page_sets import PAGES, bar, make_truth, write_pages
from PIL import Image

from odia_ocr.errors import DataError, FileMissingError, PictureError
from odia_ocr.evaluate.lineset import GroupLabel
from odia_ocr.evaluate.page_set import PrintedLine, read_page_set


def test_pages_come_by_name_with_their_lines(tmp_path: Path) -> None:
    page_set = read_page_set(write_pages(tmp_path))
    assert [sample.name for sample in page_set.samples] == ["a_1", "a_2", "b_1"]
    first = page_set.samples[0]
    assert first.lines == tuple(PrintedLine(text) for text in PAGES["a_1"])
    assert first.text == " ".join(PAGES["a_1"])
    assert (first.labels, first.size, page_set.problems) == ((), None, ())
    assert first.load().size == (200, 160)


def test_the_truth_gives_outlines_and_groups(tmp_path: Path) -> None:
    folder = write_pages(tmp_path, truth=True)
    rows = [{"file": "a_1.png", "condition": "photo", "kind": "serif", "text": "not a group"}]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    first, second, _ = read_page_set(folder).samples
    assert first.lines[1].polygon == bar(1)
    assert first.size == (200, 160)
    assert set(first.labels) == {
        GroupLabel("layout", "book"),
        GroupLabel("condition", "photo"),  # the metadata have the word
        GroupLabel("kind", "serif"),
    }
    assert GroupLabel("condition", "clean") in second.labels


def test_the_digest_names_texts_and_names_only(tmp_path: Path) -> None:
    plain = read_page_set(write_pages(tmp_path / "one")).digest
    assert read_page_set(write_pages(tmp_path / "two", truth=True)).digest == plain
    # Joined lines are another page.
    joined = {**PAGES, "a_2": (" ".join(PAGES["a_2"]),)}
    assert read_page_set(write_pages(tmp_path / "three", joined)).digest != plain


def test_pictures_without_text_and_texts_without_picture_are_told(tmp_path: Path) -> None:
    folder = write_pages(tmp_path)
    (folder / "a_2.gt.txt").unlink()
    (folder / "b_1.png").unlink()
    page_set = read_page_set(folder)
    assert [sample.name for sample in page_set.samples] == ["a_1"]
    assert [problem.line_id for problem in page_set.problems] == ["a_2", "b_1"]


def test_folders_that_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        read_page_set(tmp_path / "none")
    with pytest.raises(DataError, match="0 pictures, 0 transcriptions"):
        read_page_set(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="no folder"):
        read_page_set(tmp_path / "file")


@pytest.mark.parametrize(("content", "message"), [(b"", "empty"), (b"\n \n", "empty")])
def test_a_transcription_without_text(tmp_path: Path, content: bytes, message: str) -> None:
    folder = write_pages(tmp_path)
    (folder / "a_1.gt.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"a_1\.gt\.txt is {message}"):
        read_page_set(folder)


def test_a_transcription_in_another_encoding(tmp_path: Path) -> None:
    folder = write_pages(tmp_path)
    (folder / "a_1.gt.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        read_page_set(folder)


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    folder = write_pages(tmp_path)
    Image.new("L", (9, 9)).save(folder / "a_1.jpg")
    with pytest.raises(DataError, match="share one name"):
        read_page_set(folder)


def spoil(**changes: object) -> str:
    return json.dumps({**make_truth(PAGES["a_1"]), **changes})


LINES = make_truth(PAGES["a_1"])["lines"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "no JSON"),
        ("[]", "schema 1 was expected, not 'list'"),
        (spoil(schema=2), "schema 1 was expected, not 2"),
        (spoil(size="large"), "size must be"),
        (spoil(size=[1, 2, 3]), "size must be"),
        (spoil(lines=LINES[:2]), "has 2 lines, a_1.gt.txt has 3"),
        (spoil(lines=LINES[::-1]), "line 1 is"),
        (spoil(lines=[{**LINES[0], "polygon": [[1, 2], [3, 4]]}, *LINES[1:]]), "three points"),
        (spoil(lines=[{**LINES[0], "polygon": 5}, *LINES[1:]]), "without text or polygon"),
        (spoil(lines=None), "without text or polygon"),
    ],
)
def test_a_truth_that_does_not_fit(tmp_path: Path, content: str, message: str) -> None:
    folder = write_pages(tmp_path, truth=True)
    (folder / "a_1.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"a_1\.json") as caught:
        read_page_set(folder)
    assert message in str(caught.value)
    assert "remove the .json" in str(caught.value)


def test_a_truth_of_another_picture(tmp_path: Path) -> None:
    folder = write_pages(tmp_path, truth=True)
    Image.new("L", (70, 60)).save(folder / "a_1.png")
    with pytest.raises(DataError, match=r"70 x 60 pixels, but a_1\.json .* 200 x 160"):
        read_page_set(folder).samples[0].load()


def test_pictures_that_are_no_page(tmp_path: Path) -> None:
    folder = write_pages(tmp_path)
    (folder / "a_1.png").write_bytes(b"no picture")
    (folder / "a_2.png").unlink()
    page = Image.new("L", (30, 30))
    page.save(folder / "a_2.tif", save_all=True, append_images=[page])
    first, second, _ = read_page_set(folder).samples
    with pytest.raises(PictureError):
        first.load()
    with pytest.raises(DataError, match="holds 2 pages"):
        second.load()
