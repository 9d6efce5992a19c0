"""The Odia script: spelling, grapheme clusters, the alphabet and edit distance."""

from odia_ocr.language.alphabet import ALPHABET, Alphabet, find_unknown
from odia_ocr.language.clusters import split_clusters, unicode_version
from odia_ocr.language.distance import EditCounts, align, count_edits, distance
from odia_ocr.language.normalise import fold, normalise

__all__ = [
    "ALPHABET",
    "Alphabet",
    "EditCounts",
    "align",
    "count_edits",
    "distance",
    "find_unknown",
    "fold",
    "normalise",
    "split_clusters",
    "unicode_version",
]
