"""Rendered pages with exact truth: a function of (renderer, seed, index), and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from odia_ocr.data.draw import check_shaping
from odia_ocr.data.faces import Face, find_faces, group_families
from odia_ocr.data.lines import HELDOUT_COMPANION, TRAINING_COMPANION
from odia_ocr.data.page_books import lay_book, lay_poem
from odia_ocr.data.page_cards import lay_quote, lay_ticker
from odia_ocr.data.page_degrade import CONDITIONS, degrade_page
from odia_ocr.data.page_desk import Desk
from odia_ocr.data.page_dice import Dice
from odia_ocr.data.page_forms import lay_form, lay_notice
from odia_ocr.data.page_news import lay_magazine, lay_news
from odia_ocr.data.page_sheet import Sheet
from odia_ocr.data.page_truth import RenderedPage, map_line, map_region
from odia_ocr.data.page_typeset import Manner, Typesetter
from odia_ocr.data.texts import Split, TextPool, load_pool
from odia_ocr.errors import FontMissingError, name_choices

Layout = Callable[[Desk], Sheet]
LAYOUTS: dict[str, Layout] = {
    "book": lay_book,
    "news": lay_news,
    "poem": lay_poem,
    "form": lay_form,
    "notice": lay_notice,
    "magazine": lay_magazine,
    "quote": lay_quote,
    "ticker": lay_ticker,
}
# Layouts that are always printed in colours, and how often the others are.
_COLOURED = {
    "quote": 1.0,
    "ticker": 1.0,
    "magazine": 0.9,
    "poem": 0.3,
    "form": 0.25,
    "notice": 0.25,
}
_SHARES = {"clean": 0.22, "scan": 0.33, "low": 0.20, "photo": 0.25}


@dataclass(frozen=True, slots=True, eq=False)
class PageRenderer:
    """Draws pages from texts and faces.

    Attributes:
        pool: Text.
        families: Odia faces by family; a family is chosen first, then one of its faces.
        latin: Faces that draw Latin words, may be empty.
        mixed: How often Latin is drawn by a companion though the face has Latin letters.
        seed: First half of the key of every page.
        layouts: Names from `LAYOUTS`, equally likely.
        conditions: Chance weights of conditions.
        strength: 0..1, how far degradations go.
        manner: What is strewn into running text; None lets every page choose.
    """

    pool: TextPool
    families: tuple[tuple[Face, ...], ...]
    latin: tuple[Face, ...]
    mixed: float
    seed: int
    layouts: tuple[str, ...] = tuple(LAYOUTS)
    conditions: dict[str, float] = field(default_factory=lambda: dict(_SHARES))
    strength: float = 1.0
    manner: Manner | None = None

    def render(self, index: int) -> RenderedPage:
        """Page number `index`.

        Raises:
            ShapingError: If a face could draw none of the texts tried.
        """
        rng = np.random.default_rng([self.seed, index])
        dice = Dice(rng)
        layout = dice.pick(self.layouts)
        condition = dice.weigh(self.conditions)
        desk, sheet = self._lay(layout, dice)
        strength = self.strength * dice.between(0.5, 1.0)
        shot = degrade_page(sheet.pixels, desk.core, condition, dice, strength=strength)
        faces = tuple(desk.setter.faces.values())
        return RenderedPage(
            pixels=shot.pixels,
            lines=tuple(map_line(line, shot.move, bends=shot.bends) for line in sheet.lines),
            regions=tuple(map_region(r, shot.move, bends=shot.bends) for r in sheet.regions()),
            layout=layout,
            condition=condition,
            faces=tuple(face.name for face in faces),
            families=tuple(dict.fromkeys(face.family for face in faces)),
            degradation=shot.steps,
        )

    def draw_sheet(self, index: int) -> Sheet:
        """The flat sheet of page `index`, before any condition: for checks of the truth."""
        dice = Dice(np.random.default_rng([self.seed, index]))
        layout = dice.pick(self.layouts)
        dice.weigh(self.conditions)
        return self._lay(layout, dice)[1]

    def _lay(self, layout: str, dice: Dice) -> tuple[Desk, Sheet]:
        group = dice.pick(self.families)
        other = group if dice.chance(0.6) else dice.pick(self.families)
        manner = Manner(
            numbers=dice.pick([0.0, 0.02, 0.05]),
            latin=dice.pick([0.0, 0.0, 0.02, 0.05]),
            made=dice.pick([0.0, 0.01, 0.02]),
        )
        setter = Typesetter(dice, self.pool, self.manner or manner)
        desk = Desk(
            dice,
            setter,
            body=dice.pick(group),
            head=dice.pick(other),
            latin=dice.pick(self.latin) if self.latin else None,
            mixed=dice.chance(self.mixed),
            colour=dice.chance(_COLOURED.get(layout, 0.12)),
        )
        sheet = LAYOUTS[layout](desk)
        if layout not in ("quote", "ticker", "magazine") and dice.chance(0.12):
            desk.mark_up(sheet)
        return desk, sheet


def make_page_renderer(
    *,
    split: Split = "train",
    seed: int = 0,
    clean: bool = False,
    layouts: tuple[str, ...] | None = None,
    conditions: dict[str, float] | None = None,
    strength: float = 1.0,
    manner: Manner | None = None,
    data: Path | None = None,
    fonts: Path | None = None,
    pool: TextPool | None = None,
    faces: tuple[Face, ...] | None = None,
) -> PageRenderer:
    """Make a renderer of one split: training faces and texts, or held-out ones.

    Args:
        split: "train", "heldout", or a half of it ("check", "report").
        seed: First half of every page's key.
        clean: Only the condition "clean".
        layouts: Names from `LAYOUTS`; None takes all.
        conditions: Weights of "clean", "scan", "low" and "photo"; None takes the usual mixture.
        strength: 0..1, how far degradations go.
        manner: What is strewn into running text; None lets every page choose.
        data: Folder with text/ and words/; None takes the shipped text.
        fonts: Folder of fonts; None takes the shipped faces.
        pool: Ready text, instead of `data`.
        faces: Ready faces, instead of `fonts`.

    Raises:
        FontMissingError: If no face of that split is there.
        ShapingError: If shaping does not work on this machine.
        DataError: If there is no text.
        UsageError: An unknown layout or condition.
    """
    for name in layouts or ():
        if name not in LAYOUTS:
            raise name_choices(name, list(LAYOUTS), kind="layout")
    for name in conditions or ():
        if name not in CONDITIONS:
            raise name_choices(name, list(CONDITIONS), kind="condition")
    check_shaping()
    every = faces or find_faces(fonts)
    heldout = split != "train"
    odia = tuple(face for face in every if face.odia and face.heldout == heldout)
    companion = HELDOUT_COMPANION if heldout else TRAINING_COMPANION
    latin = tuple(face for face in every if not face.odia and face.heldout == heldout) or tuple(
        face for face in find_faces() if face.name == companion
    )
    if not odia:
        raise FontMissingError(
            f"No {split} face among the {len(every)} fonts.",
            next_step="The held-out families are named in heldout_faces.txt; name a folder that "
            "holds others.",
        )
    return PageRenderer(
        pool=pool or load_pool(split, data),
        families=group_families(odia),
        latin=latin,
        mixed=0.4 if any(not face.odia for face in every) else 0.0,
        seed=seed,
        layouts=layouts or tuple(LAYOUTS),
        conditions={"clean": 1.0} if clean else (conditions or dict(_SHARES)),
        strength=strength,
        manner=manner,
    )


def render_pages(renderer: PageRenderer, count: int, *, start: int = 0) -> Iterator[RenderedPage]:
    """Pages `start` .. `start + count - 1`, in order."""
    for index in range(start, start + count):
        yield renderer.render(index)
