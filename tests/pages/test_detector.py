"""The shipped line detector on drawn pages."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from odia_ocr.errors import ModelMissingError
from odia_ocr.pages.detector import load_detector
from odia_ocr.runtime import find_weights
from odia_ocr.types import PageImage

SAMPLE = Path(__file__).parents[2] / "samples" / "page.png"


@pytest.fixture(scope="module")
def detector():
    return load_detector(threads=1)


@pytest.fixture(scope="module")
def sample():
    return Image.open(SAMPLE).convert("L")


def truth():
    text = (SAMPLE.parent / "page.gt.txt").read_text("utf-8")
    return [line for line in text.splitlines() if line.strip()]


def boxes(page):
    return np.array([line.box for line in page.lines])


def test_every_line_of_the_sample_once_and_in_order(detector, sample):
    page = detector.segment(PageImage("page", 1, np.asarray(sample)))
    assert len(page.lines) == len(truth())
    tops = boxes(page)[:, 1]
    assert (np.diff(tops) > 0).all()
    assert [line.id for line in page.lines][:2] == ["p0001-l001", "p0001-l002"]
    assert page.regions[0].kind == "heading"
    assert {line.region for line in page.lines} == {region.id for region in page.regions}
    assert page.steps[0].startswith("lines: detector-")


def test_no_ink_is_cut_off(detector, sample):
    """All ink of the sample lies in some line."""
    pixels = np.asarray(sample)
    page = detector.segment(PageImage("page", 1, pixels))
    seen = np.zeros(pixels.shape, bool)
    for left, top, right, bottom in boxes(page).round().astype(int):
        seen[top:bottom, left:right] = True
    ink = pixels < 110
    assert (ink & ~seen).sum() < 0.002 * ink.sum()


def test_a_page_number_keeps_both_dashes(detector, sample):
    drawn = sample.copy()
    drawn.paste(sample.crop((456, 604, 516, 640)), (470, 690))  # the figures 250
    for left in (426, 552):
        drawn.paste(50, (left, 708, left + 22, 711))
    number = boxes(detector.segment(PageImage("page", 1, np.asarray(drawn))))[-1]
    assert number[0] <= 426
    assert number[2] >= 574
    assert 660 < number[1] < number[3] < 752


@pytest.mark.parametrize("gap", [20, 30])
@pytest.mark.parametrize("step", [46, 56])
def test_word_gaps_that_stand_one_below_another_make_no_columns(detector, sample, gap, step):
    """As in narrow justified columns; letters are 26 pixels high."""
    words = [sample.crop((left, 222, right, 262)) for left, right in ((170, 273), (278, 326))]
    words.append(sample.crop((331, 222, 412, 262)))
    page = Image.new("L", (520, 80 + 20 * step), 225)
    for row in range(20):
        left = 60
        for word in words:
            page.paste(word, (left, 40 + row * step))
            left += word.width + gap
    found = boxes(detector.segment(PageImage("page", 1, np.asarray(page))))
    assert len(found) == 20
    assert (np.diff(found[:, 1]) > 0).all()


@pytest.mark.parametrize("factor", [0.35, 2.0, 3.5])
def test_size_does_not_matter(detector, sample, factor):
    size = tuple(round(side * factor) for side in sample.size)
    given = boxes(detector.segment(PageImage("page", 1, np.asarray(sample))))
    scaled = boxes(detector.segment(PageImage("page", 1, np.asarray(sample.resize(size)))))
    assert len(scaled) == len(given)
    assert np.abs(scaled / factor - given).max() < 14


@pytest.mark.parametrize("factor", [0.35, 1.0, 3.5, 6.0])
def test_pages_of_any_size_are_looked_at_alike(detector, sample, factor):
    """One look tells how large the print is, the next one is for that size, or for little time."""
    seen = []

    class Watched:
        def run(self, names, inputs):
            seen.append(inputs["pixels"].shape[2:])
            return detector.session.run(names, inputs)

    size = tuple(round(side * factor) for side in sample.size)
    watching = replace(detector, session=Watched())
    watching.segment(PageImage("page", 1, np.asarray(sample.resize(size))))
    first, *further = seen
    assert max(first) <= 416
    assert len(further) <= 1
    usual = 2.3e5  # pixels of the sample where its lines are about 24 pixels high
    assert 0.5 * usual < np.prod(seen[-1]) < 6.5e5


def test_light_print_and_colour(detector, sample):
    pixels = np.asarray(sample)
    count = len(truth())
    assert len(detector.segment(PageImage("page", 1, 255 - pixels)).lines) == count
    colour = np.dstack([pixels, pixels // 2 + 100, pixels // 3 + 120])
    assert len(detector.segment(PageImage("page", 1, colour)).lines) == count


def longest_angle(page):
    """Degrees by which the longest line rises to the right."""
    longest = max(page.lines, key=lambda line: line.box[2] - line.box[0])
    (x0, y0), (x1, y1) = longest.polygon[0], longest.polygon[len(longest.polygon) // 2 - 1]
    return -np.degrees(np.arctan2(y1 - y0, x1 - x0))


@pytest.mark.parametrize("degrees", [-3.0, 2.0])
def test_a_turned_page_has_turned_lines(detector, sample, degrees):
    turned = sample.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    page = detector.segment(PageImage("page", 1, np.asarray(turned)))
    assert len(page.lines) == len(truth())
    # The sample is a scan that lies half a degree askew itself.
    given = longest_angle(detector.segment(PageImage("page", 1, np.asarray(sample))))
    assert longest_angle(page) - given == pytest.approx(degrees, abs=0.3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (33, 65), (700, 500)])
def test_blank_pages_of_any_size_have_no_lines(detector, shape):
    assert detector.segment(PageImage("page", 1, np.full(shape, 230, np.uint8))).lines == ()


def test_noise_is_no_print(detector):
    rng = np.random.default_rng(3)
    noisy = np.clip(rng.normal(225, 6, (500, 400)), 0, 255).astype(np.uint8)
    assert detector.segment(PageImage("page", 1, noisy)).lines == ()


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ModelMissingError, match="no line detector"):
        load_detector(str(find_weights("ctc")))
    with pytest.raises(ModelMissingError, match="No model file"):
        load_detector(str(tmp_path / "missing.onnx"))
