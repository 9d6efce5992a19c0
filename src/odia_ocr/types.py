"""The values that travel between the rooms. Frozen, small, without pixels or logits.

Pixel coordinates: the page as given after EXIF rotation, origin top-left, x right, y down.
`LineImage` and `PageImage` hold the pixels; they travel beside the values, never inside.
Knows nothing of files, models or scripts; needs only numpy.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

GreyPixels = npt.NDArray[np.uint8]  # (height, width)
Pixels = npt.NDArray[np.uint8]  # (height, width) grey or (height, width, 3) RGB
FloatArray = npt.NDArray[np.float32]

# In `Page.steps`, of a page whose text was taken from its PDF: it has a text layer already.
TEXT_LAYER_STEP = "text: the text layer of the PDF"

Point = tuple[float, float]
Polygon = tuple[Point, ...]


def _check_probability(name: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name} must lie in 0..1, got {value!r}")


def _check_logp(name: str, value: float) -> None:
    # A float sum of log-probabilities may end a hair above zero.
    if math.isnan(value) or value > 1e-4:
        raise ValueError(f"{name} must be a log-probability <= 0, got {value!r}")


@dataclass(frozen=True, slots=True)
class Symbol:
    """One recognised piece of text.

    Attributes:
        text: Whole code points, NFC.
        logp: Natural logarithm of its probability, <= 0.
        span: (left, right) in pixels of the line picture as it was given, or None.
        alternatives: Rivals at this place as (text, logp), best first, without `text` itself.
    """

    text: str
    logp: float
    span: tuple[float, float] | None = None
    alternatives: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if unicodedata.normalize("NFC", self.text) != self.text:
            raise ValueError(f"Symbol.text must be NFC, got {self.text!r}")
        _check_logp("Symbol.logp", self.logp)
        if self.span is not None and self.span[0] > self.span[1]:
            raise ValueError(f"Symbol.span must run left to right, got {self.span!r}")


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of a line with its scores kept apart, so weights can be refitted.

    Attributes:
        symbols: In reading order; empty for a blank line.
        optical_logp: Natural log-probability from the picture alone, <= 0.
        lm_logp: Natural log-probability from a language model, or None when none was asked.
        posterior: P(this hypothesis | the N-best list), 0..1, or None.
        source: Which engine and decoder spoke, e.g. "ctc-v1/greedy".
        scored: False where the engine gives no probabilities: every logp is 0 and says nothing.
    """

    symbols: tuple[Symbol, ...]
    optical_logp: float
    lm_logp: float | None = None
    posterior: float | None = None
    source: str = ""
    scored: bool = True

    def __post_init__(self) -> None:
        _check_logp("Hypothesis.optical_logp", self.optical_logp)
        if self.posterior is not None:
            _check_probability("Hypothesis.posterior", self.posterior)

    @property
    def text(self) -> str:
        """The text of all symbols, joined."""
        return "".join(symbol.text for symbol in self.symbols)


@dataclass(frozen=True, slots=True)
class Candidates:
    """All readings of one line, best first; never empty. The waist of the system.

    Attributes:
        line_id: The `Line.id` these readings belong to.
        hypotheses: Best first; a blank line is one Hypothesis without symbols.
    """

    line_id: str
    hypotheses: tuple[Hypothesis, ...]

    def __post_init__(self) -> None:
        if not self.hypotheses:
            raise ValueError(f"Candidates of line {self.line_id!r} must not be empty")

    @property
    def best(self) -> Hypothesis:
        """The first hypothesis."""
        return self.hypotheses[0]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change made to a hypothesis: code-point offsets in the text before the edit."""

    start: int
    end: int
    before: str
    after: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The final text of a line.

    Attributes:
        text: Normalised Unicode text.
        confidence: Calibrated P(the whole line is right), 0..1, or None when not calibrated.
        cluster_confidence: One value 0..1 per grapheme cluster of `text`, or empty.
        edits: What correction changed.
        hypothesis: What the machine saw before edits.
    """

    text: str
    confidence: float | None
    cluster_confidence: tuple[float, ...] = ()
    edits: tuple[Edit, ...] = ()
    hypothesis: Hypothesis | None = None

    def __post_init__(self) -> None:
        if self.confidence is not None:
            _check_probability("Reading.confidence", self.confidence)
        for value in self.cluster_confidence:
            _check_probability("Reading.cluster_confidence", value)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line: its text, its outline on the page and its confidence (0..1 or None)."""

    text: str
    polygon: Polygon
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line of a page.

    Attributes:
        id: Unique on its page, e.g. "p0001-l003".
        polygon: Outline in page pixels, clockwise from the top left.
        baseline: Points left to right in page pixels, or None.
        region: Id of the region it belongs to, or None.
        reading: None until read, or when reading failed (then a Problem names the line).
        words: Made once, in the pipeline.
        found: How surely the segmenter takes it for print, 0..1, or None.
    """

    id: str
    polygon: Polygon
    baseline: tuple[Point, ...] | None = None
    region: str | None = None
    reading: Reading | None = None
    words: tuple[Word, ...] = ()
    found: float | None = None

    def __post_init__(self) -> None:
        if len(self.polygon) < 3:
            raise ValueError(f"Line.polygon needs three points or more, got {self.polygon!r}")
        if self.found is not None:
            _check_probability("Line.found", self.found)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) of the polygon."""
        xs, ys = zip(*self.polygon, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def text(self) -> str:
        """The text read, or an empty string when the line has no reading."""
        return self.reading.text if self.reading else ""


@dataclass(frozen=True, slots=True)
class Region:
    """A block of lines; `kind`: text, heading, paragraph, list, caption, table or picture."""

    id: str
    polygon: Polygon
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that went wrong and what to do about it.

    Attributes:
        code: Stable identifier, see `odia_ocr.errors`.
        message: What happened, with the offending value.
        next_step: What the person can do.
        page: Page number from 1, or None.
        line_id: The line concerned, or None.
    """

    code: str
    message: str
    next_step: str = ""
    page: int | None = None
    line_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page: geometry, lines in reading order, problems and provenance.

    Attributes:
        source: File the page came from.
        number: From 1, within its source.
        size: (width, height) in pixels, after EXIF rotation.
        dpi: Dots per inch where the file says so, else None.
        regions: Blocks of the page.
        lines: In reading order.
        problems: What went wrong on this page.
        steps: Provenance: which model, which settings, in order.
    """

    source: str
    number: int
    size: tuple[int, int]
    dpi: float | None = None
    regions: tuple[Region, ...] = ()
    lines: tuple[Line, ...] = ()
    problems: tuple[Problem, ...] = ()
    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"Page.number counts from 1, got {self.number!r}")
        if min(self.size) < 1:
            raise ValueError(f"Page.size must be positive, got {self.size!r}")

    @property
    def text(self) -> str:
        """One printed line a line, a blank line between regions."""
        parts: list[str] = []
        region: str | None = None
        for line in self.lines:
            if line.reading is None:
                continue
            if parts and line.region != region:
                parts.append("")
            parts.append(line.text)
            region = line.region
        return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: its pages and the problems that belong to no page."""

    source: str
    pages: tuple[Page, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def text(self) -> str:
        """Text of all pages, a form feed between pages."""
        return "\f".join(page.text for page in self.pages)


@dataclass(frozen=True, slots=True, eq=False)
class LineImage:
    """Pixels of one line, grey (height, width) or RGB (height, width, 3), uint8."""

    id: str
    pixels: Pixels

    def __post_init__(self) -> None:
        _check_pixels(self.id, self.pixels)

    @property
    def is_even(self) -> bool:
        """True when all of it is one tone: nothing can be written there."""
        return bool((self.pixels == self.pixels[0, 0]).all())


@dataclass(frozen=True, slots=True, eq=False)
class PageImage:
    """Pixels of one page, grey (height, width) or RGB (height, width, 3), uint8."""

    source: str
    number: int
    pixels: Pixels
    dpi: float | None = None

    def __post_init__(self) -> None:
        _check_pixels(self.source, self.pixels)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])


def _check_pixels(name: str, pixels: Pixels) -> None:
    shape = tuple(pixels.shape)
    good = len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)
    if not good or min(shape) < 1 or str(pixels.dtype) != "uint8":
        raise ValueError(
            f"{name}: pixels must be uint8 of shape (height, width) or (height, width, 3), "
            f"got {pixels.dtype} {shape}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Emission:
    """What an optical CTC model says about one line.

    Attributes:
        line_id: The line it belongs to.
        log_probs: Natural log-probabilities, float32 of shape (T, V); column 0 is the blank.
        alphabet: The V - 1 symbols of columns 1 .. V - 1.
        px_per_frame: Width of one frame in pixels of the line picture as it was given.
    """

    line_id: str
    log_probs: FloatArray  # (T, V)
    alphabet: tuple[str, ...]
    px_per_frame: float

    def __post_init__(self) -> None:
        if self.log_probs.ndim != 2 or self.log_probs.shape[1] != len(self.alphabet) + 1:
            raise ValueError(
                f"Emission of line {self.line_id!r}: log_probs must be "
                f"(T, {len(self.alphabet) + 1}), got {self.log_probs.shape}"
            )


@runtime_checkable
class Segmenter(Protocol):
    """Finds the lines of a page."""

    def segment(self, image: PageImage) -> Page:
        """Return a page with regions and unread lines in reading order."""
        ...


@runtime_checkable
class Recognizer(Protocol):
    """Reads line pictures.

    Contract: one result per line, in order; equal to reading the lines one at a time; an empty
    input gives an empty list; a blank line gives one empty Hypothesis; text is NFC; a line that
    cannot be read gives a Problem and leaves the others alone.
    """

    @property
    def name(self) -> str:
        """E.g. "ctc-v2"."""
        ...

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines."""
        ...


@runtime_checkable
class PageReader(Protocol):
    """An engine with its own layout analysis."""

    name: str

    def read(self, image: PageImage) -> Page:
        """Return the page with its lines read."""
        ...


Decoder = Callable[[Emission], tuple[Hypothesis, ...]]
Fuser = Callable[[Candidates], Candidates]
Corrector = Callable[[Candidates], Reading]
Writer = Callable[[Iterable[tuple[Page, "PageImage | None"]], BinaryIO], None]
