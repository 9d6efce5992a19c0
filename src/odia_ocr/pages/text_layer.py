"""The text layer of a PDF page: its characters become words, lines and a page.

Knows nothing of PDFium, nothing of models, and not whether the layer can be trusted (see
`layer_check`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from odia_ocr.language import normalise
from odia_ocr.types import TEXT_LAYER_STEP, Line, Page, PageImage, Reading, Region, Word

if TYPE_CHECKING:
    from odia_ocr.types import Polygon

Box = tuple[float, float, float, float]

_MUCH_PICTURE = 0.15  # of the page
_MANY_SHAPES = 30


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
                Region(f"p{number:04d}-r{len(regions) + 1:03d}", outline_box(_around(members)))
            )
        members.clear()

    for layer_line in layer.lines:
        box = clip_box(layer_line.box, image.size)
        text = normalise(layer_line.text)
        if not text:
            continue
        if above is not None and not _follows(above, box):
            end_region()
        above = box
        members.append(box)
        words = tuple(
            Word(normalise(word.text), outline_box(clip_box(word.box, image.size)))
            for word in layer_line.words
            if normalise(word.text)
        )
        lines.append(
            Line(
                id=f"p{number:04d}-l{len(lines) + 1:03d}",
                polygon=outline_box(box),
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


def clip_box(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies on a page of `size` (width, height)."""
    width, height = map(float, size)
    left, top = min(max(box[0], 0.0), width - 1), min(max(box[1], 0.0), height - 1)
    return left, top, max(left + 1, min(box[2], width)), max(top + 1, min(box[3], height))


def outline_box(box: Box) -> Polygon:
    """A box as the polygon of its corners, to a tenth of a pixel."""
    left, top, right, bottom = (round(float(value), 1) for value in box)
    return (left, top), (right, top), (right, bottom), (left, bottom)
