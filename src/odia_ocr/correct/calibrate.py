"""Confidence that means something: P(the whole line is right) and P(a cluster is right).

Two logistic models on a few numbers of the best hypothesis, fitted by the trainer on held-out
rendered lines for each way of decoding; their weights travel in the model file's metadata.
Source: Platt 1999, "Probabilistic outputs for support vector machines".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odia_ocr.language import normalise, split_clusters
from odia_ocr.types import Candidates, Corrector, Hypothesis, Reading

LINE_FEATURES = ("bias", "path", "mean", "length", "posterior", "language")
CLUSTER_FEATURES = ("bias", "symbols", "posterior")
_LEAST = 1e-4  # probabilities are kept this far from 0 and 1


def log_odds(probability: float) -> float:
    """log(p / (1 - p)), kept finite."""
    p = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(p / (1 - p))


def describe_line(hyp: Hypothesis) -> tuple[float, ...]:
    """The numbers that the fit of lines looks at, in the order of `LINE_FEATURES`.

    path: log of 1 + the negative optical log-probability; mean: mean symbol log-probability;
    length: log of 1 + number of symbols; posterior: its log-odds; language: log-probability a
    symbol of the language model. What a hypothesis lacks counts as 0.
    """
    logps = [symbol.logp for symbol in hyp.symbols] or [hyp.optical_logp]
    return (
        1.0,
        math.log1p(max(0.0, -hyp.optical_logp)),
        sum(logps) / len(logps),
        math.log1p(len(hyp.symbols)),
        _posterior(hyp),
        (hyp.lm_logp or 0.0) / len(logps),
    )


def describe_cluster(hyp: Hypothesis, logp: float) -> tuple[float, ...]:
    """The numbers that the fit of clusters looks at, in the order of `CLUSTER_FEATURES`.

    Args:
        hyp: The reading of the line.
        logp: Sum over the cluster's symbols; what the language model put in has little of it.
    """
    return (1.0, log_odds(math.exp(min(0.0, logp))), _posterior(hyp))


def _posterior(hyp: Hypothesis) -> float:
    return 0.0 if hyp.posterior is None else log_odds(hyp.posterior)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Candidates -> Reading of the best hypothesis, with calibrated confidence.

    Attributes:
        line: One weight per entry of `LINE_FEATURES`; empty means not calibrated, confidence None.
        cluster: One per entry of `CLUSTER_FEATURES`; empty takes products of symbol probabilities.
        review: Lines surer than this are right in 98 % of cases on the fitting lines; None where
            no such value was found.
    """

    line: tuple[float, ...] = ()
    cluster: tuple[float, ...] = ()
    review: float | None = None

    def __post_init__(self) -> None:
        for weights, names in ((self.line, LINE_FEATURES), (self.cluster, CLUSTER_FEATURES)):
            if weights and len(weights) != len(names):
                raise ValueError(f"calibration needs {len(names)} weights, got {weights!r}")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Calibration:
        """From the plain values that a model file holds."""
        return cls(
            tuple(values.get("line", ())), tuple(values.get("cluster", ())), values.get("review")
        )

    def __call__(self, cands: Candidates) -> Reading:
        """The reading of the best hypothesis; its text is normalised."""
        hyp = cands.best
        text = normalise(hyp.text)
        return Reading(
            text=text,
            confidence=_weigh(self.line, describe_line(hyp)) if self.line else None,
            cluster_confidence=self._rate_clusters(hyp, text),
            hypothesis=hyp,
        )

    def _rate_clusters(self, hyp: Hypothesis, text: str) -> tuple[float, ...]:
        """One value a cluster; empty where spelling changed."""
        if hyp.text != text:
            return ()
        logps = sum_clusters(hyp)
        if not self.cluster:
            return tuple(min(1.0, math.exp(logp)) for logp in logps)
        return tuple(_weigh(self.cluster, describe_cluster(hyp, logp)) for logp in logps)


def sum_clusters(hyp: Hypothesis) -> list[float]:
    """Log-probability of the symbols of each grapheme cluster of a reading."""
    logps = [symbol.logp / len(symbol.text) for symbol in hyp.symbols for _ in symbol.text]
    sums = []
    at = 0
    for cluster in split_clusters(hyp.text):
        sums.append(sum(logps[at : at + len(cluster)]))
        at += len(cluster)
    return sums


def _weigh(weights: Sequence[float], values: Sequence[float]) -> float:
    score = sum(w * x for w, x in zip(weights, values, strict=True))
    return 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))


def load_for(recognizer: object) -> Corrector:
    """The calibration that came with a recognizer's model; without one, confidence stays None."""
    return Calibration.of(getattr(recognizer, "calibration", None) or {})
