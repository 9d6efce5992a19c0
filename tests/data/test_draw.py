"""Shaping: known glyph counts, no boxes, no dotted circles, marks on their letters."""

from __future__ import annotations

import numpy as np
import pytest

import odia_ocr.data.draw as draw
from odia_ocr.data.draw import CannotDraw, Style, check_shaping, draw_line, write_halants
from odia_ocr.data.faces import Face, find_faces
from odia_ocr.errors import ShapingError

FACES = {face.name: face for face in find_faces() if face.odia}
NOTO = FACES["NotoSansOriya-Regular"]


def test_shaping_works_here() -> None:
    check_shaping()


def test_a_wrong_glyph_count_stops_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "_KNOWN_GLYPH_COUNTS", {"ଧର୍ମ": 4})
    with pytest.raises(ShapingError, match="expected"):
        check_shaping()


def test_unshaped_text_would_be_wider() -> None:
    together = draw_line("ଧର୍ମ", NOTO, Style(size=40)).mask.shape[1]
    apart = sum(draw_line(c, NOTO, Style(size=40)).mask.shape[1] for c in ("ଧ", "ର", "ମ"))
    assert together < 0.8 * apart


@pytest.mark.parametrize("face", list(FACES.values()), ids=lambda f: f.name)
def test_conjuncts_and_reph_are_drawn_by_every_face(face: Face) -> None:
    for word in ("ଧର୍ମ", "କ୍ଷ୍ମୀ", "ପ୍ରଥମ"):
        try:
            assert draw_line(word, face, Style(size=40)).mask.max() > 200
        except CannotDraw:
            assert face.kind == "display"  # its flaws are known; such lines are left out


@pytest.mark.parametrize("text", ["漢", "କ😀", "\u0b3eକ"])
def test_boxes_and_dotted_circles_are_refused(text: str) -> None:
    with pytest.raises(CannotDraw):
        draw_line(text, NOTO, Style())


def test_a_face_without_latin_needs_a_companion() -> None:
    lohit = FACES["LohitOdia-Regular"]
    with pytest.raises(CannotDraw):
        draw_line("ଭଲ OCR 12", lohit, Style())
    assert draw_line("ଭଲ OCR 12", lohit, Style(), latin=NOTO).mask.size


def test_marks_under_the_wrong_letter_are_refused() -> None:
    with pytest.raises(CannotDraw, match="misplaces"):
        draw_line("ସତ୍ୟ", FACES["Alkatra-Regular"], Style())


def test_a_halant_that_shows_is_spelled_with_zwnj() -> None:
    assert write_halants("ସତ୍କାର", NOTO) == "ସତ୍କାର"
    assert write_halants("ସତ୍\u200cକାର", NOTO) == "ସତ୍\u200cକାର"
    alkatra = FACES["Alkatra-Regular"]  # has no conjunct for NA + TA
    assert write_halants("କିନ୍ତୁ", alkatra) == "କିନ୍\u200cତୁ"


def test_style_changes_the_drawing() -> None:
    plain = draw_line("ଓଡ଼ିଆ ଭାଷା", NOTO, Style(size=40))
    wide = draw_line("ଓଡ଼ିଆ ଭାଷା", NOTO, Style(size=40, stretch=1.3))
    spaced = draw_line("ଓଡ଼ିଆ ଭାଷା", NOTO, Style(size=40, tracking=0.2))
    bold = draw_line("ଓଡ଼ିଆ ଭାଷା", NOTO, Style(size=40, bold=0.05))
    assert wide.mask.shape[1] > 1.2 * plain.mask.shape[1]
    assert spaced.mask.shape[1] > plain.mask.shape[1] + 20
    assert bold.mask.astype(float).sum() > 1.2 * plain.mask.astype(float).sum()
    assert 0 < plain.baseline <= plain.mask.shape[0]
    assert plain.mask.dtype == np.uint8
