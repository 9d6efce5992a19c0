"""Edits are made above the threshold only, on words only, and can be undone."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odia_ocr.correct.calibrate import LINE_FEATURES, Calibration
from odia_ocr.correct.confusions import Confusion, ConfusionTable
from odia_ocr.correct.dictionary import (
    CorrectionFit,
    Dictionary,
    DictionaryCorrector,
    load_corrector,
    load_dictionary,
    make_proposer,
)
from odia_ocr.correct.lexicon import open_lexicon, write_lexicon
from odia_ocr.correct.proposals import FEATURES, find_words
from odia_ocr.errors import ModelMissingError
from odia_ocr.language import split_clusters
from odia_ocr.language.ngram import open_ngram_model
from odia_ocr.runtime import find_weights
from odia_ocr.types import Candidates, Hypothesis, Symbol

WORDS = {"ଧର୍ମ": 50, "ଧନ": 20, "କଥା": 300, "ମଧ୍ୟ": 80, "ଘର": 40}
WEIGHTS = (0.6, 0.3, 0.35, 1.0, 0.5, 0.0, 1.4, 1.3, 0.0)


@pytest.fixture(scope="module")
def dictionary(tmp_path_factory):
    path = tmp_path_factory.mktemp("lexicon") / "l.trie"
    write_lexicon(path, WORDS, {})
    table = ConfusionTable((Confusion("ର୍", "", -2.0), Confusion("ଥ", "ଧ", -2.5)), -9.0)
    lm = open_ngram_model(find_weights("lm-odia", ".ngram"))
    return Dictionary(make_proposer(open_lexicon(path), table, lm), WEIGHTS, 0.6)


def make_cands(text, doubt=None, rivals=()):
    """A reading of which the letter number `doubt` is doubtful, with rivals."""
    symbols = tuple(
        Symbol(char, -1.2, None, tuple(rivals)) if i == doubt else Symbol(char, -0.01)
        for i, char in enumerate(text)
    )
    return Candidates("l", (Hypothesis(symbols, -1.0),))


def test_a_word_that_is_none_becomes_the_one_it_was_taken_for(dictionary):
    cands = make_cands("ସେ କଧା କହେ", 4, (("ଥ", -0.6),))
    reading = DictionaryCorrector(Calibration(), dictionary)(cands)
    assert reading.text == "ସେ କଥା କହେ"
    (edit,) = reading.edits
    assert (edit.start, edit.end, edit.before, edit.after) == (3, 6, "କଧା", "କଥା")
    assert "no lexicon" in edit.reason
    assert "% sure" in edit.reason
    assert reading.hypothesis is cands.best
    assert len(reading.cluster_confidence) == len(split_clusters(reading.text))


def test_below_the_threshold_nothing_is_touched(dictionary):
    cands = make_cands("ସେ କଧା କହେ", 4, (("ଥ", -0.6),))
    strict = Dictionary(dictionary.propose, WEIGHTS, 1.0)
    assert DictionaryCorrector(Calibration(), strict)(cands) == Calibration()(cands)


def test_a_surely_read_word_of_the_lexicon_is_not_questioned(dictionary):
    assert dictionary.propose(make_cands("ସେ ଧନ କଥା")) == []


def test_unknown_names_without_near_words_stay(dictionary):
    cands = make_cands("ବର୍ଗେଶଙ୍କ ପଟନାୟକ", 3)
    assert DictionaryCorrector(Calibration(), dictionary)(cands).edits == ()


@pytest.mark.parametrize("word", ["କଧା୧୨", "୧୨କଧା", "କଧାa", "aକଧା", "12କଧା", "କ୍\u200cକଧା"])
def test_words_with_digits_latin_or_a_shown_halant_stay_alone(dictionary, word):
    at = word.index("ଧ")
    cands = make_cands(word, at, (("ଥ", -0.3),))
    assert list(find_words(word)) == []
    assert DictionaryCorrector(Calibration(), dictionary)(cands).text == cands.best.text


def test_a_rival_candidate_is_proposed_with_its_own_optical_score(dictionary):
    best = make_cands("ଘର ମଧ").best
    other = Hypothesis(tuple(Symbol(char, -0.1) for char in "ଘର ମଧ୍ୟ"), -1.25)
    (group,) = dictionary.propose(Candidates("l", (best, other)))
    proposal = next(p for p in group if p.variant.text == "ମଧ୍ୟ")
    values = dict(zip(FEATURES, proposal.values, strict=True))
    assert values["rival"] == 1.0
    assert values["optical"] == pytest.approx(-0.25)
    assert values["known"] == 1.0


def test_rivals_that_differ_in_marks_or_spaces_are_no_proposals(dictionary):
    best = make_cands("ଘର କଥା").best
    for text in ("ଘର, କଥା", "ଘରକଥା", "ଘର କଥା।"):
        other = Hypothesis(tuple(Symbol(char, -0.1) for char in text), -1.1)
        assert dictionary.propose(Candidates("l", (best, other))) == []


def test_a_blank_line_stays_blank(dictionary):
    blank = Candidates("l", (Hypothesis((), 0.0),))
    assert DictionaryCorrector(Calibration(), dictionary)(blank).text == ""


def test_line_confidence_loses_the_doubts_of_the_old_word_and_takes_those_of_the_edit(dictionary):
    cands = make_cands("ସେ କଧା କହେ", 4, (("ଥ", -0.6),))
    calibrate = Calibration(line=(-1.0, *[0.0] * (len(LINE_FEATURES) - 1)))
    plain = calibrate(cands)
    reading = dictionary(cands, plain)
    (decision,) = dictionary.decide(cands)
    doubts = math.prod(plain.cluster_confidence[2:4])
    wanted = decision.probability * min(1.0, plain.confidence / doubts)
    assert reading.confidence == pytest.approx(wanted)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text("କଥଧରମନ୍ାୟଘ ଂ।,1a", min_size=1, max_size=14),
    logps=st.lists(st.floats(-5, 0), min_size=14, max_size=14),
    rivals=st.lists(st.sampled_from("କଥଧରମନ୍ାୟଘ"), min_size=14, max_size=14),
)
def test_edits_rebuild_the_text_and_confidence_keeps_its_shape(dictionary, text, logps, rivals):
    text = " ".join(text.split())
    symbols = tuple(
        Symbol(char, logp, None, ((rival, -0.5),))
        for char, logp, rival in zip(text, logps, rivals, strict=False)
    )
    cands = Candidates("l", (Hypothesis(symbols, -3.0),))
    eager = Dictionary(dictionary.propose, WEIGHTS, 0.01)
    reading = DictionaryCorrector(Calibration(), eager)(cands)
    rebuilt = cands.best.text
    for edit in reversed(reading.edits):
        assert rebuilt[edit.start : edit.end] == edit.before
        rebuilt = rebuilt[: edit.start] + edit.after + rebuilt[edit.end :]
    if reading.edits:
        assert reading.text == rebuilt
        assert all(edit.after in WORDS for edit in reading.edits)
    if reading.cluster_confidence:
        assert len(reading.cluster_confidence) == len(split_clusters(reading.text))


def test_a_fit_needs_a_weight_for_each_feature():
    with pytest.raises(ValueError, match="weights"):
        CorrectionFit(ConfusionTable((), -9.0), (1.0,), 0.5)


def test_without_a_fit_the_calibration_stands_alone(tmp_path):
    write_lexicon(tmp_path / "l.trie", WORDS, {})
    assert load_dictionary("path", path=tmp_path / "l.trie") is None
    with pytest.raises(ModelMissingError):
        load_dictionary("path", path=tmp_path / "none.trie")
    assert load_corrector(object(), "no such decoding") == Calibration()
