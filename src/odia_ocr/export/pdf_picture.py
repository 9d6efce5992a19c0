"""A new PDF of pictures, each embedded as it came, with its text invisibly on it.

A JPEG goes in as its own bytes, turned by the page's transformation as its EXIF says; any other
picture goes in pixel for pixel, with its palette, transparency, depth and colour profile. A page
is as large as its resolution says, 300 dots per inch where it is silent, and shown turned when its
text lies on its side or head.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from odia_ocr.errors import OutputError
from odia_ocr.export.markup import software
from odia_ocr.export.pdf_file import HEADER, PdfFile, number_text, text_string
from odia_ocr.export.pdf_font import GlyphlessFont
from odia_ocr.export.pdf_text import find_rotation, place_page, write_text_layer
from odia_ocr.runtime import lift_pillow_limit, turn_to_page
from odia_ocr.types import Page

_DPI = 300.0  # where the picture does not say
_DPI_RANGE = (50.0, 2400.0)
_LONGEST_SIDE = 14400.0  # of a page, in points (ISO 32000-1, annex C)
_ROWS = 256  # that are compressed at a time
_ORIENTATION = 0x0112  # EXIF tag
_FONT = b"OdiaOcr"

# (a, b, c, d, e, f) for a page of 1 x 1: where EXIF says the stored picture's corners belong.
_TURNS = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}
# What Pillow calls the pixels: PDF's colour space, bits, and values a pixel.
_SPACES = {
    "1": (b"/DeviceGray", 1, 1),
    "L": (b"/DeviceGray", 8, 1),
    "RGB": (b"/DeviceRGB", 8, 3),
    "CMYK": (b"/DeviceCMYK", 8, 4),
}


@dataclass(frozen=True, slots=True)
class _Picture:
    """An embedded picture: its object, how it is turned, and its size as seen, in points."""

    number: int
    turn: tuple[int, int, int, int, int, int]
    width: float
    height: float


def write_picture_pdf(
    name: str, original: BinaryIO, pages: Iterable[Page], stream: BinaryIO
) -> None:
    """Write a PDF of the pictures that `pages` were read from.

    Args:
        name: Of the document, for messages and as its title.
        original: The picture file, seekable; a TIFF may hold several.
        pages: In the order of their numbers; pictures that are not among them are left out.
        stream: Where to.

    Raises:
        OutputError: If a picture is broken.
    """
    file = PdfFile(stream)
    file.write(HEADER)
    catalog, tree, font_number = file.reserve(), file.reserve(), file.reserve()
    font = GlyphlessFont()
    kids: list[int] = []
    with _explained(name), _open(original) as image:
        for number, group in groupby(pages, key=lambda page: page.number):
            picture = _embed(file, original, image, number)
            box = (0.0, 0.0, picture.width, picture.height)
            parts = list(group)
            placed = [(page, place_page(page.size, box)) for page in parts]
            width, height = number_text(picture.width), number_text(picture.height)
            a, b, c, d, e, f = picture.turn
            scaled = (
                number_text(part * side)
                for part, side in zip(
                    (a, b, c, d, e, f), (picture.width, picture.height) * 3, strict=True
                )
            )
            drawing = b"q %s cm /Picture Do Q\n" % b" ".join(scaled)
            layer = write_text_layer(placed, font, _FONT)
            content = file.put_packed(drawing + layer)
            fonts = b" /Font << /%s %d 0 R >>" % (_FONT, font_number) if layer else b""
            kids.append(
                file.put(
                    b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Rotate %d "
                    b"/Contents %d 0 R /Resources << /XObject << /Picture %d 0 R >>%s >> >>"
                    % (tree, width, height, find_rotation(parts), content, picture.number, fonts)
                )
            )
    font.write(file, font_number)
    rows = b" ".join(b"%d 0 R" % kid for kid in kids)
    file.put(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), rows), number=tree)
    file.put(b"<< /Type /Catalog /Pages %d 0 R /Lang (or) >>" % tree, number=catalog)
    producer = text_string(" ".join(software()).strip())
    info = file.put(b"<< /Title %s /Producer %s >>" % (text_string(name), producer))
    file.end(b"/Root %d 0 R /Info %d 0 R" % (catalog, info))


def _open(original: BinaryIO) -> Image.Image:
    with lift_pillow_limit():
        return Image.open(original)


def _embed(file: PdfFile, original: BinaryIO, image: Image.Image, number: int) -> _Picture:
    if image.format == "TIFF":
        turn_to_page(image, number)
    dpi = _read_dpi(image)
    if image.format in ("JPEG", "MPO"):
        original.seek(0)
        data = original.read()
        frame = read_jpeg_frame(data)
        if frame is not None:
            return _embed_jpeg(file, image, data, frame, dpi)
    image.load()
    upright = ImageOps.exif_transpose(image)
    return _measure(_embed_pixels(file, upright), _TURNS[1], upright.size, dpi)


def _measure(
    number: int,
    turn: tuple[int, int, int, int, int, int],
    size: tuple[int, int],
    dpi: tuple[float, float],
) -> _Picture:
    width, height = (72 * side / per_inch for side, per_inch in zip(size, dpi, strict=True))
    shrink = min(1.0, _LONGEST_SIDE / max(width, height))
    return _Picture(number, turn, width * shrink, height * shrink)


def _read_dpi(image: Image.Image) -> tuple[float, float]:
    """Dots per inch, across and down, of the stored picture."""
    try:
        across, down = (float(value) for value in image.info["dpi"][:2])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return _DPI, _DPI
    low, high = _DPI_RANGE
    return (across, down) if low <= across <= high and low <= down <= high else (_DPI, _DPI)


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What a JPEG's frame header says.

    Attributes:
        size: (width, height) in pixels, as stored.
        components: 1 grey, 3 colour, 4 ink.
        inverted: Ink is stored upside down, as Adobe's programs do.
    """

    size: tuple[int, int]
    components: int
    inverted: bool


def read_jpeg_frame(data: bytes) -> JpegFrame | None:
    """The frame of a JPEG, or None where PDF cannot take it as it is.

    PDF takes baseline, extended and progressive frames of 8 bits (ISO 32000-1, 7.4.8).
    """
    place, adobe = 2, False
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # fill
            place += 1
            continue
        length = struct.unpack_from(">H", data, place + 2)[0]
        body = data[place + 4 : place + 2 + length]
        if marker == 0xEE and body.startswith(b"Adobe"):
            adobe = True
        if marker in (0xC0, 0xC1, 0xC2) and len(body) >= 6:
            bits, height, width, components = struct.unpack_from(">BHHB", body)
            if bits != 8 or not width or not height or components not in (1, 3, 4):
                return None
            return JpegFrame((width, height), components, adobe and components == 4)
        if marker in (0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xDA):
            return None
        place += 2 + length
    return None


def _embed_jpeg(
    file: PdfFile,
    image: Image.Image,
    data: bytes,
    frame: JpegFrame,
    dpi: tuple[float, float],
) -> _Picture:
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[frame.components]
    # The decoder is told what four inks mean by this; three colours it knows from the file.
    decode = b" /Decode [1 0 1 0 1 0 1 0]" if frame.inverted else b""
    space = _colour_space(file, mode, image.info.get("icc_profile"))
    number = file.put_stream(
        data,
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s "
        b"/BitsPerComponent 8 /Filter /DCTDecode%s" % (*frame.size, space, decode),
    )
    try:
        orientation = int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF beside good pixels: the picture lies as it is stored
        orientation = 1
    size = frame.size
    if orientation in (5, 6, 7, 8):
        size, dpi = (size[1], size[0]), (dpi[1], dpi[0])
    return _measure(number, _TURNS.get(orientation, _TURNS[1]), size, dpi)


def _embed_pixels(file: PdfFile, image: Image.Image) -> int:
    if image.mode in ("LA", "RGBA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
        mask = _embed_plain(file, layer.getchannel("A"))
        colours = layer.convert("L" if layer.mode == "LA" else "RGB")
        return _embed_plain(file, colours, b" /SMask %d 0 R" % mask)
    return _embed_plain(file, image)


def _embed_plain(file: PdfFile, image: Image.Image, more: bytes = b"") -> int:
    width, height = image.size
    parameters = b""
    if image.mode == "P":
        palette = image.getpalette("RGB") or []
        colours = bytes(palette[: 3 * 256])
        space = b"[/Indexed /DeviceRGB %d <%s>]" % (
            max(0, len(colours) // 3 - 1),
            colours.hex().encode(),
        )
        bits, values = 8, 1
    elif image.mode.startswith("I;16"):
        space, bits, values = b"/DeviceGray", 16, 1
    else:
        if image.mode in ("I", "F"):
            image = _squeeze(image)
        elif image.mode not in _SPACES:
            image = image.convert("RGB")
        _, bits, values = _SPACES[image.mode]
        space = _colour_space(file, image.mode, image.info.get("icc_profile"))
    predicted = bits == 8 and image.mode != "P"
    if predicted:
        # Each value less its left neighbour (TIFF predictor 2): half the size, and still exact.
        parameters = b" /DecodeParms << /Predictor 2 /Colors %d /BitsPerComponent 8 /Columns %d >>"
        parameters %= (values, width)
    packer = zlib.compressobj(6)
    strips = (
        image.crop((0, top, width, min(top + _ROWS, height))) for top in range(0, height, _ROWS)
    )
    data = b"".join(packer.compress(_pack_rows(strip, predicted)) for strip in strips)
    return file.put_stream(
        data + packer.flush(),
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace %s "
        b"/BitsPerComponent %d /Filter /FlateDecode%s%s"
        % (width, height, space, bits, parameters, more),
    )


def _pack_rows(rows: Image.Image, predicted: bool) -> bytes:
    if rows.mode.startswith("I;16"):
        return np.asarray(rows).astype(">u2").tobytes()
    if not predicted:
        return rows.tobytes()
    values = np.array(rows)  # (rows, width) or (rows, width, values)
    values[:, 1:] -= values[:, :-1].copy()
    return values.tobytes()


def _squeeze(image: Image.Image) -> Image.Image:
    """8 bits from 32: PDF has no deeper pixels of this kind."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    low, high = min(0.0, float(values.min())), max(float(values.max()), 1.0)
    return Image.fromarray(np.rint(255 * (values - low) / (high - low)).astype(np.uint8))


def _colour_space(file: PdfFile, mode: str, profile: object) -> bytes:
    """By the picture's own profile where it has a fitting one, else by the device."""
    device, _, values = _SPACES[mode]
    kinds = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}
    if not isinstance(profile, bytes) or profile[16:20] != kinds.get(mode):
        return device
    return b"[/ICCBased %d 0 R]" % file.put_packed(
        profile, b"/N %d /Alternate %s" % (values, device)
    )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what Pillow raises on a broken picture into `OutputError`; a full disk passes."""
    try:
        yield
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the system; Pillow's own carry no number
        raise OutputError(
            f"{name}: the picture cannot be embedded ({error}).",
            next_step="Save it as PNG or JPEG first; the other formats do not need that.",
        ) from error
