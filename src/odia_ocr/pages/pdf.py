"""Pages of a PDF become pixels, drawn by PDFium.

A text layer that is already there is not looked at. PDFium is not safe for threads, so one lock
guards every call.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from odia_ocr.errors import PictureError
from odia_ocr.types import PageImage

if TYPE_CHECKING:
    from odia_ocr.pages.images import PageLimits

_PDFIUM = threading.Lock()
_POINTS_PER_INCH = 72.0
_WHITE = (255, 255, 255, 255)


class PdfFile:
    """An open PDF.

    Args:
        source: Name for messages and results.
        stream: The content, seekable; closed by `close`.
        limits: Resolution and largest page.

    Raises:
        PictureError: If the file is encrypted, broken or has no pages.
    """

    def __init__(self, source: str, stream: BinaryIO, limits: PageLimits) -> None:
        import pypdfium2

        self.source = source
        self._stream = stream
        self._limits = limits
        self._error = pypdfium2.PdfiumError
        with _PDFIUM:
            try:
                self._document = pypdfium2.PdfDocument(stream)
            except pypdfium2.PdfiumError as error:
                raise _explain(source, error) from None
            self.count = len(self._document)
        if self.count == 0:
            self.close()
            raise PictureError(f"{source}: the PDF has no pages.", next_step="Export it again.")

    def load(self, number: int) -> PageImage:
        """Draw page `number`, counted from 1.

        Raises:
            PictureError: If the page is broken.
        """
        with _PDFIUM:
            try:
                page = self._document[number - 1]
                try:
                    scale = self._scale(*page.get_size())
                    bitmap = page.render(scale=scale, fill_color=_WHITE, rev_byteorder=True)
                    pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
                    bitmap.close()
                finally:
                    page.close()
            except self._error as error:
                raise PictureError(
                    f"{self.source}, page {number}: the page cannot be drawn ({error}).",
                    next_step="Export the PDF again, or leave the page out with --pages.",
                ) from None
        if pixels.ndim == 3:
            pixels = np.ascontiguousarray(
                pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, :3]
            )
        return PageImage(self.source, number, pixels, scale * _POINTS_PER_INCH)

    def _scale(self, width: float, height: float) -> float:
        """Pixels per point: the wanted resolution, less where the page would be too large."""
        wanted = self._limits.pdf_dpi / _POINTS_PER_INCH
        largest = (0.98 * self._limits.max_pixels / max(1.0, width * height)) ** 0.5
        return float(min(wanted, largest))

    def close(self) -> None:
        """Let the file go."""
        with _PDFIUM:
            self._document.close()
        self._stream.close()


def _explain(source: str, error: Exception) -> PictureError:
    if "password" in str(error).lower():
        return PictureError(
            f"{source}: the PDF is protected by a password.",
            next_step="Save it without the password first.",
        )
    return PictureError(
        f"{source}: the PDF is truncated or corrupt ({error}).",
        next_step="Copy, download or export it again.",
    )
