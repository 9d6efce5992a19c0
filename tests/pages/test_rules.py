"""Printed rules of drawn pages; letters are 12 pixels high."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from odia_ocr.pages.rules import find_rules

LETTER = 12.0


@pytest.fixture
def page():
    return Image.new("L", (600, 400), 240)


def find(page):
    return find_rules(np.asarray(page), LETTER)


def test_an_empty_page_has_none(page) -> None:
    assert find(page) == []
    assert find_rules(np.full((3, 3), 255, np.uint8), LETTER) == []


def test_one_across_and_one_down(page) -> None:
    draw = ImageDraw.Draw(page)
    draw.line([(50, 100), (500, 100)], 60)
    draw.line([(300, 150), (300, 380)], 60, width=2)
    first, second = find(page)
    assert first.across
    assert np.allclose([*first.start, *first.end], [50, 100.5, 501, 100.5], atol=2)
    assert not second.across
    assert np.allclose([*second.start, *second.end], [300, 150, 300, 381], atol=2)


def test_on_large_pages_a_hairline_is_found(page) -> None:
    ImageDraw.Draw(page).line([(50, 100), (500, 100)], 150)
    (rule,) = find_rules(np.asarray(page), 45.0)
    assert rule.across
    assert rule.start[1] == pytest.approx(100, abs=5)


def test_a_leaning_rule(page) -> None:
    ImageDraw.Draw(page).line([(50, 100), (500, 120)], 60, width=2)
    (rule,) = find(page)
    assert np.allclose([*rule.start, *rule.end], [50, 100, 500, 120], atol=4)


def test_a_broken_rule_holds_together(page) -> None:
    draw = ImageDraw.Draw(page)
    for x in range(50, 500, 24):
        draw.line([(x, 200), (x + 21, 200)], 60)
    assert len(find(page)) == 1


def test_short_strokes_bars_and_edges_are_none(page) -> None:
    draw = ImageDraw.Draw(page)
    draw.line([(50, 50), (95, 50)], 0)  # a dash
    draw.rectangle((50, 100, 500, 125), 0)  # a bar
    draw.rectangle((0, 250, 600, 400), 90)  # a coloured ground
    assert find(page) == []


def test_noise_is_none() -> None:
    rng = np.random.default_rng(5)
    assert find_rules(rng.integers(0, 256, (300, 500), np.uint8), LETTER) == []
