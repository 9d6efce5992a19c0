"""What is left out of a page, and when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from odia_ocr.line_reading import LineReader
from odia_ocr.types import (
    Candidates,
    Hypothesis,
    Line,
    LineImage,
    Page,
    PageImage,
    Problem,
    Reading,
    Symbol,
)


class Scripted:
    """Reads every line as its number, with the sureness it was given for it."""

    name = "scripted"

    def __init__(self, sureness: dict[str, float]) -> None:
        self.sureness = sureness

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        return [
            Candidates(
                line.id,
                (Hypothesis((Symbol(line.id, float(np.log(self.sureness[line.id]))),), -0.1),),
            )
            for line in lines
        ]


def correct(cands: Candidates) -> Reading:
    (symbol,) = cands.best.symbols
    sure = float(np.exp(symbol.logp))
    return Reading(symbol.text, sure, (sure,) * 4, hypothesis=cands.best)


def read(entries: dict[str, tuple[float | None, float]]) -> Page:
    """Entries: name -> (how surely found, how surely read)."""
    box = ((0.0, 0.0), (30.0, 0.0), (30.0, 10.0), (0.0, 10.0))
    page = Page(
        "x", 1, (40, 20), lines=tuple(Line(name, box, found=f) for name, (f, _) in entries.items())
    )
    reader = LineReader(Scripted({name: sure for name, (_, sure) in entries.items()}), correct)
    return reader.read_page(PageImage("x", 1, np.full((20, 40), 200, np.uint8)), page)


def test_what_is_doubted_and_unreadable_is_left_out_and_counted() -> None:
    page = read({"a": (0.99, 0.97), "b": (0.6, 0.3), "c": (0.95, 0.95)})
    assert [line.id for line in page.lines] == ["a", "c"]
    assert "left out: 1 marks that look like no print" in page.steps


@pytest.mark.parametrize("entry", [(0.9, 0.3), (0.6, 0.9), (None, 0.3)])
def test_one_doubt_alone_keeps_a_line(entry: tuple[float | None, float]) -> None:
    page = read({"a": (0.99, 0.97), "b": entry, "c": (0.99, 0.97)})
    assert [line.id for line in page.lines] == ["a", "b", "c"]


def test_nothing_is_left_out_of_a_page_that_reads_badly() -> None:
    page = read({"a": (0.7, 0.5), "b": (0.6, 0.3)})
    assert [line.id for line in page.lines] == ["a", "b"]
