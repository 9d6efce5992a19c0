import itertools

import numpy as np
import pytest
from pdfs import OdiaFace, PdfWriter, odia_pdf
from PIL import Image

from odia_ocr.pages import layer_check
from odia_ocr.pages.images import open_pages
from odia_ocr.pages.layer_check import (
    agree,
    count_layer,
    cover,
    find_fault,
    is_odia,
    pick_checks,
)
from odia_ocr.pages.text_layer import (
    LayerChar,
    LayerLine,
    LayerWord,
    TextLayer,
    assemble,
    layer_page,
)
from odia_ocr.types import Line, PageImage

LINES = [
    "ଓଡ଼ିଶାର ଧର୍ମ ଓ ସଂସ୍କୃତି ବହୁ ପୁରାତନ ।",
    "ସେମାନେ କହିଲେ ଯେ ବର୍ଷା ହେଲେ କ୍ଷେତରେ ଧାନ ହେବ ।",
    "ପିଲାମାନେ ବିଦ୍ୟାଳୟରୁ ଫେରି ନଦୀକୂଳରେ ଖେଳିଲେ ।",
]


def layer_of(data, number=1):
    file = open_pages(data)
    image = file.load(number)
    return file.text_layer(number, image.size), image


def written(text, **options):
    lines = tuple(
        LayerLine(tuple(LayerWord(word, (i, 0, i + 1, 1)) for i, word in enumerate(line.split())))
        for line in text.split("\n")
    )
    return TextLayer(lines, **options)


def test_a_right_layer_gives_lines_and_words_where_they_stand():
    layer, image = layer_of(odia_pdf(LINES))
    assert find_fault(layer) is None
    assert is_odia(layer)
    page = layer_page(layer, image)
    assert page.text == "\n".join(LINES)
    assert page.size == image.size
    assert "text layer of the PDF, 3 lines" in page.steps[0]
    ink = image.pixels[:, :, 0] < 128 if image.pixels.ndim == 3 else image.pixels < 128
    for line, text in zip(page.lines, LINES, strict=True):
        assert [word.text for word in line.words] == text.split()
        assert line.reading.confidence is None
        for word in line.words:
            (left, top), _, (right, bottom), _ = word.polygon
            inside = ink[round(top) : round(bottom), round(left) : round(right)]
            assert inside.any(axis=1).sum() > 0.3 * (bottom - top)
            # The words hold the ink of the line: nothing is left between them.
        boxes = [word.polygon for word in line.words]
        assert all(a[1][0] <= b[0][0] + 8 for a, b in itertools.pairwise(boxes))
    everything = ink.sum()
    under = sum(
        ink[round(y0) : round(y1), round(x0) : round(x1)].sum()
        for x0, y0, x1, y1 in (line.box for line in page.lines)
    )
    assert under > 0.97 * everything


@pytest.mark.parametrize(
    ("claim", "name", "says"),
    [
        ("latin", "LohitOdia", "written like none"),
        ("latin", "AkrutiOriSarala", "AkrutiOriSarala draws Odia"),
        ("private", "LohitOdia", "no letters"),
        ("drawing", "LohitOdia", "cannot be written so"),
    ],
)
def test_a_garbled_layer_is_found_out(claim, name, says):
    layer, _ = layer_of(odia_pdf(LINES, claim=claim, name=name))
    assert says in find_fault(layer)


def test_a_turned_page_is_mapped_and_sideways_text_is_refused():
    layer, image = layer_of(odia_pdf(LINES, more="/Rotate 90"))
    assert image.size[0] > image.size[1]
    assert "left to right" in find_fault(layer)
    # The first line of the page as it lies in the file now runs down its right edge.
    left, top, right, bottom = layer.lines[0].box
    ink = image.pixels.reshape(*image.size[::-1], -1)[:, :, 0] < 128
    assert left > 0.9 * image.size[0]
    assert ink[round(top) : round(bottom), round(left) : round(right)].any()


def test_a_page_without_text_has_no_layer():
    pdf = PdfWriter()
    pdf.page(b"")
    pdf.picture_page(Image.new("L", (60, 80), 255))
    data = pdf.build()
    assert layer_of(data)[0] is None
    assert layer_of(data, 2)[0] is None
    assert open_pages(np.zeros((9, 9), np.uint8)).text_layer(1, (9, 9)) is None


def test_english_is_a_language():
    english = "The State Museum, Bhubaneswar (founded 1932) holds 40,000 palm-leaf manuscripts."
    assert find_fault(written(english)) is None
    assert not is_odia(written(english))
    assert find_fault(written("ମୂଲ୍ୟ Rs. 250, ISBN 978-81-7011")) is None
    assert "written like none" in find_fault(written("Hðf¾ðe ÀÿÓÿëxÿçLÿ ¨÷†ÿçAæ{¾æSê fœÿë`ÿæ"))
    assert "no letters" in find_fault(written("\ufffd\ufffd\ufffd ଧର୍ମ"))
    assert "no letters" in find_fault(written("ଧର୍ମ ଓ କର୍ମ", unmapped=0.5))
    assert find_fault(written("")) == "it is empty"


def test_right_text_has_no_malformed_cluster():
    counts = count_layer("କ୍ଷ୍ମୀ ଧର୍ମ୍ମ ଡ଼ ଢ଼ ଆଁ ଦୁଃଖ ୧୨୩ ସଂସ୍କୃତ କର୍ତ୍ତୃକ ଓଁ ଶ୍ରୀ କୈ କୌ ଐ କୟ୍‌")
    assert counts.malformed == 0
    assert count_layer("େକ ିକ").malformed == 2
    assert count_layer("କାା").malformed == 1


def test_assemble_ends_lines_and_words():
    def char(text, left, top=0.0, **more):
        return LayerChar(text, (left, top, left + 8, top + 10), **more)

    chars = [char("କ", 0), LayerChar(" "), char("ଖ", 20), LayerChar("\r", generated=True)]
    chars += [
        LayerChar("\n"),
        char("ଗ", 0, 20),
        char("ଘ", 9, 40),
        char("ଙ", 90, 40),
        char("ଚ", 0, 41),
    ]
    layer = assemble(chars)
    assert [line.text for line in layer.lines] == ["କ ଖ", "ଗ", "ଘଙ", "ଚ"]
    assert layer.lines[0].box == (0, 0, 28, 10)
    assert assemble([char("କ", 0, upright=False), char("ଖ", 9)]).sideways == 0.5


def test_checks_are_spread_over_the_page_and_lie_on_it():
    lines = tuple(
        LayerLine((LayerWord("କଖଗ" * (3 + i % 2), (-5, 40 * i, 300, 40 * i + 30)),))
        for i in range(20)
    )
    checks = pick_checks(TextLayer(lines), (250, 790))
    assert len(checks) == layer_check.CHECKS
    tops = [line.box[1] for line, _ in checks]
    assert tops[0] < 200
    assert tops[-1] > 600
    for line, said in checks:
        left, top, right, bottom = line.box
        assert 0 <= left < right <= 250
        assert 0 <= top < bottom <= 790
        assert said.startswith("କଖଗ")


def test_agreement():
    assert agree([("ଧର୍ମ ଓ କର୍ମ", "ଧର୍ମ ଓ କର୍ମ"), ("ବହି", "ବହୀ")]) is True
    assert agree([("Hðf¾ðe", "ଧର୍ମ ଓ"), ("ÀÿÓÿ", "କର୍ମ")]) is False
    assert agree([]) is None


def test_cover():
    layer = TextLayer((LayerLine((LayerWord("କ", (0, 0, 100, 20)),)),))

    def line(left, top, right, bottom):
        return Line("l", ((left, top), (right, top), (right, bottom), (left, bottom)))

    assert cover(layer, [line(0, 2, 100, 18)]) == 1.0
    assert cover(layer, [line(0, 2, 100, 18), line(0, 50, 300, 70)]) == 0.25
    assert cover(layer, []) == 1.0


def test_a_layer_beside_pictures_may_be_partial():
    pdf = PdfWriter()
    face = OdiaFace(pdf)
    over = face.draw(LINES[:1])
    pdf.picture_page(Image.new("L", (400, 560), 200), over=over, resources=face.finish())
    assert layer_of(pdf.build())[0].may_be_partial
    assert not layer_of(odia_pdf(LINES))[0].may_be_partial


def test_regions_end_at_gaps():
    lines = [(0, 0), (0, 22), (0, 90), (0, 112), (400, 0)]
    layer = TextLayer(
        tuple(LayerLine((LayerWord("କ", (x, y, x + 100, y + 20)),)) for x, y in lines)
    )
    page = layer_page(layer, PageImage("x.pdf", 3, np.zeros((600, 600), np.uint8)))
    assert [line.region for line in page.lines] == [
        "p0003-r001", "p0003-r001", "p0003-r002", "p0003-r002", "p0003-r003",
    ]  # fmt: skip
    assert len(page.regions) == 3
