"""The invisible text layer of a page: each word on its place, spaces between, lines in order.

A word is one text object, stretched by horizontal scaling to the width of its outline and drawn
in render mode 3, which leaves no mark (ISO 32000-1, 9.3). Lines may run in any direction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from odia_ocr.export.direction import find_direction, nearest_edge
from odia_ocr.export.markup import Token, split_tokens
from odia_ocr.export.pdf_file import number_text
from odia_ocr.export.pdf_font import ADVANCE, ASCENT, DESCENT, GlyphlessFont
from odia_ocr.types import Line, Page, Point, Polygon

_SHARE = 0.85  # of a line's height that its text takes, so that close lines do not overlap
_LEVEL = 0.7  # of a line's height: one that leans no more from end to end is laid level


@dataclass(frozen=True, slots=True)
class Placement:
    """From page pixels to a PDF page's own units: x' = a x + c y + e, y' = b x + d y + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def carry(self, point: Point) -> Point:
        """Where a pixel lies."""
        x, y = point
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f


def place_page(
    size: tuple[int, int], box: tuple[float, float, float, float], rotation: int = 0
) -> Placement:
    """How a picture of `size` pixels lies on a page.

    Args:
        size: (width, height) of the page as it is seen, in pixels.
        box: (left, bottom, right, top) of what is seen of the page, in its own units.
        rotation: Degrees clockwise by which it is turned before it is seen: 0, 90, 180 or 270.
    """
    left, bottom, right, top = box
    width, height = size
    if rotation in (90, 270):
        across, down = (top - bottom) / width, (right - left) / height
        if rotation == 90:
            return Placement(0, across, down, 0, left, bottom)
        return Placement(0, -across, -down, 0, right, top)
    across, down = (right - left) / width, (top - bottom) / height
    if rotation == 180:
        return Placement(-across, 0, 0, down, right, bottom)
    return Placement(across, 0, 0, -down, left, top)


def find_rotation(pages: Iterable[Page]) -> int:
    """Degrees clockwise that turn most of the text of pages upright: 0, 90, 180 or 270."""
    weights = {0: 0, 90: 0, 180: 0, 270: 0}
    for page in pages:
        for line in page.lines:
            across, down = find_direction(line.polygon, line.baseline)
            level = abs(across) >= abs(down)
            way = (0 if across > 0 else 180) if level else (270 if down > 0 else 90)
            weights[way] += len(line.text)
    way = max(weights, key=lambda way: weights[way])
    return way if 2 * weights[way] > sum(weights.values()) else 0


def write_text_layer(
    pages: Iterable[tuple[Page, Placement]], font: GlyphlessFont, name: bytes
) -> bytes:
    """The content stream that lays the text of pages on one PDF page; empty without text.

    Args:
        pages: With where each lies; several are parts of one page, such as a spread's halves.
        font: Gives the codes.
        name: Of the font among the page's resources.
    """
    rows = [
        row
        for page, placement in pages
        for line in page.lines
        for row in _write_line(line, placement, font, name)
    ]
    if not rows:
        return b""
    return b"q\n/Span << /Lang (or) >> BDC\n3 Tr\n" + b"\n".join(rows) + b"\nEMC\nQ\n"


@dataclass(frozen=True, slots=True)
class _Frame:
    """An upright box in a turned system: from `origin` along `u` and, a quarter turn left, up."""

    origin: Point  # lower left corner
    u: Point  # direction of writing, of length 1
    width: float
    height: float


def _write_line(
    line: Line, placement: Placement, font: GlyphlessFont, name: bytes
) -> Iterator[bytes]:
    tokens = split_tokens(line)
    if not tokens:
        return
    outline = tuple(placement.carry(point) for point in line.polygon)
    baseline = None if line.baseline is None else tuple(map(placement.carry, line.baseline))
    frame, level = _frame_line(outline, find_direction(outline, baseline))
    # Words share the line's height and baseline, which keeps them one line for those who extract
    # the text; only on a bent line has each word its own.
    bent = len(line.polygon) > 4 and not level
    spans = _spread(tokens, frame, placement, font)
    for position, (token, (start, end)) in enumerate(zip(tokens, spans, strict=True), start=1):
        where = _Frame(_along(frame, start), frame.u, end - start, frame.height)
        if bent and token.word is not None:
            own = tuple(placement.carry(point) for point in token.word.polygon)
            where = _fit(own, find_direction(own, None))
        # PDFium needs two codes to see which way a word runs that does not run right.
        ends = position == len(tokens) and (where.u[0] > 0.99 or font.count(token.text) > 1)
        yield _write_word(token.text if ends else f"{token.text} ", where, font, name)
    if not level:
        yield _write_break(frame, font, name)


def _write_word(text: str, frame: _Frame, font: GlyphlessFont, name: bytes) -> bytes:
    """One text object; a space after the word lies beyond the word's box."""
    size = _SHARE * frame.height / (ASCENT + DESCENT)
    rise = (1 - _SHARE) / 2 * frame.height + DESCENT * size
    ux, uy = frame.u
    x = frame.origin[0] - uy * rise
    y = frame.origin[1] + ux * rise
    matrix = (number_text(part, 5) for part in (ux, uy, -uy, ux))
    natural = max(1, font.count(text.rstrip())) * ADVANCE * size
    return b"BT /%s %s Tf %s %s %s Tm %s Tz <%s> Tj ET" % (
        name,
        number_text(size),
        b" ".join(matrix),
        number_text(x),
        number_text(y),
        number_text(100 * frame.width / natural),
        font.encode(text),
    )


def _write_break(frame: _Frame, font: GlyphlessFont, name: bytes) -> bytes:
    """A space off the line, after its last word.

    Without it PDFium takes the end of a leaning line and the start of the next, where they come
    to one height, for neighbours on one line.
    """
    ux, uy = frame.u
    end = _along(frame, frame.width)
    above = (end[0] - 2 * uy * frame.height, end[1] + 2 * ux * frame.height)
    space = _Frame(above, frame.u, 0.1 * frame.height, frame.height)
    return _write_word(" ", space, font, name)


def _spread(
    tokens: tuple[Token, ...], frame: _Frame, placement: Placement, font: GlyphlessFont
) -> list[tuple[float, float]]:
    """Where each token begins and ends along the line; those without a place share the gaps."""
    known = [
        None
        if token.word is None
        else _extent([placement.carry(p) for p in token.word.polygon], frame.origin, frame.u)
        for token in tokens
    ]
    spans: list[tuple[float, float]] = []
    position = 0
    while position < len(tokens):
        span = known[position]
        if span is not None:
            spans.append((span[0], max(span[1], span[0] + 0.01 * frame.height)))
            position += 1
            continue
        stop = position
        while stop < len(tokens) and known[stop] is None:
            stop += 1
        left = spans[-1][1] if spans else 0.0
        after = known[stop] if stop < len(tokens) else None
        right = frame.width if after is None else after[0]
        lengths = [font.count(token.text) for token in tokens[position:stop]]
        # As many gaps as neighbours, each as wide as one letter.
        parts = sum(lengths) + len(lengths) - 1 + bool(spans) + (after is not None)
        unit = max(right - left, 0.01 * frame.height * parts) / parts
        start = left + unit * bool(spans)
        for length in lengths:
            spans.append((start, start + unit * length))
            start += unit * (length + 1)
        position = stop
    return spans


def _frame_line(outline: Polygon, u: Point) -> tuple[_Frame, bool]:
    """The box of a line, and whether it was laid along the page's edge.

    Programs that extract text take lines for level, and mix the words of those that lean; so a
    line that leans or bends so little that its words stay in place is laid level.
    """
    edge = nearest_edge(u)
    level, height = _fit(outline, edge), _height(outline)
    excess = level.height - height
    if not 0 <= excess <= _LEVEL * height:
        return _fit(outline, u), False
    x, y = level.origin
    origin = (x - edge[1] * excess / 2, y + edge[0] * excess / 2)
    return _Frame(origin, edge, level.width, height), True


def _height(outline: Polygon) -> float:
    """The mean distance between the upper and the lower edge, from corner to corner."""
    half = len(outline) // 2
    pairs = list(zip(outline[:half], reversed(outline[half:]), strict=False))
    return sum(math.dist(upper, lower) for upper, lower in pairs) / len(pairs)


def _fit(outline: Polygon, u: Point) -> _Frame:
    """The least box in direction `u` around an outline."""
    left, right = _extent(outline, (0.0, 0.0), u)
    bottom, top = _extent(outline, (0.0, 0.0), (-u[1], u[0]))
    origin = (left * u[0] - bottom * u[1], left * u[1] + bottom * u[0])
    return _Frame(origin, u, max(right - left, 0.01), max(top - bottom, 0.01))


def _extent(points: Iterable[Point], origin: Point, u: Point) -> tuple[float, float]:
    places = [(x - origin[0]) * u[0] + (y - origin[1]) * u[1] for x, y in points]
    return min(places), max(places)


def _along(frame: _Frame, distance: float) -> Point:
    return frame.origin[0] + distance * frame.u[0], frame.origin[1] + distance * frame.u[1]
