"""PDFs for the tests, written by hand: pictures, drawn Odia text, text layers right and wrong."""

from __future__ import annotations

import io
import itertools
import zlib
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
import uharfbuzz as hb
from PIL import Image

FACE = "LohitOdia-Regular.ttf"


@dataclass
class PdfWriter:
    """Numbered objects and a page tree."""

    objects: list[bytes] = field(default_factory=lambda: [b"", b""])
    pages: list[int] = field(default_factory=list)
    trailer: str = ""

    def add(self, body: bytes | str) -> int:
        self.objects.append(body.encode("latin-1") if isinstance(body, str) else body)
        return len(self.objects)

    def stream(self, data: bytes, entries: str = "") -> int:
        packed = zlib.compress(data)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {entries} >>\nstream\n"
        return self.add(head.encode("latin-1") + packed + b"\nendstream")

    def page(self, content: bytes, *, size=(595, 842), resources="", more="") -> None:
        number = self.stream(content)
        self.pages.append(
            self.add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size[0]} {size[1]}] "
                f"/Resources << {resources} >> /Contents {number} 0 R {more} >>"
            )
        )

    def picture(self, image: Image.Image) -> int:
        """An image object, JPEG for colour and grey, one bit a pixel for bilevel."""
        space = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "1": "/DeviceGray"}[image.mode]
        head = f"/Type /XObject /Subtype /Image /Width {image.width} /Height {image.height} "
        if image.mode == "1":
            return self.stream(image.tobytes(), f"{head} /ColorSpace {space} /BitsPerComponent 1")
        packed = io.BytesIO()
        image.save(packed, "JPEG", quality=92)
        data = packed.getvalue()
        entries = f"{head} /ColorSpace {space} /BitsPerComponent 8 /Filter /DCTDecode"
        return self.add(
            f"<< {entries} /Length {len(data)} >>\nstream\n".encode("latin-1")
            + data
            + b"\nendstream"
        )

    def picture_page(self, image: Image.Image, *, size=(595, 842), over=b"", resources="", more=""):
        number = self.picture(image)
        content = f"q {size[0]} 0 0 {size[1]} 0 0 cm /Im Do Q\n".encode() + over
        self.page(
            content, size=size, resources=f"/XObject << /Im {number} 0 R >> {resources}", more=more
        )

    def build(self) -> bytes:
        kids = " ".join(f"{number} 0 R" for number in self.pages)
        self.objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
        self.objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(self.pages)} >>".encode()
        out = io.BytesIO()
        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self.objects, start=1):
            places.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = out.tell()
        out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(self.objects) + 1))
        for place in places:
            out.write(b"%010d 00000 n \n" % place)
        size = len(self.objects) + 1
        out.write(f"trailer\n<< /Size {size} /Root 1 0 R {self.trailer} >>\n".encode("latin-1"))
        out.write(b"startxref\n%d\n%%%%EOF\n" % start)
        return out.getvalue()


@dataclass
class OdiaFace:
    """A shipped face embedded in a PDF; the text that it claims is chosen glyph by glyph.

    Args:
        pdf: The file it goes into.
        name: The name it is embedded with.
    """

    pdf: PdfWriter
    name: str = "LohitOdia"

    def __post_init__(self) -> None:
        data = (files("odia_ocr.data") / "fonts" / FACE).read_bytes()
        self._face = hb.Face(data)
        self._font = hb.Font(self._face)
        self._unit = 1000 / self._face.upem
        self._file = self.pdf.stream(data, f"/Length1 {len(data)}")
        self._glyphs: list[int] = []  # glyph of each CID, CIDs count from 1
        self._texts: list[str] = []

    def draw(self, lines, *, left=60, top=780, size=16, lead=30, claim="unicode", mode=0) -> bytes:
        """Content that draws lines of text.

        Args:
            lines: The texts to show.
            claim: "unicode" says what is shown; "drawing" the same letters in the order of the
                glyphs; "latin" other Latin characters, as legacy faces do; "private" private ones.
            mode: Text render mode; 3 is invisible.
        """
        parts = [f"BT {mode} Tr /F {size} Tf"]
        for row, line in enumerate(lines):
            x, y = float(left), float(top - row * lead)
            for cid, advance, dx, dy in self._shape(line, claim):
                place = f"{x + dx * size / 1000:.2f} {y + dy * size / 1000:.2f}"
                if self._texts[cid - 1] == " ":
                    # PDFium leaves out a space that stands alone in its string.
                    parts[-1] = parts[-1].replace("> Tj", f"{cid:04X}> Tj")
                else:
                    parts.append(f"1 0 0 1 {place} Tm <{cid:04X}> Tj")
                x += advance * size / 1000
        return ("\n".join(parts) + "\nET\n").encode("ascii")

    def finish(self) -> str:
        """Write the face; returns the entry for a page's resources."""
        to_glyph = np.array([0, *self._glyphs], ">u2").tobytes()
        widths = " ".join(
            str(round(self._font.get_glyph_h_advance(g) * self._unit)) for g in self._glyphs
        )
        chars = "\n".join(
            f"<{cid:04X}> <{text.encode('utf-16-be').hex()}>"
            for cid, text in enumerate(self._texts, start=1)
        )
        mapping = (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CMapName /X def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            f"{len(self._texts)} beginbfchar\n{chars}\nendbfchar\n"
            "endcmap end end"
        )
        add = self.pdf.add
        descriptor = add(
            f"<< /Type /FontDescriptor /FontName /{self.name} /Flags 4 /FontBBox [0 -400 1200 1000]"
            f" /ItalicAngle 0 /Ascent 900 /Descent -300 /CapHeight 700 /StemV 80"
            f" /FontFile2 {self._file} 0 R >>"
        )
        descendant = add(
            f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{self.name}"
            " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
            f" /FontDescriptor {descriptor} 0 R /CIDToGIDMap {self.pdf.stream(to_glyph)} 0 R"
            f" /W [1 [{widths}]] >>"
        )
        font = add(
            f"<< /Type /Font /Subtype /Type0 /BaseFont /{self.name} /Encoding /Identity-H"
            f" /DescendantFonts [{descendant} 0 R]"
            f" /ToUnicode {self.pdf.stream(mapping.encode('ascii'))} 0 R >>"
        )
        return f"/Font << /F {font} 0 R >>"

    def _shape(self, line: str, claim: str):
        buffer = hb.Buffer()
        buffer.add_str(line)
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        infos, places = buffer.glyph_infos, buffer.glyph_positions
        starts = [*sorted({info.cluster for info in infos}), len(line)]
        spans = {start: line[start:end] for start, end in itertools.pairwise(starts)}
        seen: set[int] = set()
        for info, place in zip(infos, places, strict=True):
            text = spans[info.cluster] if info.cluster not in seen else "\u200b"
            seen.add(info.cluster)
            if text.strip() and claim == "drawing" and text[-1] in "\u0b47\u0b3f":
                # The sign before its letter, as it is drawn or stored by careless programs.
                text = text[-1] + text[:-1]
            elif text.strip() and claim == "latin":
                text = chr(0xC0 + info.codepoint % 0x3F) if info.codepoint % 3 else "\u2021"
            elif text.strip() and claim == "private":
                text = chr(0xE000 + info.codepoint % 0x800)
            self._glyphs.append(info.codepoint)
            self._texts.append(text)
            yield (
                len(self._glyphs),
                place.x_advance * self._unit,
                place.x_offset * self._unit,
                place.y_offset * self._unit,
            )


def odia_pdf(lines, *, claim="unicode", name="LohitOdia", mode=0, more="", **draw) -> bytes:
    """One page of drawn Odia text."""
    pdf = PdfWriter()
    face = OdiaFace(pdf, name)
    content = face.draw(lines, claim=claim, mode=mode, **draw)
    pdf.page(content, resources=face.finish(), more=more)
    return pdf.build()
