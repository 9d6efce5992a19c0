"""ALTO 4.2: pages, blocks, lines and words with boxes and word confidences.

Schema: loc.gov/standards/alto/v4. Lines stand in reading order. ALTO has no confidence of a line
and one description for the whole file: it tells how the first page was read. A line that could
not be read has one empty String, because the schema wants one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from odia_ocr.export.markup import (
    Box,
    Identifiers,
    Token,
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
from odia_ocr.types import Line, Page, PageImage, Polygon, Region

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
_KINDS = ("text", "heading", "paragraph", "list", "caption", "table", "picture")
_PROCESSING = "processing"


@dataclass(frozen=True, slots=True)
class AltoWriter:
    """Writes one document as ALTO.

    Attributes:
        source: File the pages come from.
    """

    source: str

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write `pages` to `stream` as UTF-8.

        Raises:
            ValueError: If there is no page; the schema wants one.
        """
        ids = Identifiers()
        for reserved in (_PROCESSING, *map(_tag, _KINDS)):
            ids.make(reserved)
        empty = True
        for page, _ in pages:
            if empty:
                stream.write(self._head(page).encode())
            empty = False
            for part in _write_page(page, ids):
                stream.write(part.encode())
        if empty:
            raise ValueError("ALTO needs a page")
        stream.write(b"</Layout>\n</alto>\n")

    def _head(self, page: Page) -> str:
        name, version = software()
        steps = "".join(
            f"<processingStepDescription>{escape(step)}</processingStepDescription>\n"
            for step in page.steps
        )
        tags = "".join(
            f'<LayoutTag ID="{_tag(kind)}" TYPE="region" LABEL="{kind}"/>\n' for kind in _KINDS
        )
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{NAMESPACE} http://www.loc.gov/standards/alto/v4/alto-4-2.xsd" \
SCHEMAVERSION="4.2">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation>
<fileName>{escape(self.source)}</fileName>
</sourceImageInformation>
<Processing ID="{_PROCESSING}">
<processingCategory>contentGeneration</processingCategory>
{steps}<processingSoftware>
<softwareName>{name}</softwareName>
<softwareVersion>{version}</softwareVersion>
</processingSoftware>
</Processing>
</Description>
<Tags>
{tags}</Tags>
<Layout>
"""


def _write_page(page: Page, ids: Identifiers) -> Iterator[str]:
    width, height = page.size
    key = ids.make(page_key(page.number))
    yield (
        f'<Page ID="{key}" PHYSICAL_IMG_NR="{page.number}" WIDTH="{width}" HEIGHT="{height}" '
        f'PROCESSINGREFS="{_PROCESSING}">\n'
        f'<PrintSpace HPOS="0" VPOS="0" WIDTH="{width}" HEIGHT="{height}">\n'
    )
    blocks = split_blocks(page)
    for block in blocks:
        yield from _write_block(block, page, key, ids)
    with_lines = {block.id for block in blocks}
    for region in page.regions:
        if region.id not in with_lines:
            yield _write_bare(region, page, key, ids)
    ids.leave(key)
    yield "</PrintSpace>\n</Page>\n"


def _write_block(block: Block, page: Page, key: str, ids: Identifiers) -> Iterator[str]:
    yield (
        f'<TextBlock ID="{ids.make(own_key(key, block.id))}" TAGREFS="{_tag(block.kind)}" '
        f'{_place(block.polygon, page.size)} LANG="or">\n{_shape(block.polygon, page.size)}'
    )
    for line in block.lines:
        yield _write_line(line, page, key, ids)
    yield "</TextBlock>\n"


def _write_bare(region: Region, page: Page, key: str, ids: Identifiers) -> str:
    element = "Illustration" if region.kind == "picture" else "TextBlock"
    return (
        f'<{element} ID="{ids.make(own_key(key, region.id))}" TAGREFS="{_tag(region.kind)}" '
        f"{_place(region.polygon, page.size)}>{_shape(region.polygon, page.size)}</{element}>\n"
    )


def _write_line(line: Line, page: Page, key: str, ids: Identifiers) -> str:
    name = ids.make(own_key(key, line.id))
    baseline = ""
    if line.baseline is not None and len(line.baseline) > 1:
        baseline = f' BASELINE="{_points(line.baseline, page.size)}"'
    parts = [
        f'<TextLine ID="{name}" {_place(line.polygon, page.size)}{baseline}>\n'
        f"{_shape(line.polygon, page.size)}"
    ]
    before: Box | None = None
    for position, token in enumerate(split_tokens(line) or (Token(""),), start=1):
        box = None if token.word is None else whole_box(token.word.polygon, page.size)
        if position > 1:
            parts.append(_write_space(before, box))
        parts.append(_write_token(token, page, ids.make(name, f"w{position}")))
        before = box
    parts.append("</TextLine>\n")
    return "".join(parts)


def _write_space(before: Box | None, after: Box | None) -> str:
    if before is None or after is None or after[0] < before[2]:
        return "<SP/>\n"
    return f'<SP HPOS="{before[2]}" VPOS="{before[1]}" WIDTH="{after[0] - before[2]}"/>\n'


def _write_token(token: Token, page: Page, name: str) -> str:
    start = f'<String ID="{name}" CONTENT="{escape(token.text)}"'
    if token.word is None:
        return f"{start}/>\n"
    start += f" {_place(token.word.polygon, page.size)}"
    if token.word.confidence is not None:
        start += f' WC="{decimal(token.word.confidence)}"'
    shape = _shape(token.word.polygon, page.size)
    return f"{start}>\n{shape}</String>\n" if shape else f"{start}/>\n"


def _tag(kind: str) -> str:
    return f"kind-{kind if kind in _KINDS else 'text'}"


def _place(polygon: Polygon, size: tuple[int, int]) -> str:
    left, top, right, bottom = whole_box(polygon, size)
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'


def _shape(polygon: Polygon, size: tuple[int, int]) -> str:
    if is_box(polygon, size):
        return ""
    return f'<Shape><Polygon POINTS="{_points(polygon, size)}"/></Shape>\n'


def _points(polygon: Polygon, size: tuple[int, int]) -> str:
    return " ".join(f"{x} {y}" for x, y in whole_points(polygon, size))
