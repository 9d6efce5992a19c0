"""Pages that are turned or curved, laid flat."""

import math

import pytest

from odia_ocr.pages.rows import DetectedRow
from odia_ocr.pages.slopes import Flattening, fit_flattening


def row(points):
    return DetectedRow(tuple(points), 10, 10, 10, 0.9)


def test_no_rows_are_level():
    assert fit_flattening([]) == Flattening()
    assert Flattening().flatten(30, 40) == (30, 40)


def test_a_turned_page_is_turned_back():
    slope = math.tan(math.radians(2))
    rows = [
        row([(100 - slope * y, y + slope * 100), (900 - slope * y, y + slope * 900)])
        for y in range(100, 1000, 60)
    ]
    flat = fit_flattening(rows)
    assert flat.slope.at(500, 500) == pytest.approx(slope, abs=1e-3)
    lefts = [flat.flatten(*r.path[0])[0] for r in rows]
    assert max(lefts) - min(lefts) < 3
    # Both ends of a row come to the same level.
    for r in rows:
        assert flat.flatten(*r.path[0])[1] == pytest.approx(flat.flatten(*r.path[-1])[1], abs=1)


def test_a_curved_page_is_laid_flat():
    def bend(x, y):
        return y + 60 * math.sin(math.pi * x / 1000) * (0.6 + y / 1500)

    rows = [row([(x, bend(x, y)) for x in range(50, 951, 90)]) for y in range(100, 1000, 50)]
    flat = fit_flattening(rows)
    for y in (150, 500, 900):
        left, right = (flat.flatten(x, bend(x, y))[1] for x in (100, 800))
        before = abs(bend(100, y) - bend(800, y))
        assert abs(left - right) < max(8, 0.5 * before)


def test_a_few_stray_rows_do_not_turn_the_page():
    rows = [row([(100, y), (900, y)]) for y in range(100, 1000, 60)]
    stray = [row([(100, y), (400, y + 90)]) for y in (130, 500)]
    flat = fit_flattening([*rows, *stray])
    assert abs(flat.slope.at(500, 500)) < 0.01
    assert abs(flat.slope.at(100, 130)) < 0.03
