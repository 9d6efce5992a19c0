"""A picture of the page with its lines drawn on it: outline, number, colour by confidence.

Green is sure, red is doubtful, blue has no confidence, grey was not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from odia_ocr.types import Line, Page, PageImage

Colour = tuple[int, int, int]

_SURE: Colour = (20, 140, 60)
_UNSURE: Colour = (230, 150, 0)
_DOUBTFUL: Colour = (205, 30, 40)
_UNCALIBRATED: Colour = (30, 90, 200)
_UNREAD: Colour = (120, 120, 120)
_TINT = 0.12  # share of the colour laid over the line


def draw_overlay(page: Page, image: PageImage) -> Image.Image:
    """Draw the lines of `page` on its picture.

    Raises:
        ValueError: If the picture is not of this page's size.
    """
    if image.size != page.size:
        raise ValueError(f"page of {page.size} pixels, picture of {image.size}")
    canvas = Image.fromarray(image.pixels).convert("RGB")
    tint = canvas.copy()
    brush = ImageDraw.Draw(tint)
    for line in page.lines:
        brush.polygon(line.polygon, fill=_colour(line))
    canvas = Image.blend(canvas, tint, _TINT)
    brush = ImageDraw.Draw(canvas)
    stroke = max(1, round(max(image.size) / 900))
    font = ImageFont.load_default(max(10, round(max(image.size) / 90)))
    for number, line in enumerate(page.lines, start=1):
        colour = _colour(line)
        brush.line([*line.polygon, line.polygon[0]], fill=colour, width=stroke)
        _draw_number(brush, line, str(number), font, colour)
    return canvas


def write_overlay(page: Page, image: PageImage, stream: BinaryIO) -> None:
    """Write `draw_overlay` as PNG."""
    draw_overlay(page, image).save(stream, format="PNG")


def _draw_number(
    brush: ImageDraw.ImageDraw,
    line: Line,
    number: str,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    colour: Colour,
) -> None:
    left, top, _, bottom = line.box
    box = brush.textbbox((0, 0), number, font=font)
    width, height = box[2] - box[0] + 6, box[3] - box[1] + 6
    # Beside the line where the margin has room, else on its corner.
    x = left - width if left >= width else left
    y = (top + bottom - height) / 2 if left >= width else top
    brush.rectangle((x, y, x + width, y + height), fill=colour)
    brush.text((x + 3 - box[0], y + 3 - box[1]), number, fill=(255, 255, 255), font=font)


def _colour(line: Line) -> Colour:
    if line.reading is None:
        return _UNREAD
    sureness = line.reading.confidence
    if sureness is None:
        return _UNCALIBRATED
    if sureness < 0.5:
        return _mix(_DOUBTFUL, _UNSURE, sureness / 0.5)
    return _mix(_UNSURE, _SURE, (sureness - 0.5) / 0.5)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(one, other, strict=True))
    return red, green, blue
