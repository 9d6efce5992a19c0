"""Make the small files from which the readers are fuzzed: tests/corpus, the same bytes each time.

    python scripts/make_corpus.py

Pictures are parts of the sample page; label files are written by the project's own writers.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image

from odia_ocr.data.sets.formats import FORMATS
from odia_ocr.data.sets.sample import BytesPicture, Sample

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "tests" / "corpus"
TEXTS = ("ଓଡ଼ିଶା ରାଜ୍ୟ", "ନଦୀ କୂଳରେ")
LABELS = ("folder", "jsonl", "alto", "page", "label-studio")


def main() -> None:
    shutil.rmtree(CORPUS, ignore_errors=True)
    CORPUS.mkdir(parents=True)
    sheet = Image.open(ROOT / "samples/page.png").convert("L")
    parts = [sheet.crop((0, top, 440, top + 60)).resize((176, 24)) for top in (100, 280, 400)]
    for name, content in {**make_pictures(parts), **make_pdfs(parts)}.items():
        (CORPUS / name).write_bytes(content)
    for name in LABELS:
        write = FORMATS[name].write
        assert write is not None
        write(make_samples(parts), CORPUS / name)
    size = sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file())
    print(f"{CORPUS}: {size} bytes")


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def make_pictures(parts: list[Image.Image]) -> dict[str, bytes]:
    """Every kind that is read, and files that are not whole."""
    first, *others = parts
    colour = first.convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    more = {"save_all": True, "append_images": others}
    made = {
        "grey.png": encode(first, "PNG", dpi=(300, 300)),
        "palette.png": encode(colour.quantize(8), "PNG"),
        "deep.png": encode(first.convert("I;16"), "PNG"),
        "clear.png": encode(colour.convert("RGBA"), "PNG"),
        "turned.jpg": encode(colour, "JPEG", quality=60, exif=exif.tobytes()),
        "cmyk.jpg": encode(colour.convert("CMYK"), "JPEG", quality=40),
        "gradual.jpg": encode(first, "JPEG", quality=50, progressive=True),
        "pages-lzw.tif": encode(first, "TIFF", compression="tiff_lzw", **more),
        "pages-deflate.tif": encode(first, "TIFF", compression="tiff_adobe_deflate", **more),
        "fax.tif": encode(first.convert("1"), "TIFF", compression="group4"),
        "jpeg.tif": encode(colour, "TIFF", compression="jpeg"),
        "lossy.webp": encode(colour, "WEBP", quality=40),
        "whole.webp": encode(first, "WEBP", lossless=True),
        "moving.gif": encode(first, "GIF", **more),
        "grey.bmp": encode(first.crop((0, 0, 60, 20)), "BMP"),
        "bits.pbm": encode(first.convert("1"), "PPM"),
    }
    return made | {
        "cut.png": made["grey.png"][: len(made["grey.png"]) // 2],
        "cut.jpg": made["turned.jpg"][: len(made["turned.jpg"]) // 2],
        "cut.tif": made["pages-lzw.tif"][: len(made["pages-lzw.tif"]) // 2],
        "head.webp": made["lossy.webp"][:24],
        "empty.png": b"",
        "text.png": "ଓଡ଼ିଆ\n".encode(),
    }


def make_pdfs(parts: list[Image.Image]) -> dict[str, bytes]:
    """Two pages of pictures, and one of text, written by hand so that no date is in it."""
    drawn = [encode(part, "JPEG", quality=40) for part in parts[:2]]
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 2/Kids[3 0 R 6 0 R]>>"]
    for number, data in enumerate(drawn):
        at = 3 + 3 * number
        show = b"q 176 0 0 24 0 0 cm /P Do Q BT /F 9 Tf 5 5 Td (line) Tj ET"
        objects += [
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 176 24]/Contents %d 0 R/Resources"
            b"<</XObject<</P %d 0 R>>/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>"
            % (at + 1, at + 2),
            b"<</Length %d>>\nstream\n%s\nendstream" % (len(show), show),
            b"<</Type/XObject/Subtype/Image/Width 176/Height 24/ColorSpace/DeviceGray"
            b"/BitsPerComponent 8/Filter/DCTDecode/Length %d>>\nstream\n%s\nendstream"
            % (len(data), data),
        ]
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(content)
    content += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    content += b"".join(b"%010d 00000 n \n" % place for place in places)
    content += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        start,
    )
    return {"pages.pdf": content, "cut.pdf": content[: start - 200], "head.pdf": content[:40]}


def make_samples(parts: list[Image.Image]) -> list[Sample]:
    return [
        Sample(f"line{number}", BytesPicture(f"line{number}", encode(part, "PNG")), text)
        for number, (part, text) in enumerate(zip(parts, TEXTS, strict=False))
    ]


if __name__ == "__main__":
    main()
