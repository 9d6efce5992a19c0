from __future__ import annotations

import json
import unicodedata

import pytest

from odia_ocr.errors import DataError, FileMissingError, PictureError
from odia_ocr.evaluate.lineset import GroupLabel, read_line_set


def test_lines_come_by_name_with_text_and_group(make_set) -> None:
    line_set = read_line_set(make_set())
    assert [sample.name for sample in line_set.samples] == ["a_1", "a_2", "b_1", "b_2"]
    assert line_set.samples[0].text == "ଧର୍ମ ଓ କର୍ମ"
    assert line_set.samples[2].labels == (GroupLabel("name", "b"),)
    assert line_set.problems == ()
    assert line_set.samples[1].load().pixels.shape == (40, 121)


@pytest.mark.parametrize("ending", [".jpg", ".JPG", ".jpeg", ".tif", ".webp", ".bmp"])
def test_other_picture_kinds(make_set, ending: str) -> None:
    assert len(read_line_set(make_set(ending=ending)).samples) == 4


def test_names_with_dots_and_without_underscore(make_set) -> None:
    line_set = read_line_set(make_set({"p1.l2": "କ", "000": "ଖ"}))
    assert [sample.name for sample in line_set.samples] == ["000", "p1.l2"]
    assert all(sample.labels == () for sample in line_set.samples)


def test_transcriptions_are_nfc_without_mark_of_byte_order(make_set) -> None:
    folder = make_set({"x": "ଡ଼"})
    (folder / "x.gt.txt").write_bytes("\ufeff\u0b5c ନ\r\n".encode())
    assert read_line_set(folder).samples[0].text == unicodedata.normalize("NFC", "\u0b5c") + " ନ"


def test_metadata_gives_the_groups(make_set) -> None:
    folder = make_set({"000000": "କ", "000001": "ଖ", "000002": "ଗ"})
    rows = [
        {"file": "000000.png", "text": "କ", "face": "Anek Odia", "kind": "text"},
        {"file": "000001.png", "text": "ଖ", "face": "Alkatra", "kind": "display"},
    ]
    content = "\n".join(json.dumps(row) for row in rows) + "\n\n"
    (folder / "metadata.jsonl").write_text(content, encoding="utf-8")
    first, _, third = read_line_set(folder).samples
    assert first.labels == (GroupLabel("face", "Anek Odia"), GroupLabel("kind", "text"))
    assert third.labels == ()


def test_what_has_no_partner_is_a_problem(make_set) -> None:
    folder = make_set()
    (folder / "a_1.gt.txt").unlink()
    (folder / "b_1.png").unlink()
    line_set = read_line_set(folder)
    assert [sample.name for sample in line_set.samples] == ["a_2", "b_2"]
    found = [(problem.code, problem.line_id) for problem in line_set.problems]
    assert found == [("transcription-missing", "a_1"), ("picture-missing", "b_1")]


def test_the_digest_names_names_and_texts(make_set) -> None:
    folder = make_set()
    before = read_line_set(folder).digest
    assert read_line_set(folder).digest == before
    (folder / "a_1.gt.txt").write_text("ଅନ୍ୟ", encoding="utf-8")
    assert read_line_set(folder).digest != before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\xff\xfe\x15", "not UTF-8"),
        ("ଏକ\nଦୁଇ\n".encode(), "has 2 lines"),
    ],
)
def test_bad_transcriptions_name_the_file(make_set, content: bytes, message: str) -> None:
    folder = make_set()
    (folder / "a_2.gt.txt").write_bytes(content)
    with pytest.raises(DataError, match=rf"a_2\.gt\.txt.*{message}"):
        read_line_set(folder)


@pytest.mark.parametrize("row", ["{", "[1]", '{"face": "x"}', "7"])
def test_bad_metadata_names_the_line(make_set, row: str) -> None:
    folder = make_set()
    (folder / "metadata.jsonl").write_text(row, encoding="utf-8")
    with pytest.raises(DataError, match=r"metadata\.jsonl, line 1"):
        read_line_set(folder)


def test_bad_folders(make_set, tmp_path) -> None:
    with pytest.raises(FileMissingError):
        read_line_set(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="no folder"):
        read_line_set(tmp_path / "file")
    with pytest.raises(DataError, match="0 pictures, 0 transcriptions"):
        read_line_set(make_set({}))


def test_two_pictures_of_one_name_are_refused(make_set) -> None:
    make_set({"a": "କ"})
    with pytest.raises(DataError, match=r"a\.jpg and a\.png"):
        read_line_set(make_set({"a": "କ"}, ending=".jpg"))


def test_a_corrupt_picture_fails_when_loaded(make_set) -> None:
    folder = make_set({"a": "କ"})
    (folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(PictureError):
        read_line_set(folder).samples[0].load()
