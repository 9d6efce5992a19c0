"""Which letters are taken for which: the confusion table.

Counts the unequal pairs of cheapest alignments over grapheme clusters or code points. Knows text;
refuses to know engines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from odia_ocr.language import align, fold, split_clusters

ConfusionUnit = Literal["cluster", "char"]


@dataclass(frozen=True, slots=True)
class ComparedText:
    """One line's name, transcription and reading."""

    name: str
    reference: str
    hypothesis: str


@dataclass(frozen=True, slots=True)
class Confusion:
    """One confusion and how often it occurs.

    Attributes:
        reference: What is printed; empty for an insertion.
        hypothesis: What was read; empty for a deletion.
        count: Times in the set.
        example: Name of the first line where it occurs.
    """

    reference: str
    hypothesis: str
    count: int
    example: str


def count_confusions(
    texts: Iterable[ComparedText],
    *,
    unit: ConfusionUnit = "cluster",
    strict: bool = False,
    most: int | None = None,
) -> tuple[Confusion, ...]:
    """Count confusions, most frequent first, then in code-point order.

    Args:
        texts: Lines as transcribed and as read; both are folded first.
        unit: What is aligned: grapheme clusters or code points.
        strict: Fold only NFC and white space.
        most: Give no more than so many; None gives all.
    """
    counts: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for text in texts:
        ref, hyp = fold(text.reference, strict=strict), fold(text.hypothesis, strict=strict)
        if ref == hyp:
            continue
        units = (
            (split_clusters(ref), split_clusters(hyp))
            if unit == "cluster"
            else (list(ref), list(hyp))
        )
        for pair in align(*units):
            if pair.reference != pair.hypothesis:
                key = (pair.reference, pair.hypothesis)
                counts[key] += 1
                examples.setdefault(key, text.name)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Confusion(*key, count=n, example=examples[key]) for key, n in ranked[:most])
