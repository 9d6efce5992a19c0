"""The plugin in the real program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "page.png"

needs_programs = pytest.mark.skipif(
    shutil.which("gs") is None or shutil.which("tesseract") is None,
    reason="OCRmyPDF needs Ghostscript and Tesseract",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """PDF/A of the sample page, whose upper half is page 1 and lower half page 2, and its text."""
    folder = tmp_path_factory.mktemp("ocrmypdf")
    with Image.open(SAMPLE) as picture:
        grey = picture.convert("L")
    middle = grey.height // 2
    halves = [
        grey.crop((0, 0, grey.width, middle)),
        grey.crop((0, middle, grey.width, grey.height)),
    ]
    halves[0].save(folder / "in.pdf", save_all=True, append_images=halves[1:], resolution=300)
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "ocrmypdf", "--plugin", "odia_ocr.apps.ocrmypdf_plugin"),
            *("-l", "ori", "--jobs", "1", "--sidecar", folder / "side.txt"),
            *(folder / "in.pdf", folder / "out.pdf"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    return folder


@needs_programs
def test_text_is_searchable_in_a_pdf_a(made):
    with pypdfium2.PdfDocument(made / "out.pdf") as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    assert "ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା" in texts[0]
    assert len(texts) == 2
    assert texts[1].strip()
    with pikepdf.open(made / "out.pdf") as pdf, pdf.open_metadata() as said:
        assert said.pdfa_status.startswith("2")
        assert "odia-ocr" in str(pdf.docinfo.get("/Creator", ""))


@needs_programs
def test_sidecar_holds_the_text(made):
    assert "ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା" in (made / "side.txt").read_text("utf-8")


def test_orientation_hocr_and_a_page_without_text(tmp_path):
    from odia_ocr.apps.ocrmypdf_plugin import OdiaOcrEngine

    blank = tmp_path / "blank.png"
    Image.new("L", (300, 200), 255).save(blank, dpi=(100, 100))
    assert OdiaOcrEngine.get_orientation(blank, None) == (0, 0.0)
    OdiaOcrEngine.generate_pdf(blank, tmp_path / "out.pdf", tmp_path / "out.txt", None)
    with pikepdf.open(tmp_path / "out.pdf") as pdf:
        assert [float(side) for side in pdf.pages[0].mediabox] == pytest.approx([0, 0, 216, 144])
    OdiaOcrEngine.generate_hocr(blank, tmp_path / "out.hocr", tmp_path / "out.txt", None)
    assert "ocr_page" in (tmp_path / "out.hocr").read_text("utf-8")
    assert not (tmp_path / "out.txt").read_text("utf-8").strip()
