"""Rendered pages: a function of seed and index; the truth holds all text, all of it drawn."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("uharfbuzz")
pytest.importorskip("cv2")

import cv2

from odia_ocr.data.faces import heldout_families
from odia_ocr.data.page_render import LAYOUTS, PageRenderer, make_page_renderer
from odia_ocr.data.page_truth import REGION_KINDS, RenderedPage, TruthLine
from odia_ocr.data.texts import SHIPPED, NearCopies, read_text_lines
from odia_ocr.errors import UsageError
from odia_ocr.language import ALPHABET, normalise


def inside(points: np.ndarray, polygon: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Distance of each point (n, 2) to the outline, positive inside."""
    outline = np.array(polygon, np.float32)
    return np.array([cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in points])


def cover(shape: tuple[int, int], lines: tuple[TruthLine, ...], grow: float) -> np.ndarray:
    """A mask of the lines' polygons, their outlines `grow` pixels thick."""
    mask = np.zeros(shape, np.uint8)
    for line in lines:
        points = (np.array(line.polygon) * 16 - 8).round().astype(np.int32)
        cv2.fillPoly(mask, [points], 1, cv2.LINE_8, 4)
        cv2.polylines(mask, [points], True, 1, max(1, round(2 * grow)), cv2.LINE_8, 4)
    return mask > 0


@pytest.fixture(scope="module")
def renderer() -> PageRenderer:
    return make_page_renderer(seed=5)


def test_a_page_is_a_function_of_seed_and_index(renderer: PageRenderer) -> None:
    again = pickle.loads(pickle.dumps(make_page_renderer(seed=5)))
    forth = {index: renderer.render(index) for index in (0, 3, 11)}
    for index in reversed(forth):
        a, b = forth[index], again.render(index)
        assert a.to_json() == b.to_json()
        assert np.array_equal(a.pixels, b.pixels)
    other = make_page_renderer(seed=6).render(3)
    assert other.to_json() != forth[3].to_json()


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_truth_is_well_formed(layout: str) -> None:
    for page in (make_page_renderer(seed=8, layouts=(layout,)).render(i) for i in range(4)):
        check_truth(page)


def check_truth(page: RenderedPage) -> None:
    width, height = page.size
    assert page.pixels.dtype == np.uint8
    assert page.lines
    kinds = {region.id: region.kind for region in page.regions}
    assert set(kinds.values()) <= set(REGION_KINDS)
    order = [line.region for line in page.lines]
    blocks = [region for i, region in enumerate(order) if i == 0 or region != order[i - 1]]
    assert len(blocks) == len(set(blocks)), "the lines of a region follow each other"
    assert page.text.split() == [word for line in page.lines for word in line.text.split()]
    for i, line in enumerate(page.lines):
        assert line.id == f"l{i:03d}"
        assert line.text
        assert normalise(line.text) == line.text
        ALPHABET.encode(line.text)
        assert kinds[line.region] != "picture"
        assert len(line.polygon) % 2 == 0
        outline = np.array(line.polygon, np.float32)
        # Clockwise on a picture whose y runs down, so the signed area is positive.
        assert cv2.contourArea(outline, oriented=True) > 0
        assert outline.min() > -1
        assert outline[:, 0].max() < width + 1
        assert outline[:, 1].max() < height + 1
        xs = [x for x, _ in line.baseline]
        assert xs == sorted(xs)
        assert inside(np.array(line.baseline), line.polygon).min() > -1.0
        assert 5 < line.core_height < 400
    for region in page.regions:
        mine = [line for line in page.lines if line.region == region.id]
        for line in mine:
            assert inside(np.array(line.polygon), region.polygon).min() > -1.5


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_ink_lies_in_its_polygon_and_nothing_else_is_printed(layout: str) -> None:
    """On the flat sheet: text only inside lines, other ink only where marks are noted."""
    renderer = make_page_renderer(seed=21, layouts=(layout,))
    for index in range(6):
        sheet = renderer.draw_sheet(index)
        covered = cover(sheet.ink.shape, tuple(sheet.lines), grow=0.5)
        assert not (sheet.ink > 8)[~covered].any()
        for line in sheet.lines:
            xs, ys = np.array(line.polygon).T
            box = sheet.ink[int(ys.min()) : int(ys.max()), int(xs.min()) : int(xs.max())]
            assert box.max() > 100, f"{line.text} left no ink"
        blank = ~covered
        for left, top, right, bottom in sheet.marks:
            rows = slice(max(0, int(top) - 1), int(np.ceil(bottom)) + 1)
            blank[rows, max(0, int(left) - 1) : int(np.ceil(right)) + 1] = False
        rest = sheet.pixels[blank]
        if len(rest):  # nothing but paper
            assert np.abs(rest.astype(int) - rest[0].astype(int)).max() == 0


def test_the_outline_is_tight(renderer: PageRenderer) -> None:
    """The ink touches all four sides of a straight line's box, or the letter body does."""
    sheet = make_page_renderer(seed=2, layouts=("book",)).draw_sheet(1)
    for line in sheet.lines:
        (left, top), (right, bottom) = line.polygon[0], line.polygon[2]
        ys, xs = np.nonzero(sheet.ink[int(top) : int(bottom), int(left) : int(right)])
        assert xs.min() <= 1
        assert xs.max() >= right - left - 2
        body = line.baseline[0][1] - line.core_height
        assert ys.min() <= max(1, body - top + 1)


def test_lines_do_not_lie_on_each_other(renderer: PageRenderer) -> None:
    for index in range(12):
        sheet = renderer.draw_sheet(index)
        bodies = np.zeros(sheet.ink.shape, np.int32)
        for line in sheet.lines:
            if line.baseline[0][1] != line.baseline[-1][1]:
                continue  # tilted
            (left, foot), (right, _) = line.baseline[0], line.baseline[-1]
            head = foot - 0.85 * line.core_height
            bodies[round(head) : round(foot), round(left) : round(right)] += 1
        assert bodies.max() <= 1


def test_loose_lines_stay_one() -> None:
    """However wide the spaces are, a printed line is one line of the truth."""
    found = 0
    renderer = make_page_renderer(seed=30, layouts=("poem",), clean=True)
    for index in range(20):
        sheet = renderer.draw_sheet(index)
        for line in sheet.lines:
            (left, top), (right, bottom) = line.polygon[0], line.polygon[2]
            ink = sheet.ink[int(top) : int(bottom), int(left) : int(right)].max(axis=0) > 0
            gaps = np.diff(np.flatnonzero(np.concatenate([[True], ink, [True]])))
            if gaps.max() > 0.9 * line.core_height:
                assert " " in line.text
                found += 1
    assert found > 5


def test_each_split_keeps_to_its_faces_and_texts() -> None:
    copies = NearCopies(read_text_lines(SHIPPED / "heldout.txt"))
    train = make_page_renderer(split="train", seed=4)
    assert not any(face.heldout for group in train.families for face in group)
    assert not any(line in copies for line in train.pool.lines)
    check = make_page_renderer(split="check", seed=4)
    report = make_page_renderer(split="report", seed=4)
    assert not set(check.pool.lines) & set(report.pool.lines)
    assert all(face.heldout for group in check.families for face in group)
    assert len(heldout_families()) >= len(check.families)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean news"):
        make_page_renderer(layouts=("newz",))
    with pytest.raises(UsageError, match="Did you mean photo"):
        make_page_renderer(conditions={"photos": 1.0})


def test_conditions_and_layouts_are_all_drawn() -> None:
    renderer = make_page_renderer(seed=1)
    pages = [renderer.render(index) for index in range(70)]
    assert {page.layout for page in pages} == set(LAYOUTS)
    assert {page.condition for page in pages} == {"clean", "scan", "low", "photo"}
    steps = {step for page in pages for step in page.degradation}
    assert steps >= {"skew", "noise", "jpeg", "paper", "perspective", "curve", "light", "shadow"}
    assert all(not page.degradation for page in pages if page.condition == "clean")
    assert {page.pixels.ndim for page in pages} == {2, 3}
