"""Pictures of pages and lines, for looking at and for learning from.

Decoded one page at a time, whoever asks, and the last ones kept: the lines of a page are asked for
one after the other.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from pathlib import Path

from PIL import Image

from odia_ocr.apps.serve.failures import NotFoundError
from odia_ocr.apps.serve.private_folder import PrivateFolder
from odia_ocr.errors import FileMissingError
from odia_ocr.line_reading import cut_line
from odia_ocr.pages.images import PageFile, PageLimits, open_pages
from odia_ocr.types import Line, LineImage, PageImage

_KEPT = 2  # pages
_KEPT_PIXELS = 40_000_000  # of one; larger ones are not kept
_LONGEST_SIDE = 2_400  # pixels of a page picture on the screen
_QUALITY = 80


class PictureShelf:
    """Pictures of the documents in a folder.

    Args:
        folder: Where documents lie.
        limits: Largest page.
    """

    def __init__(self, folder: PrivateFolder, limits: PageLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], PageImage] = OrderedDict()

    def page(self, job: str, number: int) -> Path:
        """The file of a page's picture, WebP, at most so large as a screen can show.

        Raises:
            InputError: If the page does not open any more.
            NotFoundError: If the document is gone, as that of a cancelled job.
        """
        path = self._folder.picture(job, number)
        if not path.exists():
            image = Image.fromarray(self._load(job, number).pixels)
            image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BOX, None)
            part = path.with_suffix(f".{threading.get_ident()}")
            image.save(part, "WEBP", quality=_QUALITY, method=2)
            part.replace(path)
        return path

    def line(self, job: str, number: int, line: Line) -> bytes:
        """The picture of a line, see `cut`, as PNG.

        Raises:
            InputError, NotFoundError: As `page`.
        """
        stream = io.BytesIO()
        Image.fromarray(self.cut(job, number, line).pixels).save(stream, "PNG")
        return stream.getvalue()

    def cut(self, job: str, number: int, line: Line) -> LineImage:
        """A line as the recognizer sees it, straightened and in even light.

        Raises:
            InputError, NotFoundError: As `page`.
        """
        return cut_line(self._load(job, number), line)

    def forget(self, job: str) -> None:
        """Let go what is kept of a job."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == job]:
                del self._kept[key]

    def _load(self, job: str, number: int) -> PageImage:
        with self._lock:
            image = self._kept.pop((job, number), None)
            if image is None:
                file = self._open(job)
                try:
                    image = file.load(number)
                finally:
                    file.close()
            if image.size[0] * image.size[1] <= _KEPT_PIXELS:
                self._kept[job, number] = image
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            return image

    def _open(self, job: str) -> PageFile:
        try:
            return open_pages(self._folder.document(job), name="document", limits=self._limits)
        except FileMissingError:  # its message names the private folder
            raise NotFoundError(
                "The document of this job is not kept any more; it was cancelled.",
                next_step="Send the document again.",
            ) from None
