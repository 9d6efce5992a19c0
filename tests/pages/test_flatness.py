import math

import pytest

from odia_ocr.pages.flatness import lies_flat
from odia_ocr.types import Line


def line(top, *, left=50.0, right=650.0, slope=0.0, bulge=0.0, height=30.0):
    """A line whose baseline falls by `slope` and bulges by `bulge` pixels in its middle."""
    y0, y1 = top + slope * left, top + slope * right
    middle = ((left + right) / 2, (y0 + y1) / 2 + bulge)
    baseline = ((left, y0), middle, (right, y1)) if bulge else ((left, y0), (right, y1))
    outline = ((left, y0 - height), (right, y1 - height), (right, y1), (left, y0))
    return Line(f"l{top}", outline, baseline=baseline)


def lines(**kind):
    return [line(100.0 + 50 * i, **kind) for i in range(8)]


@pytest.mark.parametrize("slope", [0.0, 0.03, -0.03])
def test_straight_parallel_lines_lie_flat(slope):
    assert lies_flat(lines(slope=slope))


def test_pieces_of_a_word_do_not_matter():
    pieces = [line(600.0, right=110.0, slope=0.2), line(700.0, right=90.0, slope=-0.3)]
    assert lies_flat(lines() + pieces)


@pytest.mark.parametrize(
    "bent",
    [
        lines(bulge=6.0),
        lines(slope=math.tan(math.radians(5))),
        [line(100.0 + 50 * i, slope=0.005 * (i - 4)) for i in range(8)],
    ],
    ids=["curved", "turned", "fanned out"],
)
def test_other_pages_do_not(bent):
    assert not lies_flat(bent)


def test_little_says_nothing():
    assert not lies_flat([])
    assert not lies_flat(lines()[:1])
    assert not lies_flat(lines(right=120.0))
    unknown = [Line(found.id, found.polygon) for found in lines()]
    assert not lies_flat(unknown)
