"""Learns which letters a reader takes for which, from its readings of lines with known text.

The texts are aligned code point by code point, as they are scored; each run of differing code
points is one mistake. Source: Kernighan, Church and Gale 1990, "A spelling correction program based
on a noisy channel model" (confusion matrices), with runs instead of single letters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from odia_ocr.correct.confusions import Confusion, ConfusionTable
from odia_ocr.correct.lexicon import is_letter
from odia_ocr.language import fold

LONGEST = 3  # code points of a mistake, on either side
_FEWEST = 2  # a mistake seen less often is chance
_SMOOTH = 0.5
_PRIOR = 20.0  # printings without a mistake that are added, against chance in rare letters
_GARBLED = 0.4  # lines with more errors a letter teach nothing about single letters


@dataclass(frozen=True, slots=True)
class ReadText:
    """A line's text and what was read of it."""

    truth: str
    read: str


def learn_confusions(lines: Iterable[ReadText]) -> ConfusionTable:
    """Count mistakes between Odia letters and weigh them against right readings."""
    printed: Counter[str] = Counter()
    right: Counter[str] = Counter()
    mistakes: Counter[tuple[str, str]] = Counter()
    for line in lines:
        truth, read = fold(line.truth), fold(line.read)
        steps = Levenshtein.opcodes(truth, read)
        if Levenshtein.distance(truth, read) > _GARBLED * len(truth):
            continue
        for length in range(1, LONGEST + 1):
            printed.update(truth[i : i + length] for i in range(len(truth) - length + 1))
        for step in steps:
            wanted = truth[step.src_start : step.src_end]
            if step.tag == "equal":
                right.update(wanted)
                continue
            found = read[step.dest_start : step.dest_end]
            if max(len(wanted), len(found)) <= LONGEST and all(map(is_letter, wanted + found)):
                mistakes[wanted, found] += 1
    places = sum(n for text, n in printed.items() if len(text) == 1)
    learned = []
    for (wanted, found), count in mistakes.items():
        if count >= _FEWEST:
            share = count / ((printed[wanted] if wanted else places) + _PRIOR)
            learned.append(
                Confusion(wanted, found, min(0.0, math.log(share / _share(right, printed, found))))
            )
    unseen = math.log(_SMOOTH / max(2, places)) if not learned else min(c.logp for c in learned) - 1
    learned.sort(key=lambda c: (-c.logp, c.read, c.true))
    return ConfusionTable(tuple(learned), unseen)


def _share(right: Counter[str], printed: Counter[str], text: str) -> float:
    """How often the letters of `text` are read right where they are printed."""
    shares = ((right[char] + 1.0) / (printed[char] + 2.0) for char in text)
    return math.prod(shares)
