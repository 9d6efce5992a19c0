"""Reads hOCR, ALTO and PAGE files back, with lxml and nothing of the writers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree


@dataclass(frozen=True)
class SeenWord:
    text: str
    box: tuple[int, int, int, int] | None
    confidence: float | None


@dataclass(frozen=True)
class SeenLine:
    text: str
    box: tuple[int, int, int, int]
    kind: str
    confidence: float | None
    words: tuple[SeenWord, ...]


def parse(data: bytes):
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


def _texts(element) -> str:
    return " ".join("".join(element.itertext()).split())


def read_hocr(data: bytes) -> list[list[SeenLine]]:
    kinds = {"ocr_par": "paragraph", "ocr_header": "heading", "ocr_caption": "caption"}
    root = parse(data)

    def find(element, name):
        return element.xpath(f".//*[@class='{name}']")

    def props(element):
        parts = re.findall(r'(\w+) ((?:"[^"]*"|[^;])+)', element.get("title"))
        return {key: value.strip() for key, value in parts}

    def seen(element):
        found = props(element)
        sure = found.get("x_wconf")
        return tuple(map(int, found["bbox"].split())), None if sure is None else float(sure) / 100

    pages = []
    for page in find(root, "ocr_page"):
        lines = []
        for line in find(page, "ocr_line"):
            box, sure = seen(line)
            words = tuple(SeenWord(_texts(word), *seen(word)) for word in find(line, "ocrx_word"))
            kind = kinds[line.getparent().get("class")]
            lines.append(SeenLine(_texts(line), box, kind, sure, words))
        pages.append(lines)
    return pages


def read_alto(data: bytes) -> list[list[SeenLine]]:
    root = parse(data)
    names = {"a": root.nsmap[None]}
    kinds = {tag.get("ID"): tag.get("LABEL") for tag in root.iterfind(".//a:LayoutTag", names)}

    def box(element):
        if element.get("HPOS") is None:
            return None
        left, top, width, height = (
            int(element.get(key)) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT")
        )
        return left, top, left + width, top + height

    pages = []
    for page in root.iterfind(".//a:Page", names):
        lines = []
        for line in page.iterfind(".//a:TextLine", names):
            strings = line.findall("a:String", names)
            words = tuple(
                SeenWord(
                    s.get("CONTENT"), box(s), None if s.get("WC") is None else float(s.get("WC"))
                )
                for s in strings
            )
            text = " ".join(word.text for word in words)
            kind = kinds[line.getparent().get("TAGREFS")]
            lines.append(SeenLine(text, box(line), kind, None, words))
        pages.append(lines)
    return pages


def read_page_xml(data: bytes) -> list[SeenLine]:
    """The lines in the order that ReadingOrder gives."""
    root = parse(data)
    names = {"p": root.nsmap[None]}

    def box(element):
        points = element.find("p:Coords", names).get("points").split()
        xs, ys = zip(*(map(int, point.split(",")) for point in points), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def equiv(element):
        found = element.find("p:TextEquiv", names)
        if found is None:
            return "", None
        sure = found.get("conf")
        text = found.findtext("p:Unicode", namespaces=names) or ""
        return text, None if sure is None else float(sure)

    regions = {region.get("id"): region for region in root.iterfind(".//p:TextRegion", names)}
    refs = root.findall(".//p:RegionRefIndexed", names)
    lines = []
    for ref in sorted(refs, key=lambda ref: int(ref.get("index"))):
        region = regions[ref.get("regionRef")]
        kind = region.get("type") or "text"
        if kind == "other":
            kind = re.search(r"structure \{type:(\w+);\}", region.get("custom"))[1]
        for line in region.iterfind("p:TextLine", names):
            words = tuple(
                SeenWord(equiv(word)[0], box(word), equiv(word)[1])
                for word in line.iterfind("p:Word", names)
            )
            text, sure = equiv(line)
            lines.append(SeenLine(text, box(line), kind, sure, words))
    return lines
