import math

from odia_ocr.pages.crop import frame_line
from odia_ocr.pages.words import place_words
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
