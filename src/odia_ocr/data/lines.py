"""Rendered lines with exact text: a function of (renderer, seed, index), and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.data.compose import Mix, compose_line
from odia_ocr.data.degrade import DESIGN_STEPS, INK_STEPS, Step, colour_picture, paint, photograph
from odia_ocr.data.draw import CannotDraw, DrawnLine, Style, check_shaping, draw_line
from odia_ocr.data.faces import Face, find_faces, group_families
from odia_ocr.data.recipe import CLEAN, TRAINING, Recipe
from odia_ocr.data.texts import Split, TextPool, load_pool
from odia_ocr.errors import FontMissingError, ShapingError

if TYPE_CHECKING:
    from odia_ocr.types import FloatArray, GreyPixels, Pixels

_TRIES = 40
# Logarithm of the factor on spaces: down to the tightest setting that still shows a gap.
_WORD_SPACE = (-1.1, 0.95)
TRAINING_COMPANION = "NotoSansOriya-Regular"
HELDOUT_COMPANION = "Lato-Regular"


@dataclass(frozen=True, slots=True, eq=False)
class RenderedLine:
    """A rendered line.

    Attributes:
        pixels: Grey (h, w) or RGB (h, w, 3) picture, uint8.
        text: Exact normalised text, ZWNJ where the face shows a halant between consonants.
        face: Name of the face.
        family: Family of the face.
        kind: "text", "serif", "display" (held-out faces) or "training".
        degradation: Steps applied, in order.
    """

    pixels: Pixels
    text: str
    face: str
    family: str
    kind: str
    degradation: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class LineRenderer:
    """Draws lines from texts and faces by a recipe.

    Attributes:
        pool: Text.
        mix: Shares of the kinds of text.
        recipe: Degradations.
        families: Odia faces by family; a family is chosen first, then one of its faces.
        latin: Faces that draw Latin words, may be empty.
        latin_share: How often Latin is drawn by a companion though the face has Latin letters.
        seed: First half of the key of every line.
    """

    pool: TextPool
    mix: Mix
    recipe: Recipe
    families: tuple[tuple[Face, ...], ...]
    latin: tuple[Face, ...]
    latin_share: float
    seed: int

    def render(self, index: int) -> RenderedLine:
        """Line number `index`.

        Raises:
            ShapingError: If no face can draw any of the texts tried.
        """
        rng = np.random.default_rng([self.seed, index])
        for _ in range(_TRIES):
            text = compose_line(rng, self.pool, self.mix)
            for _ in range(4):
                group = self.families[int(rng.integers(len(self.families)))]
                face = group[int(rng.integers(len(group)))]
                try:
                    return self._draw(text, face, rng)
                except CannotDraw:
                    continue
        raise ShapingError(
            f"No face could draw line {index} (seed {self.seed}).",
            next_step="Check that the fonts cover Odia letters, digits and punctuation.",
        )

    def _draw(self, text: str, face: Face, rng: np.random.Generator) -> RenderedLine:
        applied: list[str] = []
        style = self._choose_style(rng, applied)
        latin = None
        if self.latin:
            latin = self.latin[int(rng.integers(len(self.latin)))]
        try:
            own = rng.random() >= self.latin_share
            drawn = draw_line(text, face, style, latin=None if own else latin, rng=rng)
        except CannotDraw:
            if latin is None:
                raise
            drawn = draw_line(text, face, style, latin=latin, rng=rng)
        ink = self._lay_out(drawn, face, style, rng, applied)
        known = tuple(entry for entry in DESIGN_STEPS if getattr(self.recipe, entry[0]))
        ink = take_steps(ink, (*known, *INK_STEPS), rng, self.recipe, applied)
        picture = paint(ink, rng, self.recipe, applied)
        pixels: Pixels = photograph(picture, rng, self.recipe, applied)
        if rng.random() < self.recipe.colour:
            applied.append("colour")
            pixels = colour_picture(pixels, rng)
        return RenderedLine(pixels, drawn.text, face.name, face.family, face.kind, tuple(applied))

    def _choose_style(self, rng: np.random.Generator, applied: list[str]) -> Style:
        recipe = self.recipe

        def chance(name: str) -> bool:
            hit = bool(rng.random() < getattr(recipe, name))
            if hit:
                applied.append(name)
            return hit

        low, high = recipe.sizes
        return Style(
            size=float(np.exp(rng.uniform(np.log(low), np.log(high)))),
            slant=float(rng.uniform(-0.18, 0.32)) if chance("slant") else 0.0,
            stretch=float(np.exp(rng.uniform(-0.38, 0.30))) if chance("stretch") else 1.0,
            bold=float(rng.uniform(-0.025, 0.06)) if chance("bold") else 0.0,
            tracking=float(rng.uniform(-0.05, 0.16)) if chance("tracking") else 0.0,
            word_space=float(np.exp(rng.uniform(*_WORD_SPACE)))
            if recipe.tracking and rng.random() < 0.5
            else 1.0,
            jitter=float(rng.uniform(0.004, 0.02)) if chance("jitter") else 0.0,
        )

    def _lay_out(
        self,
        drawn: DrawnLine,
        face: Face,
        style: Style,
        rng: np.random.Generator,
        applied: list[str],
    ) -> FloatArray:
        """Put the ink on a crop with margins, the rest of neighbours and marks beside it."""
        recipe = self.recipe
        h, w = drawn.mask.shape
        low, high = recipe.margin
        top, bottom = (round(h * float(rng.uniform(low, high))) for _ in range(2))
        if recipe.neighbours and rng.random() < 0.4:
            # Crops of one pitch: letters without signs above or below have more room there.
            top = max(top, round(0.95 * style.size) - drawn.baseline)
            bottom = max(bottom, round(0.38 * style.size) - (h - drawn.baseline))
        left, right = (round(h * float(rng.uniform(*recipe.side))) for _ in range(2))
        if rng.random() < recipe.wide_side:
            left = round(h * float(rng.uniform(0.9, 6.0)))
            applied.append("wide_side")
        if rng.random() < recipe.wide_side:
            right = round(h * float(rng.uniform(0.9, 6.0)))
            applied.append("wide_side")
        canvas = np.zeros((max(8, h + top + bottom), w + left + right), np.uint8)
        kept = drawn.mask[max(0, -top) : h - max(0, -bottom)]
        at = max(0, top)
        canvas[at : at + kept.shape[0], left : left + w] = kept
        if rng.random() < recipe.neighbours:
            applied.append("neighbours")
            for above in (True, False):
                room = top if above else bottom
                if room >= 2 and rng.random() < 0.65:
                    self._add_neighbour(canvas, face, style, rng, room, above)
        if rng.random() < recipe.beside:
            applied.append("beside")
            self._add_beside(canvas, rng, left, right)
        return canvas.astype(np.float32) / 255.0

    def _add_neighbour(
        self,
        canvas: GreyPixels,
        face: Face,
        style: Style,
        rng: np.random.Generator,
        room: int,
        above: bool,
    ) -> None:
        """Feet of the line above or heads of the line below, within `room` pixels of the edge."""
        try:
            other = draw_line(compose_line(rng, self.pool, self.mix), face, style, rng=rng).mask
        except CannotDraw:
            return
        depth = min(other.shape[0], max(1, round(room * float(rng.uniform(0.2, 0.9)))))
        shift = int(rng.integers(-other.shape[1] // 2, canvas.shape[1] // 2 + 1))
        strip = other[-depth:] if above else other[:depth]
        strip = strip[:, max(0, -shift) :][:, : canvas.shape[1] - max(0, shift)]
        rows = slice(0, depth) if above else slice(canvas.shape[0] - depth, canvas.shape[0])
        columns = slice(max(0, shift), max(0, shift) + strip.shape[1])
        canvas[rows, columns] = np.maximum(canvas[rows, columns], strip)

    def _add_beside(
        self, canvas: GreyPixels, rng: np.random.Generator, left: int, right: int
    ) -> None:
        """A column rule or the edge of a picture in the free space left or right of the text."""
        height, width = canvas.shape
        room, start = (left, 0) if rng.random() < 0.5 else (right, width - right)
        if room < 6:
            return
        thick = int(rng.integers(1, max(2, room // 3)))
        at = start if start == 0 else width - thick
        value = int(rng.integers(90, 256))
        if rng.random() < 0.5:
            at = start + int(rng.integers(0, max(1, room // 2)))
            thick = min(thick, max(1, height // 16))
            if start:
                at = width - thick - (at - start)
        canvas[:, at : at + thick] = np.maximum(canvas[:, at : at + thick], value)


def take_steps(
    ink: FloatArray,
    steps: Sequence[tuple[str, Step]],
    rng: np.random.Generator,
    recipe: Recipe,
    applied: list[str],
) -> FloatArray:
    """Change ink (h, w) by each step that its chance takes; their names go into `applied`."""
    for name, step in steps:
        if rng.random() < getattr(recipe, name):
            changed = step(ink, rng, recipe)
            # Thin faces can lose their strokes altogether: such a step is not taken.
            if float(changed.sum()) > 0.55 * float(ink.sum()):
                ink = changed
                applied.append(name)
    return ink


def make_renderer(
    *,
    split: Split = "train",
    seed: int = 0,
    clean: bool = False,
    recipe: Recipe | None = None,
    mix: Mix | None = None,
    data: Path | None = None,
    fonts: Path | None = None,
    pool: TextPool | None = None,
    faces: tuple[Face, ...] | None = None,
) -> LineRenderer:
    """Make a renderer of one split: training faces and texts, or held-out ones.

    Args:
        split: "train", "heldout", or a half of it; both faces and texts follow it.
        seed: First half of every line's key.
        clean: Use the clean recipe (black on white, no degradation).
        recipe: Another recipe.
        mix: Shares of the kinds of text.
        data: Folder with text/ and words/; None takes the shipped text.
        fonts: Folder of fonts; None takes the shipped faces.
        pool: Ready text, instead of `data`.
        faces: Ready faces, instead of `fonts`.

    Raises:
        FontMissingError: If no face of that split is there.
        ShapingError: If shaping does not work on this machine.
        DataError: If there is no text.
    """
    check_shaping()
    every = faces or find_faces(fonts)
    odia = tuple(f for f in every if f.odia and f.heldout == (split != "train"))
    # Faces that draw Latin words; the shipped one of the split when the folder has none.
    companion = TRAINING_COMPANION if split == "train" else HELDOUT_COMPANION
    latin = tuple(f for f in every if not f.odia and f.heldout == (split != "train")) or tuple(
        f for f in find_faces() if f.name == companion
    )
    if not odia:
        raise FontMissingError(
            f"No {split} face among the {len(every)} fonts.",
            next_step="The held-out families are named in heldout_faces.txt; name a folder that "
            "holds others.",
        )
    return LineRenderer(
        pool=pool or load_pool(split, data),
        mix=mix or Mix(),
        recipe=recipe or (CLEAN if clean else TRAINING),
        families=group_families(odia),
        latin=latin,
        latin_share=0.6 if any(not f.odia for f in every) else 0.0,
        seed=seed,
    )


def render_lines(renderer: LineRenderer, count: int, *, start: int = 0) -> Iterator[RenderedLine]:
    """Lines `start` .. `start + count - 1`, in order."""
    for index in range(start, start + count):
        yield renderer.render(index)
