"""Bad input through the command: one clear line each, and everything else is still read."""

from __future__ import annotations

import io
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from odia_ocr.apps import cli, sinks
from odia_ocr.pipeline import Reader
from odia_ocr.types import Candidates, Hypothesis, Reading, Symbol


class FakeRecognizer:
    name = "fake"

    def read(self, lines):
        hyp = Hypothesis((Symbol("କ", -0.01),) * 4, -0.04)
        return [Candidates(line.id, (hyp,)) for line in lines]


def page_pixels(rows=1):
    page = np.full((60 + 60 * rows, 600), 245, np.uint8)
    for row in range(rows):
        for letter in range(14):
            top, left = 40 + 60 * row, 40 + 36 * letter
            page[top : top + 28, left : left + 28] = 20
            page[top + 4 : top + 24, left + 4 : left + 24] = 245
    return page


def pdf_of(*rows):
    pages = [Image.fromarray(page_pixels(r)) for r in rows]
    stream = io.BytesIO()
    pages[0].save(stream, "PDF", save_all=True, append_images=pages[1:])
    return stream.getvalue()


@pytest.fixture
def run(monkeypatch, capfdbinary, tmp_path):
    """Run `odia-ocr read` in this process; gives (exit status, output, messages)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ODIA_OCR_DEBUG", raising=False)
    reader = Reader(
        FakeRecognizer(), lambda c: Reading(c.best.text, 0.9, hypothesis=c.best), threads=2
    )
    monkeypatch.setattr("odia_ocr.pipeline.open_reader", lambda *_, **__: reader)

    def call(*args):
        monkeypatch.setattr(sys, "argv", ["odia-ocr", "read", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        captured = capfdbinary.readouterr()
        return caught.value.code or 0, captured.out.decode(), captured.err.decode()

    return call


def test_a_pdf_with_one_bad_page_gives_the_others(run, tmp_path):
    data = pdf_of(1, 2, 3)
    at = [i for i in range(len(data)) if data.startswith(b"/Type /Page\n", i)][1]
    start, end = data.rfind(b"obj", 0, at) + 3, data.find(b"endobj", at)
    (tmp_path / "book.pdf").write_bytes(data[:start] + b" null ".ljust(end - start) + data[end:])
    code, out, err = run("book.pdf")
    assert code == 1
    assert out == "କକକକ\n\fକକକକ\nକକକକ\nକକକକ\n"
    assert err.count("\n") == 1
    assert "book.pdf, page 2" in err
    assert "--pages" in err


def test_pages_of_a_pdf_are_chosen(run, tmp_path):
    (tmp_path / "book.pdf").write_bytes(pdf_of(1, 2, 3))
    assert run("book.pdf", "--pages", "2-")[1] == "\f".join(["କକକକ\n" * 2, "କକକକ\n" * 3])
    code, out, err = run("book.pdf", "--pages", "7")
    assert (code, out) == (3, "")
    assert "none of the wanted pages is among its 3" in err


@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_truncated_pdf_is_told_and_the_rest_is_read(run, tmp_path, share):
    data = pdf_of(1, 2, 3)
    (tmp_path / "cut.pdf").write_bytes(data[: int(share * len(data))])
    Image.fromarray(page_pixels()).save(tmp_path / "good.png")
    code, out, err = run("cut.pdf", "good.png")
    assert code == 1
    assert out.endswith("କକକକ\n")
    assert err.startswith("odia-ocr: cut.pdf")
    assert "Traceback" not in err


def test_a_truncated_tiff_is_told_and_its_other_pages_are_read(run, tmp_path):
    pages = [Image.fromarray(page_pixels(rows)) for rows in (1, 1, 1)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    data = stream.getvalue()
    (tmp_path / "cut.tif").write_bytes(data[: int(0.5 * len(data))])
    code, out, err = run("cut.tif", "-o", "out", "--format", "txt,pdf")
    assert (code, out) == (1, "")
    assert (tmp_path / "out" / "cut.txt").read_text("utf-8") == "କକକକ\n"
    assert (tmp_path / "out" / "cut.pdf").read_bytes().count(b"/Type /Page ") == 1
    # Nothing but our own lines: Pillow's warnings would be errors here.
    assert all(line.startswith("odia-ocr: cut.tif, page ") for line in err.splitlines())
    assert "breaks off at page 3; others after it may be missing" in err


def locked_pdf():
    pikepdf = pytest.importorskip("pikepdf")
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf_of(1))) as pdf:
        pdf.save(stream, encryption=pikepdf.Encryption(user="secret", owner="secret"))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (locked_pdf, "the PDF is protected by a password. Save it without the password first."),
        (lambda: b"", "the file is empty (0 bytes). Copy, download or scan it again."),
        (lambda: b"%PDF-1.7\nno more", "truncated or corrupt: none of its pages can be opened."),
    ],
    ids=["locked", "empty", "broken"],
)
def test_a_pdf_that_does_not_open_leaves_the_others_alone(run, tmp_path, content, says):
    (tmp_path / "bad.pdf").write_bytes(content())
    Image.fromarray(page_pixels()).save(tmp_path / "good.png")
    code, out, err = run("bad.pdf", "good.png")
    assert (code, out, err.count("\n")) == (1, "କକକକ\n", 1)
    assert err.startswith("odia-ocr: bad.pdf: ")
    assert says in err
    assert run("bad.pdf", "-o", "out", "--format", "pdf,txt")[0] == 3
    assert not list(tmp_path.glob("out/*"))


def test_a_file_without_permission_leaves_the_others_alone(run, tmp_path, monkeypatch):
    # Simulated, because the superuser may read everything.
    from pathlib import Path

    real = Path.open

    def guarded(self, *args, **options):
        if self.name == "closed.png":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **options)

    for name in ("closed.png", "good.png"):
        Image.fromarray(page_pixels()).save(tmp_path / name)
    monkeypatch.setattr(Path, "open", guarded)
    code, out, err = run("closed.png", "good.png")
    assert (code, out) == (1, "କକକକ\n")
    assert err == (
        "odia-ocr: closed.png cannot be opened: Permission denied. Check the permissions.\n"
    )


def test_an_error_within_one_page_leaves_the_others_alone(run, tmp_path, monkeypatch):
    from odia_ocr.pages.profile import ProfileSegmenter

    real = ProfileSegmenter.segment

    def failing(self, image):
        if image.number == 2:
            raise ZeroDivisionError("by zero")
        return real(self, image)

    monkeypatch.setattr(ProfileSegmenter, "segment", failing)
    (tmp_path / "book.pdf").write_bytes(pdf_of(1, 1, 1))
    code, out, err = run("book.pdf")
    assert (code, out) == (1, "କକକକ\n\fକକକକ\n")
    assert "book.pdf, page 2: reading failed: ZeroDivisionError: by zero" in err


def test_the_input_options_reach_the_reader(run, tmp_path):
    spread = np.full((600, 1400), 245, np.uint8)
    for left in (0, 760):
        spread[:240, left : left + 600] = page_pixels(3)
    Image.fromarray(spread).save(tmp_path / "spread.png")
    assert run("spread.png", "--split-spreads")[1] == "\n".join(["କକକକ\n" * 3] * 2)
    (tmp_path / "book.pdf").write_bytes(pdf_of(1))
    code, _, err = run("book.pdf", "--text-layer", "-o", "out", "--format", "json")
    assert (code, err) == (0, "")
    assert "text layer: none" in (tmp_path / "out" / "book.json").read_text("utf-8")
    assert run("book.pdf", "--dpi", "5")[0] == 2


def save_page(path, rows):
    Image.fromarray(page_pixels(rows)).save(path)


@pytest.mark.parametrize("threads", [1, 4])
def test_files_are_read_side_by_side_and_come_in_order(run, tmp_path, threads):
    for i, rows in enumerate((3, 1, 2, 1)):
        save_page(tmp_path / f"{i}.png", rows)
    (tmp_path / "book.pdf").write_bytes(pdf_of(1, 2))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    names = ["0.png", "1.png", "bad.png", "book.pdf", "2.png", "3.png"]
    code, out, err = run(*names, "--threads", threads)
    assert code == 1
    assert [text.count("କ") // 4 for text in out.split("\f")] == [3, 1, 1, 2, 2, 1]
    assert err.count("\n") == 1
    assert "bad.png" in err


def test_pages_of_several_files_are_under_way_at_once(run, tmp_path, monkeypatch):
    meeting = threading.Barrier(2, timeout=20)
    read = FakeRecognizer.read

    def wait_and_read(self, lines):
        meeting.wait()
        return read(self, lines)

    monkeypatch.setattr(FakeRecognizer, "read", wait_and_read)
    for name in ("a.png", "b.png"):
        save_page(tmp_path / name, 1)
    assert run("a.png", "b.png", "--threads", 2)[:2] == (0, "କକକକ\n\fକକକକ\n")


def test_a_document_that_fails_on_delivery_is_given_up(run, tmp_path, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    full = iter([Full()])
    open_spool = sinks._open_spool
    monkeypatch.setattr(sinks, "_open_spool", lambda folder: next(full, None) or open_spool(folder))
    read = []
    read_one = Reader.read_one
    monkeypatch.setattr(
        Reader,
        "read_one",
        lambda self, file, options, number: (
            read.append(file.source) or read_one(self, file, options, number)
        ),
    )
    (tmp_path / "book.pdf").write_bytes(pdf_of(*[1] * 30))
    save_page(tmp_path / "page.png", 2)
    args = ("book.pdf", "page.png", "-o", "out", "--format", "txt", "--threads", 4)
    code, _, err = run(*args)
    assert code == 1
    assert "No space left" in err
    assert 1 <= read.count("book.pdf") < 15
    assert (tmp_path / "out" / "page.txt").read_text("utf-8") == "କକକକ\n" * 2
    assert not (tmp_path / "out" / "book.txt").exists()


def test_kept_documents_leave_the_others_their_pages(run, tmp_path):
    (tmp_path / "book.pdf").write_bytes(pdf_of(1, 2, 1))
    save_page(tmp_path / "page.png", 2)
    args = ("-o", "out", "--format", "alto")
    assert run("book.pdf", *args)[0] == 0
    code, _, err = run("book.pdf", "page.png", *args)
    assert code == 0
    assert "kept" in err
    assert (tmp_path / "out" / "page.alto.xml").exists()


def test_a_document_that_cannot_be_written_leaves_the_others(run, tmp_path):
    (tmp_path / "book.pdf").write_bytes(pdf_of(*[1] * 9))
    save_page(tmp_path / "page.png", 2)
    (tmp_path / "out" / "book.txt").mkdir(parents=True)
    code, _, err = run("book.pdf", "page.png", "-o", "out", "--format", "txt", "--force")
    assert code == 1
    assert "book.txt" in err
    assert (tmp_path / "out" / "page.txt").read_text("utf-8") == "କକକକ\n" * 2
