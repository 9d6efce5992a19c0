"""Rendered lines: deterministic, of the right split; the reporting recipes are pinned."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from odia_ocr.data import reporting
from odia_ocr.data.compose import Mix, compose_line
from odia_ocr.data.degrade import colour_picture
from odia_ocr.data.lines import make_renderer
from odia_ocr.data.recipe import CLEAN, TRAINING
from odia_ocr.data.render_folder import open_text_pool, write_rendered
from odia_ocr.data.texts import SHIPPED, NearCopies, load_pool, read_text_lines
from odia_ocr.errors import DataError, UsageError
from odia_ocr.language import ALPHABET, normalise
from odia_ocr.recognize.line_tensor import Geometry, line_to_pixels


def test_a_line_is_a_function_of_seed_and_index() -> None:
    first, second = make_renderer(seed=3), make_renderer(seed=3)
    for index in (0, 7, 123):
        a, b = first.render(index), second.render(index)
        assert a.text == b.text
        assert a.degradation == b.degradation
        assert np.array_equal(a.pixels, b.pixels)
    assert not np.array_equal(first.render(0).pixels, make_renderer(seed=4).render(0).pixels)


def test_what_was_drawn_before_changes_nothing() -> None:
    for split in ("train", "heldout"):
        renderer = make_renderer(split=split, seed=17)  # type: ignore[arg-type]
        forth = [renderer.render(i).text for i in range(40)]
        back = [renderer.render(i).text for i in reversed(range(40))]
        assert forth == back[::-1]


def test_coloured_lines_keep_their_contrast() -> None:
    grey = np.full((48, 200), 255, np.uint8)
    grey[14:34, 20:180:8] = 0
    for seed in range(12):
        picture = colour_picture(grey, np.random.default_rng(seed))
        assert picture.shape == (48, 200, 3)
        shaped = line_to_pixels(picture, Geometry())
        assert float(np.percentile(shaped, 99)) - float(np.percentile(shaped, 1)) > 120


def test_labels_are_normalised_and_in_the_alphabet() -> None:
    renderer = make_renderer(seed=11)
    kinds = set()
    for index in range(80):
        line = renderer.render(index)
        assert line.text
        assert normalise(line.text) == line.text
        ALPHABET.encode(line.text)
        assert line.pixels.dtype == np.uint8
        assert min(line.pixels.shape[:2]) >= 8
        kinds.update(line.degradation)
    assert len(kinds) > 20


def test_clean_lines_are_black_on_white_with_the_ink_inside() -> None:
    renderer = make_renderer(seed=5, clean=True)
    for index in range(10):
        line = renderer.render(index)
        assert line.degradation == ()
        edges = np.concatenate(
            [line.pixels[0], line.pixels[-1], line.pixels[:, 0], line.pixels[:, -1]]
        )
        assert edges.min() == 255
        assert line.pixels.min() < 60


def test_training_text_holds_no_heldout_run() -> None:
    copies = NearCopies(read_text_lines(SHIPPED / "heldout.txt"))
    pool = load_pool("train")
    rng = np.random.default_rng(0)
    mix = Mix(
        running=1, words=0, numbers=0, latin=0, rare=0, punctuated=0, min_words=7, max_words=9
    )
    for _ in range(200):
        assert compose_line(rng, pool, mix) not in copies


def test_every_kind_of_text_is_composed() -> None:
    pool = load_pool("train")
    rng = np.random.default_rng(2)
    text = " ".join(compose_line(rng, pool, Mix()) for _ in range(4000))
    for needed in "ଈଊଐଔଋୠ୦୧୨୩୪୫୬୭୮୯0123456789₹%“”ଡ଼":
        assert needed in text
    assert any("A" <= char <= "Z" for char in text)


def test_the_reporting_recipes_are_pinned() -> None:
    pinned = {
        name: sha256(json.dumps(asdict(chosen), sort_keys=True).encode()).hexdigest()[:12]
        for name, chosen in reporting.SETS.items()
    }
    stored = json.loads((Path(__file__).parent / "reporting_recipes.json").read_text())
    assert pinned == stored, "a changed recipe needs a new name and new reports"


def test_the_reporting_lines_are_pinned() -> None:
    """Texts, faces and degradations of a few lines; pixels may differ by a rounding elsewhere."""
    digests = {}
    for name in reporting.SETS:
        lines = []
        for renderer in reporting.make_reporting_renderers(name):
            for i in range(3):
                line = renderer.render(i)
                lines.append([line.text, line.face, list(line.degradation)])
        digests[name] = sha256(json.dumps(lines, ensure_ascii=False).encode()).hexdigest()[:12]
    stored = json.loads((Path(__file__).parent / "reporting_lines.json").read_text())
    assert digests == stored, "other lines need new set names and new reports"


def test_a_reporting_set_has_all_heldout_families(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {
        name: reporting.ReportingSet(s.recipe, s.mix, 2, s.seed)
        for name, s in reporting.SETS.items()
    }
    monkeypatch.setattr(reporting, "SETS", small)
    out = reporting.make_reporting_set("degraded", tmp_path / "set")
    rows = [json.loads(line) for line in (out / "metadata.jsonl").read_text("utf-8").splitlines()]
    assert len(rows) == 8
    assert len({row["family"] for row in rows}) == 4
    for row in rows:
        stem = row["file"].removesuffix(".png")
        assert (out / f"{stem}.gt.txt").read_text("utf-8").strip() == row["text"]
    with pytest.raises(UsageError, match="Did you mean degraded"):
        reporting.make_reporting_set("degrade", tmp_path)


def test_an_own_text_file_is_drawn_word_for_word(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("ଭଲ ଦିନ ଆସିଲା\n", encoding="utf-8")
    mix = Mix(running=1, words=0, numbers=0, latin=0, rare=0, punctuated=0, min_words=3)
    renderer = make_renderer(recipe=CLEAN, mix=mix, pool=open_text_pool(path))
    write_rendered([renderer.render(0)], tmp_path / "out")
    assert (tmp_path / "out" / "000000.gt.txt").read_text("utf-8") == "ଭଲ ଦିନ ଆସିଲା\n"
    path.write_text("हिन्दी\n", encoding="utf-8")
    with pytest.raises(DataError, match="No usable line"):
        open_text_pool(path)


def test_training_is_more_degraded_than_reporting() -> None:
    assert TRAINING.strength >= reporting.DEGRADED.strength
    assert all(
        getattr(TRAINING, name) >= getattr(reporting.DEGRADED, name) - 0.05
        for name in ("rotate", "broken", "noise", "blur", "jpeg", "neighbours", "photo")
    )
