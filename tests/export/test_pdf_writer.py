"""Searchable PDF: what two other programs find in it, and what stays as it was."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from documents import make_line, make_rich_document
from PIL import Image

from odia_ocr.errors import OutputError
from odia_ocr.export.origin import Origin
from odia_ocr.export.pdf import PdfWriter
from odia_ocr.export.pdf_font import GlyphlessFont, make_face
from odia_ocr.export.pdf_text import place_page
from odia_ocr.types import Line, Page, Reading, Region

pikepdf = pytest.importorskip("pikepdf")
pdfium = pytest.importorskip("pypdfium2")
needs_pdftotext = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="needs pdftotext (poppler-utils)"
)

TEXTS = [
    "ଓଡ଼ିଆ ଭାରତର ଏକ ପ୍ରାଚୀନ ଭାଷା ।",
    "କ୍ଷ୍ମୀ ଧର୍ମ ସ୍ତ୍ରୀ ଉଜ୍ଜ୍ୱଳ ସୂର୍ଯ୍ୟ",
    "ଓ ଏ ଓ । ॥ ଚାଲ୍\u200cବାଜ୍",
    "A4 (୧୨୩) 250/- ₹ 5% 😀 e-mail@x.in",
    "ଶେଷ",
]
SIZE = (800, 500)


def make_page(*, lean=0.0, number=1, size=SIZE, texts=TEXTS):
    lines = [
        make_line(f"l{row}", text, 60, 40 + 60 * row, height=45, lean=lean)
        for row, text in enumerate(texts)
    ]
    return Page("a", number, size, 150.0, lines=tuple(lines))


def picture(size=SIZE, mode="RGB"):
    rng = np.random.default_rng(5)
    small = rng.integers(0, 255, (9, 13, 3), np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).convert(mode)


def encode(image, form, **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def write(content, pages):
    stream = io.BytesIO()
    PdfWriter(Origin("a", content))(((page, None) for page in pages), stream)
    data = stream.getvalue()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.check_pdf_syntax() == []
    return data


def normal(text):
    return " ".join(unicodedata.normalize("NFC", text).split())


def pdfium_lines(data, number=1):
    document = pdfium.PdfDocument(data)
    text = document[number - 1].get_textpage().get_text_range()
    return [normal(line) for line in text.splitlines() if line.strip()]


def poppler_lines(data, path, number=1, *options):
    path.write_bytes(data)
    command = ["pdftotext", *options, "-f", str(number), "-l", str(number), str(path), "-"]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return [normal(line) for line in text.replace("\f", "").splitlines() if line.strip()]


def render(data, number=1, scale=1.0):
    return np.asarray(pdfium.PdfDocument(data)[number - 1].render(scale=scale).to_numpy())


def word_boxes(data, page, number=1):
    """(text, box in page pixels) of each word, by PDFium's boxes of its letters."""
    document = pdfium.PdfDocument(data)
    sheet = document[number - 1]
    text = sheet.get_textpage()
    width, height = page.size
    words, letters = [], []
    rotation = sheet.get_rotation()
    left0, bottom0, right0, top0 = sheet.get_cropbox()

    def seen(x, y):
        u, v = (x - left0) / (right0 - left0), (top0 - y) / (top0 - bottom0)
        u, v = {0: (u, v), 90: (1 - v, u), 180: (1 - u, 1 - v), 270: (v, 1 - u)}[rotation]
        return u * width, v * height

    for index in range(text.count_chars()):
        letter = text.get_text_range(index, 1)
        if not letter.strip():
            if letters:
                words.append(letters)
            letters = []
            continue
        left, bottom, right, top = text.get_charbox(index)
        letters.append((letter, seen(left, bottom), seen(right, top)))
    words.append(letters)
    for letters in filter(None, words):
        xs = [p[0] for _, *corners in letters for p in corners]
        ys = [p[1] for _, *corners in letters for p in corners]
        yield "".join(t for t, *_ in letters), (min(xs), min(ys), max(xs), max(ys))


def overlap(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return width * height / (sum(areas) - width * height)


def check_text(data, page, path, number=1, *, in_order=True):
    wanted = [normal(line) for line in page.text.split("\n") if line]
    found = pdfium_lines(data, number)
    assert found == wanted
    if shutil.which("pdftotext"):
        lines = poppler_lines(data, path, number, *([] if in_order else ["-raw"]))
        assert lines == wanted


def check_places(data, page, number=1, least=0.7):
    boxes = {w.text: w.polygon for line in page.lines for w in line.words}
    checked = 0
    for text, box in word_boxes(data, page, number):
        if text not in boxes or text in ("ଓ", "।"):  # more than one of them
            continue
        xs, ys = zip(*boxes[text], strict=True)
        assert overlap(box, (min(xs), min(ys), max(xs), max(ys))) >= least, text
        checked += 1
    assert checked >= 10


def test_text_layer_of_a_picture(tmp_path):
    page = make_page()
    data = write(encode(picture(), "PNG", dpi=(150, 150)), [page])
    check_text(data, page, tmp_path / "a.pdf")
    check_places(data, page)
    sheet = pdfium.PdfDocument(data)[0]
    assert sheet.get_size() == pytest.approx((800 * 72 / 150, 500 * 72 / 150), abs=0.1)
    assert np.array_equal(
        render(data, scale=150 / 72),
        render(
            write(encode(picture(), "PNG", dpi=(150, 150)), [replace(page, lines=())]),
            scale=150 / 72,
        ),
    )


@pytest.mark.parametrize("lean", [0.01, -0.01, 0.03])
def test_leaning_lines(tmp_path, lean):
    page = make_page(lean=lean)
    data = write(encode(picture(), "PNG", dpi=(150, 150)), [page])
    check_text(data, page, tmp_path / "a.pdf")
    check_places(data, page, least=0.45)


def test_lines_that_lean_steeply_keep_their_words(tmp_path):
    page = make_page(lean=0.09)
    data = write(encode(picture(), "PNG"), [page])
    assert pdfium_lines(data) == [normal(line) for line in page.text.split("\n")]
    if shutil.which("pdftotext"):
        lines = poppler_lines(data, tmp_path / "a.pdf", 1, "-raw")
        assert lines == [normal(line) for line in page.text.split("\n")]


def test_regions_odd_lines_and_blank_pages(tmp_path):
    document = make_rich_document(awkward=False)
    frames = [picture((800, 1100), mode) for mode in ("L", "1", "RGB", "P")]
    tiff = encode(frames[0], "TIFF", save_all=True, append_images=frames[1:], dpi=(150, 150))
    data = write(tiff, document.pages)
    assert len(pdfium.PdfDocument(data)) == 3  # the third picture was not among the pages
    for number, page in enumerate(document.pages, start=1):
        wanted = [normal(line) for line in page.text.split("\n") if line]
        assert pdfium_lines(data, number) == wanted
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.Root.Lang == "or"
        assert [int(p.Resources.XObject.Picture.BitsPerComponent) for p in pdf.pages] == [8, 1, 8]


@pytest.mark.parametrize(("quarters", "rotation"), [(0, 0), (1, 270), (2, 180), (3, 90)])
def test_a_picture_that_lies_on_its_side_is_shown_upright(quarters, rotation, tmp_path):
    page = make_page()
    width, height = SIZE

    def turn(point):
        """Clockwise, with the picture."""
        x, y = point
        return ((x, y), (height - y, x), (width - x, height - y), (y, width - x))[quarters]

    lines = tuple(
        replace(
            line,
            polygon=tuple(map(turn, line.polygon)),
            words=tuple(replace(w, polygon=tuple(map(turn, w.polygon))) for w in line.words),
        )
        for line in page.lines
    )
    image = picture().rotate(-90 * quarters, expand=True)
    turned = replace(page, lines=lines, size=image.size)
    data = write(encode(image, "PNG", dpi=(150, 150)), [turned])
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert int(pdf.pages[0].Rotate) == rotation
    upright = render(data, scale=150 / 72)[: SIZE[1], : SIZE[0], ::-1].astype(int)
    assert abs(upright - np.asarray(picture())).mean() < 3
    check_text(data, page, tmp_path / "a.pdf")
    check_places(data, page)


def test_words_without_a_place_stand_where_they_belong(tmp_path):
    page = make_page(texts=TEXTS[:2])
    whole = page.lines[0]
    lines = (
        replace(whole, words=whole.words[:1] + whole.words[3:4]),
        replace(page.lines[1], words=()),
    )
    data = write(encode(picture(), "PNG", dpi=(150, 150)), [replace(page, lines=lines)])
    check_text(data, page, tmp_path / "a.pdf")
    boxes = {w.text: w.polygon for line in page.lines for w in line.words}
    for text, box in word_boxes(data, page):
        assert boxes[text][0][0] - 40 <= (box[0] + box[2]) / 2 <= boxes[text][1][0] + 40


def test_bent_lines_follow_their_words(tmp_path):
    line = make_line("l", "ଓଡ଼ିଆ ଭାରତର ପ୍ରାଚୀନ ଭାଷା", 60, 100, height=40)
    words = tuple(
        replace(word, polygon=tuple((x, y + 0.0006 * (x - 300) ** 2) for x, y in word.polygon))
        for word in line.words
    )
    (left, top), (right, _), (_, bottom), _ = line.polygon
    xs = np.linspace(left, right, 9)
    bend = 0.0006 * (xs - 300) ** 2
    outline = (*zip(xs, top + bend, strict=True), *zip(xs[::-1], bottom + bend[::-1], strict=True))
    page = Page("a", 1, SIZE, lines=(replace(line, polygon=outline, words=words),))
    data = write(encode(picture(), "PNG"), [page])
    assert pdfium_lines(data) == [normal(line.text)]
    for (text, box), word in zip(word_boxes(data, page), words, strict=True):
        assert text == word.text
        xs, ys = zip(*word.polygon, strict=True)
        assert min(xs) < (box[0] + box[2]) / 2 < max(xs)
        assert min(ys) < (box[1] + box[3]) / 2 < max(ys)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_goes_in_as_it_came(orientation, tmp_path):
    upright = picture((400, 250))
    # What a camera stores so that `orientation` makes it upright.
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
    stored = upright if back is None else upright.transpose(Image.Transpose(back))
    exif = Image.Exif()
    exif[0x0112] = orientation
    jpeg = encode(stored, "JPEG", quality=90, exif=exif, dpi=(100, 50))
    page = make_page(size=upright.size, texts=["ଓଡ଼ିଆ ଭାଷା"])
    data = write(jpeg, [page])
    assert jpeg in data
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert pdf.pages[0].Resources.XObject.Picture.read_raw_bytes() == jpeg
    width, height = pdfium.PdfDocument(data)[0].get_size()
    across, down = (50, 100) if orientation > 4 else (100, 50)
    assert (width, height) == pytest.approx((400 * 72 / across, 250 * 72 / down), abs=0.1)
    shown = Image.fromarray(render(data)[:, :, ::-1]).resize(upright.size)
    difference = np.asarray(shown).astype(int) - np.asarray(upright)
    assert abs(difference).mean() < 4
    assert pdfium_lines(data) == ["ଓଡ଼ିଆ ଭାଷା"]


def sixteen_bits():
    values = np.linspace(0, 65535, 40 * 30).astype(np.uint16).reshape(30, 40)
    return Image.fromarray(values)


PICTURES = {
    "grey": lambda: (picture((67, 300), "L"), "PNG", {}),
    "bilevel": lambda: (picture((67, 41), "1"), "PNG", {}),
    "colour": lambda: (picture((67, 41)), "PNG", {}),
    "palette": lambda: (picture((67, 41), "P"), "GIF", {}),
    "alpha": lambda: (picture((67, 41), "RGBA"), "PNG", {}),
    "grey alpha": lambda: (picture((67, 41), "LA"), "PNG", {}),
    "webp": lambda: (picture((67, 41)), "WEBP", {"lossless": True}),
    "bmp": lambda: (picture((67, 41)), "BMP", {}),
    "cmyk tiff": lambda: (picture((67, 41), "CMYK"), "TIFF", {}),
    "ppm": lambda: (picture((67, 41)), "PPM", {}),
    "one pixel": lambda: (picture((1, 1)), "PNG", {}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_other_pictures_go_in_pixel_for_pixel(name):
    image, form, options = PICTURES[name]()
    given = encode(image, form, **options)
    data = write(given, [Page("a", 1, image.size)])
    with pikepdf.open(io.BytesIO(data)) as pdf:
        found = pikepdf.PdfImage(pdf.pages[0].Resources.XObject.Picture)
        raw = pdf.pages[0].Resources.XObject.Picture
        again = Image.open(io.BytesIO(given))
        if again.mode in ("RGBA", "LA"):
            mask = np.asarray(again.getchannel("A"))
            embedded = np.frombuffer(raw.SMask.read_bytes(), np.uint8)
            assert np.array_equal(unpredict(embedded, mask.shape), mask)
            again = again.convert("RGB" if again.mode == "RGBA" else "L")
        if again.mode == "CMYK":
            pixels = unpredict(np.frombuffer(raw.read_bytes(), np.uint8), (41, 67, 4))
            assert np.array_equal(pixels, np.asarray(again))
        else:
            seen = found.as_pil_image().convert(again.convert("RGB").mode)
            assert np.array_equal(np.asarray(seen), np.asarray(again.convert("RGB")))


def test_pages_of_a_tiff_go_in_with_their_own_colours():
    pages = [picture((67, 41)).quantize(16), picture((67, 41), "L"), picture((67, 41))]
    given = encode(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    data = write(given, [Page("a", number, (67, 41)) for number in (1, 2, 3)])
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for sheet, page in zip(pdf.pages, pages, strict=True):
            seen = pikepdf.PdfImage(sheet.Resources.XObject.Picture).as_pil_image().convert("RGB")
            assert np.array_equal(np.asarray(seen), np.asarray(page.convert("RGB")))


def unpredict(values, shape):
    """qpdf undoes the predictor when it decodes."""
    return values.reshape(shape)


def test_sixteen_bits_stay():
    image = sixteen_bits()
    data = write(encode(image, "PNG"), [Page("a", 1, image.size)])
    with pikepdf.open(io.BytesIO(data)) as pdf:
        raw = pdf.pages[0].Resources.XObject.Picture
        assert int(raw.BitsPerComponent) == 16
        values = np.frombuffer(raw.read_bytes(), ">u2").reshape(30, 40)
        assert np.array_equal(values, np.asarray(image))


def test_adobe_inks_and_profiles_are_told():
    from PIL import ImageCms

    jpeg = encode(picture((64, 48), "CMYK"), "JPEG")
    with pikepdf.open(io.BytesIO(write(jpeg, [Page("a", 1, (64, 48))]))) as pdf:
        raw = pdf.pages[0].Resources.XObject.Picture
        assert (str(raw.ColorSpace), list(raw.Decode)) == ("/DeviceCMYK", [1, 0] * 4)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for form in ("JPEG", "PNG"):
        given = encode(picture((64, 48)), form, icc_profile=profile)
        with pikepdf.open(io.BytesIO(write(given, [Page("a", 1, (64, 48))]))) as pdf:
            space = pdf.pages[0].Resources.XObject.Picture.ColorSpace
            assert space[0] == "/ICCBased"
            assert space[1].read_bytes() == profile
    # A profile of other colours than the picture's is left out.
    grey = encode(picture((64, 48), "L"), "JPEG", icc_profile=profile)
    with pikepdf.open(io.BytesIO(write(grey, [Page("a", 1, (64, 48))]))) as pdf:
        assert pdf.pages[0].Resources.XObject.Picture.ColorSpace == "/DeviceGray"


@pytest.mark.parametrize(("dpi", "points"), [(None, 96.0), (1, 96.0), (600, 48.0)])
def test_page_size_comes_from_the_resolution(dpi, points):
    options = {} if dpi is None else {"dpi": (dpi, dpi)}
    data = write(encode(picture((400, 400)), "PNG", **options), [Page("a", 1, (400, 400))])
    assert pdfium.PdfDocument(data)[0].get_width() == pytest.approx(points, abs=0.1)


def test_a_page_is_no_larger_than_pdf_allows():
    image = Image.new("1", (40000, 10))
    data = write(encode(image, "PNG", dpi=(72, 72)), [Page("a", 1, (40000, 10))])
    assert pdfium.PdfDocument(data)[0].get_width() == pytest.approx(14400)


# From a PDF ---------------------------------------------------------------------------------


def original(count=1, turn=0):
    """A PDF of pictures; with `turn` they are stored so that /Rotate makes them upright."""
    image = picture()
    if turn:
        image = image.rotate(turn, expand=True)
    blank = [Page("a", number, image.size) for number in range(1, count + 1)]
    frames = [image] * (count - 1)
    tiff = encode(image, "TIFF", save_all=True, append_images=frames, dpi=(150, 150))
    data = write(tiff, blank)
    if not turn:
        return data
    return change(data, lambda pdf: [setattr(p, "Rotate", turn) for p in pdf.pages])


def change(data, make, **options):
    stream = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        make(pdf)
        pdf.save(stream, **options)
    return stream.getvalue()


def cropped(pdf):
    page = pdf.pages[0]
    page.MediaBox = [-100, -50, 700, 600]
    page.CropBox = [-20, -10, 384, 250]


def inherited(pdf):
    page, tree = pdf.pages[0], pdf.Root.Pages
    for key in ("/Resources", "/MediaBox"):
        tree[key] = page[key]
        del page[key]


def unbalanced(pdf):
    page = pdf.pages[0]
    own = page.Contents.read_bytes()
    parts = (b"q 2 0 0 2 9 9 cm q Q Q q 1 0 0 1 0 0 cm q\n", own, b" .5 0 0 .5 7 7 cm q")
    page.Contents = pikepdf.Array([pdf.make_stream(part) for part in parts])


def own_font(pdf):
    page = pdf.pages[0]
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
    )
    page.Resources.Font = pdf.make_indirect(pikepdf.Dictionary(OdiaOcr=font))


def no_contents(pdf):
    del pdf.pages[0]["/Contents"]


ORIGINALS = {
    "plain": lambda: original(),
    "objects in streams": lambda: change(
        original(), lambda pdf: None, object_stream_mode=pikepdf.ObjectStreamMode.generate
    ),
    "linear": lambda: change(original(), lambda pdf: None, linearize=True),
    "cropped": lambda: change(original(), cropped),
    "inherited": lambda: change(original(), inherited),
    "unbalanced": lambda: change(original(), unbalanced),
    "own font": lambda: change(original(), own_font),
    "no contents": lambda: change(original(), no_contents),
    "turned 90": lambda: original(turn=90),
    "turned 180": lambda: original(turn=180),
    "turned 270": lambda: original(turn=270),
    "no line end": lambda: original().rstrip(b"\n"),
    "updated before": lambda: write(original(), [make_page(texts=[])]),
}


@pytest.mark.parametrize("name", ORIGINALS)
def test_an_original_stays_and_gets_its_text(name, tmp_path):
    given = ORIGINALS[name]()
    scale = 150 / 72
    before = render(given, scale=scale)
    page = make_page(size=(before.shape[1], before.shape[0]))
    data = write(given, [page])
    assert data.startswith(given)
    assert np.array_equal(render(data, scale=scale), before)
    check_text(data, page, tmp_path / "a.pdf")
    check_places(data, page)
    with pikepdf.open(io.BytesIO(given)) as old, pikepdf.open(io.BytesIO(data)) as new:
        assert (old.is_linearized, len(old.pages)) in ((True, 1), (False, 1))
        was, now = (contents(pdf.pages[0]) for pdf in (old, new))
        assert now[1:] == was
        pictures = [pdf.pages[0].resources.XObject.Picture for pdf in (old, new)]
        assert pictures[0].read_raw_bytes() == pictures[1].read_raw_bytes()
        assert old.docinfo == new.docinfo
        keys = {str(k) for k in new.pages[0].resources.Font}
        assert len(keys) == (2 if name == "own font" else 1)


def contents(page):
    found = page.get("/Contents")
    if found is None:
        return []
    streams = found if isinstance(found, pikepdf.Array) else [found]
    return [stream.read_raw_bytes() for stream in streams]


def test_only_the_pages_that_were_read_get_text(tmp_path):
    given = original(count=4)
    data = write(given, [make_page(number=2), make_page(number=4, texts=["ଚାରି"])])
    assert [bool(pdfium_lines(data, n)) for n in (1, 2, 3, 4)] == [False, True, False, True]
    check_text(data, make_page(), tmp_path / "a.pdf", 2)
    with pytest.raises(OutputError, match="has no page 5"):
        write(given, [make_page(number=5)])


def test_a_lost_page_leaves_the_others_their_numbers(tmp_path):
    given = original(3)
    with pikepdf.open(io.BytesIO(given)) as pdf:
        number = pdf.pages[1].objgen[0]
    at = given.index(b"\n%d 0 obj" % number)
    start, end = given.index(b"obj", at) + 3, given.index(b"endobj", at)
    lost = given[:start] + b" null".ljust(end - start) + given[end:]
    page = replace(make_page(), number=3)
    stream = io.BytesIO()
    PdfWriter(Origin("a", lost))([(page, None)], stream)
    data = stream.getvalue()
    assert data.startswith(lost)
    assert (pdfium_lines(data, 1), pdfium_lines(data, 3)) == (
        [],
        pdfium_lines(write(given, [page]), 3),
    )
    with pytest.raises(OutputError, match="it has no page 2"):
        PdfWriter(Origin("a", lost))([(replace(page, number=2), None)], io.BytesIO())
    torn = re.sub(rb"startxref\n\d+", b"startxref\n99", lost)
    with pytest.raises(OutputError, match="a page of it is lost"):
        PdfWriter(Origin("a", torn))([(page, None)], io.BytesIO())


def test_a_text_layer_that_is_there_is_not_doubled():
    from odia_ocr.pages.images import open_pages
    from odia_ocr.pages.text_layer import layer_page

    given = write(original(), [make_page()])
    file = open_pages(given)
    image = file.load(1)
    page = layer_page(file.text_layer(1, image.size), image)
    file.close()
    assert page.text
    again = write(given, [page])
    assert again.startswith(given)
    assert pdfium_lines(again) == pdfium_lines(given)


def test_the_halves_of_a_spread_lie_on_one_page():
    halves = [make_page(texts=["ବାମ"]), make_page(texts=["", "", "ଡାହାଣ"])]
    assert sorted(pdfium_lines(write(original(), halves))) == ["ଡାହାଣ", "ବାମ"]


@pytest.mark.parametrize("damage", ["table", "before"])
def test_a_broken_table_of_objects_is_mended(damage, tmp_path):
    given = original()
    if damage == "table":
        given = re.sub(rb"startxref\n\d+", b"startxref\n99", given)
    else:
        given = b"\n\n" + given
    page = make_page()
    data = write(given, [page])
    check_text(data, page, tmp_path / "a.pdf")


def encrypt(given, **lock):
    encryption = pikepdf.Encryption(user="", owner="o", **lock)
    return change(given, lambda pdf: None, encryption=encryption)


@pytest.mark.parametrize("lock", [{}, {"R": 3, "aes": False, "metadata": False}])
def test_an_encrypted_original_that_forbids_nothing_gets_its_text(lock, tmp_path):
    given = original()
    before = render(given, scale=150 / 72)
    page = make_page(size=(before.shape[1], before.shape[0]))
    data = write(encrypt(given, **lock), [page])
    check_text(data, page, tmp_path / "a.pdf")
    assert np.array_equal(render(data, scale=150 / 72), before)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert not pdf.is_encrypted


@pytest.mark.parametrize(
    ("allowed", "forbidden"),
    [
        ({"modify_other": False}, "changes"),
        ({"extract": False, "modify_annotation": False}, "copying, notes"),
    ],
)
def test_what_its_owner_forbids_is_kept(allowed, forbidden):
    given = encrypt(original(), allow=pikepdf.Permissions(**allowed))
    stream = io.BytesIO()
    with pytest.raises(OutputError, match=f"a: the PDF's owner forbids {forbidden},") as caught:
        PdfWriter(Origin("a", given))([(make_page(), None)], stream)
    assert "owner's password" in caught.value.next_step
    assert stream.getvalue() == b""


@pytest.mark.parametrize("given", [b"%PDF-1.7\nnothing", b"no picture", b""])
def test_what_is_no_document_is_refused(given):
    with pytest.raises(OutputError, match=r"^a: "):
        PdfWriter(Origin("a", given))([(make_page(), None)], io.BytesIO())


def test_an_original_that_is_gone_is_told(tmp_path):
    for content in (None, tmp_path / "gone.pdf"):
        with pytest.raises(OutputError, match=r"^(a|.*gone)"):
            PdfWriter(Origin("a", content))([(make_page(), None)], io.BytesIO())


def test_a_full_disk_is_not_called_a_broken_pdf():
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    for given in (original(), encode(picture(), "PNG")):
        with pytest.raises(OSError, match="No space"):
            PdfWriter(Origin("a", given))([(make_page(), None)], Full())


# The font -----------------------------------------------------------------------------------


def test_the_face_is_a_font_without_ink():
    font_tools = pytest.importorskip("fontTools.ttLib")
    face = font_tools.TTFont(io.BytesIO(make_face()), checkChecksums=2)
    assert face["maxp"].numGlyphs == 2
    glyph = face["glyf"][face.getGlyphName(1)]
    assert (glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax) == (0, -200, 500, 800)
    assert list(glyph.coordinates) == [(0, -200), (500, 800)]  # there and back: no area
    assert face["glyf"][".notdef"].numberOfContours == 0
    for table in ("OS/2", "cmap", "head", "hhea", "hmtx", "loca", "name", "post"):
        face[table]


def test_codes_stand_for_clusters_and_run_out_gently(monkeypatch):
    font = GlyphlessFont()
    assert font.encode("କ୍ଷ୍ମୀକ") == b"00010002"
    assert font.encode("କ") == b"0002"
    assert font.count("କ୍ଷ୍ମୀକ") == 2
    assert font.count("କ" + "\u0b01" * 20) == 21  # a cluster too long for one code
    assert font.encode("\ud800") == font.encode("?")
    monkeypatch.setattr("odia_ocr.export.pdf_font._LAST_CODE", 5)
    assert font.encode("ଖ12କ34") == b"000400050002"


def test_placements():
    for rotation, corner in ((0, (10, 120)), (90, (10, 20)), (180, (70, 20)), (270, (70, 120))):
        size = (600, 1000) if rotation in (0, 180) else (1000, 600)
        assert place_page(size, (10, 20, 70, 120), rotation).carry((0, 0)) == corner
        far = place_page(size, (10, 20, 70, 120), rotation).carry(size)
        assert far == (80 - corner[0], 140 - corner[1])


def test_lines_that_are_points_do_no_harm():
    dot = Line("a", ((5, 5),) * 4, reading=Reading("କ ଖ", 0.5))
    page = Page(
        "a", 1, SIZE, regions=(Region("r", ((0, 0),) * 3),), lines=(dot, Line("b", dot.polygon))
    )
    write(encode(picture(), "PNG"), [page])
