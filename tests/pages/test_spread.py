from dataclasses import replace

import numpy as np
import pytest
from pictures import draw_rows

from odia_ocr.pages.profile import ProfileSegmenter
from odia_ocr.pages.spread import find_gutter, join_sides, split_spread
from odia_ocr.pages.view import view_page
from odia_ocr.types import PageImage, Problem


def spread(left=60, right=760, letters=18, size=(1400, 900), rows=12):
    lines = [(x, 80 + 60 * i, letters, 24) for x in (left, right) for i in range(rows)]
    return draw_rows(lines, size=size)


def test_the_gutter_is_found_between_the_pages():
    gutter = find_gutter(spread())
    assert gutter is not None
    pixels = spread()
    ends = np.flatnonzero((pixels[:, :740] < 128).any(axis=0)).max()
    assert ends < gutter * 1400 < 760


def test_a_fold_in_the_gutter_is_no_ink():
    pixels = spread()
    pixels[:, 718:723] = 60
    gutter = find_gutter(pixels)
    assert gutter is not None
    ends = np.flatnonzero((spread()[:, :740] < 128).any(axis=0)).max()
    assert ends < gutter * 1400 < 760


def test_specks_in_a_narrow_gutter_are_no_text():
    pixels = spread(right=508, size=(1010, 820))
    ends = np.flatnonzero((pixels[:, :508] < 128).any(axis=0)).max()
    rows, columns = np.random.default_rng(3).integers(0, [[820], [1010]], (2, 6000))
    pixels[rows, columns] = 0
    gutter = find_gutter(pixels)
    assert gutter is not None
    assert ends < gutter * 1010 < 508


@pytest.mark.parametrize(
    "pixels",
    [
        draw_rows([(60, 80 + 60 * i, 40, 24) for i in range(12)], size=(1400, 900)),  # one page
        spread(size=(1400, 1500)),  # upright: two columns
        draw_rows([(60, 80 + 60 * i, 18, 24) for i in range(12)], size=(1400, 900)),  # half empty
        np.full((900, 1400), 250, np.uint8),
    ],
    ids=["one page", "upright", "half empty", "blank"],
)
def test_what_is_no_spread_is_not_split(pixels):
    assert find_gutter(pixels) is None
    (view,) = split_spread(view_page(PageImage("x", 1, pixels)))
    assert view.back is None
    assert view.steps == ("spread: no gutter found",)


def test_two_sides_become_one_page_in_order():
    image = PageImage("book.jpg", 7, spread())
    views = split_spread(view_page(image))
    assert len(views) == 2
    sides = [view.restore(ProfileSegmenter().segment(view.image), image) for view in views]
    assert [len(side.lines) for side in sides] == [12, 12]
    bad = Problem("recognition", "x", line_id=sides[1].lines[1].id)
    sides[1] = replace(sides[1], problems=(bad,))
    page = join_sides(image, sides)
    assert [line.id for line in page.lines] == [f"p0007-l{i:03d}" for i in range(1, 25)]
    assert [line.box[0] > 700 for line in page.lines] == [False] * 12 + [True] * 12
    assert len({region.id for region in page.regions}) == len(page.regions)
    assert all(line.region in {region.id for region in page.regions} for line in page.lines)
    assert page.problems[0].line_id == "p0007-l014"
    assert page.size == (1400, 900)
    assert any("left of x" in step for step in page.steps)
    assert any("right of x" in step for step in page.steps)


def words(rows):
    """Justified words of one width: their spaces lie one above the other."""
    pixels = np.full((80 + 40 * rows, 800), 245, np.uint8)
    for row in range(rows):
        for word in range(10):
            left = 40 + 72 * word
            pixels[40 + 40 * row : 62 + 40 * row, left : left + 58] = 30
    return pixels


@pytest.mark.parametrize(("rows", "found"), [(5, False), (12, True)])
def test_spaces_of_a_few_lines_are_no_gutter(rows, found):
    gutter = find_gutter(words(rows))
    assert (gutter is not None) == found
    if gutter is not None:
        assert gutter == pytest.approx(0.5, abs=0.05)
