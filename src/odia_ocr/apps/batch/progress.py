"""How far a batch is, as one bar of pages on a terminal.

The number of pages is known before the first is read, except of documents that are still to be
fetched: those are counted as the mean of the others. Pages of earlier runs are in the bar, and not
in the speed that tells the time left.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from odia_ocr.apps.batch.manifest import Counts
from odia_ocr.apps.messages import open_bars

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BatchProgress:
    """A bar on standard error when that is a terminal; else nothing."""

    def __init__(self) -> None:
        self._bars: Progress | None = None
        self._bar: TaskID | None = None
        self._pages = self._counted = self._uncounted = 0

    def begin(self, counts: Counts) -> None:
        """Show the bar."""
        if not sys.stderr.isatty() or os.environ.get("NO_PROGRESS"):
            return
        self._pages = counts.ended + counts.waiting
        self._counted, self._uncounted = counts.counted, counts.uncounted
        self._bars = open_bars()
        self._bar = self._bars.add_task("pages", total=self._estimate(), completed=counts.ended)

    def count_pages(self, pages: int) -> None:
        """The pages of a document more were counted."""
        if self._bars is not None and self._bar is not None:
            self._pages += pages
            self._counted += 1
            self._uncounted -= 1
            self._bars.update(self._bar, total=self._estimate())

    def end_page(self) -> None:
        """A page more has ended."""
        if self._bars is not None and self._bar is not None:
            self._bars.advance(self._bar)

    def end(self) -> None:
        """Take the bar away."""
        if self._bars is not None:
            self._bars.stop()

    def _estimate(self) -> int:
        return estimate_pages(self._pages, counted=self._counted, uncounted=self._uncounted)


def estimate_pages(pages: int, *, counted: int, uncounted: int) -> int:
    """How many pages there will be, those of uncounted documents by the mean of the others.

    Args:
        pages: Of the counted documents.
        counted: Documents whose pages are counted.
        uncounted: Those whose pages are not.
    """
    mean = pages / counted if pages else 1.0
    return pages + round(mean * uncounted)
