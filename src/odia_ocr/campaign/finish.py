"""Candidates of one or several sources become one reading a line: fusers, then the corrector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from odia_ocr.campaign.packing import Outcome
from odia_ocr.campaign.stack import Stack
from odia_ocr.fuse.mbr import MinimumRisk
from odia_ocr.fuse.pool import pool_candidates
from odia_ocr.fuse.rerank import Reranker, RerankWeights
from odia_ocr.fuse.vote import Vote
from odia_ocr.language.ngram import NgramModel
from odia_ocr.types import Candidates, Corrector, Problem, Reading


def make_fuser(
    stack: Stack, open_lm: Callable[[], NgramModel]
) -> Callable[[Sequence[Candidates]], Candidates]:
    """What makes one list of candidates of all sources' lists.

    Args:
        stack: Says how.
        open_lm: Opens the language model; only called to rerank.
    """
    reranker = None
    if stack.rerank is not None:
        reranker = Reranker(open_lm(), RerankWeights(**asdict(stack.rerank)))
    risk = MinimumRisk(temperature=stack.risk_heat)

    def fuse(members: Sequence[Candidates]) -> Candidates:
        if stack.combine == "mbr":
            fused = risk(pool_candidates(members))
        elif stack.combine in ("majority", "confidence"):
            fused = Vote(by=stack.combine)(members)
        else:
            fused = members[0]
        return reranker(fused) if reranker is not None else fused

    return fuse


def fuse_lines(
    sources: Sequence[Sequence[Outcome]], fuse: Callable[[Sequence[Candidates]], Candidates]
) -> list[Outcome]:
    """Fuse line by line; a source that failed on a line has no say there."""
    fused: list[Outcome] = []
    for outcomes in zip(*sources, strict=True):
        members = [outcome for outcome in outcomes if isinstance(outcome, Candidates)]
        fused.append(fuse(members) if members else outcomes[0])
    return fused


def finish_lines(outcomes: Sequence[Outcome], corrector: Corrector) -> list[Reading]:
    """The readings; a line that failed is an empty reading without confidence."""
    return [
        Reading("", None) if isinstance(outcome, Problem) else corrector(outcome)
        for outcome in outcomes
    ]
