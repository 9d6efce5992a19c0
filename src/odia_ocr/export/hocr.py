"""hOCR 1.2 as XHTML: pages, blocks, lines and words with boxes and confidences.

Specification: kba.github.io/hocr-spec/1.2. Boxes are whole pixels of the page as given; an
outline that is no box is written beside it as `poly`. Lines that run up, down or backwards have a
`textangle`, lines that tilt a slope in their `baseline`. Confidences (`x_wconf`) are percent, of
words and of lines. How a page was read stands in a comment on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from odia_ocr.export.direction import find_direction, nearest_edge
from odia_ocr.export.markup import (
    Identifiers,
    Token,
    comment,
    decimal,
    escape,
    is_box,
    own_key,
    page_key,
    software,
    split_tokens,
    whole_box,
    whole_points,
)
from odia_ocr.export.paragraphs import Block, split_blocks
from odia_ocr.types import Line, Page, PageImage, Point, Polygon, Region

# Class and element of the blocks that hold lines; "ocr_header" is what Tesseract calls headings.
_BLOCKS = {"heading": ("ocr_header", "h2"), "caption": ("ocr_caption", "p")}
# Degrees counter-clockwise of lines that run right, up, left and down the page.
_ANGLES = {(1.0, 0.0): 0, (0.0, -1.0): 90, (-1.0, 0.0): 180, (0.0, 1.0): 270}
_BARE = {"picture": "ocr_image", "table": "ocr_table"}
_CAPABILITIES = (
    "ocr_page ocr_carea ocr_par ocr_header ocr_caption ocr_image ocr_table ocr_line ocrx_word "
    "ocrp_lang ocrp_poly ocrp_wconf"
)
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="or" lang="or">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="ocr-system" content="{system}" />
<meta name="ocr-capabilities" content="{capabilities}" />
<meta name="ocr-langs" content="or" />
<meta name="ocr-scripts" content="Orya" />
</head>
<body>
"""


@dataclass(frozen=True, slots=True)
class HocrWriter:
    """Writes one document as hOCR.

    Attributes:
        source: File the pages come from.
    """

    source: str

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write `pages` to `stream` as UTF-8."""
        head = _HEAD.format(
            title=escape(self.source),
            system=escape(" ".join(software()).strip()),
            capabilities=_CAPABILITIES,
        )
        stream.write(head.encode())
        ids = Identifiers()
        for page, _ in pages:
            for part in _write_page(page, ids):
                stream.write(part.encode())
        stream.write(b"</body>\n</html>\n")


def _write_page(page: Page, ids: Identifiers) -> Iterator[str]:
    width, height = page.size
    key = ids.make(page_key(page.number))
    # A quoted name may hold neither a quote nor, for simple readers, the sign between properties.
    image = page.source.replace('"', "%22").replace(";", "%3B")
    title = f'image "{image}"; bbox 0 0 {width} {height}; ppageno {page.number - 1}'
    if page.dpi is not None:
        title += f"; scan_res {round(page.dpi)} {round(page.dpi)}"
    yield f'<div class="ocr_page" id="{key}" lang="or" title="{escape(title)}">\n'
    if page.steps:
        yield comment("; ".join(page.steps)) + "\n"
    blocks = split_blocks(page)
    for block in blocks:
        yield from _write_block(block, page, key, ids)
    with_lines = {block.id for block in blocks}
    for region in page.regions:
        if region.id not in with_lines:
            yield _write_bare(region, page, key, ids)
    ids.leave(key)
    yield "</div>\n"


def _write_block(block: Block, page: Page, key: str, ids: Identifiers) -> Iterator[str]:
    kind, element = _BLOCKS.get(block.kind, ("ocr_par", "p"))
    title = _place(block.polygon, page.size)
    area = ids.make(own_key(key, block.id))
    yield f'<div class="ocr_carea" id="{area}" title="{title}">\n'
    yield f'<{element} class="{kind}" id="{ids.make(area, "par")}" title="{title}">\n'
    for line in block.lines:
        yield _write_line(line, page, key, ids)
    yield f"</{element}>\n</div>\n"


def _write_bare(region: Region, page: Page, key: str, ids: Identifiers) -> str:
    kind = _BARE.get(region.kind, "ocr_carea")
    title = _place(region.polygon, page.size)
    return f'<div class="{kind}" id="{ids.make(own_key(key, region.id))}" title="{title}"></div>\n'


def _write_line(line: Line, page: Page, key: str, ids: Identifiers) -> str:
    title = _place(line.polygon, page.size)
    title += _lie(line, page.size)
    if line.reading is not None:
        title += _confidence(line.reading.confidence)
    name = ids.make(own_key(key, line.id))
    words = " ".join(
        _write_token(token, page, ids.make(name, f"w{position}"))
        for position, token in enumerate(split_tokens(line), start=1)
    )
    return f'<span class="ocr_line" id="{name}" title="{title}">{words}</span>\n'


def _write_token(token: Token, page: Page, name: str) -> str:
    text = escape(token.text)
    if token.word is None:
        return text
    title = _place(token.word.polygon, page.size) + _confidence(token.word.confidence)
    return f'<span class="ocrx_word" id="{name}" title="{title}">{text}</span>'


def _place(polygon: Polygon, size: tuple[int, int]) -> str:
    title = "bbox " + " ".join(map(str, whole_box(polygon, size)))
    if not is_box(polygon, size):
        title += "; poly " + " ".join(f"{x} {y}" for x, y in whole_points(polygon, size))
    return title


def _confidence(value: float | None) -> str:
    return "" if value is None else f"; x_wconf {decimal(100 * value, 2)}"


def _lie(line: Line, size: tuple[int, int]) -> str:
    """How a line lies: quarter turns counter-clockwise as `textangle`, the rest as `baseline`.

    Slope and offset are those of the line turned upright, from the lower left corner of its box; a
    tilt is nowhere but in the slope, for readers add the two.
    """
    across, down = nearest_edge(find_direction(line.polygon, line.baseline))
    angle = _ANGLES[across, down]
    title = f"; textangle {angle}" if angle else ""
    if line.baseline is None or len(line.baseline) < 2:
        return title

    def turn(x: float, y: float) -> Point:
        return x * across + y * down, y * across - x * down

    (first_x, first_y), (last_x, last_y) = turn(*line.baseline[0]), turn(*line.baseline[-1])
    run = last_x - first_x
    if run <= abs(last_y - first_y):
        return title
    box = whole_box(line.polygon, size)
    (one_x, one_y), (other_x, other_y) = turn(*box[:2]), turn(*box[2:])
    slope = (last_y - first_y) / run
    offset = first_y + slope * (min(one_x, other_x) - first_x) - max(one_y, other_y)
    return f"{title}; baseline {decimal(slope)} {decimal(offset, 2)}"
