"""Which read line is which printed line, by text alone and whatever their order.

An optimal assignment by edit distance; then lines that were read in pieces, or several in one, are
put together where that is cheaper. Knows texts; refuses to know places, pictures and engines.

Sources: assignment by shortest augmenting paths, Jonker and Volgenant, "A shortest augmenting path
algorithm for dense and sparse linear assignment problems", Computing 38 (1987). That recognition
and reading order be scored apart: Vidal, Toselli, Rios-Vila and Calvo-Zaragoza, "End-to-end
page-level assessment of handwritten text recognition", Pattern Recognition 142 (2023). Order of
lines by Kendall's tau distance: Quiros and Vidal, "Reading order detection on handwritten
documents", Neural Computing and Applications 34 (2022), section 5.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from odia_ocr.language import distance

if TYPE_CHECKING:
    import numpy.typing as npt

    Costs = npt.NDArray[np.int64]  # (printed lines, read lines)

# A match counts as the same line when at most this share of its characters is wrong.
SAME_LINE = 0.5


@dataclass(frozen=True, slots=True)
class LineMatch:
    """Printed lines and the read lines that are theirs: one and one, one and several, or reverse.

    Attributes:
        printed: Indices of printed lines; several when they were read as one, then in the order
            in which the read line holds them.
        read: Indices of read lines; several when one line was read in pieces.
        edits: Edit distance of the texts, pieces joined by spaces.
        length: Code points of the longer of the two.
    """

    printed: tuple[int, ...]
    read: tuple[int, ...]
    edits: int
    length: int

    @property
    def same(self) -> bool:
        """Whether it is the same line, at most half of it wrong."""
        return self.edits <= SAME_LINE * self.length


@dataclass(frozen=True, slots=True)
class Matching:
    """What became of the lines of a page.

    Attributes:
        matches: No line is in two of them.
        missed: Printed lines that nothing was matched with.
        extra: Read lines that nothing was matched with.
        edits: Of all matches, and every code point of missed and extra lines.
    """

    matches: tuple[LineMatch, ...]
    missed: tuple[int, ...]
    extra: tuple[int, ...]
    edits: int

    @property
    def order(self) -> OrderCounts:
        """How many pairs of the lines that were found stand in the wrong order."""
        places = {
            printed: (match.read[0], place)
            for match in self.matches
            if match.same
            for place, printed in enumerate(match.printed)
        }
        return count_inversions([places[printed] for printed in sorted(places)])


@dataclass(frozen=True, slots=True)
class OrderCounts:
    """Pairs of lines in the wrong order, and all pairs."""

    inversions: int
    pairs: int

    @property
    def rate(self) -> float:
        """Kendall's tau distance, 0 in order to 1 reversed; 0 with fewer than two lines."""
        return self.inversions / max(1, self.pairs)


def count_inversions(places: Sequence[tuple[int, int]]) -> OrderCounts:
    """Count pairs whose later member has the smaller place."""
    wrong = sum(
        places[j] < places[i] for i in range(len(places)) for j in range(i + 1, len(places))
    )
    return OrderCounts(wrong, len(places) * (len(places) - 1) // 2)


def match_lines(
    printed: Sequence[str],
    read: Sequence[str],
    *,
    near: Collection[tuple[int, int]] | None = None,
) -> Matching:
    """Match lines so that the fewest edits remain; the order of either side does not matter.

    No matching of one line with one line has fewer edits. Pieces are joined one after the other,
    the best first, which is a heuristic: each must bring at least half of its characters to their
    place.

    Args:
        printed: Lines of the page, folded as for scoring.
        read: Lines read, folded alike.
        near: Pairs (printed, read) that lie on one another, where places are known; they break
            ties between lines of equal cost and change no number of edits.
    """
    # Everything runs on sorted lines, so that the order of the input cannot matter.
    rows = sorted(range(len(printed)), key=lambda i: (printed[i], i))
    columns = sorted(range(len(read)), key=lambda j: (read[j], j))
    page = _Texts(
        tuple(printed[i] for i in rows),
        tuple(read[j] for j in columns),
        frozenset(
            (i, j)
            for i, row in enumerate(rows)
            for j, column in enumerate(columns)
            if (row, column) in near
        )
        if near is not None
        else frozenset(),
    )
    single = page.complete([])
    joined = page.complete(page.join_pieces())
    best = joined if joined.edits < single.edits else single
    matches = [
        LineMatch(
            tuple(rows[i] for i in match.printed),
            tuple(columns[j] for j in match.read),
            match.edits,
            match.length,
        )
        for match in best.matches
    ]
    if near is None:
        matches = _uncross(matches, printed, read)
    return Matching(
        matches=tuple(sorted(matches, key=lambda match: min(match.printed))),
        missed=tuple(sorted(rows[i] for i in best.missed)),
        extra=tuple(sorted(columns[j] for j in best.extra)),
        edits=best.edits,
    )


def assign(costs: Costs) -> list[tuple[int, int]]:
    """The cheapest matching of min(rows, columns) pairs; pairs of (row, column), by row.

    Args:
        costs: (rows, columns), any integers.
    """
    if costs.size == 0:
        return []
    if costs.shape[0] > costs.shape[1]:
        return sorted((row, column) for column, row in assign(costs.T))
    rows, columns = costs.shape
    # One row after the other takes a column, along the shortest path of exchanges; potentials
    # keep all reduced costs at zero or above. Column `columns` is the row's own start.
    of_row = np.zeros(rows, np.int64)
    of_column = np.zeros(columns + 1, np.int64)
    owner = np.full(columns + 1, -1)
    far = np.iinfo(np.int64).max // 4
    for row in range(rows):
        owner[columns] = row
        at = columns
        reach = np.full(columns, far)
        before = np.full(columns, columns)
        done = np.zeros(columns + 1, bool)
        while owner[at] >= 0:
            done[at] = True
            here = owner[at]
            reduced = costs[here] - of_row[here] - of_column[:columns]
            closer = ~done[:columns] & (reduced < reach)
            reach[closer] = reduced[closer]
            before[closer] = at
            following = int(np.argmin(np.where(done[:columns], far, reach)))
            step = reach[following]
            of_row[owner[done]] += step
            of_column[done] -= step
            reach[~done[:columns]] -= step
            at = following
        while at != columns:
            owner[at] = owner[before[at]]
            at = int(before[at])
    return sorted((int(owner[j]), j) for j in range(columns) if owner[j] >= 0)


@dataclass(frozen=True, slots=True)
class _Texts:
    """The lines of one page, each side sorted, and which pairs lie on one another."""

    printed: tuple[str, ...]
    read: tuple[str, ...]
    near: frozenset[tuple[int, int]]

    def match(self, printed: tuple[int, ...], read: tuple[int, ...]) -> LineMatch:
        """Compare lines put together in the order given."""
        one = " ".join(self.printed[i] for i in printed)
        other = " ".join(self.read[j] for j in read)
        return LineMatch(printed, read, distance(one, other), max(len(one), len(other)))

    def complete(self, matches: list[LineMatch]) -> Matching:
        """Match what is left one to one."""
        taken = {i for match in matches for i in match.printed}
        used = {j for match in matches for j in match.read}
        rows = [i for i in range(len(self.printed)) if i not in taken]
        columns = [j for j in range(len(self.read)) if j not in used]
        pairs = assign(self._costs(rows, columns)) if rows and columns else []
        matches = [*matches, *(self.match((rows[i],), (columns[j],)) for i, j in pairs)]
        missed = sorted(set(rows) - {rows[i] for i, _ in pairs})
        extra = sorted(set(columns) - {columns[j] for _, j in pairs})
        edits = sum(match.edits for match in matches)
        edits += sum(len(self.printed[i]) for i in missed) + sum(len(self.read[j]) for j in extra)
        return Matching(tuple(matches), tuple(missed), tuple(extra), edits)

    def join_pieces(self) -> list[LineMatch]:
        """Matches that are sure enough, with the pieces among the other lines joined to them."""
        matches = [match for match in self.complete([]).matches if self._hold_together(match)]
        rows = set(range(len(self.printed))) - {i for match in matches for i in match.printed}
        columns = set(range(len(self.read))) - {j for match in matches for j in match.read}
        queue: list[tuple[int, int, bool, int]] = []  # -gain, match, a printed piece?, piece

        def offer(k: int, of_page: bool, piece: int) -> None:
            gain = self._gain(matches[k], of_page, piece)
            if gain > 0:
                heapq.heappush(queue, (-gain, k, of_page, piece))

        for k in range(len(matches)):
            for piece in rows:
                offer(k, True, piece)
            for piece in columns:
                offer(k, False, piece)
        while queue:
            worth, k, of_page, piece = heapq.heappop(queue)
            free = rows if of_page else columns
            if piece not in free:
                continue
            if -worth != self._gain(matches[k], of_page, piece):  # the match has grown since
                offer(k, of_page, piece)
                continue
            matches[k] = self._join(matches[k], of_page, piece)
            free.remove(piece)
            for other in free:
                offer(k, of_page, other)
        return matches

    def _hold_together(self, match: LineMatch) -> bool:
        """Whether the shorter text is, at least by half, part of the longer one."""
        lengths = len(self.printed[match.printed[0]]), len(self.read[match.read[0]])
        return match.edits - abs(lengths[0] - lengths[1]) <= SAME_LINE * min(lengths)

    def _gain(self, match: LineMatch, of_page: bool, piece: int) -> int:
        """Edits saved by joining a piece; 0 where it is not allowed or does not fit well enough."""
        length = len(self.printed[piece] if of_page else self.read[piece])
        # A match stays one line against several. And what saves so much must lack so much.
        if len(match.read if of_page else match.printed) > 1 or 2 * match.edits < length:
            return 0
        gain = match.edits + length - self._join(match, of_page, piece).edits
        return gain if 2 * gain >= 3 * length else 0

    def _join(self, match: LineMatch, of_page: bool, piece: int) -> LineMatch:
        """The match with the piece where it fits best."""
        pieces = match.printed if of_page else match.read
        orders = [(*pieces[:k], piece, *pieces[k:]) for k in range(len(pieces) + 1)]
        trials = (
            self.match(order, match.read) if of_page else self.match(match.printed, order)
            for order in orders
        )
        return min(trials, key=lambda trial: trial.edits)

    def _costs(self, rows: list[int], columns: list[int]) -> Costs:
        """What a match costs more than leaving both lines alone, (rows, columns).

        In units so small that being far apart, one unit, only ever breaks ties.
        """
        printed, read = [self.printed[i] for i in rows], [self.read[j] for j in columns]
        edits = cdist(printed, read, scorer=Levenshtein.distance, dtype=np.int32, workers=1)
        alone = np.add.outer([len(t) for t in printed], [len(t) for t in read])
        far = np.array([[(i, j) not in self.near for j in columns] for i in rows], np.int64)
        costs: Costs = (np.asarray(edits, np.int64) - alone) * (min(edits.shape) + 1) + far
        return costs


def _uncross(
    matches: list[LineMatch], printed: Sequence[str], read: Sequence[str]
) -> list[LineMatch]:
    """Give equal lines their partners in order: costs stay, and the order is not blamed."""
    pairs = {
        match.printed[0]: match for match in matches if len(match.printed) == len(match.read) == 1
    }
    for by_page in (True, False):
        equal: dict[str, list[int]] = {}
        for i, match in pairs.items():
            equal.setdefault(printed[i] if by_page else read[match.read[0]], []).append(i)
        for indices in equal.values():
            theirs = sorted((pairs[i] for i in indices), key=lambda match: match.read)
            for i, match in zip(sorted(indices), theirs, strict=True):
                # Of equal printed lines the edits go with the read line, of equal read lines not.
                like = match if by_page else pairs[i]
                pairs[i] = LineMatch((i,), match.read, like.edits, like.length)
    others = [m for m in matches if not len(m.printed) == len(m.read) == 1]
    return [*others, *pairs.values()]
