"""Words of a read line: their text and where they stand on the page.

The places come from the symbol spans of the hypothesis; edits made after it are followed by
alignment. Without spans a line has no words, rather than guessed ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from odia_ocr.language import split_clusters
from odia_ocr.types import Word

if TYPE_CHECKING:
    from odia_ocr.pages.crop import LineFrame
    from odia_ocr.types import Hypothesis, Reading

_WORD = re.compile(r"\S+")

Span = tuple[float, float] | None


def place_words(reading: Reading, frame: LineFrame) -> tuple[Word, ...]:
    """Split a reading at its spaces and place each word on the page.

    Args:
        reading: With the hypothesis it came from; its symbol spans are in crop pixels.
        frame: Where the crop lies.

    Returns:
        The words, or nothing when the hypothesis has no spans. A word's confidence is the least
        of its clusters' confidences, else of the probabilities of its symbols.
    """
    if reading.hypothesis is None or not any(s.span for s in reading.hypothesis.symbols):
        return ()
    spans = _align_spans(reading)
    confidences = _spread_confidence(reading)
    words = []
    for match in _WORD.finditer(reading.text):
        known = [span for span in spans[match.start() : match.end()] if span]
        if not known:
            continue
        outline = frame.outline(min(s[0] for s in known), max(s[1] for s in known))
        values = [c for c in confidences[match.start() : match.end()] if c is not None]
        words.append(Word(match[0], outline, min(values) if values else None))
    return tuple(words)


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
