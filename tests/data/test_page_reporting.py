"""The fixed set of pages: equal parts, held-out faces and texts, pinned."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("uharfbuzz")
pytest.importorskip("cv2")

from odia_ocr.data.faces import find_faces
from odia_ocr.data.page_render import LAYOUTS
from odia_ocr.data.page_reporting import (
    PAGES,
    make_reporting_pages,
    make_reporting_renderer,
    render_reporting_pages,
)
from odia_ocr.data.texts import load_pool

PINNED = json.loads((Path(__file__).parent / "reporting_pages.json").read_text("utf-8"))


def test_the_set_is_pinned() -> None:
    digest = sha256(json.dumps(asdict(PAGES), sort_keys=True).encode()).hexdigest()[:12]
    assert digest == PINNED["set"], "a changed set needs a new name and new reports"


def test_the_pages_are_pinned() -> None:
    """Text, place and degradation of some pages; pixels may differ by a rounding elsewhere."""
    said = []
    for index in range(0, PAGES.count, 5):
        page = make_reporting_renderer(index).render(index)
        lines = [[line.text, *(round(x) for x in line.polygon[0])] for line in page.lines]
        said.append([page.size, lines, page.faces, page.degradation])
    digest = sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:12]
    assert digest == PINNED["pages"], "other pages need a new name and new reports"


def test_all_parts_are_equal_and_held_out() -> None:
    assert PAGES.count == 64
    assert set(PAGES.layouts) == set(LAYOUTS)
    renderers = [make_reporting_renderer(index) for index in range(PAGES.count)]
    assert set(Counter(r.layouts for r in renderers).values()) == {8}
    assert set(Counter(tuple(r.conditions) for r in renderers).values()) == {16}
    families = Counter(r.families[0][0].family for r in renderers)
    heldout = {face.family for face in find_faces() if face.heldout and face.odia}
    assert set(families) == heldout
    assert families.pop("Alkatra") == 8
    assert max(families.values()) - min(families.values()) <= 3
    each = Counter((r.layouts, r.families[0][0].family) for r in renderers)
    assert set(each.values()) <= {2, 3}
    assert all(r.pool.lines == load_pool("report").lines for r in renderers)
    with pytest.raises(IndexError, match="which has 64"):
        make_reporting_renderer(64)


def test_the_set_is_written_as_pages(tmp_path: Path) -> None:
    small = replace(PAGES, layouts=("quote",), per_layout=4)
    out = make_reporting_pages(tmp_path / "set", small)
    rows = [json.loads(row) for row in (out / "metadata.jsonl").read_text("utf-8").splitlines()]
    assert [row["condition"] for row in rows] == ["clean", "scan", "low", "photo"]
    texts = [page.text + "\n" for page in render_reporting_pages(small)]
    assert texts == [(out / f"{i:06d}.gt.txt").read_text("utf-8") for i in range(4)]
