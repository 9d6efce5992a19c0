"""Whole pages through a vision-language model: lines of its text, failures in their place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odia_ocr.pipeline import read
from odia_ocr.recognize import open_page_reader
from odia_ocr.recognize.vlm.pages import VlmPages, load_pages
from odia_ocr.recognize.vlm.settings import read_vlm_settings
from odia_ocr.recognize.vlm.symbols import ScoredToken
from odia_ocr.recognize.vlm.writing import Written
from odia_ocr.types import PageImage, Problem


def test_lines_of_a_text_keep_its_probability() -> None:
    pieces = ((b"\xe0\xac\x95", -0.3), (b"a\nb", -0.6), (b"\n\n", -0.2), (b"c", -0.1), (b"", -0.4))
    written = Written(tuple(ScoredToken(piece, logp) for piece, logp in pieces), finished=True)
    lines = written.split_lines()
    assert [b"".join(t.piece for t in line.tokens).decode() for line in lines] == ["କa", "b", "c"]
    assert [line.logp for line in lines] == pytest.approx([-0.5, -0.2, -0.1])


@pytest.fixture(scope="module")
def page_model(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model, with settings as a run on pages writes them."""
    folder = tmp_path_factory.mktemp("pages") / "model"
    shutil.copytree(base, folder)
    settings = read_vlm_settings(base)
    assert settings is not None
    replace(settings, line_height=0).save(folder)
    return folder


def test_the_settings_tell_a_model_of_pages(base: Path, page_model: Path) -> None:
    assert load_pages(str(base)) is None
    assert open_page_reader(f"vlm:{base}") is None
    assert isinstance(open_page_reader(f"vlm:{page_model}"), VlmPages)


def draw_page() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 255, (120, 160), np.uint8)


def test_a_page_is_read_or_has_its_problem(page_model: Path) -> None:
    reader = load_pages(f"{page_model}?most=30")
    assert reader is not None
    page = reader.read(PageImage("page.png", 3, draw_page()))
    assert page.lines or page.problems
    assert all(line.id.startswith("p0003-l") for line in page.lines)
    assert all(line.box == (0, 0, 160, 120) for line in page.lines)
    too_long = reader.read(PageImage("strip.png", 1, np.zeros((2, 900), np.uint8)))
    assert [problem.code for problem in too_long.problems] == ["sample"]


def test_the_pipeline_hands_whole_pages_over(
    page_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(self: object, samples: list[object]) -> list[list[Written] | Problem]:
        piece = "ଏକ\nଦୁଇ".encode()
        return [[Written((ScoredToken(piece, -0.1),), finished=True)] for _ in samples]

    monkeypatch.setattr("odia_ocr.recognize.vlm.reader.VlmRecognizer.write_texts", write)
    document = read(draw_page(), engine=f"vlm:{page_model}", threads=1)
    assert document.pages[0].text == "ଏକ\nଦୁଇ"
