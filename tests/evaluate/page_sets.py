"""Sets of drawn pages, and readers that say what they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from odia_ocr.types import Line, Page, PageImage, Problem, Reading

PAGES = {
    "a_1": ("ଧର୍ମ ଓ କର୍ମ", "ସତ୍ୟ ବା ଜ୍ଞାନ", "ଭାରତ ଦେଶ"),
    "a_2": ("ପୁସ୍ତକ ମେଳା", "ନୂଆ ଖବର"),
    "b_1": ("ଗୋଟିଏ ଧାଡ଼ି",),
}
SIZE = (200, 160)


def bar(number: int, *, left: float = 20, right: float = 180) -> tuple[tuple[float, float], ...]:
    """The outline of line `number`, from 0, one below the other."""
    top = 10.0 + 30 * number
    return ((left, top), (right, top), (right, top + 20), (left, top + 20))


def write_pages(
    folder: Path, pages: dict[str, Sequence[str]] | None = None, *, truth: bool = False
) -> Path:
    """Draw a set; `truth` writes NAME.json with `bar` outlines, layout "book" or "news"."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (PAGES if pages is None else pages).items():
        pixels = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
        for i in range(len(lines)):
            pixels[14 + 30 * i : 26 + 30 * i, 20:180] = 0
        Image.fromarray(pixels).save(folder / f"{name}.png")
        (folder / f"{name}.gt.txt").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
        if truth:
            record = make_truth(lines, layout="book" if name.startswith("a") else "news")
            (folder / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def make_truth(lines: Sequence[str], *, layout: str = "book") -> dict[str, Any]:
    return {
        "schema": 1,
        "size": list(SIZE),
        "layout": layout,
        "condition": "clean",
        "lines": [
            {
                "id": f"l{i:03}",
                "text": text,
                "polygon": bar(i),
                "baseline": [[20, 26 + 30 * i], [180, 26 + 30 * i]],
                "core_height": 12,
                "region": "r0",
            }
            for i, text in enumerate(lines)
        ],
        "regions": [],
        "degradation": [],
    }


@dataclass
class FakePages:
    """Says for each page, told by the name of its file, the lines it is told to.

    A line is its text, or its text and outline.
    """

    readings: dict[str, Sequence[Any]]
    fails: dict[str, Exception] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    seen: list[PageImage] = field(default_factory=list)

    def __call__(self, image: PageImage) -> Page:
        self.seen.append(image)
        name = Path(image.source).stem
        if name in self.fails:
            raise self.fails[name]
        lines = [
            (entry, bar(i)) if isinstance(entry, str) else entry
            for i, entry in enumerate(self.readings.get(name, ()))
        ]
        return Page(
            source=image.source,
            number=1,
            size=image.size,
            lines=tuple(
                Line(f"l{i}", outline, reading=Reading(text, None))
                for i, (text, outline) in enumerate(lines)
            ),
            problems=self.problems,
        )


MakePages = Callable[..., Path]
