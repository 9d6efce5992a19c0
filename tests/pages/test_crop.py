import numpy as np
import pytest
from PIL import Image

from odia_ocr.pages.crop import crop_line, frame_line
from odia_ocr.types import Line, PageImage


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


@pytest.fixture
def page():
    rng = np.random.default_rng(0)
    return PageImage("page", 1, rng.integers(0, 255, (60, 90, 3), dtype=np.uint8))


def test_an_upright_crop_is_the_very_pixels(page):
    crop = crop_line(page, Line("a", box(10, 20, 40, 35)))
    np.testing.assert_array_equal(crop.pixels, page.pixels[20:35, 10:40])
    assert crop.id == "a"


def test_outside_the_page_the_border_is_repeated(page):
    crop = crop_line(page, Line("a", box(-5, -3, 20, 10)))
    assert crop.pixels.shape == (13, 25, 3)
    np.testing.assert_array_equal(crop.pixels[3:, 5:], page.pixels[:10, :20])
    np.testing.assert_array_equal(crop.pixels[0, 5:], page.pixels[0, :20])


@pytest.mark.parametrize("polygon", [box(200, 200, 240, 210), box(-50, -50, -10, -20)])
def test_wholly_outside_gives_the_border(page, polygon):
    assert crop_line(page, Line("a", polygon)).pixels.size > 0


def test_a_turned_outline_is_straightened():
    flat = np.full((200, 300), 255, np.uint8)
    flat[90:110, 60:240] = np.where(np.arange(180) // 12 % 2, 0, 120)
    turned = np.asarray(Image.fromarray(flat).rotate(-6, Image.Resampling.BICUBIC, fillcolor=255))
    angle = np.radians(6)
    centre = np.array([150, 100])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = [tuple(turn @ (np.array(p) - centre) + centre) for p in box(60, 90, 240, 110)]
    crop = crop_line(PageImage("page", 1, turned), Line("a", tuple(corners)))
    assert crop.pixels.shape == (20, 180)
    inner = np.abs(crop.pixels[4:-4, 4:-4].astype(int) - flat[94:106, 64:236])
    assert np.median(inner) < 8


def test_outline_of_a_part():
    frame = frame_line(box(100, 50, 300, 90))
    assert frame.size == (200, 40)
    assert frame.outline(20, 60) == box(120, 50, 160, 90)
    assert frame.outline(-5, 999) == box(100, 50, 300, 90)


def test_more_points_mean_the_box_around_them(page):
    polygon = ((10, 20), (25, 18), (40, 20), (40, 35), (10, 35))
    assert crop_line(page, Line("a", polygon)).pixels.shape == (17, 30, 3)


def curved_page():
    """A line of bars on an arc: (page, outline along the arc)."""
    flat = np.full((40, 400), 255, np.uint8)
    flat[10:30] = np.where(np.arange(400) // 20 % 2, 0, 255)
    columns = np.arange(400)
    sag = np.round(24 * np.sin(np.pi * columns / 400)).astype(int)
    bent = np.full((100, 400), 255, np.uint8)
    for x in columns:
        bent[30 + sag[x] : 70 + sag[x], x] = flat[:, x]
    knots = np.linspace(0, 400, 17)
    heights = 24 * np.sin(np.pi * knots / 400)
    upper = [(float(x), 30.0 + float(y)) for x, y in zip(knots, heights, strict=True)]
    lower = [(x, y + 40) for x, y in upper]
    return PageImage("page", 1, bent), (*upper, *lower[::-1]), flat


def test_a_curved_outline_is_straightened():
    page, polygon, flat = curved_page()
    crop = crop_line(page, Line("a", polygon)).pixels
    assert crop.shape[0] == 40
    assert 400 <= crop.shape[1] < 412
    straight = np.asarray(Image.fromarray(crop).resize((400, 40))).astype(int)
    assert np.abs(straight - flat).mean() < 12


def test_the_outline_of_a_part_follows_the_curve():
    _, polygon, _ = curved_page()
    frame = frame_line(polygon)
    width = frame.size[0]
    part = frame.outline(0.25 * width, 0.75 * width)
    assert len(part) % 2 == 0
    assert len(part) > 8
    tops = part[: len(part) // 2]
    middle = min(tops, key=lambda p: abs(p[0] - 200))
    assert middle[1] == pytest.approx(54, abs=0.6)
    assert tops[0][1] < 50
    assert frame.outline(-5, width + 5)[0] == polygon[0]
