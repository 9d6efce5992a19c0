import math

import numpy as np
import pytest
from pictures import draw_rows

from odia_ocr.pages.profile import ProfileSegmenter
from odia_ocr.pages.rectify import Bend, find_bend, straighten, unbend
from odia_ocr.pages.view import view_page
from odia_ocr.types import PageImage

SIZE = (1000, 1300)


def flat_page(columns=1, *, spaced=False):
    """Rows of rings; `spaced` ones do not touch when the page is turned."""
    letters = 34 // columns
    rows = [
        (60 + 480 * column, 80 + 44 * i + 17 * column, letters, 20)
        for column in range(columns)
        for i in range(26)
    ]
    if spaced:
        rows = [(60 + 30 * k, 80 + 44 * i, 1, 20) for i in range(26) for k in range(28)]
    return draw_rows(rows, size=SIZE)


def warp(pixels, lower):
    """A page whose point (x, y) shows at (x, y + lower(x, y)); x and y from -1 to 1."""
    height, width = pixels.shape
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    source = y.astype(float)
    for _ in range(8):
        source = y - lower((x - width / 2) / (height / 2), (source - height / 2) / (height / 2))
    low = np.floor(source).astype(int)
    part = source - low
    low = np.clip(low, 0, height - 2)
    values = pixels[low, x] * (1 - part) + pixels[low + 1, x] * part
    return np.where((source < 0) | (source > height - 1), 245, values).astype(np.uint8)


def rotate(pixels, degrees):
    from PIL import Image

    turned = Image.fromarray(pixels).rotate(-degrees, expand=True, fillcolor=245, resample=3)
    return np.asarray(turned)


BENDS = {
    "perspective": lambda x, y: 30 * x * y,
    "strong perspective": lambda x, y: 70 * x * y + 15 * x,
    "curl": lambda x, y: 35 * np.cos(2 * x),
    "both": lambda x, y: 25 * x * y - 30 * x**2 + 18 * x**3,
}


@pytest.mark.parametrize("columns", [1, 2])
def test_a_flat_page_is_left_alone(columns):
    image = PageImage("x", 1, flat_page(columns))
    view = view_page(image)
    assert straighten(view) is view


@pytest.mark.parametrize("degrees", [-4.0, 2.0])
def test_a_small_turn_is_the_segmenters_work(degrees):
    view = view_page(PageImage("x", 1, rotate(flat_page(), degrees)))
    assert straighten(view) is view


@pytest.mark.parametrize("name", BENDS)
@pytest.mark.parametrize("columns", [1, 2])
def test_a_bent_page_is_straightened(name, columns):
    given = PageImage("x", 1, warp(flat_page(columns), BENDS[name]))
    view = straighten(view_page(given))
    assert view.steps[0].startswith("straightened")
    straight = ProfileSegmenter().segment(view.image)
    assert len(straight.lines) == 26 * columns
    # All rows are level now: no line is higher than its letters and their surroundings.
    assert max(line.box[3] - line.box[1] for line in straight.lines) < 40
    # And lie on their ink on the page as given.
    page = view.restore(straight, given)
    ink = given.pixels < 128
    seen = np.zeros_like(ink)
    for line in page.lines:
        xs, ys = np.asarray(line.polygon).T
        half = len(xs) // 2
        columns_ = np.arange(math.ceil(xs.min()), math.floor(xs.max()))
        top = np.interp(columns_, xs[:half], ys[:half])
        bottom = np.interp(columns_, xs[half:][::-1], ys[half:][::-1])
        for x, low, high in zip(columns_, top, bottom, strict=True):
            seen[math.floor(low) : math.ceil(high), x] = True
    assert (ink & seen).sum() > 0.97 * ink.sum()


@pytest.mark.parametrize("degrees", [-14.0, 8.0])
def test_a_strongly_turned_page_is_straightened(degrees):
    view = straighten(view_page(PageImage("x", 1, rotate(flat_page(spaced=True), degrees))))
    assert float(view.steps[0].split("turned ")[1].split()[0]) == pytest.approx(degrees, abs=0.5)
    page = ProfileSegmenter().segment(view.image)
    assert len(page.lines) == 26


def test_colour_and_light_print_are_straightened_too():
    pixels = 255 - warp(flat_page(), BENDS["curl"])
    view = straighten(view_page(PageImage("x", 1, np.dstack([pixels] * 3))))
    assert view.bent
    assert view.image.pixels.shape[2] == 3


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((400, 300), 250, np.uint8),
        np.random.default_rng(0).integers(0, 255, (500, 500)).astype(np.uint8),
        draw_rows([(40, 60, 8, 24)]),
        np.zeros((1, 1), np.uint8),
    ],
    ids=["blank", "noise", "one word", "pixel"],
)
def test_what_says_nothing_is_left_alone(pixels):
    assert find_bend(pixels) is None


def test_the_way_back_undoes_the_way_there():
    weights = np.array([4.0, 30.0, -25.0, 5.0, 8.0, 0.0, 0.0, 0.0])
    bend = Bend(3.0, weights, (300.0, 400.0), 400.0)
    points = np.random.default_rng(1).uniform((50, 50), (550, 750), (40, 2))
    turned = bend.turn(points)
    straight = np.stack([turned[:, 0], turned[:, 1] - bend.lower(*turned.T)], axis=1)
    np.testing.assert_allclose(bend.undo(straight), points, atol=0.05)
    doubled = bend.scale(2.0)
    np.testing.assert_allclose(doubled.undo(2 * straight), 2 * points, atol=0.1)
    pixels, corner = unbend(np.full((800, 600), 9, np.uint8), bend)
    assert pixels.shape[0] >= 800
    assert corner.shape == (2,)
