"""The order of the steps, and nothing else: pixels, lines, candidates, readings, words, pages.

Failure has a place: a line that cannot be read is a `Problem` on its page, a page that cannot be
read a `Problem` of its document, and when nothing could be read at all the error is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.errors import OdiaOcrError, RecognitionError, ResourceMissingError
from odia_ocr.line_reading import (
    REMARKS,
    SURE,
    LineReader,
    cut_line,
    judge_page,
    rate_sureness,
    tell_error,
)
from odia_ocr.pages import layer_check
from odia_ocr.pages.ahead import count_workers, work_ahead
from odia_ocr.pages.images import PageFile, PageLimits, open_pages, select_pages
from odia_ocr.pages.page_range import ALL_PAGES, PageRange, parse_pages
from odia_ocr.pages.profile import ProfileSegmenter
from odia_ocr.pages.spread import join_sides, split_spread
from odia_ocr.pages.text_layer import TextLayer, layer_page
from odia_ocr.pages.view import view_page
from odia_ocr.types import (
    Corrector,
    Document,
    Page,
    PageImage,
    PageReader,
    Problem,
    Reading,
    Recognizer,
    Segmenter,
)
from odia_ocr.view_reading import Look, ViewReader

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Source = str | Path | bytes | Image.Image | np.ndarray


@dataclass(frozen=True, slots=True)
class PageOutcome:
    """What became of one page: `page` and its pixels, or the error that kept it from being read."""

    number: int
    page: Page | None = None
    image: PageImage | None = None
    error: OdiaOcrError | None = None

    @property
    def problem(self) -> Problem | None:
        """The error as a problem of the document."""
        if self.error is None:
            return None
        return Problem(self.error.code, self.error.message, self.error.next_step, page=self.number)


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How pages are to be taken.

    Attributes:
        text_layer: Take the text layer of a PDF page where it says what the page shows.
        split_spreads: Two-page spreads are read side by side.
    """

    text_layer: bool = False
    split_spreads: bool = False


DEFAULT_OPTIONS = PageOptions()


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """A page made ready for the recognizer.

    Attributes:
        image: The page as given.
        looks: One, or the two sides of a spread; empty when they are not needed yet.
        layer: A text layer that may be the text of the page.
        notes: Steps so far.
    """

    image: PageImage
    looks: tuple[Look, ...] = ()
    layer: TextLayer | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """A segmenter, a recognizer and a corrector put together.

    Attributes:
        recognizer: Reads line pictures.
        corrector: Chooses the reading of each line; writes the calibrated confidence.
        segmenter: Finds the lines.
        scout: Reads the sample that tells how a page lies; None takes `recognizer` (see
            `ViewReader`).
        page_reader: An engine with its own layout, which then does the work of all three.
        threads: With more than one, so many pages of a file are read side by side, and the
            recognizer is called from several threads.
        reopen: Opens the same reader on so many threads: pages side by side share the threads, or
            they would be in each other's way. None takes this one.
    """

    recognizer: Recognizer
    corrector: Corrector
    segmenter: Segmenter = field(default_factory=ProfileSegmenter)
    scout: Recognizer | None = None
    page_reader: PageReader | None = None
    threads: int = 1
    reopen: Callable[[int], Reader] | None = None

    @property
    def views(self) -> ViewReader:
        """What chooses the view that a page is read through."""
        return ViewReader(
            self.segmenter,
            self.lines,
            LineReader(self.scout, self.corrector) if self.scout else None,
        )

    @property
    def lines(self) -> LineReader:
        """What reads single lines."""
        return LineReader(self.recognizer, self.corrector)

    def read_page(self, image: PageImage, options: PageOptions = DEFAULT_OPTIONS) -> Page:
        """Find and read the lines of one page.

        Raises:
            RecognitionError: If no line of the page can be read, or the recognizer breaks its
                contract.
        """
        return self._read_sheet(self._lay_out(_Sheet(image), options), options)

    def read_each(
        self,
        file: PageFile,
        pages: PageRange = ALL_PAGES,
        options: PageOptions = DEFAULT_OPTIONS,
    ) -> Iterator[PageOutcome]:
        """Read the wanted pages, in order; a failing page does not stop the rest.

        Raises:
            InputError: If the file has none of the wanted pages.
            ResourceMissingError: If the recognizer lacks something it needs.
        """
        numbers = select_pages(file, pages)
        workers = count_workers(self.threads, len(numbers))
        reader = self.reopen(self.threads // workers) if workers > 1 and self.reopen else self
        read_one = partial(reader.read_one, file, options)
        with closing(work_ahead(read_one, numbers, workers=workers)) as readings:
            yield from tell_problems(file.problems, (get_outcome() for _, get_outcome in readings))

    def read_one(self, file: PageFile, options: PageOptions, number: int) -> PageOutcome:
        """Read one page of a file, whatever happens to it.

        Raises:
            ResourceMissingError: If the recognizer lacks something it needs.
        """
        try:
            sheet = self._prepare(file, options, number)
            return PageOutcome(number, self._read_sheet(sheet, options), sheet.image)
        except ResourceMissingError:
            raise
        except OdiaOcrError as error:
            return PageOutcome(number, error=error)
        except Exception as error:  # one page must not take a long book with it
            failure = RecognitionError(
                f"{file.source}, page {number}: reading failed: {tell_error(error)}",
                next_step="Read the other pages with --pages, and report this page.",
            )
            failure.__cause__ = error
            return PageOutcome(number, error=failure)

    def _prepare(self, file: PageFile, options: PageOptions, number: int) -> _Sheet:
        """Everything about a page that needs no recognizer."""
        sheet = _Sheet(file.load(number))
        if options.text_layer:
            layer = file.text_layer(number, sheet.image.size)
            fault = None if layer is None else layer_check.find_fault(layer)
            if layer is not None and fault is None:
                return replace(sheet, layer=layer)
            note = "text layer: none" if fault is None else f"text layer left aside: {fault}"
            sheet = replace(sheet, notes=(note,))
        return self._lay_out(sheet, options)

    def _lay_out(self, sheet: _Sheet, options: PageOptions) -> _Sheet:
        if self.page_reader is not None:
            return sheet
        whole = view_page(sheet.image)
        views = split_spread(whole) if options.split_spreads else (whole,)
        return replace(sheet, looks=tuple(self.views.look(view) for view in views))

    def _read_sheet(self, sheet: _Sheet, options: PageOptions) -> Page:
        if sheet.layer is not None:
            fault = self._check_layer(sheet.layer, sheet.image)
            if fault is None:
                return layer_page(sheet.layer, sheet.image)
            notes = (*sheet.notes, f"text layer left aside: {fault}")
            sheet = self._lay_out(replace(sheet, layer=None, notes=notes), options)
        if self.page_reader is not None:
            page = self.page_reader.read(sheet.image)
            failure = next((p for p in page.problems if p.code not in REMARKS), None)
            if failure is not None and not page.text:
                raise RecognitionError(failure.message, next_step=failure.next_step)
            judged = () if page.problems else judge_page(page)
            return replace(
                page, problems=(*page.problems, *judged), steps=(*sheet.notes, *page.steps)
            )
        sides = [self.views.read(look) for look in sheet.looks]
        page = join_sides(
            sheet.image, [look.view.restore(side, sheet.image) for look, side in sides]
        )
        failed = [problem for problem in page.problems if problem.line_id]
        if failed and len(failed) == len(page.lines):
            raise RecognitionError(
                f"No line could be read: {failed[0].message}", next_step=failed[0].next_step
            )
        return replace(
            page, problems=(*page.problems, *judge_page(page)), steps=(*sheet.notes, *page.steps)
        )

    def _check_layer(self, layer: TextLayer, image: PageImage) -> str | None:
        """Why a text layer is not what the page shows; None when it is."""
        checks = layer_check.pick_checks(layer, image.size)
        outcomes = self.lines.read_lines([cut_line(image, line) for line, _ in checks])
        sure: list[tuple[str, str]] = []
        unseen = 0
        for (_, said), outcome in zip(checks, outcomes, strict=True):
            if isinstance(outcome, Reading):
                unseen += not outcome.text
                if (rate_sureness([outcome]) or 0.0) >= SURE:
                    sure.append((said, outcome.text))
        if 2 * unseen > len(checks):
            return "the page does not show it"
        agrees = layer_check.agree(sure)
        if agrees is False:
            return "the page shows another text"
        if agrees is None and not layer_check.is_odia(layer):
            return "nothing confirms it"
        if layer.may_be_partial:
            seen = self.segmenter.segment(image).lines
            covered = layer_check.cover(layer, seen)
            if covered < layer_check.COVERAGE:
                return f"it holds {covered:.0%} of the lines on the page"
        return None


def tell_problems(
    problems: Iterable[Problem], outcomes: Iterable[PageOutcome]
) -> Iterator[PageOutcome]:
    """The outcomes, with the problems of the file as a whole on the first page that was read."""
    untold = tuple(problems)
    for outcome in outcomes:
        if untold and outcome.page is not None:
            told = tuple(replace(problem, page=outcome.number) for problem in untold)
            page = replace(outcome.page, problems=(*told, *outcome.page.problems))
            untold = ()
            yield replace(outcome, page=page)
        else:
            yield outcome


def open_reader(
    engine: str = "ctc", *, threads: int | None = None, detector: str | None = None
) -> Reader:
    """Put a reader together by the name of its engine.

    Args:
        engine: Name of the recognizer.
        threads: Lines of a page, or pages of a file, read side by side; default as many as help.
        detector: File of another line detector than the shipped one.

    Raises:
        UsageError: If the engine is unknown.
        ResourceMissingError: If its model or program is missing.
    """
    from odia_ocr.runtime import count_threads

    count = count_threads(threads)
    reader = _open_on(engine, detector, count)
    if count == 1:
        return reader
    return replace(reader, reopen=cache(partial(_open_on, engine, detector)))


def _open_on(engine: str, detector: str | None, threads: int) -> Reader:
    from odia_ocr.correct.calibrate import load_for
    from odia_ocr.pages.detector import load_detector
    from odia_ocr.recognize import open_page_reader, open_recognizer
    from odia_ocr.recognize.joint import JointRecognizer

    recognizer = open_recognizer(engine, threads=threads)
    page_reader = open_page_reader(engine, threads=threads)
    return Reader(
        recognizer,
        load_for(recognizer),
        segmenter=ProfileSegmenter() if page_reader else load_detector(detector, threads=threads),
        scout=recognizer.views[0].model if isinstance(recognizer, JointRecognizer) else None,
        page_reader=page_reader,
        threads=threads,
    )


def read(
    source: Source,
    *,
    engine: str = "ctc",
    pages: str | PageRange | None = None,
    threads: int | None = None,
    name: str | None = None,
    limits: PageLimits | None = None,
    reader: Reader | None = None,
    options: PageOptions = DEFAULT_OPTIONS,
) -> Document:
    """Read a picture or PDF.

    Args:
        source: A path, the bytes of a file, a Pillow picture or an array (see `open_pages`).
        engine: Name of the recognizer.
        pages: Which pages, e.g. "1-3,7"; default all.
        threads: Of the recognizer; default as many as help.
        name: What to call the source in the result.
        limits: Largest page and PDF resolution.
        reader: A reader opened before, instead of `engine` and `threads`.
        options: How pages are to be taken.

    Returns:
        The document; pages that failed are named in its problems.

    Raises:
        OdiaOcrError: If nothing could be read.
    """
    done: list[Page] = []
    problems: list[Problem] = []
    first_error: OdiaOcrError | None = None
    outcomes = read_pages(
        source,
        engine=engine,
        pages=pages,
        threads=threads,
        name=name,
        limits=limits,
        reader=reader,
        options=options,
    )
    for outcome in outcomes:
        if outcome.page is not None:
            done.append(outcome.page)
        if outcome.problem is not None:
            first_error = first_error or outcome.error
            problems.append(outcome.problem)
    if first_error is not None and not done:
        raise first_error
    label = done[0].source if done else str(name or source)
    return Document(label, tuple(done), tuple(problems))


def read_pages(
    source: Source,
    *,
    engine: str = "ctc",
    pages: str | PageRange | None = None,
    threads: int | None = None,
    name: str | None = None,
    limits: PageLimits | None = None,
    reader: Reader | None = None,
    options: PageOptions = DEFAULT_OPTIONS,
) -> Iterator[PageOutcome]:
    """Like `read`, one page at a time, so a long book does not sit in memory."""
    wanted = parse_pages(pages) if isinstance(pages, str) else pages or ALL_PAGES
    file = open_pages(source, name=name, limits=limits)
    try:
        reader = reader or open_reader(engine, threads=threads)
        yield from reader.read_each(file, wanted, options)
    finally:
        file.close()
