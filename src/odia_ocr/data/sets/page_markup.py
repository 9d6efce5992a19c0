"""ALTO and PAGE XML as values: pages of outlined lines with their texts, whoever wrote them.

Element names are looked at without their namespace, so all versions of both formats are read:
outlines as polygons or boxes, of points or of numbers in a row; lines of words or of text. Knows no
pictures; lengths are in the file's own unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from odia_ocr.errors import DataError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from odia_ocr.types import Point, Polygon

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_HEAD = 2000  # bytes in which the root element stands


@dataclass(frozen=True, slots=True)
class MarkupLine:
    """A line of a page.

    Attributes:
        id: As in the file; may be empty.
        polygon: Outline, three points or more; empty where the file has none.
        baseline: Its points, or None.
        text: As written; empty where the line was not transcribed.
        confidence: Of a machine's reading, 0..1, where the file says so.
    """

    id: str
    polygon: Polygon
    baseline: tuple[Point, ...] | None
    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class MarkupPage:
    """A page of a file.

    Attributes:
        picture: Name of the picture's file as the file has it; may be empty.
        number: From 1, within the picture file.
        size: (width, height) in the unit of the outlines; 0 where the file does not say.
        lines: In the order of the file.
    """

    picture: str
    number: int
    size: tuple[float, float]
    lines: tuple[MarkupLine, ...]


def tell_markup(path: Path) -> str:
    """What an XML file holds: "alto", "page", or "" for something else."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError:
        return ""
    if re.search(rb"<(?:\w+:)?PcGts\b", head):
        return "page"
    return "alto" if re.search(rb"<(?:\w+:)?alto\b", head) else ""


def read_markup(path: Path) -> tuple[MarkupPage, ...]:
    """The pages of an ALTO or PAGE XML file.

    Raises:
        DataError: If it is no well-formed XML, or XML of another kind.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        raise DataError(
            f"{path} cannot be read as XML: {error}.", next_step="Export it again."
        ) from None
    kind = _name(root)
    try:
        if kind == "PcGts":
            number = _page_number(root)
            return tuple(_read_page(page, number) for page in _find(root, "Page"))
        if kind == "alto":
            return tuple(_read_alto(root))
    except ValueError as error:
        raise DataError(
            f"{path} holds a number that is none: {error}.", next_step="Export it again."
        ) from None
    raise DataError(
        f"{path} is neither ALTO nor PAGE XML, its root is {kind!r}.",
        next_step="Export it as ALTO 4 or PAGE XML.",
    )


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _find(root: Element, name: str) -> Iterator[Element]:
    return (element for element in root.iter() if _name(element) == name)


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if _name(child) == name]


def _pair(said: str) -> tuple[Point, ...]:
    """Points of "x,y x,y", "x y x y" or "x,y,x,y"."""
    values = [float(value) for value in _NUMBER.findall(said)]
    return tuple(zip(values[::2], values[1::2], strict=False))


def _read_page(page: Element, number: int) -> MarkupPage:
    size = (float(page.get("imageWidth") or 0), float(page.get("imageHeight") or 0))
    lines = tuple(_read_text_line(line) for line in _find(page, "TextLine"))
    return MarkupPage(page.get("imageFilename") or "", number, size, lines)


def _page_number(root: Element) -> int:
    """Which page of its PDF or TIFF this is: our writer says so in the metadata."""
    for item in _find(root, "MetadataItem"):
        number = item.get("value") or ""
        if item.get("name") == "page" and number.isdigit():
            return max(1, int(number))
    return 1


def _read_text_line(line: Element) -> MarkupLine:
    coords = next(iter(_children(line, "Coords")), None)
    baseline = next(iter(_children(line, "Baseline")), None)
    text, confidence = _read_equivalent(line)
    if not text:
        words = [_read_equivalent(word)[0] for word in _children(line, "Word")]
        text = " ".join(word for word in words if word)
    points = _read_points(baseline) if baseline is not None else ()
    polygon = _read_points(coords) if coords is not None else ()
    return MarkupLine(line.get("id") or "", polygon, points or None, text, confidence)


def _read_points(coords: Element) -> tuple[Point, ...]:
    """An attribute since 2013, elements before."""
    said = coords.get("points")
    if said is not None:
        return _pair(said)
    return tuple(
        (float(point.get("x") or 0), float(point.get("y") or 0))
        for point in _children(coords, "Point")
    )


def _read_equivalent(element: Element) -> tuple[str, float | None]:
    """The text of the first alternative, which `index` tells where there are several."""
    found = _children(element, "TextEquiv")
    if not found:
        return "", None
    best = min(found, key=lambda one: int(one.get("index") or 0))
    unicode = next(iter(_children(best, "Unicode")), None)
    sure = best.get("conf")
    text = "".join(unicode.itertext()) if unicode is not None else ""
    return text, float(sure) if sure else None


def _read_alto(root: Element) -> Iterator[MarkupPage]:
    picture = next((name.text or "" for name in _find(root, "fileName")), "").strip()
    for position, page in enumerate(_find(root, "Page"), start=1):
        number = page.get("PHYSICAL_IMG_NR") or ""
        size = (float(page.get("WIDTH") or 0), float(page.get("HEIGHT") or 0))
        lines = tuple(_read_alto_line(line) for line in _find(page, "TextLine"))
        first = int(number) if number.isdigit() and int(number) > 0 else position
        yield MarkupPage(picture, first, size, lines)


def _read_alto_line(line: Element) -> MarkupLine:
    shape = next(_find(line, "Polygon"), None) if _children(line, "Shape") else None
    polygon = _pair(shape.get("POINTS") or "") if shape is not None else ()
    baseline = _pair(line.get("BASELINE") or "")
    parts = []
    sure: list[float] = []
    for piece in line:
        if _name(piece) == "SP":
            parts.append(" ")
        elif _name(piece) in ("String", "HYP"):
            parts.append(piece.get("CONTENT") or "")
            sure += [float(piece.get("WC") or 0)] if piece.get("WC") else []
    return MarkupLine(
        line.get("ID") or "",
        polygon if len(polygon) > 2 else _read_box(line),
        baseline if len(baseline) > 1 else None,
        _join_strings(line, parts),
        min(sure) if sure else None,
    )


def _join_strings(line: Element, parts: list[str]) -> str:
    """The pieces in a row; where a file has no SP at all, a space between words."""
    spaced = bool(_children(line, "SP"))
    return ("" if spaced else " ").join(parts)


def _read_box(element: Element) -> Polygon:
    said = [element.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
    if None in said:
        return ()
    left, top, width, height = (float(value or 0) for value in said)
    right, bottom = left + width, top + height
    return ((left, top), (right, top), (right, bottom), (left, bottom))
