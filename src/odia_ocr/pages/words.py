"""Words of a read line: their text and where they stand on the page.

The places come from the symbol spans of the hypothesis; edits made after it are followed by
alignment. Without spans a line has no words, rather than guessed ones.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from odia_ocr.language import split_clusters
from odia_ocr.pages.ink import to_grey
from odia_ocr.types import Word

if TYPE_CHECKING:
    import numpy.typing as npt

    from odia_ocr.pages.crop import LineFrame
    from odia_ocr.types import Hypothesis, Pixels, Reading

_WORD = re.compile(r"\S+")
_INK = 0.35  # of the strongest contrast of a line

Span = tuple[float, float] | None


def place_words(
    reading: Reading, frame: LineFrame, pixels: Pixels | None = None
) -> tuple[Word, ...]:
    """Split a reading at its spaces and place each word on the page.

    Args:
        reading: With the hypothesis it came from; its symbol spans are in crop pixels.
        frame: Where the crop lies.
        pixels: The crop. A model knows only about where a letter stands; with the crop, words end
            where their ink does.

    Returns:
        The words, or nothing when the hypothesis has no spans. A word's confidence is the least
        of its clusters' confidences, else of the probabilities of its symbols.
    """
    if reading.hypothesis is None or not any(s.span for s in reading.hypothesis.symbols):
        return ()
    spans = _align_spans(reading)
    confidences = _spread_confidence(reading)
    found: list[re.Match[str]] = []
    places: list[tuple[float, float, float, float]] = []  # first middle, left, right, last middle
    for match in _WORD.finditer(reading.text):
        known = [span for span in spans[match.start() : match.end()] if span]
        if known:
            found.append(match)
            first, last = min(known), max(known)
            middles = ((first[0] + first[1]) / 2, (last[0] + last[1]) / 2)
            places.append((middles[0], first[0], max(s[1] for s in known), middles[1]))
    ends = [(left, right) for _, left, right, _ in places]
    if pixels is not None and places:
        ends = _snap_to_ink(places, find_ink_columns(pixels))
    words = []
    for match, (left, right) in zip(found, ends, strict=True):
        values = [c for c in confidences[match.start() : match.end()] if c is not None]
        words.append(Word(match[0], frame.outline(left, right), min(values) if values else None))
    return tuple(words)


def find_ink_columns(pixels: Pixels) -> npt.NDArray[np.bool_]:
    """Which columns of a line's crop hold writing, dark or light, bool (width,).

    Rows near the edges are not looked at: marks of neighbouring lines stand there.
    """
    grey = to_grey(pixels)
    height = grey.shape[0]
    inner = np.ascontiguousarray(grey[round(0.18 * height) : max(1, round(0.82 * height))])
    counts = np.array(Image.fromarray(inner).histogram())
    values = np.arange(256.0)
    ground = _weighted_quantile(values, counts, 0.5)
    contrast = np.abs(values - ground)
    strong = max(12.0, _INK * _weighted_quantile(contrast, counts, 0.99))
    columns: npt.NDArray[np.bool_] = inner.max(axis=0) > ground + strong
    columns |= inner.min(axis=0) < ground - strong
    return columns


def _weighted_quantile(
    values: npt.NDArray[np.float64],
    counts: npt.NDArray[np.int64],
    share: float,
) -> float:
    """The quantile of values that come so many times each, as `np.quantile` has it."""
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(counts[order])
    place = share * (int(ends[-1]) - 1)
    low, high = (
        values[order[np.searchsorted(ends, i, "right")]]
        for i in (math.floor(place), math.ceil(place))
    )
    return float(low + (high - low) * (place - math.floor(place)))


def _snap_to_ink(
    places: Sequence[tuple[float, float, float, float]], ink: npt.NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Move the ends of words into the widest gap between each word and the next.

    The line's own ends go to the last ink within a word's reach.
    """
    width = len(ink)
    lefts, rights = [place[1] for place in places], [place[2] for place in places]
    for i, (one, other) in enumerate(itertools.pairwise(places)):
        gap = _widest_gap(ink, one[3], other[0])
        if gap is not None:
            rights[i], lefts[i + 1] = gap
    marks = np.flatnonzero(ink)
    reach = max(4.0, float(np.mean([place[2] - place[1] for place in places])) * 0.5)
    before = marks[(marks >= lefts[0] - reach) & (marks <= places[0][0])]
    after = marks[(marks <= rights[-1] + reach) & (marks >= places[-1][3])]
    if len(before):
        lefts[0] = float(before[0])
    if len(after):
        rights[-1] = float(min(width, after[-1] + 1))
    return [(min(a, b), max(a, b)) for a, b in zip(lefts, rights, strict=True)]


def _widest_gap(ink: npt.NDArray[np.bool_], start: float, end: float) -> tuple[float, float] | None:
    """The longest run of columns without ink between two places; None when there is none."""
    low, high = max(0, round(start)), min(len(ink), round(end) + 1)
    blank = np.concatenate([[False], ~ink[low:high], [False]])
    edges = np.flatnonzero(blank[1:] != blank[:-1])
    if not len(edges):
        return None
    starts, stops = edges[::2], edges[1::2]
    best = int(np.argmax(stops - starts))
    return float(low + starts[best]), float(low + stops[best])


def _align_spans(reading: Reading) -> list[Span]:
    """A span for each code point of the reading's text, None where nothing is known."""
    assert reading.hypothesis is not None
    seen, spans = _flatten(reading.hypothesis)
    if seen == reading.text:
        return spans
    from rapidfuzz.distance import Levenshtein

    placed: list[Span] = [None] * len(reading.text)
    for op in Levenshtein.opcodes(seen, reading.text):
        source = spans[op.src_start : op.src_end]
        for i in range(op.dest_start, op.dest_end):
            if source:
                placed[i] = source[min(i - op.dest_start, len(source) - 1)]
    return placed


def _flatten(hyp: Hypothesis) -> tuple[str, list[Span]]:
    spans: list[Span] = []
    for symbol in hyp.symbols:
        spans.extend([symbol.span] * len(symbol.text))
    return hyp.text, spans


def _spread_confidence(reading: Reading) -> Sequence[float | None]:
    """A confidence for each code point, from the clusters or from the symbols."""
    clusters = split_clusters(reading.text)
    if len(clusters) == len(reading.cluster_confidence):
        pairs = zip(clusters, reading.cluster_confidence, strict=True)
        return [value for cluster, value in pairs for _ in cluster]
    assert reading.hypothesis is not None
    if reading.hypothesis.text != reading.text:
        return [None] * len(reading.text)
    symbols = reading.hypothesis.symbols
    return [min(1.0, math.exp(symbol.logp)) for symbol in symbols for _ in symbol.text]
