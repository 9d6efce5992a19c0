"""Several members' readings of one line become one by a vote on aligned grapheme clusters.

Source: Fiscus 1997, "A post-processing system to yield reduced word error rates: Recognizer Output
Voting Error Reduction (ROVER)"; here over grapheme clusters instead of words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from odia_ocr.language import split_clusters
from odia_ocr.types import Candidates, Hypothesis, Symbol

_SURELY = -1e-6


@dataclass(frozen=True, slots=True)
class Piece:
    """A grapheme cluster of a reading with the symbols that spell it.

    Attributes:
        text: One cluster, or more where one symbol reaches over their border; "" for nothing.
        symbols: Of the member that read it.
        sureness: Probability of all its symbols together, 0..1.
    """

    text: str
    symbols: tuple[Symbol, ...] = ()
    sureness: float = 0.0


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one member says in a slot."""

    member: int
    piece: Piece


Slot = list[Ballot]


@dataclass(frozen=True, slots=True)
class Vote:
    """Members' best readings of a line -> one reading, then theirs as rivals.

    Attributes:
        by: "majority" counts heads, sureness breaks ties; "confidence" adds up sureness, which
            misleads where members read with a language model: what it put in has little optical
            probability.
        weights: Of the members in their order, 0 or more; empty counts all alike.
        nothing: Sureness of a member that reads nothing where others read something.
        source: Written into `Hypothesis.source`.
    """

    by: Literal["majority", "confidence"] = "majority"
    weights: tuple[float, ...] = ()
    nothing: float = 0.5
    source: str = "vote"

    def __post_init__(self) -> None:
        if self.weights and (min(self.weights) < 0.0 or max(self.weights) <= 0.0):
            raise ValueError(f"weights must be 0 or more and not all 0, got {self.weights}")

    def __call__(self, members: Sequence[Candidates | None]) -> Candidates:
        """Vote on one line.

        The result's symbols are those of the surest member that read a winner; where others read
        something else, the cluster is one symbol with theirs as alternatives. `posterior` is the
        product of the winners' shares and `optical_logp` its logarithm. The first member's order
        decides where nothing else does.

        Args:
            members: Candidates of each; None of one that could not read the line.

        Raises:
            ValueError: Without members, for lines that differ, or with weights of another number.
        """
        _check_members(members, self.weights)
        weights = self.weights or (1.0,) * len(members)
        present = [(weights[i], cands) for i, cands in enumerate(members) if cands is not None]
        slots: list[Slot] = []
        for i, (_, cands) in enumerate(present):
            slots = add_member(slots, i, split_pieces(cands.best))
        symbols: list[Symbol] = []
        share = 0.0
        for slot in slots:
            piece, won = self._elect(slot, [weight for weight, _ in present])
            symbols += piece.symbols
            share += math.log(won)
        share = min(0.0, share)
        voted = Hypothesis(tuple(symbols), share, None, math.exp(share), self.source)
        rivals = {cands.best.text: cands.best for _, cands in present}
        rivals.pop(voted.text, None)
        return Candidates(present[0][1].line_id, (voted, *rivals.values()))

    def _elect(self, slot: Slot, weights: Sequence[float]) -> tuple[Piece, float]:
        """The winner of a slot with the losers as its alternatives, and its share of the votes."""
        votes: dict[str, float] = {}
        surest: dict[str, Piece] = {}
        for ballot in slot:
            piece = ballot.piece
            sureness = piece.sureness if piece.text else self.nothing
            weight = 1.0 + 1e-3 * sureness if self.by == "majority" else max(1e-6, sureness)
            weight *= max(1e-6, weights[ballot.member])
            votes[piece.text] = votes.get(piece.text, 0.0) + weight
            if piece.text not in surest or piece.sureness > surest[piece.text].sureness:
                surest[piece.text] = piece
        total = sum(votes.values())
        ranked = sorted(votes, key=lambda text: -votes[text])
        losers = [(text, math.log(votes[text] / total)) for text in ranked[1:] if text]
        return _add_rivals(surest[ranked[0]], losers), votes[ranked[0]] / total


def _add_rivals(piece: Piece, rivals: Sequence[tuple[str, float]]) -> Piece:
    """The piece as one symbol with alternatives; as it is where there are none."""
    if not rivals or not piece.symbols:
        return piece
    spans = [symbol.span for symbol in piece.symbols if symbol.span is not None]
    span = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else None
    logp = sum(symbol.logp for symbol in piece.symbols)
    return replace(piece, symbols=(Symbol(piece.text, logp, span, tuple(rivals)),))


def split_pieces(hyp: Hypothesis) -> list[Piece]:
    """Cut a reading into clusters with their symbols."""
    ends = []
    at = 0
    for cluster in split_clusters(hyp.text):
        at += len(cluster)
        ends.append(at)
    pieces: list[Piece] = []
    group: list[Symbol] = []
    at, borders = 0, set(ends)
    for symbol in hyp.symbols:
        group.append(symbol)
        at += len(symbol.text)
        if at in borders and group:
            text = "".join(part.text for part in group)
            logp = sum(part.logp for part in group)
            if text:
                pieces.append(Piece(text, tuple(group), math.exp(min(_SURELY, logp))))
            group = []
    return pieces


def add_member(slots: Sequence[Slot], member: int, pieces: Sequence[Piece]) -> list[Slot]:
    """Align one more reading with the slots of those before (the first reading makes the slots).

    Every earlier member has a ballot in each slot; those that read nothing there have an empty one.
    """
    if member == 0:
        return [[Ballot(0, piece)] for piece in pieces]
    known = [{ballot.piece.text for ballot in slot} for slot in slots]
    # cost[i][j]: the cheapest alignment of the first i slots with the first j pieces
    cost = [[float(j) for j in range(len(pieces) + 1)]]
    for i, texts in enumerate(known, 1):
        skip = 0.0 if "" in texts else 1.0
        row = [cost[-1][0] + skip]
        for j, piece in enumerate(pieces, 1):
            same = 0.0 if piece.text in texts else 1.0
            row.append(min(cost[i - 1][j - 1] + same, cost[i - 1][j] + skip, row[j - 1] + 1.0))
        cost.append(row)
    aligned: list[Slot] = []
    i, j = len(known), len(pieces)
    while i or j:
        if i and j:
            same = 0.0 if pieces[j - 1].text in known[i - 1] else 1.0
            if cost[i][j] == cost[i - 1][j - 1] + same:
                i, j = i - 1, j - 1
                aligned.append([*slots[i], Ballot(member, pieces[j])])
                continue
        if i and cost[i][j] == cost[i - 1][j] + (0.0 if "" in known[i - 1] else 1.0):
            i -= 1
            aligned.append([*slots[i], Ballot(member, Piece(""))])
        else:
            j -= 1
            empty = [Ballot(k, Piece("")) for k in range(member)]
            aligned.append([*empty, Ballot(member, pieces[j])])
    return aligned[::-1]


def _check_members(members: Sequence[Candidates | None], weights: Sequence[float]) -> None:
    lines = [cands.line_id for cands in members if cands is not None]
    if not lines:
        raise ValueError("a vote needs at least one member")
    if len(set(lines)) != 1:
        raise ValueError(f"members speak of other lines: {lines}")
    if weights and len(weights) != len(members):
        raise ValueError(f"{len(weights)} weights for {len(members)} members")
