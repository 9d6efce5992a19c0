"""The same function moves pixels and points: marks drawn on a page are found where it says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

import cv2

from odia_ocr.data.page_degrade import degrade_page
from odia_ocr.data.page_dice import Dice
from odia_ocr.data.page_truth import TruthLine, map_line
from odia_ocr.data.page_warp import Bend, Warp, quad_matrix

BENDS = [
    None,
    Bend(600, 800, rise=0.02, waves=1.4, phase=0.3),
    Bend(600, 800, curl=0.05, squeeze=0.25),
    Bend(600, 800, curl=0.04, squeeze=-0.2, swell=0.05, mirrored=True),
]
CORNERS = np.array([[40, 25], [590, 60], [560, 830], [10, 790]], float)


def mark(shape: tuple[int, int], points: np.ndarray, sigma: float = 3.0) -> np.ndarray:
    """A white page with a dark, soft dot around each point; pixel i covers i .. i + 1."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    page = np.zeros(shape)
    for px, py in points:
        page += 255 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
    return (255 - np.clip(page, 0, 255)).round().astype(np.uint8)


def find(page: np.ndarray, near: np.ndarray, reach: int = 12) -> np.ndarray:
    """The centre of darkness around each place."""
    out = []
    for px, py in near:
        left, top = round(px) - reach, round(py) - reach
        patch = page[top : top + 2 * reach, left : left + 2 * reach].astype(float)
        dark = np.clip(np.percentile(patch, 90) - patch, 0, None)
        dark[dark < 0.4 * dark.max()] = 0  # noise between the dots
        y, x = np.mgrid[0 : dark.shape[0], 0 : dark.shape[1]] + 0.5
        out.append([left + (x * dark).sum() / dark.sum(), top + (y * dark).sum() / dark.sum()])
    return np.array(out)


@pytest.mark.parametrize("bend", BENDS)
def test_a_warp_moves_marks_where_it_says(bend: Bend | None) -> None:
    dots = np.array([[x, y] for x in (60, 200.5, 390.25, 540) for y in (70, 300.5, 555, 730)])
    warp = Warp(quad_matrix((600, 800), CORNERS), (660, 900), bend)
    moved = warp.points(dots)
    page = warp.picture(mark((800, 600), dots), 255)
    assert page.shape == (900, 660)
    assert np.abs(find(page, moved) - moved).max() < 0.35
    assert np.hypot(*(moved - dots).T).max() > 20, "the warp must do something"


@pytest.mark.parametrize("bend", BENDS[1:])
def test_a_bend_is_undone_by_its_inverse(bend: Bend) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (200, 2)) * (600, 800)
    there = bend.forward(points)
    x, y = bend.backward(there[:, 0], there[:, 1])
    assert np.abs(np.stack([x, y], 1) - points).max() < 0.01


@pytest.mark.parametrize("condition", ["scan", "low", "photo"])
def test_every_condition_takes_the_truth_along(condition: str) -> None:
    """Marks of a degraded page lie where its map says, whatever steps were taken."""
    dots = np.array([[x, y] for x in (80, 260.5, 450) for y in (90, 400.5, 720)])
    page = mark((800, 600), dots, sigma=5.0)
    bent = 0
    for seed in range(12):
        dice = Dice(np.random.default_rng([9, seed]))
        shot = degrade_page(page, 18.0, condition, dice, strength=0.6)
        moved = shot.move(dots)
        grey = shot.pixels if shot.pixels.ndim == 2 else shot.pixels.mean(axis=2)
        if "specks" in shot.steps or "bleed" in shot.steps:
            continue  # other dark spots are near
        error = np.abs(find(grey, moved, reach=16) - moved)
        assert np.median(error) < 0.5, shot.steps
        assert error.max() < 1.6, shot.steps
        bent += shot.bends
    assert bent or condition == "low"


def test_a_line_becomes_a_strip_where_the_page_bends() -> None:
    line = TruthLine(
        "l000",
        "ଓଡ଼ିଆ",
        ((50, 100), (550, 100), (550, 140), (50, 140)),
        ((50, 130), (550, 130)),
        24,
        "r",
    )
    flat = Warp(np.diag([2.0, 2.0, 1.0]), (1200, 1600))
    doubled = map_line(line, flat.points, bends=False)
    assert doubled.polygon == ((100, 200), (1100, 200), (1100, 280), (100, 280))
    assert doubled.core_height == pytest.approx(48)
    bend = Warp(np.eye(3), (600, 800), Bend(600, 800, rise=0.03))
    strip = map_line(line, bend.points, bends=True)
    assert len(strip.polygon) > 20
    # The outline follows the curve: each warped point of the old edge lies on the new one.
    edge = np.stack([np.linspace(50, 550, 300), np.full(300, 100.0)], 1)
    outline = np.array(strip.polygon, np.float32)
    off = [
        abs(cv2.pointPolygonTest(outline, tuple(map(float, p)), True)) for p in bend.points(edge)
    ]
    assert max(off) < 0.2
