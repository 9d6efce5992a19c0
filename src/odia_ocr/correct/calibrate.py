"""Confidence that means something: P(the whole line is right), fitted on held-out rendered lines.

A logistic model on a few numbers of the best hypothesis, and one temperature for single clusters.
The values are fitted by the trainer and travel in the model file's metadata.
Source: Platt 1999 (logistic calibration), Guo et al. 2017 (temperature).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from odia_ocr.language import normalise, split_clusters
from odia_ocr.types import Candidates, Corrector, Hypothesis, Reading

FEATURES = ("bias", "path", "least", "mean", "length")


def describe(hyp: Hypothesis) -> tuple[float, ...]:
    """The numbers that the fit looks at, in the order of `FEATURES`.

    path: log of 1 + the path's negative log-probability; least: log-odds of the least sure symbol;
    mean: mean symbol log-probability; length: log of 1 + number of symbols.
    """
    logps = [symbol.logp for symbol in hyp.symbols] or [hyp.optical_logp]
    least = math.exp(min(logps))
    least = min(max(least, 1e-4), 1 - 1e-4)
    return (
        1.0,
        math.log1p(max(0.0, -hyp.optical_logp)),
        math.log(least / (1 - least)),
        sum(logps) / len(logps),
        math.log1p(len(hyp.symbols)),
    )


@dataclass(frozen=True, slots=True)
class Calibration:
    """Candidates -> Reading of the best hypothesis, with calibrated confidence.

    Attributes:
        weights: One weight per entry of `FEATURES`; empty means not calibrated, confidence None.
        temperature: Divides symbol log-probabilities before they become cluster confidence.
    """

    weights: tuple[float, ...] = ()
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.weights and len(self.weights) != len(FEATURES):
            raise ValueError(f"calibration needs {len(FEATURES)} weights, got {self.weights!r}")

    def __call__(self, cands: Candidates) -> Reading:
        """The reading of the best hypothesis; its text is normalised."""
        hyp = cands.best
        text = normalise(hyp.text)
        confidence = None
        if self.weights:
            score = sum(w * x for w, x in zip(self.weights, describe(hyp), strict=True))
            confidence = 1 / (1 + math.exp(-min(max(score, -30.0), 30.0)))
        return Reading(
            text=text,
            confidence=confidence,
            cluster_confidence=self._rate_clusters(hyp, text),
            hypothesis=hyp,
        )

    def _rate_clusters(self, hyp: Hypothesis, text: str) -> tuple[float, ...]:
        """Product of the symbols' probabilities in each cluster; empty where spelling changed."""
        if hyp.text != text:
            return ()
        logps = [symbol.logp for symbol in hyp.symbols for _ in symbol.text]
        ratings = []
        at = 0
        for cluster in split_clusters(text):
            part = logps[at : at + len(cluster)]
            at += len(cluster)
            ratings.append(min(1.0, math.exp(sum(part) / self.temperature)))
        return tuple(ratings)


def load_for(recognizer: object) -> Corrector:
    """The calibration that came with a recognizer's model; without one, confidence stays None."""
    values: dict[str, Any] = getattr(recognizer, "calibration", {}) or {}
    return Calibration(
        weights=tuple(values.get("weights", ())),
        temperature=float(values.get("temperature", 1.0)),
    )
