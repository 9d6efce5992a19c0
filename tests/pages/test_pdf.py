import contextlib
import io
import struct

import numpy as np
import pytest
from pdfs import OdiaFace, PdfWriter, odia_pdf
from PIL import Image

from odia_ocr.errors import PictureError, PictureTooLargeError
from odia_ocr.pages import pdf as pdf_module
from odia_ocr.pages.images import PageLimits, open_pages

A4 = (595, 842)


def scan(width, height, mode="L", seed=0):
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 255, (height // 8 + 1, width // 8 + 1)).astype(np.uint8)
    image = Image.fromarray(grey).resize((width, height))
    return image if mode == "L" else image.convert(mode)


def scanned_pdf(*images, over=b"", resources="", **options):
    pdf = PdfWriter()
    for image in images:
        pdf.picture_page(image, over=over, resources=resources, **options)
    return pdf.build()


@pytest.mark.parametrize(
    ("pixels", "points", "longest"),
    [
        ((1654, 2339), A4, 2339),  # 200 dpi: as it is
        ((5000, 7072), A4, 4678),  # 605 dpi: 400 are enough
        ((900, 1273), (2480, 3508), 1273),  # a page size that was made up
        ((2480, 3508), (149, 211), 3508),  # and one the other way: 1200 dpi on paper
        ((300, 424), A4, 1200),  # tiny: enlarged, not beyond need
    ],
)
def test_a_scan_is_drawn_at_its_own_resolution(pixels, points, longest):
    image = open_pages(scanned_pdf(scan(*pixels), size=points)).load(1)
    assert image.size[1] == pytest.approx(longest, abs=3)
    assert image.dpi == pytest.approx(72 * image.size[1] / points[1], rel=0.01)


def test_a_grey_scan_stays_grey_and_keeps_its_pixels():
    original = scan(600, 850)
    image = open_pages(scanned_pdf(original, size=(300, 425))).load(1)
    assert image.pixels.shape == (850, 600)
    assert np.abs(image.pixels.astype(int) - np.asarray(original)).mean() < 6
    assert open_pages(scanned_pdf(scan(600, 850, "RGB"))).load(1).pixels.ndim == 3
    assert open_pages(scanned_pdf(scan(600, 850, "1"))).load(1).pixels.ndim == 2


def test_text_over_a_picture_is_drawn_sharp_and_invisible_text_changes_nothing():
    def page(mode):
        pdf = PdfWriter()
        face = OdiaFace(pdf)
        over = face.draw(["ଧର୍ମ ଓ କର୍ମ"], mode=mode)
        pdf.picture_page(scan(827, 1170), over=over, resources=face.finish())
        return open_pages(pdf.build()).load(1).dpi

    assert page(3) == pytest.approx(100, abs=1)
    assert page(0) == pytest.approx(300, abs=1)


def test_drawn_pages_have_the_wanted_resolution_within_the_limit():
    data = odia_pdf(["ଧର୍ମ"])
    assert open_pages(data).load(1).size == (2480, 3509)
    assert open_pages(data, limits=PageLimits(pdf_dpi=150)).load(1).dpi == 150
    small = open_pages(data, limits=PageLimits(max_pixels=5000)).load(1)
    assert 4000 < small.size[0] * small.size[1] <= 5000


def test_a_picture_within_a_form_counts():
    pdf = PdfWriter()
    picture = pdf.picture(scan(1654, 2339))
    form = pdf.stream(
        b"q 595 0 0 842 0 0 cm /Im Do Q",
        f"/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Matrix [.5 0 0 .5 0 0] "
        f"/Resources << /XObject << /Im {picture} 0 R >> >>",
    )
    pdf.page(b"q 2 0 0 2 0 0 cm /Fm Do Q", resources=f"/XObject << /Fm {form} 0 R >>")
    assert open_pages(pdf.build()).load(1).size == (1654, 2340)


def test_a_turned_page_is_drawn_turned():
    data = scanned_pdf(scan(1654, 2339), more="/Rotate 90")
    assert open_pages(data).load(1).size == (2340, 1654)


def refuse(data, says, kind=PictureError):
    with pytest.raises(kind, match=says) as caught:
        open_pages(data, name="book.pdf").load(1)
    assert "book.pdf" in caught.value.message
    assert caught.value.next_step.endswith(".")


def test_a_protected_pdf_is_refused():
    pdf = PdfWriter()
    pdf.page(b"")
    lock = pdf.add(f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{'11' * 32}> /U <{'22' * 32}> >>")
    pdf.trailer = f"/Encrypt {lock} 0 R /ID [<{'00' * 16}> <{'00' * 16}>]"
    refuse(pdf.build(), "protected by a password")
    pdf.objects[lock - 1] = b"<< /Filter /Unheard /V 9 >>"
    refuse(pdf.build(), "password|not supported|corrupt")


def test_broken_empty_and_pageless_pdfs_are_refused():
    refuse(
        b"%PDF-1.7\nnothing here", "book.pdf: the PDF is truncated or corrupt: none of its pages"
    )
    refuse(b"%PDF-", "truncated or corrupt")
    refuse(b"", "empty")
    refuse(PdfWriter().build(), "no pages|corrupt")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\x1b%-12345X@PJL ENTER LANGUAGE=PDF\r\n", b"\x1b%-12345X"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\n\r\n", b""),
        (b"", b"\0" * 30_000),
    ],
    ids=["printer", "web", "zeros"],
)
def test_what_stands_before_or_after_a_pdf_does_no_harm(before, after):
    file = open_pages(before + scanned_pdf(scan(200, 280), scan(200, 280)) + after)
    assert (file.count, file.problems) == (2, ())
    assert file.load(2).size == open_pages(scanned_pdf(scan(200, 280))).load(1).size


def test_a_truncated_pdf_is_refused_or_says_that_pages_may_be_missing():
    data = scanned_pdf(*(scan(200, 280, seed=i) for i in range(4)))
    assert open_pages(data).problems == ()
    for share in (0.05, 0.3, 0.6, 0.9, 0.95):
        cut = data[: int(share * len(data))]
        with contextlib.suppress(PictureError):
            assert open_pages(cut, name="book.pdf").problems
    (problem,) = open_pages(data[: data.rfind(b"startxref")], name="book.pdf").problems
    assert problem.code == "damaged-file"
    assert "4 pages could be recovered, others may be missing" in problem.message


def test_a_sloppy_but_whole_pdf_is_no_problem():
    data = scanned_pdf(scan(200, 280))
    at = data.rfind(b"startxref")
    sloppy = data[:at] + b"startxref\n1\n%%EOF\n"
    file = open_pages(sloppy)
    assert (file.count, file.problems) == (1, ())


def test_a_bad_page_spoils_only_itself():
    pdf = PdfWriter()
    for seed in range(3):
        pdf.picture_page(scan(200, 280, seed=seed))
    pdf.objects[pdf.pages[1] - 1] = b"null"
    file = open_pages(pdf.build(), name="book.pdf")
    assert file.count == 3
    with pytest.raises(PictureError, match=r"book.pdf, page 2: .*corrupt"):
        file.load(2)
    assert file.load(3).number == 3


def test_a_scan_that_cannot_be_decoded_is_no_blank_page():
    pdf = PdfWriter()
    pdf.picture_page(scan(200, 280))
    broken = next(i for i, body in enumerate(pdf.objects) if b"/DCTDecode" in body)
    head, _ = pdf.objects[broken].split(b"stream\n", 1)
    pdf.objects[broken] = (
        head.replace(b"/Length", b"/Was").replace(b">>", b"/Length 4 >>")
        + b"stream\nnono\nendstream"
    )
    refuse(pdf.build(), "picture on this page is corrupt")
    # A page that is white because its picture is white is read.
    assert open_pages(scanned_pdf(Image.new("L", (200, 280), 255))).load(1).pixels.min() > 250


def test_a_bomb_in_a_pdf_is_not_decoded():
    pdf = PdfWriter()
    number = pdf.stream(
        bytes(99),
        "/Type /XObject /Subtype /Image /Width 20000 /Height 20000 "
        "/ColorSpace /DeviceRGB /BitsPerComponent 8",
    )
    pdf.page(b"q 595 0 0 842 0 0 cm /Im Do Q", resources=f"/XObject << /Im {number} 0 R >>")
    refuse(pdf.build(), "page 1: .*400 megapixels", PictureTooLargeError)


def test_scrambled_bytes_give_pages_or_a_clear_error():
    rng = np.random.default_rng(3)
    data = np.frombuffer(scanned_pdf(scan(120, 160), scan(120, 160, seed=1)), np.uint8)
    for _ in range(60):
        broken = data.copy()
        broken[rng.integers(0, len(broken), 25)] = rng.integers(0, 256, 25)
        with contextlib.suppress(PictureError):
            file = open_pages(broken.tobytes(), limits=PageLimits(max_pixels=1_000_000))
            for number in range(1, min(file.count, 3) + 1):
                file.load(number)


def test_the_document_is_opened_anew_once_in_a_while(monkeypatch):
    monkeypatch.setattr(pdf_module, "_PAGES_A_DOCUMENT", 2)
    shades = [20, 90, 160, 230, 60]
    file = open_pages(scanned_pdf(*(Image.new("L", (60, 80), shade) for shade in shades)))
    for number, shade in enumerate(shades, start=1):
        assert float(file.load(number).pixels.mean()) == pytest.approx(shade, abs=4)


def test_a_closed_file_gives_no_page():
    file = open_pages(scanned_pdf(scan(60, 80)))
    file.close()
    with pytest.raises(PictureError, match="closed"):
        file.load(1)


def test_what_a_file_is_is_told_by_its_content(tmp_path):
    path = tmp_path / "page.png"
    path.write_bytes(scanned_pdf(scan(60, 80)))
    assert open_pages(path).count == 1
    path = tmp_path / "page.pdf"
    packed = io.BytesIO()
    scan(60, 80).save(packed, "PNG")
    path.write_bytes(packed.getvalue())
    assert open_pages(path).load(1).size == (60, 80)
    assert struct.unpack(">I", packed.getvalue()[16:20]) == (60,)
