import numpy as np
import pytest
from pictures import draw_rows
from PIL import Image

from odia_ocr.pages.profile import ProfileSegmenter
from odia_ocr.types import PageImage

ROWS = [(60, 60 + 60 * i, 24, 30) for i in range(7)]


def segment(pixels):
    return ProfileSegmenter().segment(PageImage("page", 1, pixels))


def hits(page, rows, tolerance=8):
    """Each row lies in exactly one line, and the line in that row's band."""
    assert len(page.lines) == len(rows)
    for line, (left, top, _, tall) in zip(page.lines, rows, strict=True):
        box = line.box
        assert box[0] <= left + 1
        assert box[1] <= top + 1
        assert box[3] >= top + tall - 1
        assert box[1] > top - tall
        assert box[3] < top + 2 * tall
        assert abs(box[0] - left) < tall + tolerance


@pytest.mark.parametrize(("ink", "paper"), [(20, 245), (235, 30), (90, 160), (200, 120)])
def test_rows_dark_or_light(ink, paper):
    hits(segment(draw_rows(ROWS, ink=ink, paper=paper)), ROWS)


def test_colour_and_order_and_ids():
    page = segment(np.dstack([draw_rows(ROWS)] * 3))
    assert [line.id for line in page.lines] == [f"p0001-l{i:03d}" for i in range(1, 8)]
    tops = [line.box[1] for line in page.lines]
    assert tops == sorted(tops)
    assert {line.region for line in page.lines} <= {region.id for region in page.regions}


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_blank_page_has_no_lines(shade):
    assert segment(np.full((400, 300), shade, np.uint8)).lines == ()


def test_a_noisy_blank_page_has_no_lines():
    rng = np.random.default_rng(3)
    noisy = np.clip(rng.normal(225, 6, (500, 400)), 0, 255).astype(np.uint8)
    assert segment(noisy).lines == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 9)])
def test_tiny_pages(shape):
    assert segment(np.full(shape, 200, np.uint8)).lines == ()


@pytest.mark.parametrize("degrees", [-4.0, -1.5, 0.7, 3.0])
def test_skew_is_found_and_undone(degrees):
    rows = [(150, 120 + 60 * i, 24, 30) for i in range(6)]
    flat = Image.fromarray(draw_rows(rows, size=(1000, 650)))
    # Pillow turns counter-clockwise: lines then rise to the right, which is negative skew.
    turned = flat.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=245)
    page = segment(np.asarray(turned))
    assert len(page.lines) == len(rows)
    top_left, top_right = page.lines[2].polygon[:2]
    slope = np.degrees(np.arctan2(top_right[1] - top_left[1], top_right[0] - top_left[0]))
    assert slope == pytest.approx(degrees, abs=0.3)


def test_marks_above_and_below_stay_with_their_line():
    pixels = draw_rows(ROWS)
    for _, top, _, tall in ROWS:
        for x in (90, 200, 330, 420):
            pixels[top - 12 : top - 4, x : x + 12] = 20  # reph
            pixels[top + tall + 4 : top + tall + 13, x + 30 : x + 42] = 20  # subscript
    page = segment(pixels)
    hits(page, ROWS)
    for line, (_, top, _, tall) in zip(page.lines, ROWS, strict=True):
        assert line.box[1] <= top - 12
        assert line.box[3] >= top + tall + 13


def test_crops_stop_before_the_neighbours_ink():
    rows = [(60, 60 + 42 * i, 24, 30) for i in range(6)]
    page = segment(draw_rows(rows))
    hits(page, rows)
    for line, (_, top, _, tall) in zip(page.lines, rows, strict=True):
        assert line.box[1] > top - 13
        assert line.box[3] < top + tall + 13


def test_rules_and_frames_are_no_lines():
    pixels = draw_rows(ROWS)
    pixels[20:24, 20:780] = pixels[570:574, 20:780] = 20
    pixels[20:574, 20:24] = pixels[20:574, 776:780] = 20
    pixels[95:97, 60:740] = 20
    assert len(segment(pixels).lines) == len(ROWS)


def test_two_columns_are_not_read_across():
    left = [(40, 60 + 50 * i, 13, 26) for i in range(9)]
    right = [(440, 60 + 50 * i, 13, 26) for i in range(9)]
    page = segment(draw_rows(left + right))
    assert len(page.lines) == 18
    assert all(line.box[2] - line.box[0] < 400 for line in page.lines)
    assert [line.box[0] < 400 for line in page.lines] == [True] * 9 + [False] * 9


def test_loose_words_are_no_columns():
    pixels = draw_rows(ROWS)
    rng = np.random.default_rng(5)
    for _, top, _, tall in ROWS:
        at = int(rng.integers(200, 560))
        pixels[top : top + tall, at : at + 75] = 245
    assert len(segment(pixels).lines) == len(ROWS)


def test_stanzas_are_regions():
    rows = [(60, 50 + 45 * i + (60 if i > 3 else 0), 12, 26) for i in range(8)]
    page = segment(draw_rows(rows))
    assert [line.region for line in page.lines] == ["p0001-r001"] * 4 + ["p0001-r002"] * 4


def test_a_short_last_line_is_kept():
    page = segment(draw_rows([*ROWS, (60, 480, 2, 30)]))
    assert len(page.lines) == len(ROWS) + 1


def test_large_pages_are_worked_on_at_reduced_size():
    rows = [(200, 300 + 200 * i, 24, 100) for i in range(5)]
    page = segment(draw_rows(rows, size=(3000, 1600)))
    hits(page, rows, tolerance=20)
