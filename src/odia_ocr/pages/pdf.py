"""Pages of a PDF become pixels, drawn by PDFium at the resolution that fits them.

A page that is a scan is drawn at the scan's own resolution, so that no detail is lost and none is
invented; a page with drawn text at the resolution of `PageLimits`. The text layer is handed out as
it stands: whether it can be trusted is not decided here. PDFium is not safe for threads, so one
lock guards every call.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from odia_ocr.errors import PictureError, PictureTooLargeError
from odia_ocr.pages.pdf_chars import read_chars
from odia_ocr.pages.text_layer import TextLayer, assemble
from odia_ocr.runtime import PDFIUM_LOCK
from odia_ocr.types import PageImage, Problem

if TYPE_CHECKING:
    from odia_ocr.pages.images import PageLimits
    from odia_ocr.types import Pixels

_POINTS_PER_INCH = 72.0
_WHITE = (255, 255, 255, 255)
_SCAN_SHARE = 0.6  # of the page: larger pictures without drawn text on them are a scan
_SCAN_DPI = (150.0, 400.0)
# A PDF's page size is often made up, so a scan is scaled by its resolution only beyond these
# longest sides, in pixels: enlarged below the first, reduced above the second.
_SCAN_SIDE = (1200.0, 4200.0)
_DRAWN_PIXELS = 50_000_000  # a poster need not be drawn at 300 dpi
_FORM_DEPTH = 4
_TINY = 0.75  # of the lower bounds: a scan that is hardly smaller is not resampled
# PDFium keeps what it has parsed; opened anew after so many pages, memory stays flat.
_PAGES_A_DOCUMENT = 200
_TAIL = 1 << 20  # bytes at the end among which a whole PDF has its end mark


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a page is made of.

    Attributes:
        scale: Pixels a point of its finest large picture; 0 without one.
        picture_share: Of the page, covered by pictures, 0..1.
        drawn: Drawn text or many drawn shapes lie on it.
        grey: All its pictures are grey and nothing else is drawn.
        paths: Number of drawn shapes.
    """

    scale: float = 0.0
    picture_share: float = 0.0
    drawn: bool = True
    grey: bool = False
    paths: int = 0


class PdfFile:
    """An open PDF.

    Args:
        source: Name for messages and results.
        stream: The content, seekable; closed by `close`.
        limits: Resolution and largest page.

    Attributes:
        problems: What is wrong with the file as a whole though it opens.

    Raises:
        PictureError: If the file is encrypted, broken or has no pages.
    """

    def __init__(self, source: str, stream: BinaryIO, limits: PageLimits) -> None:
        import pypdfium2
        import pypdfium2.raw

        self.source = source
        self._stream = stream
        self._limits = limits
        self._error = pypdfium2.PdfiumError
        self._open_document = pypdfium2.PdfDocument
        self._raw: Any = pypdfium2.raw
        self._drawn_pages = 0
        with PDFIUM_LOCK:
            try:
                self._document: Any = pypdfium2.PdfDocument(stream)
            except pypdfium2.PdfiumError as error:
                raise _explain(source, error) from None
            self.count = len(self._document)
            rebuilt = not self._raw.FPDF_DocumentHasValidCrossReferenceTable(self._document)
        if self.count == 0:
            self.close()
            raise PictureError(f"{source}: the PDF has no pages.", next_step="Export it again.")
        self.problems: tuple[Problem, ...] = ()
        if rebuilt and not _has_end(stream):
            self.problems = (
                Problem(
                    "damaged-file",
                    f"The PDF breaks off before its end; {self.count} pages could be recovered, "
                    "others may be missing.",
                    "Copy, download or export it again.",
                ),
            )

    def load(self, number: int) -> PageImage:
        """Draw page `number`, counted from 1.

        Raises:
            PictureError: If the page is broken.
            PictureTooLargeError: If a picture on it is over the limit; nothing was decoded then.
        """
        with self._page(number) as page:
            contents = self._look_into(number, page)
            width, height = page.get_size()
            scale = self._scale(width, height, contents)
            bitmap = page.render(
                scale=scale, fill_color=_WHITE, rev_byteorder=True, grayscale=contents.grey
            )
            pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
            bitmap.close()
            if contents.picture_share > _SCAN_SHARE and not contents.drawn:
                self._check_scan(number, page, pixels)
        if pixels.ndim == 3 and pixels.shape[2] != 3:
            pixels = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, :3]
        return PageImage(self.source, number, np.ascontiguousarray(pixels), self._dpi(scale))

    def text_layer(self, number: int, size: tuple[int, int]) -> TextLayer | None:
        """The text layer of page `number`, as it stands in the file.

        Args:
            number: From 1.
            size: (width, height) in pixels of the page as `load` draws it.

        Returns:
            The layer in those pixels; None when the page has no text.

        Raises:
            PictureError: If the page is broken.
        """
        with self._page(number) as page:
            chars = read_chars(self._raw, page, size)
            if not any(char.text.strip() for char in chars):
                return None
            contents = self._look_into(number, page)
        return assemble(chars, picture_share=contents.picture_share, drawn_shapes=contents.paths)

    def close(self) -> None:
        """Let the file go."""
        with PDFIUM_LOCK:
            if self._document is not None:
                self._document.close()
            self._document = None
        self._stream.close()

    @contextlib.contextmanager
    def _page(self, number: int) -> Iterator[Any]:
        """The open page, with PDFium locked and its errors translated."""
        with PDFIUM_LOCK:
            if self._document is None:
                raise PictureError(f"{self.source} was closed before page {number} was read.")
            try:
                self._renew()
                page = self._document[number - 1]
                try:
                    yield page
                finally:
                    page.close()
            except (self._error, OSError, ValueError) as error:
                raise PictureError(
                    f"{self.source}, page {number}: the page is corrupt and cannot be drawn.",
                    next_step="Export the PDF again, or read the other pages with --pages.",
                ) from error
            except MemoryError:
                raise PictureTooLargeError(
                    f"{self.source}, page {number}: not enough memory to draw this page.",
                    next_step="Close other programs, or export the page at a lower resolution.",
                ) from None

    def _renew(self) -> None:
        """Open the document anew once in a while, so that PDFium lets go what it has parsed."""
        self._drawn_pages += 1
        if self._drawn_pages % _PAGES_A_DOCUMENT:
            return
        self._stream.seek(0)
        before, self._document = self._document, self._open_document(self._stream)
        before.close()

    def _scale(self, width: float, height: float, contents: _Contents) -> float:
        """Pixels per point: what fits the contents, less where the page would be too large."""
        drawn = self._limits.pdf_dpi / _POINTS_PER_INCH
        wanted = drawn
        if contents.scale and contents.picture_share > _SCAN_SHARE:
            side = max(width, height, 1.0)
            low, high = (dpi / _POINTS_PER_INCH for dpi in _SCAN_DPI)
            wanted = contents.scale
            if wanted > high:
                wanted = min(wanted, max(high, _SCAN_SIDE[1] / side))
            elif wanted < _TINY * min(low, _SCAN_SIDE[0] / side):
                wanted = min(low, _SCAN_SIDE[0] / side)
            if contents.drawn:
                wanted = max(wanted, drawn)
        most = min(0.98 * self._limits.max_pixels, _DRAWN_PIXELS)
        if contents.scale and not contents.drawn:
            most = 0.98 * self._limits.max_pixels
        largest = (most / max(1.0, width * height)) ** 0.5
        return float(min(wanted, largest))

    @staticmethod
    def _dpi(scale: float) -> float:
        return scale * _POINTS_PER_INCH

    def _look_into(self, number: int, page: Any) -> _Contents:
        """Count what lies on a page; its pictures are not decoded.

        Raises:
            PictureTooLargeError: If a picture is over the limit.
        """
        raw = self._raw
        width, height = page.get_size()
        area = max(1.0, width * height)
        scale = share = 0.0
        texts = paths = 0
        grey = True
        for kind, item, matrix in _walk(raw, page):
            if kind == raw.FPDF_PAGEOBJ_IMAGE:
                columns, rows = _pixel_size(raw, item)
                if columns * rows > self._limits.max_pixels:
                    raise PictureTooLargeError(
                        f"{self.source}, page {number}: a picture of {columns} x {rows} is "
                        f"{columns * rows / 1e6:.0f} megapixels, more than the limit of "
                        f"{self._limits.max_pixels / 1e6:.0f}.",
                        next_step="Export it smaller (300 dpi is enough) or raise "
                        "--max-megapixels.",
                    )
                across, down = math.hypot(*matrix[:2]), math.hypot(*matrix[2:4])
                covered = min(1.0, across * down / area)
                share += covered
                if covered > 0.05 and across > 0 and down > 0:
                    scale = max(scale, math.sqrt(columns * rows / (across * down)))
                grey = grey and _is_grey(raw, item, page)
                # What lies under a picture that covers the page is not seen.
                if covered > _SCAN_SHARE and not raw.FPDFPageObj_HasTransparency(item):
                    texts = paths = 0
            elif kind == raw.FPDF_PAGEOBJ_TEXT:
                mode = raw.FPDFTextObj_GetTextRenderMode(item)
                texts += mode not in (
                    raw.FPDF_TEXTRENDERMODE_INVISIBLE,
                    raw.FPDF_TEXTRENDERMODE_CLIP,
                )
            elif kind in (raw.FPDF_PAGEOBJ_PATH, raw.FPDF_PAGEOBJ_SHADING):
                paths += 1
        drawn = texts > 0 or paths > 20
        only_pictures = scale > 0 and texts == 0 and paths == 0
        return _Contents(scale, min(1.0, share), drawn, grey and only_pictures, paths)

    def _check_scan(self, number: int, page: Any, pixels: Pixels) -> None:
        """A scan that comes out as one even tone may be one that cannot be decoded.

        Raises:
            PictureError: If its picture is corrupt.
        """
        if (pixels != pixels[0, 0]).any():
            return
        raw = self._raw
        for kind, item, _ in _walk(raw, page):
            if kind != raw.FPDF_PAGEOBJ_IMAGE:
                continue
            bitmap = raw.FPDFImageObj_GetBitmap(item)
            if not bitmap:
                raise PictureError(
                    f"{self.source}, page {number}: the picture on this page is corrupt.",
                    next_step="Export the PDF again, or scan the page again.",
                )
            raw.FPDFBitmap_Destroy(bitmap)


def _walk(raw: Any, page: Any) -> Iterator[tuple[int, Any, tuple[float, ...]]]:
    """(kind, object, matrix to page points) of all objects, also of those in forms, in order."""

    def visit(count: Any, get: Any, holder: Any, outer: tuple[float, ...], depth: int) -> Any:
        for i in range(max(0, count(holder))):
            item = get(holder, i)
            if not item:
                continue
            kind = raw.FPDFPageObj_GetType(item)
            values = raw.FS_MATRIX()
            matrix = outer
            if raw.FPDFPageObj_GetMatrix(item, values):
                own = (values.a, values.b, values.c, values.d, values.e, values.f)
                matrix = _multiply(own, outer)
            if kind == raw.FPDF_PAGEOBJ_FORM and depth < _FORM_DEPTH:
                yield from visit(
                    raw.FPDFFormObj_CountObjects,
                    raw.FPDFFormObj_GetObject,
                    item,
                    matrix,
                    depth + 1,
                )
            else:
                yield kind, item, matrix

    whole = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    yield from visit(raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, page, whole, 0)


def _multiply(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """PDF matrices [a b c d e f]: first `one`, then `other`."""
    a, b, c, d, e, f = one
    p, q, r, s, t, u = other
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )


def _pixel_size(raw: Any, item: Any) -> tuple[int, int]:
    columns, rows = ctypes.c_uint(), ctypes.c_uint()
    if not raw.FPDFImageObj_GetImagePixelSize(item, columns, rows):
        return 0, 0
    return int(columns.value), int(rows.value)


def _is_grey(raw: Any, item: Any, page: Any) -> bool:
    data = raw.FPDF_IMAGEOBJ_METADATA()
    if not raw.FPDFImageObj_GetImageMetadata(item, page, data):
        return False
    if data.colorspace in (raw.FPDF_COLORSPACE_DEVICEGRAY, raw.FPDF_COLORSPACE_CALGRAY):
        return True
    return bool(data.colorspace == raw.FPDF_COLORSPACE_ICCBASED and 0 < data.bits_per_pixel <= 8)


def _has_end(stream: BinaryIO) -> bool:
    """True when the last object of a PDF is followed by an end mark, whatever stands after that."""
    try:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _TAIL))
        tail = stream.read(_TAIL)
    except OSError:
        return True
    return tail.rfind(b"%%EOF") > tail.rfind(b" obj")


def _explain(source: str, error: Exception) -> PictureError:
    said = str(error).lower()
    if "password" in said:
        return PictureError(
            f"{source}: the PDF is protected by a password.",
            next_step="Save it without the password first.",
        )
    if "security" in said:
        return PictureError(
            f"{source}: the PDF is encrypted in a way that is not supported.",
            next_step="Print it to a new PDF first.",
        )
    return PictureError(
        f"{source}: the PDF is truncated or corrupt: none of its pages can be opened.",
        next_step="Copy or download it again; if a PDF viewer opens it, print it to a new PDF.",
    )
