"""Minimum Bayes risk: the reading that is expected to be least wrong, not the likeliest one.

Source: Goel and Byrne 2000, "Minimum Bayes-risk automatic speech recognition"; here with the edit
distance over grapheme clusters, over a list of candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

from odia_ocr.fuse.pool import find_posteriors
from odia_ocr.language import distance, split_clusters
from odia_ocr.types import Candidates


@dataclass(frozen=True, slots=True)
class MinimumRisk:
    """Candidates -> the same candidates, least expected edit distance first.

    Attributes:
        temperature: Of the posteriors; above 1 evens them out.
        most: Candidates looked at, the likeliest first.
    """

    temperature: float = 1.0
    most: int = 32

    def __call__(self, cands: Candidates) -> Candidates:
        """Order by risk; what `most` leaves out follows in its old order."""
        hyps = cands.hypotheses[: self.most]
        if len(hyps) < 2:
            return cands
        shares = find_posteriors(Candidates(cands.line_id, hyps), temperature=self.temperature)
        clusters = [split_clusters(hyp.text) for hyp in hyps]
        risks = [
            sum(
                share * distance(other, mine) for share, other in zip(shares, clusters, strict=True)
            )
            for mine in clusters
        ]
        order = sorted(range(len(hyps)), key=lambda i: (risks[i], i))
        ordered = tuple(hyps[i] for i in order)
        return Candidates(cands.line_id, ordered + cands.hypotheses[self.most :])
