"""Documents for the tests of this folder."""

from __future__ import annotations

from dataclasses import replace

from odia_ocr.types import (
    Document,
    Edit,
    Hypothesis,
    Line,
    Page,
    Problem,
    Reading,
    Region,
    Symbol,
    Word,
)


def box(left, top, right, bottom):
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def make_document() -> Document:
    hyp = Hypothesis(
        (
            Symbol("ଧ", -0.125, (0.0, 8.5), (("ଘ", -2.25),)),
            Symbol("ର୍ମ", -0.5),
        ),
        -0.625,
        lm_logp=-3.5,
        posterior=0.75,
        source="ctc-v1/greedy",
    )
    read = Line(
        "p0001-l001",
        box(10.0, 20.0, 110.0, 50.0),
        baseline=((10.0, 44.0), (110.0, 44.5)),
        region="r1",
        reading=Reading("ଧର୍ମ", 0.9, (0.95, 0.875), (Edit(1, 2, "ର", "ର୍ମ", "lexicon"),), hyp),
        words=(Word("ଧର୍ମ", box(10.0, 20.0, 60.0, 50.0), 0.875),),
    )
    plain = Line(
        "p0001-l002", box(10.0, 60.0, 110.0, 90.0), region="r2", reading=Reading("ଦୁଇ", None)
    )
    failed = Line("p0001-l003", box(10.0, 90.0, 110.0, 120.0), region="r2")
    page = Page(
        "book.tif",
        1,
        (120, 150),
        dpi=300.0,
        regions=(
            Region("r1", box(10, 20, 110, 50), "heading"),
            Region("r2", box(10, 60, 110, 120)),
        ),
        lines=(read, plain, failed),
        problems=(Problem("recognition", "it failed", "try again", 1, "p0001-l003"),),
        steps=("lines: profile", "text: ctc"),
    )
    blank = Page("book.tif", 2, (120, 150), problems=(Problem("blank-page", "nothing", page=2),))
    problem = Problem("picture-unreadable", "page 3 is broken", "scan it again", page=3)
    return Document("book.tif", (page, blank), (problem,))


def make_line(name, text, left, top, *, region=None, height=30, confidence=0.9, lean=0.0):
    """A line of words with boxes; `lean` is the fall of its baseline in pixels per pixel."""
    words = []
    x = left
    for token in text.split():
        width = 12 * len(token)
        fall, end = lean * (x - left), lean * (x + width - left)
        corners = (
            (x, top + fall),
            (x + width, top + end),
            (x + width, top + height + end),
            (x, top + height + fall),
        )
        words.append(Word(token, corners, confidence))
        x += width + 10
    drop = lean * (x - left)
    outline = (
        (left, top),
        (x, top + drop),
        (x, top + height + drop),
        (left, top + height),
    )
    return Line(name, outline, region=region, reading=Reading(text, confidence), words=tuple(words))


def turn_page(page: Page, quarters: int) -> Page:
    """The page turned counter-clockwise, with all that lies on it."""
    for _ in range(quarters % 4):
        width, height = page.size

        def turn(points, width=width):
            return tuple((y, width - x) for x, y in points)

        page = replace(
            page,
            size=(height, width),
            regions=tuple(replace(r, polygon=turn(r.polygon)) for r in page.regions),
            lines=tuple(
                replace(
                    line,
                    polygon=turn(line.polygon),
                    baseline=None if line.baseline is None else turn(line.baseline),
                    words=tuple(replace(w, polygon=turn(w.polygon)) for w in line.words),
                )
                for line in page.lines
            ),
        )
    return page


AWKWARD = "A&B <ଧର୍ମ> \"କ\" 'ଖ' a;b --> \x01\x00\ufffe\ud800 ]]> &amp; 😀"

TEXTS = {
    "heading": ["ଛାପା ପୃଷ୍ଠାରୁ", "ଲେଖା"],
    "paragraph": ["ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା ।", "ଉଜ୍ଜ୍ୱଳ ସ୍ତ୍ରୀ, ଲକ୍ଷ୍ମୀ A4 ୧୨୩ 250"],
    "list": ["୧. କ ଖ", "2) ଗ ଘ", "ଙ ଚ", "• ଛ"],
    "caption": ["ଚିତ୍ର ୧"],
    "text": ["# ଟିପ୍ପଣୀ *ନୁହେଁ*"],
}


def make_rich_document(awkward: bool = True) -> Document:
    """Every kind of region, leaning lines, words missing, a page without lines."""
    regions, lines = [], []
    top = 30
    for kind, texts in TEXTS.items():
        first = top
        for text in texts:
            number = len(lines) + 1
            lean = 0.01 if kind == "paragraph" else 0.0
            lines.append(make_line(f"l{number:03}", text, 40, top, region=kind, lean=lean))
            top += 50
        regions.append(Region(kind, box(40, first, 700, top - 20), kind))
    lines[1] = Line(
        "l002",
        lines[1].polygon,
        region="heading",
        reading=lines[1].reading,
        baseline=((40, 104), (300, 105)),
    )
    edited = lines[3]
    lines[3] = Line(
        edited.id,
        edited.polygon,
        region=edited.region,
        reading=Reading(edited.text, 0.42),
        words=edited.words[1:3] + edited.words[4:],
    )
    if awkward:
        lines.append(make_line("odd id/1", AWKWARD, 40, top, region="missing"))
        lines.append(Line("odd id/1", box(-5, top + 50, 2000, top + 80)))
        # A region that goes on after another one.
        lines.append(make_line("l900", "ପୁଣି", 40, top + 100, region="caption"))
    regions.append(Region("photo", box(500, 30, 700, 90), "picture"))
    regions.append(Region("grid", box(500, 100, 700, 140), "table"))
    source = 'books/a "b"; ଗ&<>.tif' if awkward else "book.tif"
    full = Page(
        source,
        1,
        (800, 1100),
        dpi=150.0,
        regions=tuple(regions),
        lines=tuple(lines),
        steps=("lines: profile -- skew <1", "text: ctc"),
    )
    blank = Page(source, 2, (800, 1100))
    last = Page(source, 4, (800, 1100), lines=(make_line("l1", "ଶେଷ ପୃଷ୍ଠା", 10, 10),))
    return Document(source, (full, blank, last))


def readable(text: str) -> str:
    """`text` as an XML file can hold it, its spaces as one."""
    bad = {ord(c): "\ufffd" for c in "\x00\x01\ufffe\ud800"}
    return " ".join(text.split()).translate(bad)
