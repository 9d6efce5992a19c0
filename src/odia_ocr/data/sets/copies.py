"""Lines that are copies, or nearly, of other lines: by text and by picture.

Near texts are found without comparing all with all: MinHash of runs of letters puts likely copies
into the same bucket, and the edit distance decides. Near pictures are told by their signatures.
Source: Broder 1997, "On the resemblance and containment of documents".
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from odia_ocr.data.sets.facts import SIGNATURE_BITS, Facts
from odia_ocr.language import split_clusters

NEAR_TEXT = 0.85  # share of clusters that are equal in near-copies
# Shorter texts resemble each other by chance: a name, a heading, a page number.
LEAST_WORDS = 3
LEAST_CLUSTERS = 12
# Share of signature bits that may differ between near-copies: 90 % of lines that were scaled and
# saved as poor JPEG differ in less, and no two of 300 lines differ in less than 0.1.
NEAR_PICTURE = 0.09
_RUN = 4  # letters
_BANDS, _ROWS = 12, 2
_MOST_RIVALS = 64  # lines alike that a line is compared with: common words come by the thousand
_PRIME = (1 << 61) - 1


@dataclass(frozen=True, slots=True)
class Copy:
    """Two lines that are alike, by their numbers; `first` < `second`.

    Attributes:
        first: The one met earlier.
        second: The other.
        exact: Equal, not only near.
    """

    first: int
    second: int
    exact: bool


class TextIndex:
    """Tells which of the texts added before a text is a copy of."""

    def __init__(self) -> None:
        self._exact: dict[str, list[int]] = {}
        self._buckets: dict[tuple[int, int], list[int]] = {}
        self._clusters: dict[int, list[str]] = {}
        seeds = np.random.default_rng(20)
        self._factors = seeds.integers(1, 1 << 31, (_BANDS * _ROWS, 1), dtype=np.uint64)
        self._shifts = seeds.integers(0, 1 << 31, (_BANDS * _ROWS, 1), dtype=np.uint64)

    def add(self, number: int, words: Sequence[str]) -> list[Copy]:
        """Add a text; returns its copies among those added before, exact ones first.

        Args:
            number: Of the line, above all numbers before.
            words: See `find_letter_words`.
        """
        text = " ".join(words)
        if not text:
            return []
        joined = text.replace(" ", "")
        same = self._exact.setdefault(joined, [])
        found = [Copy(other, number, True) for other in same[:_MOST_RIVALS]]
        known = bool(same)
        same.append(number)
        clusters = split_clusters(joined)
        if known or len(words) < LEAST_WORDS or len(clusters) < LEAST_CLUSTERS:
            return found  # its near-copies are those of the first of its kind
        keys = self._sign(joined)
        rivals = {other for key in keys for other in self._buckets.get(key, ())[:_MOST_RIVALS]}
        found += [
            Copy(other, number, False) for other in sorted(rivals) if self._is_near(other, clusters)
        ]
        self._clusters[number] = clusters
        for key in keys:
            self._buckets.setdefault(key, []).append(number)
        return found

    def _is_near(self, other: int, clusters: list[str]) -> bool:
        rival = self._clusters[other]
        alike: float = Levenshtein.normalized_similarity(rival, clusters, score_cutoff=NEAR_TEXT)
        return alike >= NEAR_TEXT

    def _sign(self, text: str) -> list[tuple[int, int]]:
        """The buckets of a text."""
        runs = {text[i : i + _RUN] for i in range(max(1, len(text) - _RUN + 1))}
        hashes = np.array([zlib.crc32(run.encode()) for run in runs], np.uint64)
        least = ((self._factors * hashes + self._shifts) % _PRIME).min(axis=1)
        bands = least.reshape(_BANDS, _ROWS)
        return [(band, hash(tuple(map(int, rows)))) for band, rows in enumerate(bands)]


class PictureIndex:
    """Tells which of the pictures added before a picture is a copy of.

    Near-copies are looked for among lines of the same text alone: short lines of other texts look
    alike, too.
    """

    def __init__(self) -> None:
        self._exact: dict[bytes, list[int]] = {}
        self._by_words: dict[tuple[str, ...], list[int]] = {}
        self._facts: dict[int, Facts] = {}

    def add(self, number: int, facts: Facts) -> list[Copy]:
        """Add a picture; returns its copies among those added before, exact ones first."""
        same = self._exact.setdefault(facts.pixels, [])
        rivals = self._by_words.setdefault(facts.words, [])
        found = [Copy(other, number, True) for other in same[:_MOST_RIVALS]]
        found += [
            Copy(other, number, False)
            for other in rivals[:_MOST_RIVALS]
            if other not in same and _are_near(self._facts[other], facts)
        ]
        same.append(number)
        rivals.append(number)
        self._facts[number] = facts
        return found


def _are_near(one: Facts, other: Facts) -> bool:
    differing = (one.signature ^ other.signature).bit_count()
    if differing > NEAR_PICTURE * SIGNATURE_BITS:
        return False
    shapes = [width / height for width, height in (one.size, other.size)]
    return max(shapes) < 1.1 * min(shapes)


def find_text_copies(lines: Iterable[Sequence[str]]) -> Iterator[Copy]:
    """All pairs of copies among the words of lines, as `TextIndex` finds them."""
    index = TextIndex()
    for number, words in enumerate(lines):
        yield from index.add(number, words)
