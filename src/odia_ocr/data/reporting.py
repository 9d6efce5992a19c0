"""The fixed sets that published figures of rendered lines stand on.

Held-out faces in equal parts, held-out shipped text, the shipped fonts only: anyone can make the
same pictures again. A set that changes gets a new name; the recipes here are never edited.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from odia_ocr.data.compose import Mix
from odia_ocr.data.faces import find_faces, group_families
from odia_ocr.data.lines import LineRenderer, make_renderer, render_lines
from odia_ocr.data.recipe import CLEAN, NO_DEGRADATION, Recipe
from odia_ocr.data.render_folder import write_rendered
from odia_ocr.errors import name_choices

_TEXT = Mix(running=1.0, words=0.0, numbers=0.0, latin=0.0, rare=0.0, min_words=3, max_words=10)
_LATIN = Mix(
    running=0.0,
    words=0.0,
    numbers=0.4,
    latin=0.6,
    rare=0.0,
    min_words=3,
    max_words=7,
    punctuated=0.1,
)
DEGRADED = Recipe(
    "report-degraded-1",
    slant=0.20,
    stretch=0.30,
    bold=0.25,
    tracking=0.20,
    jitter=0.10,
    sizes=(24.0, 50.0),
    margin=(0.02, 0.30),
    wide_side=0.06,
    neighbours=0.30,
    beside=0.04,
    frame=0.04,
    rotate=0.40,
    angle=1.2,
    bend=0.10,
    wobble=0.12,
    ink=0.30,
    broken=0.20,
    blotted=0.10,
    inverted=0.18,
    low_contrast=0.08,
    ground=0.30,
    texture=0.20,
    photo=0.08,
    bleed=0.06,
    halftone=0.04,
    specks=0.08,
    outline=0.04,
    shadow=0.04,
    low_resolution=0.45,
    scale=(16.0, 32.0),
    blur=0.35,
    motion=0.03,
    noise=0.40,
    jpeg=0.30,
    sharpen=0.06,
    binarise=0.06,
    light=0.18,
    colour=0.10,
    strength=0.85,
)
LIGHT_SCAN = replace(
    Recipe("report-scan-1", sizes=(28.0, 48.0), margin=(0.05, 0.25), side=(0.1, 0.5)),
    **{
        **NO_DEGRADATION,
        "rotate": 0.3,
        "angle": 0.6,
        "texture": 0.3,
        "blur": 0.3,
        "noise": 0.4,
        "jpeg": 0.3,
        "strength": 0.5,
    },
)

# Another world than the training recipe: letters of other designs, worn type, rough paper, small
# scans, and lines that are half numbers, codes and rare letters. For measuring how a model adapts.
SHIFTED = Recipe(
    "report-shifted-1",
    slant=0.25,
    stretch=0.5,
    bold=0.2,
    tracking=0.4,
    jitter=0.3,
    sizes=(22.0, 40.0),
    margin=(0.02, 0.25),
    side=(0.0, 0.6),
    wide_side=0.0,
    neighbours=0.1,
    beside=0.0,
    frame=0.0,
    rotate=0.4,
    angle=1.0,
    bend=0.1,
    wobble=0.2,
    ink=0.7,
    broken=0.5,
    blotted=0.5,
    inverted=0.0,
    low_contrast=0.1,
    ground=0.2,
    texture=0.6,
    photo=0.0,
    bleed=0.2,
    halftone=0.0,
    specks=0.4,
    outline=0.0,
    shadow=0.0,
    low_resolution=0.5,
    scale=(18.0, 30.0),
    blur=0.4,
    motion=0.0,
    noise=0.5,
    jpeg=0.4,
    sharpen=0.0,
    binarise=0.1,
    light=0.3,
    colour=0.0,
    strength=0.7,
    pen=0.8,
    proportion=0.8,
)
_CODES = Mix(
    running=0.40,
    words=0.10,
    numbers=0.22,
    latin=0.14,
    rare=0.14,
    min_words=2,
    max_words=4,
)


@dataclass(frozen=True, slots=True)
class ReportingSet:
    """A fixed set: its recipe and text, lines per held-out family, seed."""

    recipe: Recipe
    mix: Mix
    lines_per_family: int
    seed: int


SETS = {
    "clean": ReportingSet(CLEAN, _TEXT, 120, 20261),
    "degraded": ReportingSet(DEGRADED, _TEXT, 120, 20262),
    "latin": ReportingSet(LIGHT_SCAN, _LATIN, 100, 20263),
    "shifted": ReportingSet(SHIFTED, _CODES, 120, 20264),
}


def make_reporting_renderers(name: str) -> tuple[LineRenderer, ...]:
    """One renderer for each held-out family of a fixed set.

    Raises:
        UsageError: Unknown name.
    """
    if name not in SETS:
        raise name_choices(name, list(SETS), kind="reporting set")
    chosen = SETS[name]
    families = group_families(tuple(face for face in find_faces() if face.heldout and face.odia))
    return tuple(
        make_renderer(
            split="report",
            seed=chosen.seed + 1000 * i,
            recipe=chosen.recipe,
            mix=chosen.mix,
            faces=family,
        )
        for i, family in enumerate(families)
    )


def make_reporting_set(name: str, out: Path) -> Path:
    """Write a fixed set into `out`; returns `out`.

    Args:
        name: "clean", "degraded", "latin" or "shifted".
        out: Folder; lines of all families, family by family.

    Raises:
        UsageError: Unknown name.
    """
    renderers = make_reporting_renderers(name)
    count = SETS[name].lines_per_family
    lines = (render_lines(renderer, count) for renderer in renderers)
    write_rendered(chain.from_iterable(lines), out)
    return out
