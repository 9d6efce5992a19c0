"""How much of a pool chosen lines speak for: by letters, by looks, and by distance.

Each is a set function that is asked for the gain of every line at once; adding lines makes all
gains smaller. Works on features only.

Sources: Wei, Iyer and Bilmes 2015, "Submodularity in data subset selection and active learning"
(facility location, feature-based functions, greedy choice); Sener and Savarese 2018, "Active
learning for convolutional neural networks: a core-set approach" (arXiv 1708.00489, k-center).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from odia_ocr.curate.features import LineFeatures

Matrix = npt.NDArray[np.float32]
Gains = npt.NDArray[np.float64]  # (lines,)

_SEEN = 0.1  # what an occurrence read without a doubt counts as an example
_HALF = 2.0  # examples of a cluster that halve its errors
_WITNESSES = 1500  # lines of a pool that stand for its looks


class LetterCoverage:
    """Expected errors of a pool, by grapheme cluster, and how many of them labels take away.

    Errors of a cluster with n examples are taken to be `errors / (1 + n / _HALF)`; an occurrence
    counts as an example by how doubtful it is.

    Args:
        lines: To choose from.
        known: Labelled already.
    """

    def __init__(self, lines: Sequence[LineFeatures], known: Sequence[LineFeatures] = ()) -> None:
        places: dict[str, int] = {}
        entries: list[tuple[int, int, float]] = []
        errors: list[float] = []
        for at, (line, surprise) in enumerate(_rank_surprise(lines)):
            for cluster, (count, wrong) in _count_errors(line, surprise).items():
                place = places.setdefault(cluster, len(places))
                if place == len(errors):
                    errors.append(0.0)
                errors[place] += wrong
                entries.append((at, place, _weigh_example(count, wrong)))
        self._count = len(lines)
        table = np.array(entries, np.float64).reshape(-1, 3)
        # Entries of a sparse table: line, cluster, examples.
        self._line, self._cluster = (table[:, i].astype(np.int64) for i in (0, 1))
        self._examples = table[:, 2]
        self._errors = np.array(errors) / max(sum(errors), 1e-9)  # (clusters,)
        self._seen = np.zeros(len(errors))
        for line in known:
            for cluster, (count, wrong) in _count_errors(line, 0.5).items():
                if cluster in places:
                    self._seen[places[cluster]] += _weigh_example(count, wrong)

    def gains(self) -> Gains:
        """Share of the expected errors that each line would take away, (lines,)."""
        errors, seen = self._errors[self._cluster], self._seen[self._cluster]
        taken = errors / (1 + seen / _HALF) - errors / (1 + (seen + self._examples) / _HALF)
        return np.bincount(self._line, taken, self._count).astype(np.float64)

    @property
    def shares(self) -> tuple[float, float]:
        """Shares of the clusters, and of the expected errors on them, that have an example."""
        with_example = self._seen > 0
        share = float(with_example.mean()) if len(with_example) else 0.0
        return share, float(self._errors[with_example].sum())

    def add(self, at: int) -> None:
        """Count a line as labelled."""
        own = self._line == at
        self._seen[self._cluster[own]] += self._examples[own]


def _weigh_example(count: float, wrong: float) -> float:
    return _SEEN * count + (1 - _SEEN) * wrong


def _rank_surprise(lines: Sequence[LineFeatures]) -> list[tuple[LineFeatures, float]]:
    """Each line with the share of lines whose readings surprise the language less, 0..1."""
    values = np.array([line.surprise for line in lines])
    ordered = np.sort(values)
    below, upto = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    ranks = (below + upto) / (2 * len(lines))  # equals share the middle of theirs
    return list(zip(lines, ranks.tolist(), strict=True))


def _count_errors(line: LineFeatures, surprise: float) -> dict[str, tuple[float, float]]:
    """Of each cluster of a line: how often it occurs, and how often it is expected to be wrong.

    An occurrence is right when neither the model errs nor the views that read otherwise are right,
    of whom half are; words that surprise make an error half as likely again, usual ones half as
    likely. What other views read instead occurs as often as half of them say.
    """
    found: dict[str, tuple[float, float]] = {}
    factor = 0.5 + surprise
    for cluster, doubt, dissent in zip(line.clusters, line.doubts, line.dissent, strict=True):
        if cluster.isspace():
            continue
        wrong = min(1.0, factor * (1 - (1 - doubt) * (1 - dissent / 2)))
        count, before = found.get(cluster, (0.0, 0.0))
        found[cluster] = (count + 1, before + wrong)
    for cluster, share in line.rivals:
        count, before = found.get(cluster, (0.0, 0.0))
        found[cluster] = (count + share / 2, before + share / 2)
    return found


class StyleCoverage:
    """Facility location: how near each line of a pool has a labelled one, by embeddings.

    Args:
        lines: To choose from.
        known: Labelled already.
        rng: Draws the lines that stand for a large pool.
    """

    def __init__(
        self,
        lines: Sequence[LineFeatures],
        known: Sequence[LineFeatures],
        rng: np.random.Generator,
    ) -> None:
        points = np.stack([line.embedding for line in lines])
        witnesses = points
        if len(points) > _WITNESSES:
            witnesses = points[np.sort(rng.choice(len(points), _WITNESSES, replace=False))]
        near = points @ witnesses.T  # (lines, witnesses)
        # Similarities lie close together; what all lines have in common says nothing.
        floor = near.min(axis=0)
        self._near: Matrix = near - floor
        self._best: Matrix = np.zeros(len(witnesses), np.float32)
        self._whole = float(self._near.max(axis=0).sum()) or 1.0
        if known:
            labelled = np.stack([line.embedding for line in known]) @ witnesses.T - floor
            self._best = np.maximum(0, labelled.max(axis=0))

    def gains(self) -> Gains:
        """Share of the nearness to be had that each line would add, (lines,)."""
        nearer = np.maximum(0, self._near - self._best)
        gains: Gains = nearer.sum(axis=1, dtype=np.float64) / self._whole
        return gains

    @property
    def share(self) -> float:
        """Share of the nearness to be had that there is, 0..1."""
        return float(self._best.sum(dtype=np.float64)) / self._whole

    def add(self, at: int) -> None:
        """Count a line as labelled."""
        self._best = np.maximum(self._best, self._near[at])


@dataclass(frozen=True, slots=True)
class FarPick:
    """A line far from those before it, and its distance to the nearest of them."""

    at: int
    gap: float


def pick_far(points: Matrix, count: int, *, known: Matrix | None = None) -> list[FarPick]:
    """k-center greedy: each time the line that is farthest from all that were taken.

    Args:
        points: Embeddings (n, D).
        count: How many; at most n are given.
        known: Embeddings (m, D) taken before; without any the first is the one nearest to the mean.
    """
    taken: list[FarPick] = []
    if known is not None:
        gaps = np.min([_gaps(points, point) for point in known], axis=0)
    else:
        first = int(np.argmin(_gaps(points, points.mean(axis=0))))
        taken.append(FarPick(first, 0.0))
        gaps = _gaps(points, points[first])
    for _ in range(min(count, len(points)) - len(taken)):
        gaps[[pick.at for pick in taken]] = -1.0
        far = int(np.argmax(gaps))
        taken.append(FarPick(far, float(gaps[far])))
        gaps = np.minimum(gaps, _gaps(points, points[far]))
    return taken[:count]


def _gaps(points: Matrix, point: Matrix) -> npt.NDArray[np.float64]:
    gaps: npt.NDArray[np.float64] = np.sqrt(((points - point) ** 2).sum(axis=1, dtype=np.float64))
    return gaps


@dataclass(frozen=True, slots=True)
class Covered:
    """How much of a pool some of its lines speak for; shares 0..1.

    Attributes:
        clusters: Of the grapheme clusters that were read in the pool, how many they have.
        errors: Of the expected errors, how many are on such clusters.
        nearness: How near the pool's lines have one of them, of what all lines would give.
    """

    clusters: float
    errors: float
    nearness: float


def rate_coverage(lines: Sequence[LineFeatures], chosen: Collection[int]) -> Covered:
    """How much of a pool the lines at some places speak for."""
    if not lines:
        return Covered(0.0, 0.0, 0.0)
    letters = LetterCoverage(lines)
    style = StyleCoverage(lines, (), np.random.default_rng(0))
    for at in chosen:
        letters.add(at)
        style.add(at)
    return Covered(*letters.shares, style.share)
