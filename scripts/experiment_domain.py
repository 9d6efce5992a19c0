"""The domain that the learning experiments adapt to: one archive's type, worn and scanned small.

    python scripts/experiment_domain.py [--text FOLDER] [-o runs/learning/domain]

Two held-out families redrawn by one design, so that together they are one typeface that no model
ever saw; letterpress wear and low resolution; running text with some numbers and Latin words. It
was fixed before the first learning run, when only the shipped model had been measured on it, and
is never edited: another domain gets another name.

The pool has text of the split "train" that the shipped language model never learned from, the
check lines (for tuning) held-out text of the half "check", and the held-out lines that of the half
"report". All are folders of NNNNNN.png beside NNNNNN.gt.txt, the same on every machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rich.progress import track

from odia_ocr.data.compose import Mix
from odia_ocr.data.faces import Face, find_faces
from odia_ocr.data.lines import HELDOUT_COMPANION, LineRenderer, RenderedLine
from odia_ocr.data.recipe import NO_DEGRADATION, Recipe
from odia_ocr.data.redraw import Design, redraw_face
from odia_ocr.data.render_folder import open_text_pool, write_rendered
from odia_ocr.data.texts import TextPool, load_pool
from odia_ocr.errors import DataError
from odia_ocr.pages.images import open_pages
from odia_ocr.types import LineImage

NAME = "archive-1"
FOLDER = Path("runs/learning/domain")
TEXT = Path(".cache/data/text/research")
TEXT_FILES = ("news-headlines", "news-sentences", "web", "poems")
FAMILIES = (("NotoSerifOriya-Regular",), ("LohitOdia-Regular",))
DESIGN = Design(
    weight=0.006,
    contrast=0.028,
    axis=0.6,
    roundness=0.2,
    waves=((0.026, 1.1, 0.7, 0.4, 1.2), (0.022, 0.6, 1.5, 2.1, 0.2), (0.016, 1.9, 1.4, 1.0, 2.5)),
    width=0.32,
    rise=0.76,
    drop=1.2,
)
RECIPE = replace(
    Recipe(NAME, sizes=(26.0, 34.0), margin=(0.02, 0.22), side=(0.0, 0.5)),
    **{
        **NO_DEGRADATION,
        "slant": 0.05,
        "tracking": 0.25,
        "jitter": 0.5,
        "neighbours": 0.25,
        "rotate": 0.4,
        "angle": 0.8,
        "wobble": 0.35,
        "ink": 0.7,
        "broken": 0.5,
        "blotted": 0.6,
        "texture": 0.6,
        "ground": 0.3,
        "bleed": 0.25,
        "specks": 0.4,
        "low_resolution": 1.0,
        "blur": 0.4,
        "noise": 0.5,
        "jpeg": 0.4,
        "light": 0.2,
        "strength": 0.7,
    },
    scale=(17.0, 24.0),
)
MIX = Mix(
    running=0.80,
    words=0.0,
    numbers=0.12,
    latin=0.08,
    rare=0.0,
    min_words=3,
    max_words=8,
    punctuated=0.15,
)
# Lines and seed of each part.
PARTS = {"pool": (4000, 61_001), "check": (300, 62_001), "heldout": (1000, 63_001)}


@dataclass(frozen=True)
class Part:
    """One part of the domain on disk; pictures and texts are read apart, each when asked for."""

    folder: Path
    count: int

    @property
    def names(self) -> list[str]:
        """Of all lines, in order: "000000" .."""
        return [f"{i:06d}" for i in range(self.count)]

    @cached_property
    def images(self) -> tuple[LineImage, ...]:
        """All pictures."""
        return tuple(self._load(name) for name in self.names)

    def _load(self, name: str) -> LineImage:
        with closing(open_pages(self.folder / f"{name}.png")) as file:
            return LineImage(name, file.load(1).pixels)

    def read_text(self, name: str) -> str:
        """The truth of one line."""
        return (self.folder / f"{name}.gt.txt").read_text("utf-8").strip("\n")

    def read_texts(self) -> list[str]:
        """The truth of all: not for the pool, whose labels cost."""
        return [self.read_text(name) for name in self.names]


def open_domain(folder: Path = FOLDER, text: Path = TEXT) -> dict[str, Part]:
    """The parts of the domain, "pool", "check" and "heldout", rendered where they are missing.

    Raises:
        DataError: If `text` lacks the texts of the pool.
    """
    parts = {name: Part(folder / name, count) for name, (count, _) in PARTS.items()}
    stamp = folder / "domain.json"
    if not stamp.exists():
        faces = _redraw_faces(folder / "faces")
        for name, part in parts.items():
            texts = _open_texts(text) if name == "pool" else load_pool(_SPLITS[name])
            renderer = _make_renderer(texts, faces, PARTS[name][1])
            lines = _hide_faces(renderer.render(i) for i in range(part.count))
            write_rendered(track(lines, name, part.count), part.folder)
        stamp.write_text(json.dumps({"domain": NAME, "text": text.name, **PARTS}) + "\n", "utf-8")
    return parts


_SPLITS = {"check": "check", "heldout": "report"}


def _redraw_faces(folder: Path) -> tuple[tuple[Face, ...], ...]:
    folder.mkdir(parents=True, exist_ok=True)
    shipped = {face.name: face for face in find_faces()}
    families = []
    for names in FAMILIES:
        drawn = []
        for name in names:
            path = folder / f"{name}.ttf"
            redraw_face(Path(shipped[name].path), path, DESIGN)
            drawn.append(replace(shipped[name], path=str(path)))
        families.append(tuple(drawn))
    return tuple(families)


def _open_texts(folder: Path) -> TextPool:
    paths = [folder / f"{name}.txt" for name in TEXT_FILES]
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        raise DataError(
            f"{folder} lacks {', '.join(missing)}.",
            next_step="Name a folder that holds them with --text.",
        )
    pools = [open_text_pool(path) for path in paths]
    lines = tuple(dict.fromkeys(line for pool in pools for line in pool.lines))
    words = tuple(dict.fromkeys(word for pool in pools for word in pool.words))
    return TextPool(lines, words, pools[0].latin)


def _make_renderer(
    texts: TextPool, families: tuple[tuple[Face, ...], ...], seed: int
) -> LineRenderer:
    latin = tuple(face for face in find_faces() if face.name == HELDOUT_COMPANION)
    return LineRenderer(
        pool=texts,
        mix=MIX,
        recipe=RECIPE,
        families=families,
        latin=latin,
        latin_share=0.5,
        seed=seed,
    )


def _hide_faces(lines: Iterable[RenderedLine]) -> Iterator[RenderedLine]:
    """Name the domain instead of the faces: training refuses lines of held-out families."""
    for line in lines:
        yield replace(line, face=NAME, family=NAME, kind="training")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, default=TEXT, help="folder with the pool's texts")
    parser.add_argument("-o", "--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    for name, part in open_domain(options.out, options.text).items():
        print(f"{name}: {part.count} lines in {part.folder}")


if __name__ == "__main__":
    main()
