"""Memory of a server stays level: the allocator gives back, buffers have their size early.

An allocator grows with the largest page it has met, and keeps what threads give back in pieces; on
a server that looks like a leak. LOG.md has the figures.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import closing

import numpy as np
import numpy.typing as npt

from odia_ocr.pages.ahead import count_workers
from odia_ocr.pages.images import open_pages
from odia_ocr.pipeline import DEFAULT_OPTIONS, Reader, open_reader

# Parameters of mallopt(3): arenas; the size from which a block is mapped by itself; how much free
# memory at the top of the heap is kept. The last two would grow with what is freed, and pictures
# break up the heap. A block of 4 MB and less mapped by itself costs a tenth of the speed.
_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
_MALLOPT = {_ARENA_MAX: 2, _MMAP_THRESHOLD: 8 << 20, _TRIM_THRESHOLD: 64 << 20}
_HEIGHT, _WIDTH, _MARGIN = 1754, 1240, 120  # A4 at 150 dpi, in pixels
_LINES, _LINE_HEIGHT = 8, 30  # few, but as wide as the page: width is what decides
_LETTER = 22


def settle_allocator() -> bool:
    """Keep the C library from holding on to what pages leave; False where it is not glibc.

    To be called before threads are started.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        library = ctypes.CDLL("libc.so.6")
        return all(library.mallopt(key, value) == 1 for key, value in _MALLOPT.items())
    except (OSError, AttributeError):  # another C library
        return False


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
