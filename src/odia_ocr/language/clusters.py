"""Extended grapheme clusters: what a reader of Odia counts as one letter.

A conjunct with its vowel sign is one cluster (Unicode 15.1, rule GB9c), so an old `regex` library,
which splits conjuncts, is refused by the version floor in pyproject.
"""

from __future__ import annotations

import functools

import regex

_CLUSTER = regex.compile(r"\X")


def split_clusters(text: str) -> list[str]:
    """Split `text` into grapheme clusters; joining them gives `text` back."""
    clusters: list[str] = _CLUSTER.findall(text)
    return clusters


@functools.cache
def unicode_version() -> str:
    """Which tables split the clusters, for the signature of a score."""
    from importlib.metadata import version

    kept_whole = len(split_clusters("କ୍ଷ୍ମୀ")) == 1
    return f"regex-{version('regex')}{'' if kept_whole else '-splits-conjuncts'}"
