"""Edit distance over code points, clusters or words: one definition for scoring and voting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True, slots=True)
class EditCounts:
    """Sufficient statistics of one comparison.

    Attributes:
        edits: Substitutions + insertions + deletions.
        length: Number of units in the reference.
    """

    edits: int
    length: int

    def __add__(self, other: EditCounts) -> EditCounts:
        return EditCounts(self.edits + other.edits, self.length + other.length)

    @property
    def rate(self) -> float:
        """Edits per reference unit; an empty reference counts as one unit."""
        return self.edits / max(1, self.length)


@dataclass(frozen=True, slots=True)
class AlignedPair:
    """One step of an alignment: `reference` or `hypothesis` is empty for insertion or deletion."""

    reference: str
    hypothesis: str


def distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    """Levenshtein distance with unit costs."""
    return int(Levenshtein.distance(reference, hypothesis))


def count_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> EditCounts:
    """Edits and reference length of one pair."""
    return EditCounts(distance(reference, hypothesis), len(reference))


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> list[AlignedPair]:
    """A cheapest alignment, unit by unit, equal units included."""
    pairs: list[AlignedPair] = []
    for op in Levenshtein.opcodes(reference, hypothesis):
        left, right = reference[op.src_start : op.src_end], hypothesis[op.dest_start : op.dest_end]
        for i in range(max(len(left), len(right))):
            pairs.append(
                AlignedPair(left[i] if i < len(left) else "", right[i] if i < len(right) else "")
            )
    return pairs


def find_kept(reference: Sequence[str], hypothesis: Sequence[str]) -> list[bool]:
    """Which units of the hypothesis a cheapest alignment finds in the reference."""
    kept = [False] * len(hypothesis)
    for block in Levenshtein.opcodes(reference, hypothesis).as_matching_blocks():
        for at in range(block.b, block.b + block.size):
            kept[at] = True
    return kept
