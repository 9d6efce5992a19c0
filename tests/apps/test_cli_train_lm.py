"""`odia-ocr train lm`: the model's file, and how wrong use ends."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from odia_ocr.language.ngram import open_ngram_model


@pytest.fixture
def run(odia_ocr):
    return partial(odia_ocr, "train", "lm")


def test_the_command_trains_on_the_shipped_text(run, tmp_path: Path) -> None:
    code, _, said = run("-o", "out", "--order", 3, "--size", 0.2)
    assert code == 0, said
    model = open_ngram_model(tmp_path / "out" / "lm-odia.ngram")
    assert model.facts["sources"] == ["shipped"]
    assert model.facts["perplexity_check"] < 15
    assert f"{model.facts['perplexity_check']:.3f}" in said


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (("--only-fit",), 2, "--fit"),
        (("--order", 12), 2, "12"),
        (("--size", 0.001), 2, "--size"),
        (("--text", "nowhere"), 3, "nowhere"),
    ],
)
def test_wrong_use_ends_clearly(run, args: tuple[object, ...], code: int, word: str) -> None:
    got, _, said = run("-o", "out", *args)
    assert (got, word in said) == (code, True), said
