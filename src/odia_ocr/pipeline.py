"""The order of the steps, and nothing else: pixels, lines, candidates, readings, words, pages.

Failure has a place: a line that cannot be read is a `Problem` on its page, a page that cannot be
read a `Problem` of its document, and when nothing could be read at all the error is raised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.errors import InputError, OdiaOcrError, RecognitionError, ResourceMissingError
from odia_ocr.pages.crop import crop_line, frame_line
from odia_ocr.pages.images import PageFile, PageLimits, open_pages
from odia_ocr.pages.page_range import ALL_PAGES, PageRange, parse_pages
from odia_ocr.pages.profile import ProfileSegmenter
from odia_ocr.pages.words import place_words
from odia_ocr.types import (
    Candidates,
    Corrector,
    Document,
    Line,
    LineImage,
    Page,
    PageImage,
    PageReader,
    Problem,
    Reading,
    Recognizer,
    Segmenter,
)

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    Source = str | Path | bytes | Image.Image | np.ndarray

# A line is doubtful when the mean probability that a cluster is right is below the first, or the
# probability that the whole line is right below the second; a page when most of its lines are.
DOUBTFUL_CLUSTER = 0.75
DOUBTFUL_LINE = 0.05

# Problem codes that are said to the reader, yet no failure: the page was read as far as it goes.
REMARKS = frozenset({"blank-page", "doubtful"})


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
class Reader:
    """A segmenter, a recognizer and a corrector put together.

    Attributes:
        recognizer: Reads line pictures.
        corrector: Chooses the reading of each line; writes the calibrated confidence.
        segmenter: Finds the lines.
        page_reader: An engine with its own layout, which then does the work of all three.
    """

    recognizer: Recognizer
    corrector: Corrector
    segmenter: Segmenter = field(default_factory=ProfileSegmenter)
    page_reader: PageReader | None = None

    def read_page(self, image: PageImage) -> Page:
        """Find and read the lines of one page.

        Raises:
            RecognitionError: If no line of the page can be read, or the recognizer breaks its
                contract.
        """
        if self.page_reader is not None:
            page = self.page_reader.read(image)
            failure = next((p for p in page.problems if p.code not in REMARKS), None)
            if failure is not None and not page.text:
                raise RecognitionError(failure.message, next_step=failure.next_step)
            judged = () if page.problems else _judge(page)
            return replace(page, problems=(*page.problems, *judged))
        page = self.segmenter.segment(image)
        if not page.lines:
            return replace(page, problems=(*page.problems, _blank(page)))
        results = self._recognize([crop_line(image, line) for line in page.lines])
        lines: list[Line] = []
        failed: list[Problem] = []
        empty = 0
        for line, result in zip(page.lines, results, strict=True):
            outcome = self._correct(result) if isinstance(result, Candidates) else result
            if isinstance(outcome, Problem):
                lines.append(line)
                failed.append(replace(outcome, page=page.number, line_id=line.id))
            elif outcome.text:
                words = place_words(outcome, frame_line(line.polygon))
                lines.append(replace(line, reading=outcome, words=words))
            else:
                empty += 1
        if len(failed) == len(page.lines):
            raise RecognitionError(
                f"No line could be read: {failed[0].message}", next_step=failed[0].next_step
            )
        steps = (*page.steps, f"text: {self.recognizer.name}")
        if empty:
            steps = (*steps, f"left out: {empty} lines of marks without text")
        problems = (*page.problems, *failed)
        page = replace(page, lines=tuple(lines), problems=problems, steps=steps)
        return replace(page, problems=(*page.problems, *_judge(page)))

    def read_each(self, file: PageFile, pages: PageRange = ALL_PAGES) -> Iterator[PageOutcome]:
        """Read the wanted pages one after the other; a failing page does not stop the rest.

        Raises:
            InputError: If the file has none of the wanted pages.
            ResourceMissingError: If the recognizer lacks something it needs.
        """
        numbers = pages.select(file.count)
        if not numbers:
            raise InputError(
                f"{file.source}: none of the wanted pages is among its {file.count}.",
                next_step="Check --pages.",
            )
        for number in numbers:
            try:
                image = file.load(number)
                yield PageOutcome(number, self.read_page(image), image)
            except ResourceMissingError:
                raise
            except OdiaOcrError as error:
                yield PageOutcome(number, error=error)

    def _recognize(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        try:
            results = self.recognizer.read(lines)
        except ResourceMissingError:
            raise
        except Exception:  # one bad line must not take the others with it
            results = [self._recognize_one(line) for line in lines]
        if len(results) != len(lines):
            raise self._breach(f"gave {len(results)} results for {len(lines)} lines")
        for line, result in zip(lines, results, strict=True):
            if isinstance(result, Candidates) and result.line_id != line.id:
                raise self._breach(f"gave line {result.line_id!r} in the place of {line.id!r}")
        return results

    def _recognize_one(self, line: LineImage) -> Candidates | Problem:
        try:
            results = self.recognizer.read([line])
        except ResourceMissingError:
            raise
        except Exception as error:
            return _line_problem(f"{self.recognizer.name} failed: {_tell(error)}")
        if len(results) != 1:
            raise self._breach(f"gave {len(results)} results for one line")
        return results[0]

    def _correct(self, cands: Candidates) -> Reading | Problem:
        try:
            return self.corrector(cands)
        except Exception as error:
            return _line_problem(f"correction failed: {_tell(error)}")

    def _breach(self, what: str) -> RecognitionError:
        return RecognitionError(
            f"The recognizer {self.recognizer.name!r} {what}.",
            next_step="This is a bug of the recognizer; try another with --engine.",
        )


def open_reader(engine: str = "ctc", *, threads: int | None = None) -> Reader:
    """Put a reader together by the name of its engine.

    Raises:
        UsageError: If the engine is unknown.
        ResourceMissingError: If its model or program is missing.
    """
    from odia_ocr.correct.calibrate import load_for
    from odia_ocr.recognize import open_page_reader, open_recognizer

    recognizer = open_recognizer(engine, threads=threads)
    page_reader = open_page_reader(engine, threads=threads)
    return Reader(recognizer, load_for(recognizer), page_reader=page_reader)


def read(
    source: Source,
    *,
    engine: str = "ctc",
    pages: str | PageRange | None = None,
    threads: int | None = None,
    name: str | None = None,
    limits: PageLimits | None = None,
    reader: Reader | None = None,
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

    Returns:
        The document; pages that failed are named in its problems.

    Raises:
        OdiaOcrError: If nothing could be read.
    """
    done: list[Page] = []
    problems: list[Problem] = []
    first_error: OdiaOcrError | None = None
    outcomes = read_pages(
        source, engine=engine, pages=pages, threads=threads, name=name, limits=limits, reader=reader
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
) -> Iterator[PageOutcome]:
    """Like `read`, one page at a time, so a long book does not sit in memory."""
    wanted = parse_pages(pages) if isinstance(pages, str) else pages or ALL_PAGES
    file = open_pages(source, name=name, limits=limits)
    try:
        reader = reader or open_reader(engine, threads=threads)
        yield from reader.read_each(file, wanted)
    finally:
        file.close()


def is_doubtful(reading: Reading) -> bool:
    """True when either confidence that the reading carries is low: of its clusters, or the line's.

    Both are looked at: handwriting gives sure clusters in lines that the calibration holds for
    wrong. A reading that carries neither, such as Tesseract's, is never doubtful.
    """
    clusters = reading.cluster_confidence
    if clusters and sum(clusters) / len(clusters) < DOUBTFUL_CLUSTER:
        return True
    return reading.confidence is not None and reading.confidence < DOUBTFUL_LINE


def _judge(page: Page) -> tuple[Problem, ...]:
    """What to say about a page as a whole."""
    if not page.lines:
        return (_blank(page),)
    readings = [line.reading for line in page.lines if line.reading is not None]
    doubtful = sum(is_doubtful(reading) for reading in readings)
    if 2 * doubtful <= len(readings) or not doubtful:
        return ()
    return (
        Problem(
            "doubtful",
            f"{doubtful} of {len(readings)} lines were read with low confidence: this may be "
            "handwriting, another script, or a picture too small or blurred.",
            "Do not trust the text; if it is printed Odia, scan it at 300 dpi.",
            page=page.number,
        ),
    )


def _blank(page: Page) -> Problem:
    return Problem(
        "blank-page",
        "No text was found on this page.",
        "If it holds text, check contrast and orientation, or scan it at 300 dpi.",
        page=page.number,
    )


def _line_problem(message: str) -> Problem:
    return Problem(RecognitionError.code, message, "Read it again, or try another engine.")


def _tell(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
