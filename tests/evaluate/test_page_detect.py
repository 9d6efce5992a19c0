"""Lines found by outlines and by text, credits worked out by hand."""

from __future__ import annotations

import math

import pytest
from page_sets import bar

from odia_ocr.evaluate.page_detect import detect_by_polygons, detect_by_text
from odia_ocr.evaluate.page_match import match_lines


def turn(polygon, degrees: float):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return tuple((300 + c * x - s * y, 300 + s * x + c * y) for x, y in polygon)


def test_the_same_outlines_find_every_line() -> None:
    lines = [bar(i) for i in range(3)]
    found = detect_by_polygons(lines, lines[::-1])
    assert (found.recall, found.precision, found.splits, found.merges) == (1, 1, 0, 0)
    assert found.by == "polygons"


def test_missed_and_extra_lines() -> None:
    found = detect_by_polygons([bar(0), bar(1)], [bar(0), bar(3), bar(4)])
    assert (found.recall, found.precision) == (1 / 2, 1 / 3)
    nothing = detect_by_polygons([bar(0)], [])
    assert (nothing.recall, nothing.precision) == (0, 0)


def test_a_split_line_counts_four_fifths() -> None:
    pieces = [bar(0, right=90), bar(0, left=100)]
    found = detect_by_polygons([bar(0), bar(1)], [*pieces, bar(1)])
    assert (found.splits, found.merges) == (1, 0)
    assert found.recall == pytest.approx(1.8 / 2)
    assert found.precision == pytest.approx((0.8 + 0.8 + 1) / 3)


def test_merged_lines_count_four_fifths() -> None:
    both = ((20.0, 10.0), (180.0, 10.0), (180.0, 60.0), (20.0, 60.0))
    found = detect_by_polygons([bar(0), bar(1), bar(2)], [both, bar(2)])
    assert (found.splits, found.merges) == (0, 1)
    assert found.recall == pytest.approx((0.8 + 0.8 + 1) / 3)
    assert found.precision == pytest.approx(1.8 / 2)


@pytest.mark.parametrize(
    ("right", "found"),
    [(180, 1), (20 + 160 * 0.65, 1), (20 + 160 * 0.55, 0)],
)
def test_how_much_of_a_line_must_be_covered(right: float, found: int) -> None:
    assert detect_by_polygons([bar(0)], [bar(0, right=right)]).found == found


def test_an_outline_may_be_generous_but_not_any_box() -> None:
    def box(top: float, bottom: float):
        return ((20.0, top), (180.0, top), (180.0, bottom), (20.0, bottom))

    assert detect_by_polygons([bar(0)], [box(0, 40)]).found == 1  # half of it is the line
    assert detect_by_polygons([bar(0)], [box(0, 100)]).found == 0  # a fifth
    # A whole line beside a scrap of it is no split, and the scrap is wrong.
    found = detect_by_polygons([bar(0)], [bar(0), bar(0, right=40)])
    assert (found.found, found.right, found.splits) == (1, 1, 0)


def test_bent_outlines_and_lines_that_stand_on_their_end() -> None:
    lines = [turn(bar(i), 90) for i in range(3)]
    assert detect_by_polygons(lines, lines).recall == 1
    # Two arcs in one bounding box, one below the other: boxes would overlap, outlines do not.
    upper = [(x, 100 - 0.01 * x * (200 - x)) for x in range(0, 201, 20)]
    arcs = [(*upper, *((x, y + 18) for x, y in upper[::-1]))]
    arcs.append(tuple((x, y + 30) for x, y in arcs[0]))
    found = detect_by_polygons(arcs, arcs)
    assert (found.recall, found.precision, found.merges) == (1, 1, 0)
    assert detect_by_polygons(arcs[:1], arcs[1:]).recall == 0


def test_outlines_beside_the_page_and_large_pages() -> None:
    off = tuple((x - 500, y - 500) for x, y in bar(0))
    assert detect_by_polygons([off], [off]).recall == 1
    large = [tuple((50 * x, 50 * y) for x, y in bar(i)) for i in range(3)]
    assert detect_by_polygons(large, large).precision == 1


def test_by_text_wrong_lines_are_not_found() -> None:
    printed = ["ଧର୍ମ ଓ କର୍ମ", "ପୁସ୍ତକ ମେଳା ଖବର", "ନୂଆ", "ଆଜି"]
    read = ["ଧମ ଓ କମ", "ପୁସ୍ତକ", "ମେଳା ଖବର", "ନୂଆ ଆଜି", "qqqq"]
    found = detect_by_text(match_lines(printed, read), len(printed), len(read))
    assert found.by == "text"
    assert (found.splits, found.merges) == (1, 1)
    assert found.recall == pytest.approx((1 + 0.8 + 0.8 + 0.8) / 4)
    assert found.precision == pytest.approx((1 + 0.8 + 0.8 + 0.8) / 5)
