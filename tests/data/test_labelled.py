"""Labelled folders: what is taken, what is left out and told."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from odia_ocr.data.lines import make_renderer, render_lines
from odia_ocr.data.lineset import load_labelled
from odia_ocr.data.render_folder import write_rendered
from odia_ocr.data.sets.formats import find_writer, open_set
from odia_ocr.data.texts import SHIPPED, read_text_lines
from odia_ocr.errors import DataError


def write_line(folder: Path, name: str, text: str | bytes | None) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.full((40, 120), 200, np.uint8)).save(folder / f"{name}.png")
    if isinstance(text, str):
        text = text.encode()
    if text is not None:
        (folder / f"{name}.gt.txt").write_bytes(text)


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    held = max(read_text_lines(SHIPPED / "heldout.txt"), key=len)
    for name, text in (
        ("good", "ଭଲ ଧାଡ଼ି"),
        ("none", None),
        ("empty", " \n"),
        ("other", "भारत"),
        ("held", held),
    ):
        write_line(tmp_path, name, text)
    folder = load_labelled(tmp_path)
    assert [line.text for line in folder.lines] == ["ଭଲ ଧାଡ଼ି"]
    assert (folder.unlabelled, folder.empty, folder.outside, folder.heldout) == (1, 1, 1, 1)
    for told in ("1 lines", "without a transcription", "भ", "held-out"):
        assert told in str(folder)
    assert folder.lines[0].read_grey().shape == (40, 120)


def test_rendered_lines_of_heldout_faces_are_left_out(tmp_path: Path) -> None:
    write_rendered(render_lines(make_renderer(split="heldout", seed=4), 3), tmp_path)
    with pytest.raises(DataError, match="No usable line"):
        load_labelled(tmp_path)


def test_bad_encodings_are_errors(tmp_path: Path) -> None:
    write_line(tmp_path, "bad", "ଭଲ".encode("utf-16"))
    with pytest.raises(DataError, match="not UTF-8"):
        load_labelled(tmp_path)


def test_every_format_can_be_trained_on(tmp_path: Path) -> None:
    for name, text in (("one", "ଭଲ ଧାଡ଼ି"), ("two", "ଆଉ ଧାଡ଼ି")):
        write_line(tmp_path / "folder", name, text)
    find_writer("label-studio")(iter(open_set(tmp_path / "folder")), tmp_path / "tasks")
    (tmp_path / "folder" / "two.gt.txt").unlink()
    texts = [line.text for line in load_labelled(tmp_path / "tasks" / "tasks.json").lines]
    assert texts == ["ଭଲ ଧାଡ଼ି", "ଆଉ ଧାଡ଼ି"]
    (line,) = load_labelled(tmp_path / "folder").lines
    assert pickle.loads(pickle.dumps(line)) == line  # it goes to the processes that draw
