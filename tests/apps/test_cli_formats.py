"""The command's output options as scripts use them, with a stand-in for the recognizer."""

from __future__ import annotations

import io
import json
import sys

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from odia_ocr.apps import cli
from odia_ocr.errors import OutputError
from odia_ocr.export.formats import FORMATS
from odia_ocr.pipeline import Reader
from odia_ocr.types import Candidates, Hypothesis, Reading, Symbol

TEXT = "ଧର୍ମ A4 24"
ALL = [option for name in FORMATS for option in ("--format", name)]


class FakeRecognizer:
    name = "fake"

    def read(self, lines):
        spans = [(18.0 * i, 18.0 * i + 18) for i in range(len(TEXT))]
        symbols = tuple(Symbol(c, -0.1, span) for c, span in zip(TEXT, spans, strict=True))
        return [Candidates(line.id, (Hypothesis(symbols, -0.3),)) for line in lines]


def page_image(rows):
    page = np.full((60 + 60 * max(rows, 1), 600), 245, np.uint8)
    for row in range(rows):
        for letter in range(14):
            top, left = 40 + 60 * row, 40 + 36 * letter
            page[top : top + 28, left : left + 28] = 20
            page[top + 4 : top + 24, left + 4 : left + 24] = 245
    return Image.fromarray(page)


def save(path, *rows):
    pages = [page_image(count) for count in rows]
    more = {"save_all": True, "append_images": pages[1:]} if len(pages) > 1 else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    pages[0].save(path, dpi=(150, 150), **more)
    return path


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path):
    """Run the command in this process: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ODIA_OCR_DEBUG", raising=False)
    monkeypatch.setattr(
        "odia_ocr.pipeline.open_reader",
        lambda engine="ctc", *, threads=None, detector=None: Reader(
            FakeRecognizer(), lambda c: Reading(c.best.text, 0.9, hypothesis=c.best)
        ),
    )

    def call(*args, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["odia-ocr", *map(str, args)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capfdbinary.readouterr()
        return caught.value.code or 0, captured.out.decode(), captured.err.decode()

    return call


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def pdf_text(path):
    document = pypdfium2.PdfDocument(path)
    lines = [line for page in document for line in page.get_textpage().get_text_range().split("\n")]
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_all_formats_of_a_picture(run, tmp_path):
    save(tmp_path / "a.png", 2)
    assert run("read", "a.png", "-o", "out", *ALL) == (0, "", "")
    assert names(tmp_path / "out") == sorted(f"a{form.suffix}" for form in FORMATS.values())
    assert pdf_text(tmp_path / "out" / "a.pdf") == [TEXT, TEXT]
    assert (tmp_path / "out" / "a.md").read_text("utf-8") == f"{TEXT}\n{TEXT}\n"
    for name in ("a.hocr", "a.alto.xml", "a.page.xml"):
        assert "ଧର୍ମ" in (tmp_path / "out" / name).read_text("utf-8")


def test_pages_of_a_tiff_and_of_the_pdf_made_of_it(run, tmp_path):
    save(tmp_path / "b.tif", 1, 2, 0, 1)
    assert run("read", "b.tif", "-o", "out", "--format", "pdf,page,txt")[0] == 0
    pages = ["b.p0002.page.xml", "b.p0003.page.xml", "b.p0004.page.xml", "b.page.xml"]
    assert names(tmp_path / "out") == [*pages, "b.pdf", "b.txt"]
    made = tmp_path / "out" / "b.pdf"
    assert len(pypdfium2.PdfDocument(made)) == 4
    code, out, _ = run("read", made, "-o", "again", "--pages", "2", "--format", "pdf")
    assert (code, out) == (0, "")
    again = (tmp_path / "again" / "b.pdf").read_bytes()
    assert again.startswith(made.read_bytes())
    assert len(pypdfium2.PdfDocument(again)) == 4


def test_standard_input_becomes_a_pdf(run, tmp_path):
    data = save(tmp_path / "a.jpg", 1).read_bytes()
    assert run("read", "-", "-o", "out", "--format", "pdf", stdin=data)[0] == 0
    made = (tmp_path / "out" / "stdin.pdf").read_bytes()
    assert data in made
    assert pdf_text(tmp_path / "out" / "stdin.pdf") == [TEXT]


@pytest.mark.parametrize(
    ("style", "text"), [("keep", TEXT), ("odia", "ଧର୍ମ A4 ୨୪"), ("ascii", TEXT)]
)
def test_digits_in_every_output(run, tmp_path, style, text):
    save(tmp_path / "a.png", 1)
    assert run("read", "a.png", "--digits", style)[1] == f"{text}\n"
    run("read", "a.png", "-o", "out", "--digits", style, *ALL)
    out = tmp_path / "out"
    for name in ("a.txt", "a.md"):
        assert (out / name).read_text("utf-8") == f"{text}\n"
    record = json.loads((out / "a.json").read_text("utf-8"))
    (line,) = record["pages"][0]["lines"]
    assert line["reading"]["text"] == text
    assert " ".join(word["text"] for word in line["words"]) == text
    assert pdf_text(out / "a.pdf") == [text]
    last = text.split()[-1]
    for name in ("a.hocr", "a.alto.xml", "a.page.xml"):
        assert f">{last}<" in (written := (out / name).read_text("utf-8")) or f'"{last}"' in written


def test_paragraphs(run, tmp_path):
    save(tmp_path / "a.png", 2)
    assert run("read", "a.png", "--paragraphs")[1] == f"{TEXT} {TEXT}\n"
    run("read", "a.png", "-o", "out", "--paragraphs", "--format", "txt,md,json")
    assert (tmp_path / "out/a.txt").read_text("utf-8") == f"{TEXT} {TEXT}\n"
    assert (tmp_path / "out/a.md").read_text("utf-8") == f"{TEXT} {TEXT}\n"
    record = json.loads((tmp_path / "out/a.json").read_text("utf-8"))
    assert len(record["pages"][0]["lines"]) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--format", "docx", "-o", "out"], "Unknown format 'docx'"),
        (["--format", "pdf"], "needs a folder"),
        (["--digits", "roman"], "Unknown style of digits 'roman'"),
        (["-o", "a.png"], "is not a folder"),
    ],
)
def test_wrong_use(run, tmp_path, options, told):
    save(tmp_path / "a.png", 1)
    code, out, err = run("read", "a.png", *options)
    assert (code, out) == (2, "")
    assert told in err
    assert names(tmp_path) == ["a.png"]


def test_one_format_that_cannot_be_made_leaves_the_others(run, tmp_path, monkeypatch):
    def refuse(*args):
        raise OutputError("a.png: the PDF is encrypted.", next_step="Open it.")

    save(tmp_path / "a.png", 1)
    monkeypatch.setattr("odia_ocr.export.pdf_picture.write_picture_pdf", refuse)
    code, _, err = run("read", "a.png", "-o", "out", "--format", "pdf,txt")
    assert (code, names(tmp_path / "out")) == (1, ["a.txt"])
    assert err == "odia-ocr: a.png: the PDF is encrypted. Open it.\n"
    assert run("read", "a.png", "-o", "none", "--format", "pdf")[0] == 1
    assert names(tmp_path / "none") == []
    # A folder that cannot be made is told before anything is read.
    code, _, err = run("read", "a.png", "-o", "a.png/deep")
    assert (code, "a.png/deep cannot be written" in err) == (1, True)


def test_a_restricted_original_is_read_and_the_rest_written(run, tmp_path):
    pikepdf = pytest.importorskip("pikepdf")
    save(tmp_path / "a.png", 1)
    run("read", "a.png", "-o", "made", "--format", "pdf")
    with pikepdf.open(tmp_path / "made" / "a.pdf") as pdf:
        allow = pikepdf.Permissions(modify_other=False)
        lock = pikepdf.Encryption(user="", owner="x", allow=allow)
        pdf.save(tmp_path / "locked.pdf", encryption=lock)
    code, _, err = run("read", "locked.pdf", "-o", "out", "--format", "pdf,txt,hocr")
    assert (code, names(tmp_path / "out")) == (1, ["locked.hocr", "locked.txt"])
    assert "locked.pdf: the PDF's owner forbids changes" in err


def test_existing_files_are_kept(run, tmp_path):
    save(tmp_path / "a.png", 1)
    run("read", "a.png", "-o", "out", "--format", "txt")
    (tmp_path / "out/a.txt").write_text("mine")
    code, _, err = run("read", "a.png", "-o", "out", "--format", "txt,md")
    assert code == 0
    assert "kept out/a.txt, use --force to replace" in err
    assert (tmp_path / "out/a.txt").read_text() == "mine"
    assert (tmp_path / "out/a.md").exists()
    assert run("read", "a.png", "-o", "out", "--format", "txt,md")[0] == 0  # all kept
    run("read", "a.png", "-o", "out", "--format", "txt,md", "--force")
    assert (tmp_path / "out/a.txt").read_text("utf-8") == f"{TEXT}\n"


def test_a_folder_within_the_input_is_not_read_again(run, tmp_path):
    save(tmp_path / "in" / "a.png", 1)
    assert run("read", "in", "-o", "in/out", "--format", "pdf", "--overlay") == (0, "", "")
    made = names(tmp_path / "in" / "out")
    assert made == ["a.p0001.overlay.png", "a.pdf"]
    code, out, err = run("read", "in", "-o", "in/out", "--format", "pdf", "--overlay", "--force")
    assert (code, out, err) == (0, "", "")
    assert names(tmp_path / "in" / "out") == made


def test_the_original_is_not_replaced_by_its_own_pdf(run, tmp_path):
    save(tmp_path / "b.tif", 1, 1)
    run("read", "b.tif", "-o", ".", "--format", "pdf")
    before = (tmp_path / "b.pdf").read_bytes()
    code, _, err = run("read", "b.pdf", "-o", ".", "--format", "pdf,txt", "--force")
    assert code == 1
    assert "would replace the file that is read. Give another -o DIR." in err
    assert (tmp_path / "b.pdf").read_bytes() == before
    assert (tmp_path / "b.txt").exists()
