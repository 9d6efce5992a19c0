"""`odia-ocr train lexicon`: the lexicon's file, its fit, and how wrong use ends."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from odia_ocr.correct.dictionary import CorrectionFit
from odia_ocr.correct.lexicon import open_lexicon


@pytest.fixture
def run(odia_ocr):
    return partial(odia_ocr, "train", "lexicon")


def test_the_command_counts_the_words_of_the_shipped_text_and_fits(run, tmp_path: Path) -> None:
    code, _, said = run("-o", "out", "--fit", "ctc", "--lines", 200)
    assert code == 0, said
    lexicon = open_lexicon(tmp_path / "out" / "lexicon-odia.trie")
    assert lexicon.facts["sources"] == ["shipped"]
    assert lexicon.words == sum(1 for _ in lexicon) > 1000
    assert {"path", "beam"} == set(lexicon.facts["fits"])
    fit = CorrectionFit.of(lexicon.facts["fits"]["path"])
    assert len(fit.confusions) > 10


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (("--only-fit",), 2, "--fit"),
        (("--fit", "tesseract"), 2, "tesseract"),
        (("--fit", "ctc", "--only-fit"), 3, "lexicon"),
        (("--text", "nowhere"), 3, "nowhere"),
    ],
)
def test_wrong_use_ends_clearly(run, args: tuple[object, ...], code: int, word: str) -> None:
    got, _, said = run("-o", "out", *args)
    assert (got, word in said) == (code, True), said
