"""Minimum Bayes risk: the reading that is expected to be least wrong, not the likeliest one.

Source: Goel and Byrne 2000, "Minimum Bayes-risk automatic speech recognition"; here with the edit
distance over grapheme clusters or code points, over a list of candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from odia_ocr.fuse.pool import find_posteriors
from odia_ocr.language import distance, split_clusters
from odia_ocr.types import Candidates


@dataclass(frozen=True, slots=True)
class MinimumRisk:
    """Candidates -> the same candidates, least expected edit distance first.

    Attributes:
        temperature: Of the posteriors; above 1 evens them out.
        most: Candidates looked at, the first ones.
        unit: What edits are counted in.
    """

    temperature: float = 1.0
    most: int = 32
    unit: Literal["cluster", "character"] = "cluster"

    def __post_init__(self) -> None:
        if self.temperature <= 0.0 or self.most < 1:
            raise ValueError(
                f"temperature must be above 0 and most 1 or more, got {self.temperature}, "
                f"{self.most}"
            )

    def __call__(self, cands: Candidates) -> Candidates:
        """Order by risk; what `most` leaves out follows in its old order."""
        hyps = cands.hypotheses[: self.most]
        if len(hyps) < 2:
            return cands
        shares = find_posteriors(Candidates(cands.line_id, hyps), temperature=self.temperature)
        texts: list[Sequence[str]] = [hyp.text for hyp in hyps]
        if self.unit == "cluster":
            texts = [split_clusters(hyp.text) for hyp in hyps]
        risks = [
            sum(share * distance(other, mine) for share, other in zip(shares, texts, strict=True))
            for mine in texts
        ]
        order = sorted(range(len(hyps)), key=lambda i: (risks[i], i))
        ordered = tuple(hyps[i] for i in order)
        return Candidates(cands.line_id, ordered + cands.hypotheses[self.most :])
