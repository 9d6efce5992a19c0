"""Mistakes, words, weights and thresholds are learned as the definitions say."""

import math

import numpy as np
import pytest

from odia_ocr.correct.dictionary import CorrectionFit, weigh_proposals
from odia_ocr.correct.lexicon import open_lexicon, write_lexicon
from odia_ocr.correct.proposals import FEATURES, Proposal
from odia_ocr.correct.search import Variant
from odia_ocr.data.texts import load_pool
from odia_ocr.language.ngram import open_ngram_model
from odia_ocr.runtime import find_weights
from odia_ocr.train import correction
from odia_ocr.train.confusions import ReadText, learn_confusions
from odia_ocr.train.correction import (
    CorrectionTally,
    Judged,
    Trial,
    find_threshold,
    fit_correction,
    fit_weights,
    record_fit,
)
from odia_ocr.train.correction_lines import KnownLine, find_half, take_half
from odia_ocr.train.lexicon import choose_words, count_words, train_lexicon
from odia_ocr.train.lm import Corpus
from odia_ocr.types import Candidates, Hypothesis, Symbol


def test_mistakes_are_weighed_against_right_readings():
    lines = [ReadText("କଥା ଧନ", "କଥା ଧନ")] * 90 + [ReadText("କଥା ଧନ", "କଧା ଧନ")] * 10
    table = learn_confusions(lines)
    (mistake,) = table.confusions
    assert (mistake.true, mistake.read) == ("ଥ", "ଧ")
    # 10 of 100 printings and 20 added ones; ଧ itself is read right in 100 of 100.
    assert mistake.logp == pytest.approx(math.log(10 / 120 / (101 / 102)))
    assert table.weigh("ଥ", "ଧ") == mistake.logp
    assert table.weigh("ଗ", "ଘ") == table.unseen < mistake.logp
    assert table.begin_with("ଧ") == (mistake,)


def test_lost_and_added_letters_are_mistakes_too():
    lines = [ReadText("ଧର୍ମ କଥା", "ଧମ କଥାା")] * 3
    found = {(c.true, c.read) for c in learn_confusions(lines).confusions}
    assert ("", "ା") in found
    assert any(read == "" and set(true) == {"ର", "୍"} for true, read in found)


def test_chance_garbled_lines_and_other_scripts_teach_nothing():
    once = ReadText("କଥା ଧନ", "କଧା ଧନ")
    garbled = [ReadText("କଥା", "ଗଘଙ")] * 5
    foreign = [ReadText("କଥା ଧନ 12 ab", "କଥା ଧନ 13 ac")] * 5
    assert len(learn_confusions([once, *garbled, *foreign])) == 0


def test_words_beside_digits_or_latin_are_none_and_halants_drawn_both_ways_one():
    counts = count_words(["କଥା, କଥା। ମନ୍\u200cମନ ମନ୍ମନ ୧୨ଧନ abଧନ", "ଏ “ଘର”"])
    assert counts == {"କଥା": 2, "ମନ୍ମନ": 2, "ଘର": 1}


def test_listed_words_count_as_never_seen_unless_they_were():
    corpus = Corpus(lines=("କଥା କଥା",), words=("କଥା", "ଧନ"), check=(), sources=())
    assert choose_words(corpus) == {"କଥା": 2, "ଧନ": 0}


def test_a_lexicon_of_the_shipped_text_holds_its_words_and_no_heldout_ones(tmp_path):
    path = train_lexicon(tmp_path, None, report=lambda _: None)
    lexicon = open_lexicon(path)
    trained = set(count_words(load_pool("train").lines))
    assert set(lexicon) == trained
    assert set(count_words(load_pool("heldout").lines)) - trained


def make_trial(optical, more):
    group = tuple(
        Proposal(0, 1, "କ", Variant("ଗ", x, 0.0, 1), 0.0, False, (x, *[0.0] * 7, 1.0))
        for x in optical
    )
    return Trial(group, more)


def test_the_logit_finds_the_weights_that_made_the_choices():
    rng = np.random.default_rng(5)
    trials = []
    for _ in range(4000):
        optical = rng.normal(0, 2, 3)
        scores = np.concatenate(([0.0], 1.5 * optical - 1.0))
        shares = np.exp(scores) / np.exp(scores).sum()
        chosen = rng.choice(4, p=shares)
        trials.append(make_trial(optical, tuple(-1 if i + 1 == chosen else 1 for i in range(3))))
    weights = dict(zip(FEATURES, fit_weights(trials), strict=True))
    assert weights["optical"] == pytest.approx(1.5, abs=0.12)
    assert weights["bias"] == pytest.approx(-1.0, abs=0.12)


def test_probabilities_of_one_word_and_of_leaving_it_alone_sum_to_one():
    weights = (1.0, *[0.0] * 8)
    decision = weigh_proposals(make_trial((0.0, math.log(2)), (1, 1)).group, weights)
    assert decision.probability == pytest.approx(2 / (1 + 1 + 2))
    assert decision.proposal.variant.optical == pytest.approx(math.log(2))


def test_the_threshold_keeps_enough_edits_right():
    sure = [Judged(0.99 - 0.001 * i, -1) for i in range(100)]
    mixed = [Judged(0.5 - 0.001 * i, -1 if i % 2 else 1) for i in range(100)]
    threshold = find_threshold(sure + mixed)
    kept = [edit for edit in sure + mixed if edit.probability >= threshold]
    tally = CorrectionTally.of(kept)
    assert tally.right >= correction.RIGHT * len(kept)
    assert len(kept) > 100
    assert find_threshold(mixed) is None
    assert find_threshold(sure[: correction.FEWEST - 1]) is None


def test_the_halves_of_the_texts_share_nothing():
    pool = load_pool("check")
    halves = [take_half(pool, half) for half in (0, 1)]
    assert not set(halves[0].lines) & set(halves[1].lines)
    assert len(halves[0].lines) + len(halves[1].lines) == len(pool.lines)
    assert all(find_half(line) == 0 for line in halves[0].lines)


def test_a_reader_of_one_mistake_is_put_right(tmp_path):
    """Every other ଥ of a small language is read as ଧ, doubtfully: the fit finds the way back."""
    words = {"କଥା": 50, "ଧନ": 20, "ମଧ୍ୟ": 20, "ଘର": 30, "ବହୁତ": 9}
    write_lexicon(tmp_path / "l.trie", words, {})
    lexicon = open_lexicon(tmp_path / "l.trie")
    lm = open_ngram_model(find_weights("lm-odia", ".ngram"))
    rng = np.random.default_rng(1)
    lines = []
    for i in range(160):
        truth = " ".join(rng.choice(list(words), 3)) + f" {i}"
        symbols = []
        for char in truth:
            wrong = char == "ଥ" and i % 2
            rivals = (("ଥ", -1.0),) if wrong else (("ଗ", -4.0),)
            symbols.append(Symbol("ଧ" if wrong else char, -0.5 if wrong else -0.05, None, rivals))
        lines.append(KnownLine(Candidates(str(i), (Hypothesis(tuple(symbols), -2.0),)), truth))
    fitted = fit_correction(lines, lexicon, lm)
    assert fitted.fit.threshold is not None
    assert fitted.tally.wrong == 0
    assert fitted.errors_before > 20
    assert fitted.errors_after <= 0.2 * fitted.errors_before
    stored = record_fit(fitted, "test")
    assert CorrectionFit.of(stored).weights == fitted.fit.weights
    assert len(CorrectionFit.of(stored).confusions) == len(fitted.fit.confusions)
