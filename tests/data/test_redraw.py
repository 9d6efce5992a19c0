"""Variants of a face: other outlines, the same shaping, the same names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from odia_ocr.data.draw import Style, draw_line
from odia_ocr.data.faces import SHIPPED, Face, find_faces
from odia_ocr.data.redraw import Design, move_contour, redraw_face

TEXT = "ଧର୍ମ ସୂର୍ଯ୍ୟ ଉଜ୍ଜ୍ୱଳ ଲକ୍ଷ୍ମୀ ୧୨୩"
SAME = Design(0.0, 0.0, 0.0, 1.0, ((0.0, 1.0, 1.0, 0.0, 0.0),), 0.0, 1.0, 1.0)


def find_face(name: str) -> Face:
    return next(face for face in find_faces() if face.name == name)


def vary(face: Face, folder: Path, design: Design) -> Face:
    target = folder / f"{face.name}-redrawn0.ttf"
    assert redraw_face(Path(face.path), target, design)
    (variant,) = find_faces(folder)
    return variant


def test_a_variant_draws_the_same_text_in_other_shapes(tmp_path: Path) -> None:
    face = find_face("NotoSansOriya-Regular")
    variant = vary(face, tmp_path, Design.draw(np.random.default_rng(3)))
    ours, theirs = (draw_line(TEXT, f, Style(size=40)) for f in (face, variant))
    assert ours.text == theirs.text
    assert variant.family == face.family
    height = min(ours.mask.shape[0], theirs.mask.shape[0])
    width = min(ours.mask.shape[1], theirs.mask.shape[1])
    assert (ours.mask[:height, :width] != theirs.mask[:height, :width]).mean() > 0.02
    # Advances stay, so lines are about as long.
    assert theirs.mask.shape[1] == pytest.approx(ours.mask.shape[1], rel=0.05)


def test_a_design_without_changes_changes_nothing(tmp_path: Path) -> None:
    face = find_face("NotoSansOriya-Regular")
    variant = vary(face, tmp_path, SAME)
    ours, theirs = (draw_line(TEXT, f, Style(size=40)) for f in (face, variant))
    assert np.array_equal(ours.mask, theirs.mask)


def test_variants_of_held_out_faces_are_held_out(tmp_path: Path) -> None:
    face = next(face for face in find_faces() if face.heldout and face.odia)
    assert vary(face, tmp_path, SAME).heldout


def test_weight_thickens_and_no_roundness_leaves_chords() -> None:
    square = np.array([[0.0, 0.0], [0.0, 0.3], [0.3, 0.3], [0.3, 0.0]])  # clockwise: a filled one
    on_curve = np.ones(4, bool)
    wider = move_contour(square, on_curve, replace(SAME, weight=0.01))
    assert np.ptp(wider[:, 0]) > 0.3 < np.ptp(wider[:, 1])
    bulge = np.array([[0.0, 0.0], [0.15, 0.2], [0.3, 0.0]])
    flat = move_contour(bulge, np.array([True, False, True]), replace(SAME, roundness=0.0))
    assert flat[1].tolist() == [0.15, 0.0]


def test_designs_are_those_of_their_seed() -> None:
    first, again, other = (Design.draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_the_shipped_faces_hold_no_variants() -> None:
    assert not list(SHIPPED.rglob("*redrawn*"))
