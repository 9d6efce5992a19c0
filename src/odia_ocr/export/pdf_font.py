"""A font without ink: gives each piece of text a code, a width and its Unicode, draws nothing.

A Type0 font with Identity-H codes of two bytes (ISO 32000-1, 9.7) over a TrueType face that is
made here, table by table (OpenType specification, "otff"). Its one glyph is a line there and back
across the font's box: no area, so no ink, but programs that ask for a letter's box find one. A
code stands for a grapheme cluster, so that selecting and searching go by whole letters, and the
ToUnicode map spells it in logical order. The map is written last, when all clusters are known.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from odia_ocr.export.pdf_file import PdfFile
from odia_ocr.language import split_clusters

ASCENT, DESCENT = 0.8, 0.2  # of the font size, above and below the baseline
ADVANCE = 0.5  # of the font size, of every code

_NAME = b"OdiaOcrGlyphless"
_LONGEST = 8  # UTF-16 units of one code; some programs cut longer ones
_LAST_CODE = 0xFFFE
_EM = 1000


@dataclass(slots=True)
class GlyphlessFont:
    """The codes in use in one file, each with its text."""

    _codes: dict[str, int] = field(default_factory=dict)

    def encode(self, text: str) -> bytes:
        """Codes of `text` in hexadecimal, four digits each.

        Clusters get codes as they come; once all are taken, what has none is left out.
        """
        codes = [self._codes.get(piece) or self._add(piece) for piece in _pieces(text)]
        return b"".join(b"%04x" % code for code in codes if code)

    def count(self, text: str) -> int:
        """How many codes `text` takes."""
        return len(_pieces(text))

    def _add(self, piece: str) -> int:
        code = len(self._codes) + 1
        if code > _LAST_CODE:
            return 0
        self._codes[piece] = code
        return code

    def write(self, file: PdfFile, number: int) -> None:
        """Write the font and all it needs; `number` was reserved for it."""
        face = make_face()
        program = file.put_packed(face, b"/Length1 %d" % len(face))
        descriptor = file.put(
            b"<< /Type /FontDescriptor /FontName /%s /Flags 4 /FontBBox [0 %d %d %d] "
            b"/ItalicAngle 0 /Ascent %d /Descent %d /CapHeight %d /StemV 80 /FontFile2 %d 0 R >>"
            % (
                _NAME,
                -DESCENT * _EM,
                ADVANCE * _EM,
                ASCENT * _EM,
                ASCENT * _EM,
                -DESCENT * _EM,
                ASCENT * _EM,
                program,
            )
        )
        glyphs = file.put_packed(b"\x00\x01" * 65536)  # every code draws the same nothing
        descendant = file.put(
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDToGIDMap %d 0 R "
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            b"/FontDescriptor %d 0 R /DW %d >>" % (_NAME, glyphs, descriptor, ADVANCE * _EM)
        )
        unicode = file.put_packed(self._unicode_map())
        file.put(
            b"<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H "
            b"/DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>" % (_NAME, descendant, unicode),
            number=number,
        )

    def _unicode_map(self) -> bytes:
        """A CMap from codes to UTF-16 (ISO 32000-1, 9.10.3)."""
        rows = [
            b"<%04x> <%s>" % (code, piece.encode("utf-16-be").hex().encode())
            for piece, code in self._codes.items()
        ]
        # A block holds a hundred rows at most.
        blocks = [rows[start : start + 100] for start in range(0, len(rows), 100)]
        body = b"\n".join(
            b"%d beginbfchar\n%s\nendbfchar" % (len(block), b"\n".join(block)) for block in blocks
        )
        return (
            b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            b"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            b"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
            + body
            + b"\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        )


def _pieces(text: str) -> list[str]:
    text = text.encode("utf-16-be", "replace").decode("utf-16-be")  # no half surrogates
    pieces: list[str] = []
    for cluster in split_clusters(text):
        short = len(cluster.encode("utf-16-be")) <= 2 * _LONGEST
        pieces.extend([cluster] if short else cluster)
    return pieces


def make_face() -> bytes:
    """A TrueType font of two glyphs: .notdef, which is empty, and the one that every code draws."""
    advance, ascent, descent = (round(part * _EM) for part in (ADVANCE, ASCENT, DESCENT))
    glyph = struct.pack(">hhhhhHH", 1, 0, -descent, advance, ascent, 1, 0)
    # The first point lies at (0, -descent), told in a byte; the second is told in words.
    glyph += struct.pack(">BBhBhx", 0x15, 0x01, advance, descent, ascent + descent)
    tables = {
        b"OS/2": _os2(advance, ascent, descent),
        b"cmap": struct.pack(">HHHHI", 0, 1, 3, 1, 12) + _empty_cmap(),
        b"glyf": glyph,
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh",
            *(0x00010000, 0x00010000, 0, 0x5F0F3CF5, 0x0003, _EM, 0, 0),
            *(0, -descent, advance, ascent, 0, 8, 2, 0, 0),
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH",
            *(0x00010000, ascent, -descent, 0, advance, 0, 0, advance),
            *(1, 0, 0, 0, 0, 0, 0, 0, 1),
        ),
        b"hmtx": struct.pack(">Hhh", advance, 0, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(glyph) // 2),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x00010000, 2, 2, 1, 0, 0, 2, *([0] * 8)),
        b"name": _names(),
        b"post": struct.pack(">IIhhIIIII", 0x00030000, 0, 0, 0, 1, 0, 0, 0, 0),
    }
    return _join_tables(tables)


def _join_tables(tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    power = count.bit_length() - 1
    reach = 16 << power
    head = struct.pack(">IHHHH", 0x00010000, count, reach, power, 16 * count - reach)
    directory, body = b"", b""
    offset = len(head) + 16 * count
    for tag, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        directory += struct.pack(">4sIII", tag, _sum(padded), offset + len(body), len(data))
        body += padded
    whole = head + directory + body
    # The file's own sum stands in `head`, eight bytes in.
    place = offset + sum(
        len(data) + -len(data) % 4 for tag, data in sorted(tables.items()) if tag < b"head"
    )
    total = (0xB1B0AFBA - _sum(whole)) & 0xFFFFFFFF
    return whole[: place + 8] + struct.pack(">I", total) + whole[place + 12 :]


def _sum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) & 0xFFFFFFFF


def _empty_cmap() -> bytes:
    """Format 4 with the closing segment only."""
    return struct.pack(">HHHHHHHHHHhH", 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0)


def _names() -> bytes:
    names = {1: _NAME, 2: b"Regular", 4: _NAME, 6: _NAME}
    texts = [name.decode().encode("utf-16-be") for name in names.values()]
    records, offset = b"", 0
    for key, text in zip(names, texts, strict=True):
        records += struct.pack(">HHHHHH", 3, 1, 0x409, key, len(text), offset)
        offset += len(text)
    return struct.pack(">HHH", 0, len(names), 6 + len(records)) + records + b"".join(texts)


def _os2(advance: int, ascent: int, descent: int) -> bytes:
    return (
        struct.pack(">HhHHH", 4, advance, 400, 5, 0)
        + struct.pack(">hhhhhhhhhhh", *([0] * 11))
        + bytes(10)  # PANOSE
        + struct.pack(">IIII", 0, 0, 0, 0)
        + b"    "
        + struct.pack(">HHH", 0x0040, 0xFFFF, 0xFFFF)
        + struct.pack(">hhhHH", ascent, -descent, 0, ascent, descent)
        + struct.pack(">II", 0, 0)
        + struct.pack(">hhHHH", 0, 0, 0, 32, 1)
    )
