"""The value that every data set is made of: a line picture, opened when asked for, and its text.

Knows where pixels can lie: in a file, in bytes, on a page. Refuses to know formats and checks.
"""

from __future__ import annotations

import functools
import io
import unicodedata
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from odia_ocr.errors import PictureError
from odia_ocr.pages.images import PictureFile, open_pages
from odia_ocr.pages.outline import cut_outline

if TYPE_CHECKING:
    from odia_ocr.types import PageImage, Pixels, Point, Polygon

Extras = tuple[tuple[str, Any], ...]

_PAGES_KEPT = 2  # lines of a page follow each other
_MAGIC = (
    (b"\x89PNG", ".png"),
    (b"\xff\xd8", ".jpg"),
    (b"RIFF", ".webp"),
    (b"II*\x00", ".tif"),
    (b"MM\x00*", ".tif"),
    (b"GIF8", ".gif"),
    (b"BM", ".bmp"),
)


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture as a file holds it: its bytes and the ending of its name, e.g. ".png"."""

    data: bytes
    suffix: str


class Picture(Protocol):
    """A picture of a line that was not opened yet."""

    @property
    def name(self) -> str:
        """What to call it in messages."""
        ...

    def load(self) -> Pixels:
        """Decode it.

        Raises:
            InputError: If it is missing, broken or too large.
        """
        ...

    def measure(self) -> tuple[int, int]:
        """(width, height) of what `load` gives, in pixels; quicker than that where a file tells it.

        Raises:
            InputError: If it is missing, broken or too large.
        """
        ...

    def store(self) -> StoredPicture:
        """Its bytes: those it is made of where there are any, else a PNG.

        Raises:
            InputError: If it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FilePicture:
    """A picture file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def load(self) -> Pixels:
        """Decode the file; see `Picture`."""
        with closing(open_pages(self.path)) as file:
            return file.load(1).pixels

    def measure(self) -> tuple[int, int]:
        """Look at the file; see `Picture`."""
        return _measure_file(self.path, self.name)

    def store(self) -> StoredPicture:
        """The file as it is; see `Picture`."""
        with closing(open_pages(self.path)):  # told as an InputError where it cannot be opened
            return StoredPicture(self.path.read_bytes(), self.path.suffix.lower())


@dataclass(frozen=True, slots=True)
class BytesPicture:
    """A picture in memory as a file would hold it."""

    name: str
    data: bytes

    def load(self) -> Pixels:
        """Decode the bytes; see `Picture`."""
        with closing(open_pages(self.data, name=self.name)) as file:
            return file.load(1).pixels

    def measure(self) -> tuple[int, int]:
        """Look at the bytes; see `Picture`."""
        return _measure_file(self.data, self.name)

    def store(self) -> StoredPicture:
        """The bytes as they are; see `Picture`."""
        for magic, suffix in _MAGIC:
            if self.data.startswith(magic):
                return StoredPicture(self.data, suffix)
        return encode_png(self.load())


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A page: a picture file, or page `number` (from 1) of a PDF or TIFF."""

    path: Path
    number: int = 1

    def load(self) -> PageImage:
        """Decode the page; the last ones stay in memory.

        Raises:
            InputError: If it is missing, broken or too large.
        """
        return _load_page(self.path, self.number)


@functools.lru_cache(maxsize=_PAGES_KEPT)
def _load_page(path: Path, number: int) -> PageImage:
    with closing(open_pages(path)) as file:
        return file.load(number)


@dataclass(frozen=True, slots=True)
class Place:
    """Where on a page a line stands, in pixels of the page.

    Attributes:
        page: The page.
        polygon: The line's outline, from any corner.
        baseline: Along the line, where known.
    """

    page: PagePicture
    polygon: Polygon
    baseline: tuple[Point, ...] | None = None


@dataclass(frozen=True, slots=True)
class CutPicture:
    """A line that is cut out of its page along its outline."""

    name: str
    place: Place

    def load(self) -> Pixels:
        """Decode the page and cut; see `Picture`."""
        return cut_outline(self.place.page.load(), self.place.polygon, self.place.baseline)

    def measure(self) -> tuple[int, int]:
        """Decode and cut; see `Picture`."""
        return measure_pixels(self.load())

    def store(self) -> StoredPicture:
        """A PNG of the cut; see `Picture`."""
        return encode_png(self.load())


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled line.

    Attributes:
        id: Unique in its set (in its split, where the set has splits).
        picture: Not opened yet.
        text: What stands there, NFC, without space around it; may be empty.
        source: What it comes from, e.g. a book or a page: lines of one source resemble each other.
        split: E.g. "train"; empty where the set has none.
        place: Where on a page it stands, where that is known.
        extras: What else the set says of it: plain values as JSON has them, by name.
    """

    id: str
    picture: Picture
    text: str
    source: str = ""
    split: str = ""
    place: Place | None = None
    extras: Extras = ()


def measure_pixels(pixels: Pixels) -> tuple[int, int]:
    """(width, height) of pixels."""
    return pixels.shape[1], pixels.shape[0]


def _measure_file(source: Path | bytes, name: str) -> tuple[int, int]:
    """(width, height) of the first page; what looks broken is for `load` to judge."""
    with closing(open_pages(source, name=name)) as file:
        if isinstance(file, PictureFile):
            with suppress(PictureError):
                return file.measure()
    with closing(open_pages(source, name=name)) as file:
        return measure_pixels(file.load(1).pixels)


def clean_text(text: str) -> str:
    """A transcription as samples hold it: as written, but NFC and without space around it."""
    return unicodedata.normalize("NFC", text.removeprefix("\ufeff")).strip()


def encode_png(pixels: Pixels) -> StoredPicture:
    """Pixels as a PNG file holds them."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return StoredPicture(stream.getvalue(), ".png")
