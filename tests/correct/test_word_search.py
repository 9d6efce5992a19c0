"""Searching the lexicon by the reader's mistakes: equal to trying every word, and in order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.correct.confusions import Confusion, ConfusionTable
from odia_ocr.correct.lexicon import open_lexicon, write_lexicon
from odia_ocr.correct.search import Place, WordSearch, find_places
from odia_ocr.types import Hypothesis, Symbol

CHARS = "କଗନର"


@pytest.fixture(scope="module")
def every_short_word(tmp_path_factory):
    """All words of one to three of four letters."""
    words = {a + b + c: 1 for a in CHARS for b in ("", *CHARS) for c in ("", *CHARS)}
    path = tmp_path_factory.mktemp("lexicon") / "short.trie"
    write_lexicon(path, words, {})
    return open_lexicon(path)


def place(char, logp=-0.1, rivals=()):
    return Place(char, logp, rivals, nothing=-6.0)


def rewrite(text, rules, left):
    """All texts that up to `left` rules, left to right, make of `text`: the slow way."""
    if not text:
        made = {""}
    else:
        made = {text[0] + rest for rest in rewrite(text[1:], rules, left)}
    if left:
        for true, read in rules:
            if text.startswith(read):
                made |= {true + rest for rest in rewrite(text[len(read) :], rules, left - 1)}
    return made


RULES = st.sets(
    st.tuples(st.text(CHARS, max_size=2), st.text(CHARS, max_size=2)).filter(
        lambda rule: rule[0] != rule[1]
    ),
    max_size=4,
)


@given(text=st.text(CHARS, min_size=1, max_size=3), rules=RULES, changes=st.integers(0, 2))
def test_it_finds_what_rewriting_by_hand_finds(every_short_word, text, rules, changes):
    table = ConfusionTable(tuple(Confusion(*rule, -1.0) for rule in sorted(rules)), -9.0)
    search = WordSearch(every_short_word, table, changes=changes, least=-math.inf, most=10_000)
    found = {variant.text for variant in search([place(char) for char in text])}
    wanted = {word for word in rewrite(text, rules, changes) if word in every_short_word}
    assert found == wanted - {text}


def test_rivals_of_the_recognizer_are_tried_and_weighed(every_short_word):
    places = [place("କ"), place("ଗ", -0.7, (("ନ", -0.9), ("ର", -4.0)))]
    search = WordSearch(every_short_word, ConfusionTable((), -9.0))
    found = search(places)
    assert [variant.text for variant in found] == ["କନ", "କର"]
    assert found[0].optical == pytest.approx(-0.2)
    assert found[1].optical == pytest.approx(-3.3)
    assert {variant.confusion for variant in found} == {-9.0}
    assert {variant.changes for variant in found} == {1}


def test_a_learned_mistake_weighs_less_than_an_unseen_one(every_short_word):
    rivals = (("ନ", -1.0), ("ର", -1.0))
    table = ConfusionTable((Confusion("ର", "ଗ", -2.0),), -9.0)
    found = WordSearch(every_short_word, table)([place("ଗ", -0.9, rivals)])
    assert [variant.text for variant in found] == ["ର", "ନ"]


def test_only_words_of_the_lexicon_are_found(tmp_path):
    write_lexicon(tmp_path / "l.trie", {"ଧର୍ମ": 5}, {})
    search = WordSearch(
        open_lexicon(tmp_path / "l.trie"), ConfusionTable((Confusion("ର୍", "", -2.0),), -9.0)
    )
    assert [variant.text for variant in search([place("ଧ"), place("ମ")])] == ["ଧର୍ମ"]
    assert search([place("ଧ"), place("ନ")]) == []


def test_places_follow_the_symbols():
    hyp = Hypothesis(
        (
            Symbol("କ", math.log(0.6), alternatives=(("ଗ", math.log(0.3)),)),
            Symbol("୍ୟ", -1.0),
        ),
        -1.5,
    )
    places = find_places(hyp)
    assert "".join(p.char for p in places) == hyp.text
    assert places[0].nothing == pytest.approx(math.log(0.1))
    assert places[0].compare("ଗ") == pytest.approx(math.log(0.5))
    assert places[0].compare("ନ") < places[0].compare("ଗ")
    assert sum(p.logp for p in places[1:]) == pytest.approx(-1.0)


@pytest.mark.parametrize("values", [("କ", "କ", -1.0), ("କ", "ଗ", 0.5), ("କ", "ଗ", math.nan)])
def test_bad_confusions_are_refused(values):
    with pytest.raises(ValueError):
        Confusion(*values)
