"""A page that is read when models are opened, so that buffers have their size before work comes.

Buffers grow with the largest page met; on a server that looks like a leak. See `settle_memory` of
`odia_ocr.runtime`, and LOG.md for figures.
"""

from __future__ import annotations

from contextlib import closing

import numpy as np
import numpy.typing as npt

from odia_ocr.pages.ahead import count_workers
from odia_ocr.pages.images import open_pages
from odia_ocr.pipeline import DEFAULT_OPTIONS, Reader, open_reader

_HEIGHT, _WIDTH, _MARGIN = 1754, 1240, 120  # A4 at 150 dpi, in pixels
_LINES, _LINE_HEIGHT = 8, 30  # few, but as wide as the page: width is what decides
_LETTER = 22


def draw_trial_page() -> npt.NDArray[np.uint8]:
    """A grey page, (1754, 1240) uint8, with rows of strokes that are found as lines."""
    page = np.full((_HEIGHT, _WIDTH), 245, np.uint8)
    for top in np.linspace(_MARGIN, _HEIGHT - 2 * _MARGIN, _LINES).astype(int):
        for i, left in enumerate(range(_MARGIN, _WIDTH - _MARGIN - _LETTER, _LETTER)):
            if i % 6 < 5:  # words of five letters
                page[top : top + _LINE_HEIGHT, left : left + 4] = 20
                page[top : top + 4, left : left + _LETTER] = 20
                page[top + _LINE_HEIGHT - 4 : top + _LINE_HEIGHT, left : left + 14] = 20
    return page


def open_grown(engine: str, threads: int) -> Reader:
    """Open a reader whose buffers have the size that a whole page needs.

    It reads a trial page on all threads, and on as few as it has when many pages are read at once.
    """
    reader = open_reader(engine, threads=threads)
    for count in {threads, threads // count_workers(threads, threads)}:
        chosen = reader.reopen(count) if reader.reopen is not None else reader
        with closing(open_pages(draw_trial_page())) as file:
            chosen.read_one(file, DEFAULT_OPTIONS, 1)
    return reader
