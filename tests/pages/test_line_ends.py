"""Rows reach the lone marks at their ends, and neither rules nor their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from odia_ocr.pages.line_ends import reach_marks
from odia_ocr.pages.rows import DetectedRow

PAPER, INK = 230, 40


@dataclass
class Sheet:
    """A page on which boxes of ink are drawn; the row has letters from 100 to 300 at level 50."""

    pixels: np.ndarray
    row: DetectedRow

    def draw(self, left: int, right: int, top: int, bottom: int) -> None:
        self.pixels[top:bottom, left:right] = INK


@pytest.fixture
def sheet() -> Sheet:
    row = DetectedRow(((100.0, 50.0), (300.0, 50.0)), up=16.0, down=16.0, body=16.0, sure=0.9)
    sheet = Sheet(np.full((200, 500), PAPER, np.uint8), row)
    for x in range(100, 300, 20):
        sheet.draw(x, x + 4, 42, 58)
    return sheet


def ends(sheet: Sheet, *others: DetectedRow) -> tuple[float, float]:
    row = reach_marks(sheet.pixels, [sheet.row, *others])[0]
    return row.left, row.right


def test_a_danda_after_a_space_and_a_quotation_mark_before_the_row(sheet: Sheet) -> None:
    sheet.draw(316, 319, 38, 60)
    sheet.draw(84, 88, 36, 42)
    assert ends(sheet) == (84.0, 319.0)
    sheet.pixels = 255 - sheet.pixels  # light on dark
    assert ends(sheet) == (84.0, 319.0)


def test_letters_so_bold_that_they_take_more_room_than_the_ground(sheet: Sheet) -> None:
    for x in range(100, 300, 20):
        sheet.draw(x, x + 15, 40, 60)
    sheet.draw(316, 319, 38, 60)
    assert ends(sheet) == (100.0, 319.0)
    sheet.pixels = 255 - sheet.pixels
    assert ends(sheet) == (100.0, 319.0)


def test_two_dandas_one_after_the_other(sheet: Sheet) -> None:
    sheet.draw(312, 315, 38, 60)
    sheet.draw(319, 322, 38, 60)
    assert ends(sheet)[1] == 322.0


def test_a_rule_between_columns_is_no_mark(sheet: Sheet) -> None:
    sheet.draw(316, 319, 0, 200)
    assert ends(sheet) == (100.0, 300.0)


def test_wide_ink_and_marks_far_off_are_left_alone(sheet: Sheet) -> None:
    sheet.draw(312, 345, 40, 60)
    assert ends(sheet)[1] == 300.0
    sheet.pixels[:, 301:] = PAPER
    sheet.draw(334, 337, 38, 60)
    assert ends(sheet)[1] == 300.0


def test_a_neighbour_at_the_same_level_keeps_its_letters(sheet: Sheet) -> None:
    sheet.draw(316, 320, 40, 60)
    other = replace(sheet.row, path=((316.0, 50.0), (480.0, 50.0)))
    assert ends(sheet, other)[1] == 300.0
    below = replace(other, path=((316.0, 150.0), (480.0, 150.0)))
    assert ends(sheet, below)[1] == 320.0


def test_faint_noise_and_the_page_edge(sheet: Sheet) -> None:
    rng = np.random.default_rng(0)
    noisy = sheet.pixels + rng.normal(0, 12, sheet.pixels.shape)
    sheet.pixels = np.clip(noisy, 0, 255).astype(np.uint8)
    assert ends(sheet) == (100.0, 300.0)
    edge = Sheet(sheet.pixels[:, :302], sheet.row)
    assert ends(edge) == (100.0, 300.0)
    assert reach_marks(sheet.pixels, []) == []


def test_an_empty_page_changes_nothing(sheet: Sheet) -> None:
    sheet.pixels[:] = PAPER
    assert ends(sheet) == (100.0, 300.0)
