import math

import numpy as np
import pytest

from odia_ocr.pages.crop import frame_line
from odia_ocr.pages.words import find_ink_columns, place_words
from odia_ocr.types import Hypothesis, Reading, Symbol

FRAME = frame_line(((100, 50), (200, 50), (200, 80), (100, 80)))


def hypothesis(text, width=10.0, logp=-0.1):
    symbols = tuple(Symbol(char, logp, (i * width, (i + 1) * width)) for i, char in enumerate(text))
    return Hypothesis(symbols, logp * len(text))


def test_words_stand_where_their_symbols_stand():
    words = place_words(Reading("ab c", 0.9, hypothesis=hypothesis("ab c")), FRAME)
    assert [word.text for word in words] == ["ab", "c"]
    assert words[0].polygon == ((100, 50), (120, 50), (120, 80), (100, 80))
    assert words[1].polygon[0] == (130, 50)
    assert words[0].confidence == math.exp(-0.1)


def test_cluster_confidence_goes_before_symbol_scores():
    reading = Reading("କ୍ଷ ର", 0.5, (0.9, 0.8, 0.3), hypothesis=hypothesis("କ୍ଷ ର"))
    assert [word.confidence for word in place_words(reading, FRAME)] == [0.9, 0.3]


def test_edits_are_followed():
    words = place_words(Reading("axb cd", None, hypothesis=hypothesis("ab d")), FRAME)
    assert [word.text for word in words] == ["axb", "cd"]
    assert words[0].polygon[1] == (120, 50)
    assert words[1].polygon[1] == (140, 50)
    assert words[0].confidence is None


def test_without_places_there_are_no_words():
    symbols = (Symbol("a", -0.1), Symbol("b", -0.1))
    assert place_words(Reading("ab", 0.9, hypothesis=Hypothesis(symbols, -0.2)), FRAME) == ()
    assert place_words(Reading("ab", 0.9), FRAME) == ()


@pytest.mark.parametrize(("ink", "ground"), [(20, 240), (235, 40)])
def test_words_end_where_their_ink_does(ink, ground):
    """Spans are off by some pixels; the ink stands at 3-24 and 36-46, a neighbour's mark above."""
    pixels = np.full((30, 100), ground, np.uint8)
    pixels[8:24, 3:24] = ink
    pixels[8:24, 36:46] = ink
    pixels[0:3, 27:33] = ink
    reading = Reading("ab c", 0.9, hypothesis=hypothesis("ab c"))
    words = place_words(reading, FRAME, pixels)
    assert [(w.polygon[0][0], w.polygon[1][0]) for w in words] == [(103, 124), (136, 146)]
    colour = np.dstack([pixels] * 3)
    assert place_words(reading, FRAME, colour) == words


def test_words_without_a_gap_between_them_stay_where_the_model_puts_them():
    pixels = np.full((30, 100), 240, np.uint8)
    pixels[8:24, 0:60:2] = 20
    pixels[8:24, 1:60:2] = 30
    words = place_words(Reading("ab c", 0.9, hypothesis=hypothesis("ab c")), FRAME, pixels)
    assert words[0].polygon[1][0] == 120
    assert words[1].polygon[0][0] == 130


def test_blank_and_tiny_crops_have_no_ink():
    assert not find_ink_columns(np.full((20, 50), 200, np.uint8)).any()
    assert find_ink_columns(np.full((1, 3), 9, np.uint8)).shape == (3,)
