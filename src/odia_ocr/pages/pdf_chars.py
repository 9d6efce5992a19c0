"""The characters of a PDF page and where they stand in its pixels, by PDFium's text calls.

Whoever calls holds PDFium's lock. Whether the characters mean anything is not decided here.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

from odia_ocr.pages.text_layer import LayerChar


def read_chars(raw: Any, page: Any, size: tuple[int, int]) -> list[LayerChar]:
    """All characters of a page with their boxes in pixels, in the order of the file."""
    textpage = page.get_textpage()
    try:
        transform = _to_pixels(raw, page, size)
        turned = page.get_rotation() % 360
        left, right, bottom, top = (ctypes.c_double() for _ in range(4))
        loose = raw.FS_RECTF()
        chars: list[LayerChar] = []
        high = 0
        for i in range(textpage.count_chars()):
            code = int(raw.FPDFText_GetUnicode(textpage, i))
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
            elif code in (0x02, 0xFFFE):  # how PDFium tells a hyphen at the end of a line
                code = 0x2D
            high = 0
            box = None
            if raw.FPDFText_GetCharBox(textpage, i, left, right, bottom, top):
                xs, ys = [left.value, right.value], [bottom.value, top.value]
                if raw.FPDFText_GetLooseCharBox(textpage, i, loose):
                    xs += [loose.left, loose.right]
                    ys += [loose.bottom, loose.top]
                box = _carry_box(transform, min(xs), min(ys), max(xs), max(ys))
            angle = math.degrees(raw.FPDFText_GetCharAngle(textpage, i)) - turned
            chars.append(
                LayerChar(
                    text=chr(code) if code <= 0x10FFFF else "\ufffd",
                    box=box,
                    generated=raw.FPDFText_IsGenerated(textpage, i) == 1,
                    upright=abs((angle + 180) % 360 - 180) < 10,
                    unmapped=raw.FPDFText_HasUnicodeMapError(textpage, i) == 1,
                    font=_font_name(raw, textpage, i),
                )
            )
        return chars
    finally:
        textpage.close()


def _font_name(raw: Any, textpage: Any, index: int) -> str:
    flags = ctypes.c_int()
    buffer = ctypes.create_string_buffer(128)
    used = raw.FPDFText_GetFontInfo(textpage, index, buffer, len(buffer), flags)
    if not 0 < used <= len(buffer):
        return ""
    return buffer.value.decode("utf-8", "replace")


def _to_pixels(raw: Any, page: Any, size: tuple[int, int]) -> tuple[float, ...]:
    """The matrix from page points to pixels of a page drawn at `size`; knows crop and rotation."""
    fine = 1 << 20  # PDFium answers in whole units, so a very large page is asked for
    x, y = ctypes.c_int(), ctypes.c_int()

    def place(point_x: float, point_y: float) -> tuple[float, float]:
        raw.FPDF_PageToDevice(page, 0, 0, fine, fine, 0, point_x, point_y, x, y)
        return x.value / fine * size[0], y.value / fine * size[1]

    span = 100.0
    zero, right, up = place(0, 0), place(span, 0), place(0, span)
    return (
        (right[0] - zero[0]) / span,
        (right[1] - zero[1]) / span,
        (up[0] - zero[0]) / span,
        (up[1] - zero[1]) / span,
        zero[0],
        zero[1],
    )


def _carry_box(
    matrix: tuple[float, ...], left: float, bottom: float, right: float, top: float
) -> tuple[float, float, float, float]:
    a, b, c, d, e, f = matrix
    xs = (a * left + c * bottom + e, a * right + c * top + e)
    ys = (b * left + d * bottom + f, b * right + d * top + f)
    return min(xs), min(ys), max(xs), max(ys)
