"""The trie gives back the words and frequencies it was made of, and refuses other files."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odia_ocr.correct.lexicon import ROOT, is_letter, open_lexicon, store_facts, write_lexicon
from odia_ocr.errors import ModelMissingError, OutputError

LETTERS = [chr(code) for code in range(0x0B01, 0x0B72) if is_letter(chr(code))]
WORDS = st.dictionaries(
    st.text(LETTERS, min_size=1, max_size=6), st.integers(0, 100_000), max_size=40
)


@given(seen=WORDS)
def test_words_come_back_in_order_with_their_frequencies(tmp_path_factory, seen):
    path = tmp_path_factory.mktemp("lexicon") / "words.trie"
    write_lexicon(path, seen, {"lines": 3})
    lexicon = open_lexicon(path)
    assert list(lexicon) == sorted(seen)
    assert lexicon.words == len(seen)
    assert lexicon.facts == {"lines": 3}
    for word, times in seen.items():
        rate = lexicon.find(word)
        assert rate is not None
        assert abs(rate - math.log1p(times)) <= 1 / 32 + 1e-9
        assert word + "କ" in seen or word + "କ" not in lexicon
        assert word[:-1] in seen or word[:-1] not in lexicon


def test_walking_letter_by_letter_reaches_the_word(tmp_path):
    write_lexicon(tmp_path / "l.trie", {"ଧର୍ମ": 9, "ଧନ": 0}, {})
    lexicon = open_lexicon(tmp_path / "l.trie")
    node = ROOT
    for char in "ଧର୍ମ":
        assert lexicon.rate(node) is None
        node = lexicon.step(node, char)
    assert lexicon.rate(node) == pytest.approx(math.log(10), abs=1 / 32)
    assert lexicon.find("ଧନ") == 0.0
    assert lexicon.step(node, "କ") == -1
    assert lexicon.step(ROOT, "a") == -1
    assert lexicon.step(ROOT, "।") == -1


@pytest.mark.parametrize("word", ["", "abc", "୧୨", "ଧର୍ମ ।", "କ\u200c"])
def test_only_odia_letters_make_words(tmp_path, word):
    with pytest.raises(ValueError, match="Odia letters"):
        write_lexicon(tmp_path / "l.trie", {word: 1}, {})
    assert not list(tmp_path.iterdir())


def test_facts_are_replaced_and_words_stay(tmp_path):
    path = tmp_path / "l.trie"
    write_lexicon(path, {"ଧର୍ମ": 9, "ଧନ": 0}, {"old": 1})
    before = list(open_lexicon(path))
    store_facts(path, {"fits": {"path": [1.5]}, "long": "କ" * 300})
    lexicon = open_lexicon(path)
    assert lexicon.facts["fits"] == {"path": [1.5]}
    assert "old" not in lexicon.facts
    assert list(lexicon) == before


@pytest.mark.parametrize("keep", [0, 5, 20, 70, -1])
def test_broken_files_are_refused(tmp_path, keep):
    path = tmp_path / "l.trie"
    write_lexicon(path, {"ଧର୍ମ": 9}, {})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ModelMissingError):
        open_lexicon(path)


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(ModelMissingError, match="No lexicon"):
        open_lexicon(tmp_path / "none.trie")
    (tmp_path / "other.trie").write_bytes(b"ODIALM1\n" + bytes(200))
    with pytest.raises(ModelMissingError, match="begins otherwise"):
        open_lexicon(tmp_path / "other.trie")


def test_a_folder_that_is_a_file_is_an_output_error(tmp_path):
    (tmp_path / "taken").write_text("x")
    with pytest.raises(OutputError):
        write_lexicon(tmp_path / "taken" / "l.trie", {"ଧନ": 1}, {})
