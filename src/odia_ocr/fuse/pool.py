"""Hypotheses of several sources become one list with comparable posteriors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from odia_ocr.types import Candidates, Hypothesis


def pool_candidates(
    members: Sequence[Candidates | None], weights: Sequence[float] | None = None
) -> Candidates:
    """One list of all hypotheses of a line; equal texts become one and add up their posteriors.

    Args:
        members: What each source says of the same line; None of one that could not read it.
        weights: How much each source counts; None counts all alike.

    Raises:
        ValueError: Without members, for lines that differ, or with weights of another number.
    """
    lines = [cands.line_id for cands in members if cands is not None]
    if not lines:
        raise ValueError("a pool needs at least one member")
    if len(set(lines)) != 1:
        raise ValueError(f"members speak of other lines: {lines}")
    weights = [1.0] * len(members) if weights is None else list(weights)
    if len(weights) != len(members):
        raise ValueError(f"{len(weights)} weights for {len(members)} members")
    shares: dict[str, float] = {}
    first: dict[str, Hypothesis] = {}
    for weight, cands in zip(weights, members, strict=True):
        if cands is None:
            continue
        for share, hyp in zip(find_posteriors(cands), cands.hypotheses, strict=True):
            shares[hyp.text] = shares.get(hyp.text, 0.0) + weight * share
            first.setdefault(hyp.text, hyp)
    total = sum(shares.values()) or 1.0
    pooled = [
        replace(first[text], posterior=min(1.0, share / total)) for text, share in shares.items()
    ]
    pooled.sort(key=lambda hyp: -(hyp.posterior or 0.0))
    return Candidates(lines[0], tuple(pooled))


def find_posteriors(cands: Candidates, *, temperature: float = 1.0) -> list[float]:
    """Posteriors of a list that add up to one.

    Those it carries, where all its hypotheses do; else from their optical scores.

    Args:
        cands: Readings of one line.
        temperature: Above 1 evens them out.
    """
    if all(hyp.posterior is not None for hyp in cands.hypotheses):
        logs = [math.log(max(hyp.posterior or 0.0, 1e-12)) for hyp in cands.hypotheses]
    else:
        logs = [hyp.optical_logp for hyp in cands.hypotheses]
    best = max(logs)
    raw = [math.exp((value - best) / temperature) for value in logs]
    return [value / sum(raw) for value in raw]
