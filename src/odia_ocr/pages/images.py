"""Files and bytes become page pixels: pictures of any kind, several pages of one TIFF, PDF.

What a file is is told by its content, never by its name. A picture is whole or refused: nothing
here returns half a picture. Pages are decoded one at a time, when asked for.
Knows nothing of lines, text or models.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from odia_ocr.errors import (
    FileMissingError,
    InputError,
    PictureError,
    PictureTooLargeError,
)
from odia_ocr.pages.page_range import PageRange
from odia_ocr.pages.pixels import picture_of_array, to_pixels
from odia_ocr.pages.strangers import refuse_content
from odia_ocr.pages.tiff_pages import TiffPages, count_pages
from odia_ocr.runtime import HEAD, is_pdf, lift_pillow_limit, turn_to_page
from odia_ocr.types import PageImage

if TYPE_CHECKING:
    from odia_ocr.pages.text_layer import TextLayer
    from odia_ocr.types import Pixels, Problem

PICTURE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".pbm", ".pgm", ".ppm"}
)
PAGE_SUFFIXES = PICTURE_SUFFIXES | {".pdf"}

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM")
_DPI_RANGE = (50.0, 2400.0)
# What Pillow's decoders raise on broken files, found by feeding them cut and scrambled pictures.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class PageLimits:
    """What is accepted.

    Attributes:
        max_pixels: Width times height of one page, in pixels.
        pdf_dpi: Resolution at which PDF pages are drawn, lowered where a page would be too large.
    """

    max_pixels: int = 120_000_000
    pdf_dpi: float = 300.0

    def check(self, source: str, width: int, height: int) -> None:
        """Refuse a page that is too large.

        Raises:
            PictureTooLargeError: If it has more than `max_pixels` pixels.
            PictureError: If it has none.
        """
        if width < 1 or height < 1:
            raise PictureError(
                f"{source}: the picture is {width} x {height} pixels.",
                next_step="Export or scan it again.",
            )
        if width * height > self.max_pixels:
            raise PictureTooLargeError(
                f"{source}: {width} x {height} is {width * height / 1e6:.0f} megapixels, "
                f"more than the limit of {self.max_pixels / 1e6:.0f}.",
                next_step="Scale it down (300 dpi is enough) or raise --max-megapixels.",
            )


class PageFile(Protocol):
    """An open file of one or more pages."""

    @property
    def source(self) -> str:
        """Name for messages and results."""
        ...

    @property
    def count(self) -> int:
        """Number of pages."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the file as a whole though it opens."""
        ...

    def load(self, number: int) -> PageImage:
        """Decode page `number`, counted from 1."""
        ...

    def text_layer(self, number: int, size: tuple[int, int]) -> TextLayer | None:
        """The text that page `number` carries beside its pixels; None without any.

        Args:
            number: From 1.
            size: (width, height) in pixels of the page as `load` gives it.
        """
        ...

    def close(self) -> None:
        """Let the file go."""
        ...


class PictureFile:
    """A picture file or bytes: one page, or as many as a TIFF has.

    Args:
        source: Name for messages and results.
        stream: The content, seekable.
        limits: What is accepted.

    Raises:
        PictureError: If the content is not a picture that can be opened.
        PictureTooLargeError: If the first page is over the limit; nothing was decoded then.
    """

    def __init__(self, source: str, stream: BinaryIO, limits: PageLimits) -> None:
        self.source = source
        self._stream = stream
        self._limits = limits
        # Pages are loaded ahead in several threads; the file has one place where it stands.
        self._loading = threading.Lock()
        with _translated(source, stream), lift_pillow_limit():
            self._image: Image.Image = Image.open(stream, formats=_FORMATS)
        self._limits.check(source, *self._image.size)
        self._pages = TiffPages(1, {})
        if self._image.format == "TIFF":
            with _translated(source, stream):
                self._pages = count_pages(self._image, _DECODE_ERRORS)
        self.count = self._pages.count
        self.problems: tuple[Problem, ...] = self._pages.problems

    def load(self, number: int) -> PageImage:
        """Decode page `number`, counted from 1, rotated as its EXIF says.

        Raises:
            PictureError: If the page is truncated or corrupt.
            PictureTooLargeError: If it is over the limit.
        """
        name = self.source if self.count == 1 else f"{self.source}, page {number}"
        with self._loading, _translated(name, self._stream):
            if number in self._pages.lost:
                raise OSError(self._pages.lost[number])
            if self.count > 1:
                turn_to_page(self._image, number)
            self._limits.check(name, *self._image.size)
            self._image.load()
            dpi = _read_dpi(self._image)
            pixels = to_pixels(_turn_upright(self._image))
        return PageImage(self.source, number, pixels, dpi)

    def measure(self) -> tuple[int, int]:
        """(width, height) of page 1 as `load` gives it, for a fraction of the time; the last use.

        Broken files are refused as `load` does: a PNG by the checksums of its parts, so one that
        was stored broken, with checksums that hold, is found by `load` alone; others are decoded.

        Raises:
            PictureError: If the page is truncated or corrupt.
        """
        with self._loading, _translated(self.source, self._stream):
            width, height = self._image.size
            if self._image.format == "PNG":
                turned = _tell_turned(self._image)
                self._image.verify()
            elif self._image.format == "JPEG":
                turned = _tell_turned(self._image)
                self._image.draft(None, (1, 1))  # all of its data, an eighth of its sides
                self._image.load()
            else:
                self._image.load()
                return _turn_upright(self._image).size
        return (height, width) if turned else (width, height)

    def text_layer(self, number: int, size: tuple[int, int]) -> TextLayer | None:
        """Pictures have none."""
        return None

    def close(self) -> None:
        """Let the file go."""
        self._image.close()
        self._stream.close()


@dataclass(frozen=True, slots=True)
class PixelPage:
    """One page that is in memory already."""

    source: str
    pixels: Pixels
    dpi: float | None = None
    count: int = 1
    problems: tuple[Problem, ...] = ()

    def load(self, number: int) -> PageImage:
        """The page."""
        return PageImage(self.source, number, self.pixels, self.dpi)

    def text_layer(self, number: int, size: tuple[int, int]) -> TextLayer | None:
        """Pictures have none."""
        return None

    def close(self) -> None:
        """Nothing to let go."""


def open_pages(
    source: str | Path | bytes | Image.Image | np.ndarray,
    *,
    name: str | None = None,
    limits: PageLimits | None = None,
) -> PageFile:
    """Open a file, its bytes, a Pillow picture or an array.

    Args:
        source: A path; the bytes of a file; a picture; an array (height, width), (height, width, 3)
            RGB or (height, width, 4) RGBA, uint8, or 16-bit or bool.
        name: What to call it in results; default the path, or "<bytes>", "<picture>".
        limits: What is accepted.

    Raises:
        FileMissingError: If the path does not exist.
        InputError: If the path is a folder or cannot be opened.
        PictureError: If the content is not a whole picture or PDF.
    """
    limits = limits or PageLimits()
    if isinstance(source, np.ndarray):
        source = picture_of_array(name or "<array>", source)
    if isinstance(source, Image.Image):
        name = name or "<picture>"
        limits.check(name, *source.size)
        dpi = _read_dpi(source)
        with _translated(name, io.BytesIO()):
            return PixelPage(name, to_pixels(_turn_upright(source)), dpi)
    stream: BinaryIO
    if isinstance(source, bytes):
        stream, name = io.BytesIO(source), name or "<bytes>"
    else:
        path = Path(source)
        name = name or str(path)
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            raise FileMissingError(f"{path} does not exist.", next_step="Check the path.") from None
        except IsADirectoryError:
            raise InputError(
                f"{path} is a folder.",
                next_step="Give its files, or use the command, which takes folders.",
            ) from None
        except OSError as error:
            raise InputError(
                f"{path} cannot be opened: {error.strerror or error}.",
                next_step="Check the permissions.",
            ) from None
    try:
        if is_pdf(_head(stream)):
            from odia_ocr.pages.pdf import PdfFile

            return PdfFile(name, stream, limits)
        return PictureFile(name, stream, limits)
    except BaseException:
        stream.close()
        raise


def _turn_upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (*_DECODE_ERRORS, AttributeError):
        # Broken EXIF beside good pixels: the picture is read as it lies.
        return image


def _tell_turned(image: Image.Image) -> bool:
    """Whether `_turn_upright` makes a row of a column."""
    try:
        # A PNG's own getexif would decode it.
        return Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    except (*_DECODE_ERRORS, AttributeError):
        return False


def _read_dpi(image: Image.Image) -> float | None:
    try:
        dpi = float(image.info["dpi"][0])
    except (KeyError, IndexError, TypeError, ValueError, ZeroDivisionError):
        return None
    return dpi if _DPI_RANGE[0] <= dpi <= _DPI_RANGE[1] else None


@contextmanager
def _translated(name: str, stream: BinaryIO) -> Iterator[None]:
    """Turn what Pillow raises into `PictureError`."""
    try:
        yield
    except UnidentifiedImageError:
        raise refuse_content(name, _head(stream)) from None
    except MemoryError:
        raise PictureTooLargeError(
            f"{name}: not enough memory for this picture.", next_step="Scale it down."
        ) from None
    except _DECODE_ERRORS as error:
        raise PictureError(
            f"{name}: the picture is truncated or corrupt ({error}).",
            next_step="Copy, download or scan it again.",
        ) from error


def _head(stream: BinaryIO) -> bytes:
    try:
        stream.seek(0)
        head = stream.read(HEAD)
        stream.seek(0)
    except (OSError, ValueError):
        return b""
    return head


def select_pages(file: PageFile, pages: PageRange) -> list[int]:
    """Numbers of the wanted pages.

    Raises:
        InputError: If the file has none of them.
    """
    numbers = pages.select(file.count)
    if not numbers:
        raise InputError(
            f"{file.source}: none of the wanted pages is among its {file.count}.",
            next_step="Check --pages.",
        )
    return list(numbers)
