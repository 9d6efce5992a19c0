"""Outlines of other programs: from any corner, with any points, straight or curved."""

from __future__ import annotations

import numpy as np
import pytest

from odia_ocr.pages.crop import crop_line
from odia_ocr.pages.outline import cut_outline, even_outline, is_even
from odia_ocr.types import Line, PageImage

BOX = ((10.0, 20.0), (110.0, 20.0), (110.0, 50.0), (10.0, 50.0))
# As kraken draws them: around the ink, with as many points as that takes.
JAGGED = (
    *((10.0, 30.0), (20.0, 22.0), (40.0, 28.0), (55.0, 20.0), (80.0, 27.0), (110.0, 24.0)),
    *((110.0, 46.0), (70.0, 50.0), (30.0, 45.0), (10.0, 47.0), (9.0, 40.0)),
)


def page(pixels: np.ndarray) -> PageImage:
    return PageImage("page.png", 1, pixels)


def test_our_own_outlines_stay_and_are_cut_as_ever() -> None:
    curved = ((0.0, 10.0), (50.0, 14.0), (100.0, 10.0), (100.0, 40.0), (50.0, 44.0), (0.0, 40.0))
    pixels = np.random.default_rng(1).integers(0, 255, (80, 130)).astype(np.uint8)
    for outline in (BOX, curved):
        assert is_even(outline)
        assert even_outline(outline) == outline
        expected = crop_line(page(pixels), Line("l", outline)).pixels
        assert np.array_equal(cut_outline(page(pixels), outline), expected)


@pytest.mark.parametrize("shift", [1, 2, 3])
@pytest.mark.parametrize("way", [1, -1])
def test_a_box_may_begin_at_any_corner(shift: int, way: int) -> None:
    turned = (BOX[shift:] + BOX[:shift])[::way]
    outline = even_outline(turned)
    assert np.allclose([outline[0], outline[-1]], [BOX[0], BOX[3]])
    pixels = np.random.default_rng(1).integers(0, 255, (80, 130)).astype(np.uint8)
    assert np.array_equal(cut_outline(page(pixels), turned), pixels[20:50, 10:110])


def test_a_line_that_runs_down_the_page_is_cut_lying() -> None:
    down = ((60.0, 10.0), (60.0, 110.0), (30.0, 110.0), (30.0, 10.0))
    assert is_even(down)
    assert cut_outline(page(np.zeros((130, 80), np.uint8)), down).shape == (30, 100)


def test_a_jagged_polygon_becomes_a_strip_of_even_height() -> None:
    outline = even_outline(JAGGED, ((10.0, 44.0), (110.0, 44.0)))
    assert outline == ((9.0, 20.0), (110.0, 20.0), (110.0, 50.0), (9.0, 50.0))


def test_ink_of_the_neighbours_becomes_paper() -> None:
    pixels = np.full((80, 140), 230, np.uint8)
    pixels[20:24, :] = 0  # a line above, in the strip but mostly outside the polygon
    pixels[34:40, 20:100] = 90
    cut = cut_outline(page(pixels), JAGGED, ((10.0, 44.0), (110.0, 44.0)))
    assert cut.shape == (30, 101)
    assert (cut[:3, 12:25] == 230).all()
    assert (cut[15:19, 20:80] == 90).all()


def test_a_strip_follows_its_baseline() -> None:
    xs = np.arange(10, 200)
    ys = 60 + 10 * np.sin((xs - 10) / 190 * np.pi)
    pixels = np.full((120, 220), 255, np.uint8)
    for x, y in zip(xs, ys, strict=True):
        pixels[round(y) - 3 : round(y), x] = 0
    baseline = tuple((float(x), float(y)) for x, y in zip(xs[::21], ys[::21], strict=True))
    upper = [(x, y - 18) for x, y in baseline]
    lower = [(x + 4, y + 7) for x, y in reversed(baseline)]
    cut = cut_outline(page(pixels), (*upper, (199.0, 60.0), *lower), baseline)
    rows = [int(np.argmin(cut[:, x])) for x in range(20, cut.shape[1] - 20)]
    assert max(rows) - min(rows) <= 3


def test_a_baseline_from_right_to_left_turns_the_line_over() -> None:
    outline = even_outline(BOX, ((110.0, 25.0), (10.0, 25.0)))
    assert outline[0] == (110.0, 50.0)


def test_outlines_beyond_the_page_and_without_height_are_cut() -> None:
    pixels = np.full((40, 60), 200, np.uint8)
    far = ((-20.0, -9.0), (30.0, -5.0), (90.0, -9.0), (80.0, 60.0), (20.0, 55.0))
    assert cut_outline(page(pixels), far).size
    flat = ((5.0, 10.0), (50.0, 10.0), (20.0, 10.0))
    assert cut_outline(page(pixels), flat).shape[0] >= 1
