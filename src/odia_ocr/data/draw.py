"""Text becomes a mask of ink, shaped by HarfBuzz.

Nothing is ever drawn unshaped: a face that lacks a glyph, or a spelling for which HarfBuzz has to
show a dotted circle, raises `CannotDraw`, and `check_shaping` compares a known word with stored
glyph counts before a run starts.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.data.faces import SHIPPED, Face, family_key
from odia_ocr.errors import ShapingError
from odia_ocr.language.normalise import CONSONANT, NUKTA, VIRAMA, ZWNJ

if TYPE_CHECKING:
    import uharfbuzz

    from odia_ocr.types import GreyPixels

_ODIA_RUN = re.compile(r"[\u0b00-\u0b7f\u200c\u200d]")
_LATIN = re.compile(r"[A-Za-z]")
_CHAIN = re.compile(f"[{CONSONANT}]{NUKTA}?(?:{VIRAMA}[{CONSONANT}]{NUKTA}?)+")
_DOTTED_CIRCLE = 0x25CC
# Older faces join these only in the spelling their makers used; the label keeps the usual one.
_OLD_SPELLING = ("samyakodia", "ori1uni", "utkal", "alkatra")
_RESPELL = (("\u0b4d\u0b5f", "\u0b4d\u0b2f"), ("\u0b4d\u0b71", "\u0b4d\u0b2c"))
_RESPELL_CHANGES = ("\u0b30\u0b4d\u0b5f", "\u0b30\u0b4d\u0b71")  # drawn apart after RA
# Drawn wrongly by these faces: a dotted circle inside a sign, an open conjunct, empty boxes.
_FLAWS = {
    "samyakodia": ("\u0b48", "\u0b4c"),
    "odiautkal": ("\u0b23\u0b4d\u0b24", "°", "×"),
    "odiaotjagannatha": ("\u0b23\u0b4d\u0b24", "°", "×"),
}
_MARK_TOLERANCE = 0.2  # em
# Glyphs of NotoSansOriya-Regular: reph is a mark on the letter, the conjunct is one glyph + matra.
_KNOWN_GLYPH_COUNTS = {"ଧର୍ମ": 3, "କ୍ଷ୍ମୀ": 2}


class CannotDraw(Exception):
    """This face cannot draw this text correctly."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is drawn.

    Attributes:
        size: Pixels per em.
        bold: Outline emboldening in em, -0.03 .. 0.08 (0 draws the face as it is).
        slant: Horizontal shear, 0.2 leans right like an italic.
        stretch: Horizontal scale, 1 keeps the face's width.
        tracking: Space added after each cluster, in em.
        word_space: Factor on the width of a space.
        jitter: Standard deviation of the vertical place of each cluster, in em (letterpress).
    """

    size: float = 40.0
    bold: float = 0.0
    slant: float = 0.0
    stretch: float = 1.0
    tracking: float = 0.0
    word_space: float = 1.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class DrawnLine:
    """A drawn line.

    Attributes:
        mask: Ink coverage, uint8 (h, w), cropped to the ink.
        text: The text with ZWNJ wherever this face shows a halant between consonants.
        baseline: Row of the baseline in `mask`.
    """

    mask: GreyPixels
    text: str
    baseline: int


@dataclass(frozen=True, slots=True)
class TextWidth:
    """How wide a text is set, in em of its face at its natural width.

    Attributes:
        letters: Advance of everything but spaces.
        spaces: Advance of the spaces, before `Style.word_space`.
        clusters: How many clusters `Style.tracking` is added to.
    """

    letters: float
    spaces: float
    clusters: int

    def pixels(self, style: Style) -> float:
        """The advance in pixels in this style."""
        em = self.letters + self.spaces * style.word_space + self.clusters * style.tracking
        return em * style.size * style.stretch


@dataclass(frozen=True, slots=True)
class _Glyph:
    """A glyph in units of the em: advance, offsets, and the text cluster it belongs to."""

    glyph: int
    cluster: int
    advance: float
    x_offset: float
    y_offset: float


class _Font:
    """A HarfBuzz font; shaped text is in units of one em."""

    def __init__(self, path: str) -> None:
        import uharfbuzz as hb

        self.face = hb.Face(hb.Blob.from_file_path(path))
        self.font = hb.Font(self.face)
        # Never emboldened: what it measures must not depend on what was drawn before.
        self.plain = hb.Font(self.face)
        self.upem = self.face.upem
        self.covered = frozenset(self.face.unicodes)
        self.dotted_circle = self.font.get_nominal_glyph(_DOTTED_CIRCLE)
        self.respell: tuple[tuple[str, str], ...] = ()
        self._shown_halant: dict[tuple[str, int], bool] = {}
        self._ink: dict[int, tuple[float, float] | None] = {}

    def ink(self, glyph: int) -> tuple[float, float] | None:
        """(left, right) of a glyph's outline from its origin in em; None without ink."""
        if glyph not in self._ink:
            extents = self.plain.get_glyph_extents(glyph)
            left, width = (extents.x_bearing, extents.width) if extents else (0, 0)
            self._ink[glyph] = (left / self.upem, (left + width) / self.upem) if width else None
        return self._ink[glyph]

    def misplaces_marks(self, glyphs: tuple[_Glyph, ...]) -> bool:
        """Does a mark stand clear of its letter? Faces without anchors do this to subscripts."""
        pen = start = 0.0
        for i, g in enumerate(glyphs):
            if i == 0 or glyphs[i - 1].cluster != g.cluster:
                start = pen
            ink = self.ink(g.glyph) if g.advance == 0 else None
            if ink is not None:
                middle = pen + g.x_offset + (ink[0] + ink[1]) / 2
                if not start - _MARK_TOLERANCE <= middle <= pen + _MARK_TOLERANCE:
                    return True
            pen += g.advance
        return False

    def shape(self, text: str) -> tuple[_Glyph, ...]:
        import uharfbuzz as hb

        for before, after in self.respell:
            text = text.replace(before, after)
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        hb.shape(self.font, buffer, {})
        return tuple(
            _Glyph(
                info.codepoint,
                info.cluster,
                position.x_advance / self.upem,
                position.x_offset / self.upem,
                position.y_offset / self.upem,
            )
            for info, position in zip(
                buffer.glyph_infos or (), buffer.glyph_positions or (), strict=True
            )
        )

    def covers(self, text: str) -> bool:
        return all(ord(char) in self.covered or char == ZWNJ for char in text)

    def shows_halant(self, chain: str, at: int) -> bool:
        """Does the face draw `chain` the same with a ZWNJ after the virama at `at`?"""
        key = (chain, at)
        if key not in self._shown_halant:
            joined = self._visible(chain)
            self._shown_halant[key] = joined == self._visible(
                chain[: at + 1] + ZWNJ + chain[at + 1 :]
            )
        return self._shown_halant[key]

    def _visible(self, text: str) -> list[int]:
        space = self.font.get_nominal_glyph(0x20)
        unseen = {space, self.font.get_nominal_glyph(0x200C), None}
        return [g.glyph for g in self.shape(text) if g.glyph not in unseen]


@functools.lru_cache(maxsize=256)
def _open_font(path: str, family: str = "") -> _Font:
    font = _Font(path)
    font.respell = _RESPELL if family_key(family) in _OLD_SPELLING else ()
    return font


@functools.cache
def _rasterizer() -> uharfbuzz.RasterDraw:
    import uharfbuzz as hb

    return hb.RasterDraw()


def write_halants(text: str, face: Face) -> str:
    """Put a ZWNJ after each virama that this face shows as a halant between consonants."""
    font = _open_font(face.path, face.family)
    parts: list[str] = []
    last = 0
    for match in _CHAIN.finditer(text):
        chain = match.group()
        for at, char in enumerate(chain):
            if char == VIRAMA and font.shows_halant(chain, at):
                parts.append(text[last : match.start() + at + 1] + ZWNJ)
                last = match.start() + at + 1
    return "".join(parts) + text[last:]


@dataclass(frozen=True, slots=True)
class _Run:
    text: str
    font: _Font


def _split_runs(text: str, odia: _Font, latin: _Font | None) -> list[_Run]:
    """Latin words go to the Latin companion; what lies between follows its left neighbour."""
    if latin is None:
        return [_Run(text, odia)]
    runs: list[tuple[list[str], _Font]] = []
    current = odia
    for token in re.findall(r"[\u0b00-\u0b7f\u200c\u0964]+|[^\u0b00-\u0b7f\u200c\u0964]", text):
        if _ODIA_RUN.match(token) or token[0] == "\u0964":
            font = odia
        elif _LATIN.match(token):
            font = latin
        else:
            font = current if current.covers(token) else (latin if latin.covers(token) else odia)
        if runs and runs[-1][1] is font:
            runs[-1][0].append(token)
        else:
            runs.append(([token], font))
        current = font
    return [_Run("".join(parts), font) for parts, font in runs]


def measure_text(text: str, face: Face, *, latin: Face | None = None) -> TextWidth:
    """Width of a text as `draw_line` would set it; nothing is drawn.

    Raises:
        CannotDraw: As `draw_line`, except that a text may be without ink.
    """
    odia = _open_font(face.path, face.family)
    companion = _open_font(latin.path) if latin else None
    family = family_key(face.family)
    flaws = _FLAWS.get(family, ()) + (_RESPELL_CHANGES if family in _OLD_SPELLING else ())
    if any(flaw in text for flaw in flaws):
        raise CannotDraw(f"{face.name} draws a letter of {text!r} wrongly")
    letters = spaces = 0.0
    clusters = 0
    for run in _split_runs(write_halants(text, face), odia, companion):
        glyphs = run.font.shape(run.text)
        unknown = (0, run.font.dotted_circle)
        if run.font.misplaces_marks(glyphs) or any(g.glyph in unknown for g in glyphs):
            raise CannotDraw(f"{face.name} cannot draw {run.text!r}")
        for i, g in enumerate(glyphs):
            if run.text[g.cluster] == " ":
                spaces += g.advance
            else:
                letters += g.advance
            last_of_cluster = i + 1 == len(glyphs) or glyphs[i + 1].cluster != g.cluster
            clusters += last_of_cluster and g.advance > 0
    return TextWidth(letters, spaces, clusters)


def draw_line(
    text: str,
    face: Face,
    style: Style,
    *,
    latin: Face | None = None,
    rng: np.random.Generator | None = None,
) -> DrawnLine:
    """Draw one line of normalised text.

    Args:
        text: Normalised text without line breaks.
        face: An Odia face.
        style: Size, weight, slant, spacing.
        latin: Draws Latin words instead of `face`, and what `face` lacks.
        rng: Needed when `style.jitter` > 0.

    Raises:
        CannotDraw: A glyph is missing, HarfBuzz showed a dotted circle, or there is no ink.
    """
    odia = _open_font(face.path, face.family)
    companion = _open_font(latin.path) if latin else None
    family = family_key(face.family)
    flaws = _FLAWS.get(family, ()) + (_RESPELL_CHANGES if family in _OLD_SPELLING else ())
    if any(flaw in text for flaw in flaws):
        raise CannotDraw(f"{face.name} draws a letter of {text!r} wrongly")
    text = write_halants(text, face)
    scale = style.size
    raster = _rasterizer()
    pen = 0.0
    offset = 0.0
    for run in _split_runs(text, odia, companion):
        font = run.font.font
        font.synthetic_bold = (style.bold, style.bold, False)
        unit = scale / run.font.upem
        glyphs = run.font.shape(run.text)
        if run.font.misplaces_marks(glyphs):
            raster.clear()
            raise CannotDraw(f"{face.name} misplaces a mark in {run.text!r}")
        for i, g in enumerate(glyphs):
            if g.glyph == 0 or g.glyph == run.font.dotted_circle:
                raster.clear()
                raise CannotDraw(f"{face.name} cannot draw {run.text!r}")
            char = run.text[g.cluster]
            new_cluster = i == 0 or glyphs[i - 1].cluster != g.cluster
            if new_cluster and style.jitter and rng is not None:
                offset = float(rng.normal(0.0, style.jitter))
            y = (g.y_offset + offset) * scale
            x = (pen + g.x_offset) * scale * style.stretch + style.slant * y
            raster.transform = (unit * style.stretch, 0.0, style.slant * unit, unit, x, y)
            raster.draw_glyph(font, g.glyph)
            pen += g.advance * (style.word_space if char == " " else 1.0)
            last_of_cluster = i + 1 == len(glyphs) or glyphs[i + 1].cluster != g.cluster
            if last_of_cluster and g.advance > 0:
                pen += style.tracking
    image = raster.render()
    if image is None or image.extents is None or not image.extents.width:
        raise CannotDraw(f"{face.name} draws no ink for {text!r}")
    extents = image.extents
    rows = np.frombuffer(image.buffer, np.uint8).reshape(extents.height, extents.stride)
    mask = rows[::-1, : extents.width].copy()
    return DrawnLine(mask=mask, text=text, baseline=extents.height + extents.y_origin)


def check_shaping() -> None:
    """Compare glyph counts of known words with stored values.

    Raises:
        ShapingError: If shaping does not work here; drawing would make wrong pictures.
    """
    try:
        font = _open_font(str(SHIPPED / "NotoSansOriya-Regular.ttf"))
        counts = {word: len(font.shape(word)) for word in _KNOWN_GLYPH_COUNTS}
    except ImportError as error:
        raise ShapingError(
            f"Text cannot be shaped: {error}.",
            next_step="Install the rendering extra: pip install 'odia-ocr[render]'.",
        ) from error
    if counts != _KNOWN_GLYPH_COUNTS:
        raise ShapingError(
            f"Odia shaping gives {counts} glyphs, expected {_KNOWN_GLYPH_COUNTS}.",
            next_step="Update uharfbuzz: pip install --upgrade uharfbuzz.",
        )
