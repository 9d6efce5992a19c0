"""Page numbers reach the two dashes beside them; what only looks like it stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from odia_ocr.pages.folios import take_dashes
from odia_ocr.pages.rows import DetectedRow

PAPER, INK = 230, 40
NUMBER = DetectedRow(((200.0, 50.0), (260.0, 50.0)), up=12.0, down=12.0, body=14.0, sure=0.9)


@dataclass
class Sheet:
    """A page with three figures from 200 to 260 at level 50; their ink is 24 pixels high."""

    pixels: np.ndarray = field(default_factory=lambda: np.full((120, 460), PAPER, np.uint8))

    def __post_init__(self) -> None:
        for x in (200, 222, 244):
            self.draw(x, x + 5, 40, 60)
            self.draw(x, x + 16, 56, 60)

    def draw(self, left: int, right: int, top: int, bottom: int, ink: int = INK) -> None:
        self.pixels[top:bottom, left:right] = ink

    def dash(self, left: int, *, wide: int = 20, level: int = 50) -> None:
        self.draw(left, left + wide, level - 2, level + 1)


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


def spans(sheet: Sheet, *rows: DetectedRow) -> list[tuple[float, float]]:
    return [(row.left, row.right) for row in take_dashes(sheet.pixels, rows or [NUMBER])]


def row_at(left: float, right: float, *, level: float = 50.0) -> DetectedRow:
    return replace(NUMBER, path=((left, level), (right, level)))


@pytest.mark.parametrize("gap", [4, 14, 30, 60])
def test_both_dashes_near_and_far(sheet: Sheet, gap: int) -> None:
    sheet.dash(200 - gap - 20)
    sheet.dash(260 + gap)
    assert spans(sheet) == [(200.0 - gap - 20, 260.0 + gap + 20)]
    sheet.pixels = 255 - sheet.pixels  # light on dark
    assert spans(sheet) == [(200.0 - gap - 20, 260.0 + gap + 20)]


@pytest.mark.parametrize("wide", [6, 12, 40])
def test_hyphens_and_long_dashes(sheet: Sheet, wide: int) -> None:
    sheet.dash(180 - wide, wide=wide)
    sheet.dash(280, wide=wide)
    assert spans(sheet) == [(180.0 - wide, 280.0 + wide)]


def test_bold_figures(sheet: Sheet) -> None:
    """Ink that takes more room than the ground between it is not taken for ground."""
    for x in (200, 222, 244):
        sheet.draw(x, x + 12, 40, 60)
    sheet.dash(166)
    sheet.dash(270)
    assert spans(sheet) == [(166.0, 290.0)]


def test_dashes_that_were_rows_go_into_the_number(sheet: Sheet) -> None:
    sheet.dash(166)
    sheet.dash(274)
    first, last = row_at(166.0, 186.0), row_at(274.0, 294.0)
    below = row_at(170.0, 184.0, level=90.0)
    assert spans(sheet, first, NUMBER, below, last) == [(166.0, 294.0), (170.0, 184.0)]


def test_a_row_that_holds_one_of_its_dashes_already(sheet: Sheet) -> None:
    sheet.dash(166)
    sheet.dash(274)
    assert spans(sheet, row_at(200.0, 294.0)) == [(166.0, 294.0)]


def test_a_tilted_number(sheet: Sheet) -> None:
    """The dashes lie along the row, not along the page."""
    sheet.dash(150, level=58)
    sheet.dash(290, level=42)
    assert spans(sheet) == [(200.0, 260.0)]
    tilted = replace(NUMBER, path=((200.0, 53.4), (260.0, 46.6)))
    assert spans(sheet, tilted) == [(150.0, 310.0)]


def test_one_dash_alone_is_no_pair(sheet: Sheet) -> None:
    sheet.dash(166)
    assert spans(sheet) == [(200.0, 260.0)]


@pytest.mark.parametrize(
    ("left", "wide", "level"),
    [(274, 40, 50), (274, 20, 57), (300, 20, 50)],
    ids=["longer", "lower", "farther off"],
)
def test_dashes_that_are_not_alike(sheet: Sheet, left: int, wide: int, level: int) -> None:
    sheet.dash(166)
    sheet.dash(left, wide=wide, level=level)
    assert spans(sheet) == [(200.0, 260.0)]


def test_dandas_are_no_dashes(sheet: Sheet) -> None:
    sheet.draw(180, 183, 40, 60)
    sheet.draw(277, 280, 40, 60)
    assert spans(sheet) == [(200.0, 260.0)]


def test_more_print_beyond_a_dash(sheet: Sheet) -> None:
    sheet.dash(166)
    sheet.dash(274)
    sheet.draw(298, 302, 40, 60)
    assert spans(sheet) == [(200.0, 260.0)]


def test_cells_of_a_table(sheet: Sheet) -> None:
    """Dashes for empty cells, as far from the number as from the next one."""
    sheet.dash(150)
    sheet.dash(290)
    beyond = row_at(340.0, 400.0)
    assert spans(sheet, NUMBER, beyond) == [(200.0, 260.0), (340.0, 400.0)]
    title = row_at(380.0, 440.0)
    assert spans(sheet, NUMBER, title) == [(150.0, 310.0), (380.0, 440.0)]


def test_lines_of_text_are_left_to_themselves(sheet: Sheet) -> None:
    sheet.dash(30)
    sheet.draw(64, 400, 40, 60)
    sheet.dash(414)
    assert spans(sheet, row_at(64.0, 400.0)) == [(64.0, 400.0)]


def test_an_empty_place_and_an_empty_page(sheet: Sheet) -> None:
    sheet.pixels[:] = PAPER
    assert spans(sheet) == [(200.0, 260.0)]
    assert take_dashes(sheet.pixels, []) == []
