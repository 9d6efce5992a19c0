"""A picture of the page to check a reading by: outlines, reading order, words, doubtful lines.

Each line is outlined and numbered in reading order, its words have a light outline within, and
regions a dashed frame. Green lines were read surely, red ones are doubtful, grey ones were not
read. A small legend says so where the page has room for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from odia_ocr.types import Line, Page, PageImage, Point, Polygon, Reading

Colour = tuple[int, int, int]
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

_SURE: Colour = (20, 130, 60)
_DOUBTFUL: Colour = (205, 30, 40)
_UNREAD: Colour = (110, 110, 110)
_WORD: Colour = (130, 165, 235)
_REGION: Colour = (150, 90, 170)
_TINTS = {_SURE: 0.05, _DOUBTFUL: 0.22, _UNREAD: 0.22}  # shares of the colour laid over a line
_LEAST_LEGEND = 400  # pixels across and down under which a page has no room for a legend


def draw_overlay(
    page: Page, image: PageImage, *, is_doubtful: Callable[[Reading], bool] | None = None
) -> Image.Image:
    """Draw the lines of `page` on its picture.

    Args:
        page: What was found.
        image: Its pixels.
        is_doubtful: Which readings are doubtful; default those of a confidence below a half.

    Raises:
        ValueError: If the picture is not of this page's size.
    """
    if image.size != page.size:
        raise ValueError(f"page of {page.size} pixels, picture of {image.size}")
    judge = is_doubtful or _below_half
    colours = [_colour(line, judge) for line in page.lines]
    canvas = Image.fromarray(image.pixels).convert("RGB")
    canvas = _tint(canvas, page, colours)
    brush = ImageDraw.Draw(canvas)
    stroke = max(1, round(max(image.size) / 1100))
    font = ImageFont.load_default(max(10, round(max(image.size) / 95)))
    for region in page.regions:
        _draw_dashes(brush, region.polygon, _REGION, stroke)
    for line, colour in zip(page.lines, colours, strict=True):
        brush.line([*line.polygon, line.polygon[0]], fill=colour, width=stroke)
        for word in line.words:
            _draw_word(brush, word.polygon, stroke)
    for number, (line, colour) in enumerate(zip(page.lines, colours, strict=True), start=1):
        _draw_number(brush, line, str(number), font, colour)
    if min(image.size) >= _LEAST_LEGEND:
        _draw_legend(brush, page, image.size, font, stroke)
    return canvas


def write_overlay(
    page: Page,
    image: PageImage,
    stream: BinaryIO,
    *,
    is_doubtful: Callable[[Reading], bool] | None = None,
) -> None:
    """Write `draw_overlay` as PNG."""
    draw_overlay(page, image, is_doubtful=is_doubtful).save(stream, format="PNG")


def _below_half(reading: Reading) -> bool:
    return reading.confidence is not None and reading.confidence < 0.5


def _colour(line: Line, is_doubtful: Callable[[Reading], bool]) -> Colour:
    if line.reading is None:
        return _UNREAD
    return _DOUBTFUL if is_doubtful(line.reading) else _SURE


def _tint(canvas: Image.Image, page: Page, colours: list[Colour]) -> Image.Image:
    for colour, share in _TINTS.items():
        lines = [line for line, own in zip(page.lines, colours, strict=True) if own == colour]
        if not lines:
            continue
        layer = canvas.copy()
        brush = ImageDraw.Draw(layer)
        for line in lines:
            brush.polygon(line.polygon, fill=colour)
        canvas = Image.blend(canvas, layer, share)
    return canvas


def _draw_word(brush: ImageDraw.ImageDraw, polygon: Polygon, stroke: int) -> None:
    """A word's outline, drawn in from the line's so that both are seen."""
    xs, ys = zip(*polygon, strict=True)
    middle = (sum(xs) / len(xs), sum(ys) / len(ys))
    inner = []
    for point in polygon:
        across, down = middle[0] - point[0], middle[1] - point[1]
        inset = 3.0 * stroke
        inner.append(
            (
                point[0] + max(-inset, min(inset, across / 2)),
                point[1] + max(-inset, min(inset, down / 2)),
            )
        )
    brush.line([*inner, inner[0]], fill=_WORD, width=max(1, stroke // 2))


def _draw_dashes(brush: ImageDraw.ImageDraw, polygon: Polygon, colour: Colour, stroke: int) -> None:
    for one, other in _edges(polygon):
        length = max(abs(other[0] - one[0]), abs(other[1] - one[1]))
        count = max(1, round(length / (12 * stroke)))
        for dash in range(count):
            start, stop = dash / count, (dash + 0.5) / count
            ends = [_between(one, other, start), _between(one, other, stop)]
            brush.line(ends, fill=colour, width=stroke)


def _edges(polygon: Polygon) -> Iterator[tuple[Point, Point]]:
    return zip(polygon, (*polygon[1:], polygon[0]), strict=True)


def _between(one: Point, other: Point, share: float) -> Point:
    return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])


def _draw_number(
    brush: ImageDraw.ImageDraw, line: Line, number: str, font: Font, colour: Colour
) -> None:
    left, top, _, bottom = line.box
    box = brush.textbbox((0, 0), number, font=font)
    width, height = box[2] - box[0] + 6, box[3] - box[1] + 6
    # Beside the line where the margin has room, else on its corner.
    x = left - width if left >= width else left
    y = (top + bottom - height) / 2 if left >= width else top
    brush.rectangle((x, y, x + width, y + height), fill=colour)
    brush.text((x + 3 - box[0], y + 3 - box[1]), number, fill=(255, 255, 255), font=font)


def _draw_legend(
    brush: ImageDraw.ImageDraw, page: Page, size: tuple[int, int], font: Font, stroke: int
) -> None:
    """What the colours mean, in the corner that covers the fewest lines."""
    entries = [
        (_SURE, "read"),
        (_DOUBTFUL, "doubtful"),
        (_UNREAD, "not read"),
        (_WORD, "word"),
        (_REGION, "region"),
    ]
    box = brush.textbbox((0, 0), "doubtful 1", font=font)
    letter = round(box[3] - box[1])
    row, gap = round(1.5 * letter), letter
    widths = [row + gap // 2 + round(brush.textlength(name, font=font)) for _, name in entries]
    width, height = sum(widths) + gap * (len(entries) + 1), row + gap
    corners = [
        (x, y) for y in (0, size[1] - height) for x in (size[0] - width, 0) if x >= 0 <= y
    ] or [(0, 0)]
    left, top = min(corners, key=lambda corner: _covered(page, corner, width, height))
    brush.rectangle(
        (left, top, left + width - 1, top + height - 1),
        fill=(255, 255, 255),
        outline=_UNREAD,
        width=stroke,
    )
    x = left + gap
    for (colour, name), step in zip(entries, widths, strict=True):
        y = top + (height - row) / 2
        brush.rectangle((x, y + row / 4, x + row * 0.8, y + row * 0.75), fill=colour)
        middle = (x + row + gap // 2 - gap // 4, top + height / 2)
        brush.text(middle, name, fill=(0, 0, 0), font=font, anchor="lm")
        x += step + gap


def _covered(page: Page, corner: tuple[int, int], width: int, height: int) -> int:
    left, top = corner
    boxes = (line.box for line in page.lines)
    return sum(
        box[0] < left + width and box[2] > left and box[1] < top + height and box[3] > top
        for box in boxes
    )
