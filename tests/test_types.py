"""Values check themselves and say which value was bad."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from odia_ocr import types
from odia_ocr.errors import PictureError, UsageError, name_choices
from odia_ocr.types import (
    Candidates,
    Emission,
    Hypothesis,
    Line,
    LineImage,
    Page,
    Reading,
    Region,
    Symbol,
)

BOX = ((0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (0.0, 5.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Symbol("\u0b5c", -0.1), "NFC"),
        (lambda: Symbol("କ", 0.5), "0.5"),
        (lambda: Symbol("କ", float("nan")), "nan"),
        (lambda: Symbol("କ", -0.1, span=(5.0, 2.0)), "left to right"),
        (lambda: Hypothesis((), 1.0), "optical_logp"),
        (lambda: Hypothesis((), -1.0, posterior=1.5), "1.5"),
        (lambda: Candidates("l7", ()), "l7"),
        (lambda: Reading("କ", confidence=-0.2), "-0.2"),
        (lambda: Reading("କ", confidence=None, cluster_confidence=(2.0,)), "2.0"),
        (lambda: Line("l", polygon=((0.0, 0.0), (1.0, 1.0))), "three points"),
        (lambda: Page("p.png", 0, (10, 10)), "from 1"),
        (lambda: Page("p.png", 1, (10, 0)), "positive"),
        (lambda: LineImage("l", np.zeros((4, 4, 4), np.uint8)), "(4, 4, 4)"),
        (lambda: LineImage("l", np.zeros((4, 4), np.float32)), "float32"),
        (lambda: Emission("l", np.zeros((3, 5), np.float32), ("a", "b"), 4.0), "(T, 3)"),
    ],
)
def test_bad_values_are_named(make: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()  # type: ignore[operator]
    assert message in str(caught.value)


def test_text_of_a_page_has_blank_lines_between_regions() -> None:
    lines = tuple(
        Line(f"l{i}", BOX, region=region, reading=Reading(text, 0.9))
        for i, (text, region) in enumerate([("ଏକ", "r1"), ("ଦୁଇ", "r1"), ("ତିନି", "r2")])
    )
    page = Page("p.png", 1, (10, 10), regions=(Region("r1", BOX), Region("r2", BOX)), lines=lines)
    assert page.text == "ଏକ\nଦୁଇ\n\nତିନି"
    assert types.Document("p.png", (page, page)).text == f"{page.text}\f{page.text}"


def test_values_travel_between_processes() -> None:
    line = Line("l", BOX, reading=Reading("ଧର୍ମ", 0.5, (0.5, 0.6)))
    assert pickle.loads(pickle.dumps(line)) == line


def test_errors_keep_their_next_step_through_a_pickle() -> None:
    error = pickle.loads(pickle.dumps(PictureError("It is empty.", next_step="Scan it again.")))
    assert isinstance(error, PictureError)
    assert str(error) == "It is empty. Scan it again."
    assert (error.code, error.exit_code) == ("picture-unreadable", 3)


def test_unknown_names_list_the_choices() -> None:
    error = name_choices("jsn", ["json", "txt"], kind="format")
    assert isinstance(error, UsageError)
    assert error.exit_code == 2
    assert "Did you mean json?" in str(error)
    assert "json, txt" in str(error)
