"""Pages in other scripts must not come out as plausible Odia without a word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from odia_ocr.data.draw import Style, draw_line
from odia_ocr.data.faces import Face
from odia_ocr.pipeline import Reader, open_reader
from odia_ocr.types import PageImage

_FONTS = Path("/usr/share/fonts/truetype")
_TEXTS = {
    "lohit-devanagari": "भारत एक विशाल देश है|यहाँ अनेक भाषाएँ बोली जाती हैं|सत्य की सदा विजय होती है",
    "lohit-bengali": "বাংলা ভাষা আমার মাতৃভাষা|আজ আকাশে অনেক মেঘ করেছে|রবীন্দ্রনাথ ঠাকুর",
    "lohit-telugu": "తెలుగు భాష చాలా తియ్యనైన భాష|ఈ రోజు వాతావరణం బాగుంది|ఆంధ్ర ప్రదేశ్",
}


@pytest.fixture(scope="module")
def reader() -> Reader:
    return open_reader("ctc", threads=1)


def _draw_page(font: Path, lines: list[str]) -> PageImage:
    pixels = np.full((90 * len(lines) + 60, 1000), 255, np.uint8)
    for i, text in enumerate(lines):
        mask = draw_line(text, Face(str(font), font.stem, False), Style(size=44)).mask
        top, left = 40 + 90 * i, 60
        pixels[top : top + mask.shape[0], left : left + mask.shape[1]] = 255 - mask
    return PageImage(font.stem, 1, pixels)


@pytest.mark.parametrize("family", sorted(_TEXTS))
def test_another_script_is_a_problem(reader: Reader, family: str) -> None:
    font = next(iter(sorted((_FONTS / family).glob("*.ttf"))), None)
    if font is None:
        pytest.skip(f"no face in {_FONTS / family}")
    page = reader.read_page(_draw_page(font, _TEXTS[family].split("|")))
    assert "doubtful" in [problem.code for problem in page.problems]
    assert all(line.reading is None or (line.reading.confidence or 0) < 0.3 for line in page.lines)


def test_odia_drawn_the_same_way_is_none(reader: Reader) -> None:
    from odia_ocr.data.faces import SHIPPED

    lines = ["ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା", "ଏହି ଭାଷାରେ ଲେଖା ହୋଇଥିବା ବହି"]
    page = reader.read_page(_draw_page(SHIPPED / "NotoSansOriya-Regular.ttf", lines))
    assert not page.problems
    assert [line.text for line in page.lines] == lines


def test_a_page_in_english_is_told(reader: Reader) -> None:
    from odia_ocr.data.faces import SHIPPED

    lines = [
        "The committee met on the third of March",
        "and decided that the annual report should",
        "be printed before the end of the year",
    ]
    page = reader.read_page(_draw_page(SHIPPED / "NotoSansOriya-Regular.ttf", lines))
    assert [problem.code for problem in page.problems] == ["not-odia"]
    assert len(page.lines) == 3
