"""Steps that change the design of a face: where ink comes and goes, and what older recipes draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from odia_ocr.data.degrade import change_proportions, redraw_strokes
from odia_ocr.data.lines import make_renderer
from odia_ocr.data.recipe import CLEAN, TRAINING


def _cross(height: int = 60) -> np.ndarray:
    """An upright and a level stroke, both 6 px thick."""
    ink = np.zeros((height, 2 * height), np.float32)
    ink[:, 57:63] = 1.0
    ink[27:33, :] = 1.0
    return ink


def test_a_pen_makes_strokes_unequal() -> None:
    upright, level = [], []
    for seed in range(40):
        drawn = redraw_strokes(_cross(), np.random.default_rng(seed), TRAINING)
        assert drawn.shape == (60, 120)
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        upright.append(float(drawn[10].sum()))
        level.append(float(drawn[:, 20].sum()))
    differences = np.array(upright) - np.array(level)
    assert differences.max() > 2  # some make uprights thick
    assert differences.min() < -2  # others level strokes


def test_proportions_move_heights_alike_along_the_line_and_keep_their_order() -> None:
    height = 80
    ramp = np.repeat(np.linspace(0, 1, height, dtype=np.float32)[:, None], 50, axis=1)
    middles = []
    for seed in range(30):
        moved = change_proportions(ramp, np.random.default_rng(seed), TRAINING)
        assert np.allclose(moved, moved[:, :1])
        assert (np.diff(moved[:, 0]) > 0).all()
        middles.append(float(moved[height // 2, 0] - ramp[height // 2, 0]))
    assert min(middles) < -0.04
    assert max(middles) > 0.04


def test_steps_of_design_are_named_and_change_the_picture() -> None:
    plain = make_renderer(seed=3, recipe=replace(CLEAN, name="plain")).render(0)
    drawn = make_renderer(seed=3, recipe=replace(CLEAN, name="pen", pen=1.0)).render(0)
    assert plain.text == drawn.text
    assert drawn.degradation == ("pen",)
    assert not np.array_equal(plain.pixels, drawn.pixels)
