"""Rows that run on over a gutter; letters are bars 14 pixels high, 8 apart."""

from dataclasses import dataclass

import numpy as np
import pytest

from odia_ocr.pages.parting import part_rows
from odia_ocr.pages.rows import DetectedRow

PITCH = 30
LEFT, MIDDLE, RIGHT = 20, 220, 440  # two columns with a gutter of 20 before MIDDLE


@dataclass(frozen=True)
class Placed:
    row: DetectedRow

    left = property(lambda self: self.row.left)
    right = property(lambda self: self.row.right)
    top = property(lambda self: self.middle - 7)
    bottom = property(lambda self: self.middle + 7)
    height = 14.0
    middle = property(lambda self: self.row.path[0][1])
    letters = property(lambda self: max(1, round((self.right - self.left) / 12)))


def row(left, right, number):
    level = 40.0 + PITCH * number
    return DetectedRow(((left, level), (right, level)), 12.0, 12.0, 14.0, 0.9)


def draw(rows, holes=()):
    """A page with letters along rows, none in holes (left, right, number)."""
    grey = np.full((400, 480), 230, np.uint8)
    for one in rows:
        y = int(one.path[0][1])
        for x in range(int(one.left), int(one.right) - 4, 8):
            grey[y - 7 : y + 7, x : x + 5] = 30
    for left, right, number in holes:
        y = 40 + PITCH * number
        grey[y - 12 : y + 12, left:right] = 230
    return grey


@pytest.fixture
def columns():
    return [
        part
        for i in range(6)
        if i != 3
        for part in (row(LEFT, MIDDLE - 20, i), row(MIDDLE, RIGHT, i))
    ]


def part(rows, grey):
    return sorted(
        (round(one.left), round(one.right), round(one.path[0][1]))
        for one in part_rows(grey, rows, Placed, ())
    )


def test_a_merged_row_is_parted_at_the_gutter(columns) -> None:
    whole = [*columns, row(LEFT, RIGHT, 3)]
    grey = draw(whole, [(MIDDLE - 20, MIDDLE, 3)])
    parted = part(whole, grey)
    assert len(parted) == len(whole) + 1
    (left, right) = [one for one in parted if one[2] == 40 + 3 * PITCH]
    assert left[0] == LEFT
    assert MIDDLE - 24 <= left[1] <= right[0] <= MIDDLE + 4
    assert right[1] == RIGHT


def test_a_row_with_letters_in_the_gutter_stays_whole(columns) -> None:
    whole = [*columns, row(LEFT, RIGHT, 3)]
    assert len(part(whole, draw(whole))) == len(whole)


def test_wide_spaces_elsewhere_stay(columns) -> None:
    whole = [*columns, row(LEFT, RIGHT, 3)]
    grey = draw(whole, [(100, 125, 3)])
    assert len(part(whole, grey)) == len(whole)


def test_one_column_stays_as_it_is() -> None:
    rows = [row(LEFT, RIGHT, i) for i in range(6)]
    holes = [(MIDDLE - 20, MIDDLE, i) for i in range(6)]
    assert len(part(rows, draw(rows, holes))) == len(rows)


@pytest.mark.parametrize(("shift", "parted"), [(0, True), (7, False)])
def test_more_merged_rows_than_others_are_parted_where_their_holes_are_alike(shift, parted) -> None:
    rows = [part for i in range(3) for part in (row(LEFT, MIDDLE - 20, i), row(MIDDLE, RIGHT, i))]
    merged = [row(LEFT, RIGHT, i) for i in range(3, 7)]
    holes = [(MIDDLE - 20 + shift * (i % 2), MIDDLE + shift * (i % 2), i) for i in range(3, 7)]
    whole = [*rows, *merged]
    assert len(part(whole, draw(whole, holes))) == len(whole) + (4 if parted else 0)


def test_no_rows() -> None:
    assert part_rows(np.full((50, 50), 255, np.uint8), [], Placed, ()) == []
