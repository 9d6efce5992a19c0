import itertools

import numpy as np
import pytest

from odia_ocr.pages.ahead import work_ahead
from odia_ocr.pages.crop import crop_line
from odia_ocr.pages.light import level_line
from odia_ocr.pages.orientation import choose_turn, pick_sample, turn_over, turn_view
from odia_ocr.pages.view import View, cut_view, view_page
from odia_ocr.types import Line, LineImage, Page, PageImage, Region, Word


def page_image(height=90, width=140, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width)).astype(np.uint8)
    return PageImage("x", 1, pixels)


def box(left, top, right, bottom):
    return (left, top), (right, top), (right, bottom), (left, bottom)


def page_with(image, polygon):
    line = Line("l", polygon, baseline=polygon[:2], words=(Word("କ", polygon),))
    return Page("x", 1, image.size, regions=(Region("r", polygon),), lines=(line,), steps=("a",))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_line_found_on_a_turned_page_is_cut_from_the_page_as_given(quarters):
    given = page_image()
    view = turn_view(view_page(given), quarters)
    assert view.image.size == (given.size if quarters % 2 == 0 else given.size[::-1])
    polygon = box(20.0, 30.0, 70.0, 44.0)
    page = view.restore(page_with(view.image, polygon), given)
    assert page.size == given.size
    line = page.lines[0]
    np.testing.assert_allclose(
        crop_line(given, line).pixels,
        crop_line(view.image, Line("l", polygon)).pixels,
        atol=1,
    )
    assert line.words[0].polygon == line.polygon == page.regions[0].polygon
    assert line.baseline == line.polygon[:2]
    assert page.steps[-1] == "a"
    assert (len(page.steps) == 2) == (quarters > 0)


def test_views_of_views_lead_all_the_way_back():
    given = page_image(60, 200)
    view = turn_view(cut_view(view_page(given), 90, 200, step="right"), 3)
    carried = view.restore(page_with(view.image, box(10.0, 20.0, 40.0, 50.0)), given)
    assert carried.lines[0].polygon[0] == (90 + 110 - 20, 10)
    assert carried.steps[0] == "right"
    np.testing.assert_array_equal(view.image.pixels, np.rot90(given.pixels[:, 90:], 1))


def test_outlines_stay_on_the_page_and_follow_a_bend():
    given = page_image(100, 400)

    def bow(points):
        return points + np.stack(
            [0 * points[:, 0], 20 * np.sin(points[:, 0] / 400 * np.pi)], axis=1
        )

    view = View(given, bow, bent=True)
    polygon = view.restore(page_with(given, box(0.0, 20.0, 400.0, 40.0)), given).lines[0].polygon
    assert len(polygon) > 10
    assert polygon[0] == (0, 20)
    assert max(y for _, y in polygon) == pytest.approx(60, abs=1)
    short = view.restore(page_with(given, box(190.0, 20.0, 210.0, 40.0)), given).lines[0].polygon
    assert len(short) == 4
    low = view.restore(page_with(given, box(100.0, 80.0, 300.0, 99.0)), given).lines[0].polygon
    assert max(y for _, y in low) == 100


def test_the_longest_lines_say_how_a_page_lies():
    lines = [Line(str(i), box(0.0, 0.0, 10.0 * i + 10, 10.0)) for i in range(20)]
    assert [line.id for line in pick_sample(lines)] == [str(i) for i in range(19, 11, -1)]


@pytest.mark.parametrize(
    ("sureness", "way"),
    [
        ({0: 0.97}, 0),
        ({0: 0.7, 1: 0.66, 2: 0.95, 3: 0.6}, 2),
        ({0: 0.7, 1: 0.66, 2: 0.76, 3: 0.6}, 0),  # clearly better, yet not good
        ({0: 0.8, 1: 0.66, 2: 0.84, 3: 0.6}, 0),  # good, yet hardly better
        ({0: None, 1: 0.9, 2: None, 3: 0.6}, 1),
        ({0: 0.7, 1: None, 2: None, 3: None}, 0),
    ],
)
def test_a_page_is_turned_only_when_that_is_clearly_better(sureness, way):
    assert choose_turn(sureness) == way


def test_turning_a_line_over_twice_changes_nothing():
    line = LineImage("l", page_image(20, 50).pixels)
    assert not np.array_equal(turn_over(line).pixels, line.pixels)
    np.testing.assert_array_equal(turn_over(turn_over(line)).pixels, line.pixels)


def line_of_strokes(light, ink=0.2):
    """Dark strokes on paper in the light given along x, (width,)."""
    pixels = np.tile(light[None, :], (40, 1)) * 1.0
    pixels[12:28, 10::12] *= ink
    pixels[12:28, 11::12] *= ink
    return LineImage("l", pixels.clip(0, 255).astype(np.uint8))


def test_a_line_in_even_light_is_left_alone():
    for light in (np.full(600, 230.0), np.full(600, 90.0), np.linspace(220, 240, 600)):
        line = line_of_strokes(light)
        assert level_line(line) is line
    dark = line_of_strokes(np.linspace(60, 110, 600), ink=2.2)  # light on an uneven dark ground
    assert level_line(dark).pixels.std() > 0.8 * dark.pixels.std()


@pytest.mark.parametrize("colour", [False, True])
def test_a_shadow_on_a_line_is_levelled(colour):
    line = line_of_strokes(np.where(np.arange(600) < 300, 80.0, 220.0))
    if colour:
        line = LineImage("l", np.dstack([line.pixels] * 3))
    levelled = level_line(line).pixels
    assert levelled.shape == line.pixels.shape
    paper, ink = levelled[5], levelled[20, 10::12]
    assert np.percentile(paper, 95) - np.percentile(paper, 25) < 30
    assert ink.max() < 0.5 * np.median(paper)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_work_ahead_keeps_the_order_and_raises_in_its_place(workers):
    started = []

    def make(number):
        started.append(number)
        if number == 3:
            raise ValueError(number)
        return number * 10

    seen = []
    for number, get in work_ahead(make, range(1, 7), workers=workers):
        # Never farther ahead than the queue is long.
        assert len(started) <= number + workers
        try:
            seen.append(get())
        except ValueError:
            seen.append("bad")
    assert seen == [10, 20, "bad", 40, 50, 60]
    assert sorted(started) == [1, 2, 3, 4, 5, 6]


def test_work_ahead_can_be_left():
    for number, get in itertools.islice(work_ahead(lambda n: n, range(100), workers=2), 3):
        assert get() == number
