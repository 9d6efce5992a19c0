"""The lines of a picture are read: crops, recognizer, corrector, words; and how sure that was.

A line that cannot be read becomes a `Problem` and leaves the others alone. Knows nothing of files,
pages in a row or how lines were found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from odia_ocr.correct.calibrate import sum_clusters
from odia_ocr.errors import RecognitionError, ResourceMissingError
from odia_ocr.pages.crop import crop_line, frame_line
from odia_ocr.pages.kinds import tell_kinds
from odia_ocr.pages.light import level_line
from odia_ocr.pages.words import place_words
from odia_ocr.types import (
    Candidates,
    Corrector,
    Line,
    LineImage,
    Page,
    PageImage,
    Problem,
    Reading,
    Recognizer,
)

SURE = 0.85  # probability of a cluster from which on it counts as surely read
# Of 1,398 lines found on rendered pages, 16 were none; with both below, 13 of these and 5 lines go.
_TEMPER = 0.85  # best-path probabilities of lines were this much too sure on held-out lines
UNREADABLE = 0.6  # mean probability of a line's clusters
DOUBTED = 0.8  # how surely the segmenter took it for print

# A line is doubtful when the mean probability that a cluster is right is below the first, or the
# probability that the whole line is right below the second; a page when most of its lines are.
DOUBTFUL_CLUSTER = 0.75
DOUBTFUL_LINE = 0.05

# Problem codes that are said to the reader, yet no failure: the page was read as far as it goes.
REMARKS = frozenset({"blank-page", "doubtful", "not-odia"})

_FEW_LETTERS = 60  # a page of fewer says nothing about its language
_FOREIGN = 0.1  # a page with a smaller share of Odia among its letters is not Odia


@dataclass(frozen=True, slots=True)
class LineReader:
    """A recognizer and a corrector, guarded.

    Attributes:
        recognizer: Reads line pictures.
        corrector: Chooses the reading of each line; writes the calibrated confidence.
    """

    recognizer: Recognizer
    corrector: Corrector

    def read_page(self, image: PageImage, page: Page) -> Page:
        """Read all lines of a page.

        Left out, and counted in the page's steps, are lines without text, and what the segmenter
        doubted and the recognizer cannot read, on a page whose other lines are read surely.

        Raises:
            RecognitionError: If the recognizer breaks its contract.
            ResourceMissingError: If it lacks something it needs.
        """
        crops = [cut_line(image, line) for line in page.lines]
        outcomes = self.read_lines(crops)
        lines: list[Line] = []
        failed: list[Problem] = []
        empty = 0
        for line, crop, outcome in zip(page.lines, crops, outcomes, strict=True):
            if isinstance(outcome, Problem):
                lines.append(line)
                failed.append(replace(outcome, page=page.number, line_id=line.id))
            elif outcome.text:
                words = place_words(outcome, frame_line(line.polygon), crop.pixels)
                lines.append(replace(line, reading=outcome, words=words))
            else:
                empty += 1
        steps = (*page.steps, f"text: {self.recognizer.name}")
        if empty:
            steps = (*steps, f"left out: {empty} lines of marks without text")
        marks = [line for line in lines if _is_mark(line)]
        kept = [line for line in lines if line not in marks]
        if marks and (rate_sureness([line.reading for line in kept]) or 0.0) >= SURE:
            steps = (*steps, f"left out: {len(marks)} marks that look like no print")
            lines = kept
        problems = (*page.problems, *failed)
        return tell_kinds(replace(page, lines=tuple(lines), problems=problems, steps=steps))

    def read_lines(self, lines: Sequence[LineImage]) -> list[Reading | Problem]:
        """Read line pictures, in order.

        Raises:
            RecognitionError: If the recognizer breaks its contract.
            ResourceMissingError: If it lacks something it needs.
        """
        return [
            self._correct(result) if isinstance(result, Candidates) else result
            for result in self.recognize(lines)
        ]

    def recognize(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """The candidates of line pictures, in order; what fails is a Problem in its place.

        Raises:
            RecognitionError: If the recognizer breaks its contract.
            ResourceMissingError: If it lacks something it needs.
        """
        if not lines:
            return []
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
            return _line_problem(f"{self.recognizer.name} failed: {tell_error(error)}")
        if len(results) != 1:
            raise self._breach(f"gave {len(results)} results for one line")
        return results[0]

    def _correct(self, cands: Candidates) -> Reading | Problem:
        try:
            return self.corrector(cands)
        except Exception as error:
            return _line_problem(f"correction failed: {tell_error(error)}")

    def _breach(self, what: str) -> RecognitionError:
        return RecognitionError(
            f"The recognizer {self.recognizer.name!r} {what}.",
            next_step="This is a bug of the recognizer; try another with --engine.",
        )


def _is_mark(line: Line) -> bool:
    """Doubted by the segmenter and not readable: a piece of a picture, a scribble, dirt."""
    if line.found is None or line.found >= DOUBTED or line.reading is None:
        return False
    sureness = rate_sureness([line.reading])
    return sureness is not None and sureness < UNREADABLE


def cut_line(image: PageImage, line: Line) -> LineImage:
    """The picture of a line, in even light."""
    return level_line(crop_line(image, line))


def rate_sureness(readings: Iterable[Reading | None], *, least: int = 1) -> float | None:
    """Mean probability that a cluster is right, 0..1; None where fewer than `least` were read."""
    values = [value for r in readings if r is not None for value in rate_clusters(r)]
    return sum(values) / len(values) if len(values) >= least else None


def rate_clusters(reading: Reading) -> Sequence[float]:
    """How surely the picture shows each cluster, 0..1, whatever else speaks for it.

    Unlike confidence this is low where the page is turned or in another script, although a language
    model may have found words there.
    """
    if reading.hypothesis is None or not reading.hypothesis.scored:
        return reading.cluster_confidence
    return [math.exp(min(0.0, logp) / _TEMPER) for logp in sum_clusters(reading.hypothesis)]


def count_sure(page: Page) -> int:
    """How many clusters of a page were read surely."""
    values = (
        value
        for line in page.lines
        if line.reading is not None
        for value in rate_clusters(line.reading)
    )
    return sum(value >= SURE for value in values)


def is_doubtful(reading: Reading) -> bool:
    """True when either confidence that the reading carries is low: of its clusters, or the line's.

    Both are looked at: handwriting gives sure clusters in lines that the calibration holds for
    wrong. A reading that carries neither, such as Tesseract's, is never doubtful.
    """
    clusters = reading.cluster_confidence
    if clusters and sum(clusters) / len(clusters) < DOUBTFUL_CLUSTER:
        return True
    return reading.confidence is not None and reading.confidence < DOUBTFUL_LINE


def judge_page(page: Page) -> tuple[Problem, ...]:
    """What to say about a page as a whole."""
    if not page.lines:
        return (_blank(page),)
    readings = [line.reading for line in page.lines if line.reading is not None]
    doubtful = sum(is_doubtful(reading) for reading in readings)
    if 2 * doubtful <= len(readings) or not doubtful:
        letters = [char for reading in readings for char in reading.text if char.isalpha()]
        odia = sum("\u0b00" <= char <= "\u0b7f" for char in letters)
        foreign = len(letters) >= _FEW_LETTERS and odia < _FOREIGN * len(letters)
        return (_foreign(page),) if foreign else ()
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


def _foreign(page: Page) -> Problem:
    return Problem(
        "not-odia",
        "Hardly any letter of this page was read as Odia.",
        "Latin letters are read less surely than Odia; for a page in English take a recognizer "
        "that was made for it.",
        page=page.number,
    )


def _line_problem(message: str) -> Problem:
    return Problem(RecognitionError.code, message, "Read it again, or try another engine.")


def tell_error(error: Exception) -> str:
    """An unexpected error in a message: its kind and what it says."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
