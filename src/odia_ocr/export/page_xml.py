"""PAGE XML 2019-07-15: regions, lines and words with outlines, confidences and reading order.

Schema: schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15. A file of this schema holds one
page. Outlines are whole pixels of the page as given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import BinaryIO

from odia_ocr.export.markup import (
    Identifiers,
    Token,
    decimal,
    escape,
    own_key,
    page_key,
    software,
    split_tokens,
    whole_points,
)
from odia_ocr.export.paragraphs import Block, split_blocks
from odia_ocr.types import Line, Page, PageImage, Point, Region

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
# Kinds that the schema knows; the others are told in `custom`, which readers may look at.
_TYPES = frozenset({"heading", "paragraph", "caption"})
_BARE = {"picture": "ImageRegion", "table": "TableRegion"}


@dataclass(frozen=True, slots=True)
class PageXmlWriter:
    """Writes one page as PAGE XML.

    Attributes:
        source: File the page comes from.
        dated: Say when it was written; else 1970, because the schema wants a time.
    """

    source: str
    dated: bool = True

    def __call__(self, pages: Iterable[tuple[Page, PageImage | None]], stream: BinaryIO) -> None:
        """Write the only page of `pages` to `stream` as UTF-8.

        Raises:
            ValueError: If there is none, or a second one; the schema holds one page a file.
        """
        page: Page | None = None
        for other, _ in pages:
            if page is not None:
                raise ValueError("PAGE XML holds one page a file, got a second one")
            page = other
        if page is None:
            raise ValueError("PAGE XML needs a page")
        for part in self._parts(page):
            stream.write(part.encode())

    def _parts(self, page: Page) -> Iterator[str]:
        written = datetime.now(UTC) if self.dated else datetime.fromtimestamp(0, UTC)
        time = written.strftime("%Y-%m-%dT%H:%M:%SZ")
        key = page_key(page.number)
        ids = Identifiers()
        order = ids.make(f"{key}-order")
        yield (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<PcGts xmlns="{NAMESPACE}" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="{NAMESPACE} {NAMESPACE}/pagecontent.xsd" '
            f'pcGtsId="{ids.make(key)}">\n<Metadata>\n'
            f"<Creator>{escape(' '.join(software()).strip())}</Creator>\n"
            f"<Created>{time}</Created>\n<LastChange>{time}</LastChange>\n"
        )
        yield _item("other", "source", self.source)
        yield _item("other", "page", str(page.number))
        for step in page.steps:
            name, _, value = step.partition(": ")
            yield _item("processingStep", name if value else "", value or step)
        width, height = page.size
        # The name alone: readers look for the picture beside the file.
        image = PurePath(page.source).name or page.source
        yield (
            f'</Metadata>\n<Page imageFilename="{escape(image)}" imageWidth="{width}" '
            f'imageHeight="{height}"{_resolution(page)} primaryLanguage="Oriya" '
            'primaryScript="Orya - Oriya">\n'
        )
        blocks = split_blocks(page)
        names = [ids.make(own_key(key, block.id)) for block in blocks]
        if names:
            yield f'<ReadingOrder>\n<OrderedGroup id="{order}">\n'
            for index, name in enumerate(names):
                yield f'<RegionRefIndexed index="{index}" regionRef="{name}"/>\n'
            yield "</OrderedGroup>\n</ReadingOrder>\n"
        for name, block in zip(names, blocks, strict=True):
            yield from _write_block(block, name, page, key, ids)
        with_lines = {block.id for block in blocks}
        for region in page.regions:
            if region.id not in with_lines:
                yield _write_bare(region, ids.make(own_key(key, region.id)), page)
        yield "</Page>\n</PcGts>\n"


def _item(kind: str, name: str, value: str) -> str:
    named = f' name="{escape(name)}"' if name else ""
    return f'<MetadataItem type="{kind}"{named} value="{escape(value)}"/>\n'


def _resolution(page: Page) -> str:
    if page.dpi is None:
        return ""
    dpi = decimal(page.dpi)
    return f' imageXResolution="{dpi}" imageYResolution="{dpi}" imageResolutionUnit="PPI"'


def _kind(kind: str) -> str:
    if kind in _TYPES:
        return f' type="{kind}"'
    return "" if kind == "text" else f' type="other" custom="structure {{type:{escape(kind)};}}"'


def _write_block(block: Block, name: str, page: Page, key: str, ids: Identifiers) -> Iterator[str]:
    yield f'<TextRegion id="{name}"{_kind(block.kind)}>\n{_coords(block.polygon, page)}'
    for line in block.lines:
        yield _write_line(line, page, key, ids)
    if block.texts:
        yield _text("\n".join(block.texts), None)
    yield "</TextRegion>\n"


def _write_bare(region: Region, name: str, page: Page) -> str:
    element = _BARE.get(region.kind, "TextRegion")
    kind = _kind(region.kind) if element == "TextRegion" else ""
    return f'<{element} id="{name}"{kind}>\n{_coords(region.polygon, page)}</{element}>\n'


def _write_line(line: Line, page: Page, key: str, ids: Identifiers) -> str:
    name = ids.make(own_key(key, line.id))
    parts = [f'<TextLine id="{name}">\n', _coords(line.polygon, page)]
    if line.baseline is not None and len(line.baseline) > 1:
        parts.append(f'<Baseline points="{_points(line.baseline, page)}"/>\n')
    parts.extend(
        _write_word(token, page, ids.make(name, f"w{position}"))
        for position, token in enumerate(split_tokens(line), start=1)
    )
    if line.reading is not None:
        parts.append(_text(line.text, line.reading.confidence))
    parts.append("</TextLine>\n")
    return "".join(parts)


def _write_word(token: Token, page: Page, name: str) -> str:
    if token.word is None:
        return ""
    coords, text = _coords(token.word.polygon, page), _text(token.text, token.word.confidence)
    return f'<Word id="{name}">\n{coords}{text}</Word>\n'


def _text(text: str, confidence: float | None) -> str:
    sure = "" if confidence is None else f' conf="{decimal(confidence)}"'
    return f"<TextEquiv{sure}><Unicode>{escape(text)}</Unicode></TextEquiv>\n"


def _coords(polygon: Sequence[Point], page: Page) -> str:
    return f'<Coords points="{_points(polygon, page)}"/>\n'


def _points(points: Sequence[Point], page: Page) -> str:
    return " ".join(f"{x},{y}" for x, y in whole_points(points, page.size))
