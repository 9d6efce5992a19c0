"""The text layer of a PDF page: its lines and words, and whether it can be trusted.

Many Odia PDFs carry text that is not what they show: faces such as Akruti or Shree-Ori draw Odia
shapes in the places of Latin letters, some programs write vowel signs in the order of drawing,
others leave private or unknown code points. The judgement stands on counts, never on a dictionary,
and on the picture: some lines are read from the pixels, and the layer must say the same.
Knows nothing of PDFium and nothing of models.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.language import EditCounts, count_edits, fold, normalise
from odia_ocr.language.normalise import CONSONANT, NUKTA, VIRAMA, ZWJ, ZWNJ
from odia_ocr.types import TEXT_LAYER_STEP, Line, Page, PageImage, Reading, Region, Word

if TYPE_CHECKING:
    from odia_ocr.types import Polygon

Box = tuple[float, float, float, float]

# A layer is left aside from these shares on. Right Odia text has hardly a malformed cluster in
# 30,000, the same text in the order of drawing 4 to 10 %, a legacy face no Odia at all.
_UNREADABLE = 0.03  # of the characters: U+FFFD, private, unassigned, control, not mapped
_SIDEWAYS = 0.2  # of the characters
_MALFORMED = 0.015  # of the Odia clusters
_ODIA = 0.5  # of the letters: from here on the layer is Odia
_IRREGULAR = 0.25  # of the Latin words of a layer that is not Odia
# Faces that draw Odia in the places of Latin letters, by the names they are embedded with.
_LEGACY_FACE = re.compile(r"akruti|shree-?ori|shreelipi|sreelipi|sulipi|leap-?odia", re.IGNORECASE)

CHECKS = 6  # lines that are read from the picture
_AGREEMENT = 0.75  # share of the characters that layer and picture must have in common
COVERAGE = 0.6  # of the length of the lines seen on the page must lie under the layer
_MUCH_PICTURE = 0.15  # of the page
_MANY_SHAPES = 30

_BASE = f"(?:[{CONSONANT}]{NUKTA}?|[\u0b05-\u0b14\u0b60\u0b61])"
_SIGN = "[\u0b3e-\u0b44\u0b47\u0b48\u0b4b\u0b4c\u0b62\u0b63]"
_CLUSTER = re.compile(
    f"{_BASE}(?:{VIRAMA}[{ZWJ}{ZWNJ}]?[{CONSONANT}]{NUKTA}?)*"
    f"(?:{VIRAMA}[{ZWJ}{ZWNJ}]?|{_SIGN}?)[\u0b01-\u0b03]*"
    "|[\u0b3d\u0b66-\u0b77]"
)
_ODIA_CHAR = re.compile("[\u0b00-\u0b7f]")
_REGULAR_WORD = re.compile(
    r"[\"'(\[“‘]*(?:[A-Za-z][a-zà-öø-ÿ]*|[A-Z]+)(?:[-'’/.&@_][A-Za-zà-öø-ÿ]+)*[.,;:!?)\]\"'”’…]*"
)


@dataclass(frozen=True, slots=True)
class LayerChar:
    """One character of a layer.

    Attributes:
        text: One code point.
        box: (left, top, right, bottom) in pixels of the page, or None.
        generated: A space or line end that the file does not hold.
        upright: It runs left to right on the page as shown.
        unmapped: The file does not say which character it is.
        font: Name of its face.
    """

    text: str
    box: Box | None = None
    generated: bool = False
    upright: bool = True
    unmapped: bool = False
    font: str = ""


@dataclass(frozen=True, slots=True)
class LayerWord:
    """A word and its box in pixels."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A printed line of the layer and its words."""

    words: tuple[LayerWord, ...]

    @property
    def text(self) -> str:
        """The words, one space between them."""
        return " ".join(word.text for word in self.words)

    @property
    def box(self) -> Box:
        """Around the words."""
        return _around(word.box for word in self.words)


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text layer of one page.

    Attributes:
        lines: In the order of the file.
        fonts: Names of the faces.
        sideways: Share of the characters that do not run left to right, 0..1.
        unmapped: Share of the characters that the file does not name, 0..1.
        picture_share: Of the page, covered by pictures, 0..1: they may hold more text.
        drawn_shapes: Number of drawn shapes: letters may be among them.
    """

    lines: tuple[LayerLine, ...]
    fonts: tuple[str, ...] = ()
    sideways: float = 0.0
    unmapped: float = 0.0
    picture_share: float = 0.0
    drawn_shapes: int = 0

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(line.text for line in self.lines)

    @property
    def may_be_partial(self) -> bool:
        """True when pictures or shapes may hold text that the layer lacks."""
        return self.picture_share > _MUCH_PICTURE or self.drawn_shapes > _MANY_SHAPES


@dataclass(frozen=True, slots=True)
class LayerCounts:
    """What a layer is judged by; sums, so that tests and thresholds can be checked against texts.

    Attributes:
        chars: Characters that are no space.
        unreadable: Of these: U+FFFD, private, unassigned, control.
        letters: Letters and signs of any script.
        odia: Of these in the Odia block.
        clusters: Well-formed Odia clusters.
        malformed: Odia characters outside a well-formed cluster.
        latin_words: Words with a letter and without Odia.
        irregular: Of these not written like a word: capitals or signs inside.
    """

    chars: int = 0
    unreadable: int = 0
    letters: int = 0
    odia: int = 0
    clusters: int = 0
    malformed: int = 0
    latin_words: int = 0
    irregular: int = 0


def assemble(
    chars: Sequence[LayerChar], *, picture_share: float = 0.0, drawn_shapes: int = 0
) -> TextLayer:
    """Put characters together to words and lines.

    Line ends of the file are kept, but for those that PDFium sees in a mark set a little lower
    within a word; a step back to the left or to another level ends a line even unsaid.
    """
    lines: list[LayerLine] = []
    words: list[LayerWord] = []
    text: list[str] = []
    boxes: list[Box] = []

    def end_word() -> None:
        word = unicodedata.normalize("NFC", "".join(text))
        if word and boxes:
            words.append(LayerWord(word, _around(boxes)))
        text.clear()
        boxes.clear()

    def end_line() -> None:
        end_word()
        if words:
            lines.append(LayerLine(tuple(words)))
        words.clear()

    last: Box | None = None
    ended = False
    for char in chars:
        if char.text in "\r\n":
            ended = True
            continue
        if char.text.isspace():
            end_word()
            continue
        box = char.box
        if box is not None and box[2] > box[0] and box[3] > box[1]:
            if last is not None and (_starts_line(last, box) or (ended and not _joins(last, box))):
                end_line()
            last = box
            ended = False
            boxes.append(box)
        text.append(char.text)
    end_line()
    real = [char for char in chars if not char.generated and not char.text.isspace()]
    count = max(1, len(real))
    return TextLayer(
        lines=tuple(lines),
        fonts=tuple(sorted({char.font for char in real if char.font})),
        sideways=sum(not char.upright for char in real) / count,
        unmapped=sum(char.unmapped for char in real) / count,
        picture_share=picture_share,
        drawn_shapes=drawn_shapes,
    )


def _starts_line(last: Box, box: Box) -> bool:
    height = max(last[3] - last[1], box[3] - box[1])
    shift = abs((box[1] + box[3]) - (last[1] + last[3])) / 2
    return shift > 0.7 * height or box[0] < last[0] - 3 * height


def _joins(last: Box, box: Box) -> bool:
    """True when a box touches the one before, in the same line."""
    height = min(last[3] - last[1], box[3] - box[1])
    level = min(last[3], box[3]) - max(last[1], box[1])
    return level > 0.3 * height and last[0] - 0.5 * height < box[0] < last[2] + 0.15 * height


def count_layer(text: str) -> LayerCounts:
    """Count what `find_fault` judges by."""
    text = unicodedata.normalize("NFC", text)
    visible = [char for char in text if not char.isspace()]
    kinds = [unicodedata.category(char) for char in visible]
    unreadable = sum(
        char == "\ufffd" or kind in ("Co", "Cn", "Cc", "Cs")
        for char, kind in zip(visible, kinds, strict=True)
    )
    odia = len(_ODIA_CHAR.findall(text))
    clusters = _CLUSTER.findall(text)
    rest = _CLUSTER.sub("", text)
    words = [w for w in text.split() if any(c.isalpha() for c in w) and not _ODIA_CHAR.search(w)]
    return LayerCounts(
        chars=len(visible),
        unreadable=unreadable,
        letters=sum(kind[0] in "LM" for kind in kinds),
        odia=odia,
        clusters=len(clusters),
        malformed=len(_ODIA_CHAR.findall(rest)),
        latin_words=len(words),
        irregular=sum(not _REGULAR_WORD.fullmatch(word) for word in words),
    )


def find_fault(layer: TextLayer) -> str | None:
    """Why a layer cannot be the text of its page, from the text alone; None when it may be."""
    counts = count_layer(layer.text)
    if not counts.chars:
        return "it is empty"
    unreadable = max(counts.unreadable / counts.chars, layer.unmapped)
    if unreadable > _UNREADABLE:
        return f"{unreadable:.0%} of its characters are no letters"
    if layer.sideways > _SIDEWAYS:
        return f"{layer.sideways:.0%} of its characters do not run left to right"
    malformed = counts.malformed / max(1, counts.clusters + counts.malformed)
    if malformed > _MALFORMED:
        return f"{malformed:.0%} of its Odia clusters cannot be written so"
    if counts.odia < _ODIA * counts.letters:
        legacy = [font for font in layer.fonts if _LEGACY_FACE.search(font)]
        if legacy:
            return f"its face {legacy[0]} draws Odia in the places of Latin letters"
        irregular = counts.irregular / max(1, counts.latin_words)
        if irregular > _IRREGULAR:
            return f"{irregular:.0%} of its words are written like none"
    return None


def is_odia(layer: TextLayer) -> bool:
    """True when most letters of the layer are Odia."""
    counts = count_layer(layer.text)
    return counts.odia >= _ODIA * counts.letters > 0


def pick_checks(layer: TextLayer, size: tuple[int, int]) -> list[tuple[Line, str]]:
    """Some lines to compare with the picture: where they stand, and what they should say.

    Args:
        layer: Of the page.
        size: (width, height) of the page in pixels.
    """
    order = sorted(range(len(layer.lines)), key=lambda i: len(layer.lines[i].text), reverse=True)
    # From the longer half, all over the page.
    longer = sorted(order[: max(CHECKS, len(order) // 2)])
    chosen = np.linspace(0, len(longer) - 1, min(CHECKS, len(longer))).round().astype(int)
    picked = []
    for i in dict.fromkeys(longer[j] for j in chosen):
        line = layer.lines[i]
        left, top, right, bottom = line.box
        side = 0.1 * (bottom - top)
        box = _clip((left - side, top - side, right + side, bottom + side), size)
        picked.append((Line(f"layer-{i}", _outline(box)), line.text))
    return picked


def agree(pairs: Iterable[tuple[str, str]]) -> bool | None:
    """Whether the layer says what the picture shows.

    Args:
        pairs: (what the layer says, what was surely read) line by line.

    Returns:
        None when nothing was read surely.
    """
    total = EditCounts(0, 0)
    for said, read in pairs:
        total += count_edits(fold(read).replace(" ", ""), fold(said).replace(" ", ""))
    if not total.length:
        return None
    return bool(1 - total.edits / total.length >= _AGREEMENT)


def cover(layer: TextLayer, seen: Sequence[Line]) -> float:
    """Share, by length, of the lines seen on the page that lie under the layer."""
    boxes = np.array([line.box for line in layer.lines]).reshape(-1, 4)
    covered = total = 0.0
    for line in seen:
        left, top, right, bottom = line.box
        middle = (top + bottom) / 2
        level = boxes[(boxes[:, 1] <= middle) & (boxes[:, 3] >= middle)]
        shared = np.minimum(level[:, 2], right) - np.maximum(level[:, 0], left)
        covered += min(right - left, float(np.maximum(shared, 0.0).sum()))
        total += right - left
    return covered / total if total else 1.0


def layer_page(layer: TextLayer, image: PageImage) -> Page:
    """The page that the layer tells, in the order of the file; its confidence is not known."""
    number = image.number
    lines: list[Line] = []
    regions: list[Region] = []
    above: Box | None = None
    members: list[Box] = []

    def end_region() -> None:
        if members:
            regions.append(
                Region(f"p{number:04d}-r{len(regions) + 1:03d}", _outline(_around(members)))
            )
        members.clear()

    for layer_line in layer.lines:
        box = _clip(layer_line.box, image.size)
        text = normalise(layer_line.text)
        if not text:
            continue
        if above is not None and not _follows(above, box):
            end_region()
        above = box
        members.append(box)
        words = tuple(
            Word(normalise(word.text), _outline(_clip(word.box, image.size)))
            for word in layer_line.words
            if normalise(word.text)
        )
        lines.append(
            Line(
                id=f"p{number:04d}-l{len(lines) + 1:03d}",
                polygon=_outline(box),
                region=f"p{number:04d}-r{len(regions) + 1:03d}",
                reading=Reading(text, confidence=None),
                words=words,
            )
        )
    end_region()
    return Page(
        source=image.source,
        number=number,
        size=image.size,
        dpi=image.dpi,
        regions=tuple(regions),
        lines=tuple(lines),
        steps=(f"{TEXT_LAYER_STEP}, {len(lines)} lines",),
    )


def _follows(above: Box, box: Box) -> bool:
    """True when a line goes on below another: near, overlapping, of like height."""
    height = min(above[3] - above[1], box[3] - box[1])
    taller = max(above[3] - above[1], box[3] - box[1])
    near = -0.8 * height < box[1] - above[3] < 0.9 * height
    overlaps = min(above[2], box[2]) > max(above[0], box[0])
    return near and overlaps and taller < 1.6 * height


def _around(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _clip(box: Box, size: tuple[int, int]) -> Box:
    width, height = map(float, size)
    left, top = min(max(box[0], 0.0), width - 1), min(max(box[1], 0.0), height - 1)
    return left, top, max(left + 1, min(box[2], width)), max(top + 1, min(box[3], height))


def _outline(box: Box) -> Polygon:
    left, top, right, bottom = (round(float(value), 1) for value in box)
    return (left, top), (right, top), (right, bottom), (left, bottom)
