"""How far stated confidence can be believed: calibration, ranking, and what it costs to accept.

Sources: expected calibration error with bins of equal mass, Nguyen and O'Connor 2015, "Posterior
calibration and exploratory analysis for natural language processing models"; risk and coverage,
El-Yaniv and Wiener 2010, "On the foundations of noise-free selective classification".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

BINS = 15
_DRAWS = 200


@dataclass(frozen=True, slots=True)
class Bin:
    """Lines of about equal confidence: what was stated and what came true, on average."""

    stated: float
    right: float
    lines: int


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """Accepting the surest `coverage` (0..1) of lines, down to `threshold`, leaves errors.

    Attributes:
        coverage: Share of lines accepted.
        threshold: Least confidence accepted.
        cer: Character error rate of the accepted lines, a fraction.
        right: Share of accepted lines without error.
    """

    coverage: float
    threshold: float
    cer: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """All about the confidence of one engine on one set.

    Attributes:
        n: Lines.
        ece: Expected calibration error over `BINS` bins of equal mass.
        ece_perfect: What a perfectly calibrated confidence of the same values shows at this size:
            mean, and the 97.5 % percentile.
        brier: Mean squared error.
        auroc: Area under the curve of "line is right"; 0.5 says nothing.
        bins: From the least sure lines on.
        risk: From full coverage down.
    """

    n: int
    ece: float
    ece_perfect: tuple[float, float]
    brier: float
    auroc: float
    bins: tuple[Bin, ...]
    risk: tuple[RiskPoint, ...]

    def accept(self, coverage: float) -> RiskPoint:
        """What accepting about the surest `coverage` (0..1) of lines leaves."""
        return min(self.risk, key=lambda point: abs(point.coverage - coverage))


@dataclass(frozen=True, slots=True)
class Accepted:
    """Lines that a threshold accepts: their share of all, and how many of them are right (0..1).

    `right` is 1 where none is accepted.
    """

    threshold: float
    coverage: float
    right: float


def measure_reliability(
    stated: Sequence[float], edits: Sequence[int], lengths: Sequence[int], *, seed: int = 0
) -> Reliability:
    """Judge stated confidence.

    Args:
        stated: P(line is right), 0..1, one a line.
        edits: Errors of each line; 0 means it is right.
        lengths: Reference length of each line.
        seed: Of the simulation of a perfect calibrator.

    Raises:
        ValueError: If the three are not of one length, or there are fewer lines than bins.
    """
    p, wrong, size = (np.array(values, np.float64) for values in (stated, edits, lengths))
    if not len(p) == len(wrong) == len(size) or len(p) < BINS:
        raise ValueError(f"reliability needs {BINS} lines or more of equal lists, got {len(p)}")
    right = wrong == 0
    order = np.argsort(p, kind="stable")
    rng = np.random.default_rng(seed)
    draws = [_ece(p, rng.random(len(p)) < p, order) for _ in range(_DRAWS)]
    return Reliability(
        n=len(p),
        ece=_ece(p, right, order),
        ece_perfect=(float(np.mean(draws)), float(np.percentile(draws, 97.5))),
        brier=float(np.mean((p - right) ** 2)),
        auroc=measure_auroc(p, right),
        bins=tuple(
            Bin(float(p[part].mean()), float(right[part].mean()), len(part))
            for part in np.array_split(order, BINS)
        ),
        risk=_trace_risk(p, wrong, size, order[::-1]),
    )


def _ece(p: Floats, right: Bools, order: npt.NDArray[np.intp]) -> float:
    parts = np.array_split(order, BINS)
    return float(
        sum(len(part) * abs(float(p[part].mean() - right[part].mean())) for part in parts) / len(p)
    )


def measure_auroc(p: Floats, right: Bools) -> float:
    """P(a right line is stated surer than a wrong one), ties half; 0.5 where one kind lacks."""
    positives = int(right.sum())
    negatives = len(right) - positives
    if not positives or not negatives:
        return 0.5
    _, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # mean rank of ties, from 1
    total = float(ranks[inverse][right].sum())
    return (total - positives * (positives + 1) / 2) / (positives * negatives)


def _trace_risk(
    p: Floats, wrong: Floats, size: Floats, surest: npt.NDArray[np.intp]
) -> tuple[RiskPoint, ...]:
    points = []
    for percent in range(100, 4, -5):
        part = surest[: max(1, round(len(p) * percent / 100))]
        points.append(
            RiskPoint(
                len(part) / len(p),
                float(p[part[-1]]),
                float(wrong[part].sum() / max(1.0, size[part].sum())),
                float((wrong[part] == 0).mean()),
            )
        )
    return tuple(points)


def find_threshold(stated: Floats, right: Bools, share: float, *, least: int = 50) -> float | None:
    """The smallest confidence from which on `share` (0..1) of lines are right.

    None where no value does, with at least `least` lines accepted.
    """
    surest = np.argsort(-stated, kind="stable")
    kept = np.cumsum(right[surest]) / np.arange(1, len(surest) + 1)
    good = np.flatnonzero(kept >= share)
    good = good[good + 1 >= least]
    return round(float(stated[surest[good[-1]]]), 6) if len(good) else None


def judge_threshold(stated: Sequence[float], edits: Sequence[int], threshold: float) -> Accepted:
    """What a review threshold does: lines at least this sure are accepted.

    Args:
        stated: P(line is right), 0..1, one a line.
        edits: Errors of each line; 0 means it is right.
        threshold: Least confidence accepted.

    Raises:
        ValueError: If the lists are empty or not of one length.
    """
    if not stated or len(stated) != len(edits):
        raise ValueError(f"a threshold needs equal lists, got {len(stated)} and {len(edits)}")
    accepted = np.array(stated, np.float64) >= threshold
    right = np.array(edits)[accepted] == 0
    return Accepted(threshold, float(accepted.mean()), float(right.mean()) if len(right) else 1.0)


def tabulate_reliability(found: Reliability) -> str:
    """Both diagrams as plain text: stated against true, and errors against coverage."""
    rows = ["stated   right   lines"]
    rows += [f"{b.stated:6.3f}  {b.right:6.3f}  {b.lines:6d}" for b in found.bins]
    rows += ["", "accepted   from    right    CER %"]
    rows += [
        f"{100 * p.coverage:6.0f} %  {p.threshold:6.3f}  {p.right:6.3f}  {100 * p.cer:7.3f}"
        for p in found.risk
    ]
    return "\n".join(rows)
