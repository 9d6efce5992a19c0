"""Rows from hand-made detector maps."""

import math

import numpy as np
import pytest

from odia_ocr.pages.rows import DetectedRow, LineMaps, find_rows, settle_slopes

CELL = 4.0


def blank(height=80, width=200):
    shape = (height, width)
    return LineMaps(
        np.full(shape, 0.02, np.float32),
        np.full(shape, 18.0, np.float32),
        np.full(shape, 14.0, np.float32),
        CELL,
    )


def draw(maps, left, right, level, thick=3, sure=0.95):
    """A row: `level` is a number or a function of the column; all in cells."""
    for x in range(left, right):
        y = level(x) if callable(level) else level
        top = round(y - thick / 2)
        maps.kernel[top : top + thick, x] = sure


def test_a_row_has_its_place_and_reach():
    maps = blank()
    draw(maps, 20, 120, 30)
    (row,) = find_rows(maps)
    assert row.left == pytest.approx(80)
    assert row.right == pytest.approx(480)
    assert row.level(300) == pytest.approx(CELL * 30, abs=2.1)
    assert (row.up, row.down) == (pytest.approx(18), pytest.approx(14))
    assert len(row.path) == 2
    assert row.slope == pytest.approx(0, abs=0.01)


def test_a_blank_page_and_faint_marks_have_no_rows():
    assert find_rows(blank()) == []
    maps = blank()
    draw(maps, 20, 60, 30, sure=0.52)
    assert find_rows(maps) == []


def test_a_tilted_row_keeps_its_slope():
    maps = blank()
    draw(maps, 10, 190, lambda x: 20 + 0.06 * x)
    (row,) = find_rows(maps)
    assert row.slope == pytest.approx(0.06, abs=0.006)
    assert len(row.path) == 2


def test_a_curved_row_gets_points_along_it():
    maps = blank()
    draw(maps, 5, 195, lambda x: 30 + 10 * math.sin(math.pi * x / 200))
    (row,) = find_rows(maps)
    assert len(row.path) > 4
    assert row.level(100 * CELL) == pytest.approx(CELL * 40, abs=3)
    assert row.level(20 * CELL) == pytest.approx(CELL * (30 + 10 * math.sin(0.1 * math.pi)), abs=3)


def test_rows_that_touch_are_parted():
    maps = blank()
    draw(maps, 20, 160, 30)
    draw(maps, 20, 160, 37)
    bridge = maps.kernel[28:40, 70:74]
    np.maximum(bridge, 0.6, out=bridge)
    rows = find_rows(maps)
    levels = sorted(row.level(200) / CELL for row in rows)
    assert levels == [pytest.approx(29.5, abs=0.1), pytest.approx(37.5, abs=0.1)]
    assert all(row.right - row.left > 500 for row in rows)


def test_pieces_of_a_row_are_joined_across_a_narrow_gap_only():
    maps = blank()
    draw(maps, 20, 80, 30)
    draw(maps, 82, 140, 30)
    draw(maps, 160, 190, 30)
    rows = sorted(find_rows(maps), key=lambda row: row.left)
    assert [(row.left, row.right) for row in rows] == [(80, 560), (640, 760)]


def test_columns_at_different_levels_stay_apart():
    maps = blank()
    draw(maps, 20, 80, 30)
    draw(maps, 81, 140, 34)
    assert len(find_rows(maps)) == 2


def test_shifting_a_row_moves_it_across_itself():
    row = DetectedRow(((0.0, 0.0), (30.0, 40.0)), 10, 10, 10, 0.9)
    assert row.shifted(5.0, 0.0) == [
        (pytest.approx(-4), pytest.approx(3)),
        (pytest.approx(26), pytest.approx(43)),
    ]
    longer = row.shifted(0.0, 10.0)
    assert longer == [
        (pytest.approx(-6), pytest.approx(-8)),
        (pytest.approx(36), pytest.approx(48)),
    ]


def test_short_rows_take_the_slope_of_the_page_and_long_ones_keep_theirs():
    short = DetectedRow(((0.0, 10.0), (40.0, 18.0)), 10, 10, 10, 0.9)
    long = DetectedRow(((0.0, 10.0), (400.0, 90.0)), 10, 10, 10, 0.9)
    settled_short, settled_long = settle_slopes([short, long], lambda x, y: 0.0)
    assert 0 < settled_short.slope < 0.1 * short.slope
    assert settled_short.level(20) == pytest.approx(14)
    assert settled_long == long
