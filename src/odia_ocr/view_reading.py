"""The view that a page reads best through: as it lies, straightened or turned.

Lines are found on a view, read, and judged by how sure the reading was. Knows nothing of files, of
pages in a row or of text layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from odia_ocr.line_reading import SURE, LineReader, count_sure, cut_line, rate_sureness
from odia_ocr.pages import orientation
from odia_ocr.pages.flatness import lies_flat
from odia_ocr.pages.rectify import straighten
from odia_ocr.pages.view import View
from odia_ocr.types import Page, Reading, Segmenter

# How many times the surely read clusters a straightened page must have.
_BETTER = 1.02
# Where that many pieces or fewer hold as much, lines are whole that were broken.
_FEWER = 0.92


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A view of a page with the lines found on it.

    `flat` is the view before straightening; `rival` its look, where straightening changed it.
    """

    flat: View
    view: View
    page: Page
    rival: Look | None = None


@dataclass(frozen=True, slots=True)
class ViewReader:
    """What finds and reads the lines of views.

    Attributes:
        segmenter: Finds the lines.
        lines: Reads them.
        scout: Reads the sample that tells how a page lies; None takes `lines`. Where several models
            agree on a reading, the surest of them speaks for it, also on a page that is upside
            down, so they cannot tell.
    """

    segmenter: Segmenter
    lines: LineReader
    scout: LineReader | None = None

    def read(self, look: Look) -> tuple[Look, Page]:
        """The view that was chosen and the page read on it; outlines stay on that view."""
        return self._turn(*self._read_look(look))

    def look(self, flat: View) -> Look:
        """Find the lines of a view, straightened where it does not lie flat."""
        as_it_lies = Look(flat, flat, self.segmenter.segment(flat.image))
        if lies_flat(as_it_lies.page.lines):
            return as_it_lies
        view = straighten(flat)
        if view is flat:
            return as_it_lies
        return Look(flat, view, self.segmenter.segment(view.image), as_it_lies)

    def _turn(self, look: Look, page: Page) -> tuple[Look, Page]:
        """The page read the right way round, when the way it lies does not read well."""
        as_it_lies = rate_sureness([line.reading for line in page.lines])
        if as_it_lies is not None and as_it_lies >= SURE:
            return look, page
        if page.lines and all(line.reading is None for line in page.lines):
            return look, page
        if self.scout is not None:
            as_it_lies = self._try(look, over=False, least=1)
        quarter = self.look(orientation.turn_view(look.flat, 1))
        sureness = {0: as_it_lies}
        for way, seen, over in ((1, quarter, False), (2, look, True), (3, quarter, True)):
            sureness[way] = self._try(seen, over=over)
        way = orientation.choose_turn(sureness)
        if way == 0:
            return look, page
        turned = quarter if way == 1 else self.look(orientation.turn_view(look.flat, way))
        return self._read_look(turned)

    def _try(
        self, look: Look, *, over: bool, least: int = orientation.LEAST_CLUSTERS
    ) -> float | None:
        """How surely a sample of the lines reads, as they stand or turned over."""
        sample = orientation.pick_sample(look.page.lines)
        crops = [cut_line(look.view.image, line) for line in sample]
        crops = [orientation.turn_over(crop) for crop in crops] if over else crops
        scout = self.scout or self.lines
        readings = [r for r in scout.read_lines(crops) if isinstance(r, Reading)]
        return rate_sureness(readings, least=least)

    def _read_look(self, look: Look) -> tuple[Look, Page]:
        """Read the lines of a view; outlines stay on the view.

        A straightened page is also read as it lies, and dropped unless it reads clearly better, or
        as well in clearly fewer pieces: resampling costs sharpness.
        """
        if look.rival is not None:
            straight = self._read_look(replace(look, rival=None))
            as_it_lies = self._read_look(look.rival)
            return straight if _reads_better(straight[1], as_it_lies[1]) else as_it_lies
        return look, self.lines.read_page(look.view.image, look.page)


def _reads_better(straight: Page, as_it_lies: Page) -> bool:
    ratio = count_sure(straight) / max(1, count_sure(as_it_lies))
    whole = len(straight.lines) <= _FEWER * len(as_it_lies.lines)
    return ratio > (1 / _BETTER if whole else _BETTER)
