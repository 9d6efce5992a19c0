"""Held-out faces stay out of training whatever their file is called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from odia_ocr.data.faces import SHIPPED, find_faces, group_families, heldout_families
from odia_ocr.data.lines import make_renderer
from odia_ocr.errors import FontMissingError


def test_four_families_are_named_and_shipped() -> None:
    assert len(heldout_families()) == 5  # the fifth draws Latin only
    held = [face for face in find_faces() if face.heldout and face.odia]
    assert len(group_families(tuple(held))) == 4
    assert [face.name for face in find_faces() if not face.odia] == ["Lato-Regular"]
    assert sorted({face.kind for face in held}) == ["display", "serif", "text"]
    assert {face.kind for face in find_faces() if not face.heldout} == {"training"}


def test_a_training_renderer_has_no_heldout_face() -> None:
    for split, expected in (("train", False), ("heldout", True)):
        renderer = make_renderer(split=split)  # type: ignore[arg-type]
        assert {face.heldout for group in renderer.families for face in group} == {expected}


def test_a_renamed_copy_is_still_held_out(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "NotoSerifOriya-Bold.ttf", tmp_path / "MyFont.ttf")
    (face,) = find_faces(tmp_path)
    assert face.heldout
    with pytest.raises(FontMissingError, match="No train face"):
        make_renderer(split="train", fonts=tmp_path)


def test_a_folder_without_odia_fonts_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FontMissingError, match="No font with Odia"):
        find_faces(tmp_path)


def test_every_shipped_family_has_its_licence() -> None:
    licences = {path.stem for path in (SHIPPED / "LICENSES").glob("OFL-*.txt")}
    assert len(licences) == len(group_families(find_faces()))
