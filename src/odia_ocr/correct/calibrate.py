"""Confidence that means something: P(the whole line is right) and P(a cluster is right).

Two logistic models on a few numbers of the best hypothesis, fitted by the trainer on held-out
rendered lines for each way of decoding; their weights travel in the model file's metadata.
Source: Platt 1999, "Probabilistic outputs for support vector machines".
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odia_ocr.language import normalise, split_clusters
from odia_ocr.language.ngram import is_spoken
from odia_ocr.types import Candidates, Corrector, Hypothesis, Reading, Symbol

LINE_FEATURES = ("bias", "path", "mean", "doubts", "posterior", "language", "marks", "overruled")
CLUSTER_FEATURES = ("bias", "symbols", "posterior", "overruled")
_FEWEST = 0.01  # expected wrong symbols of a line that shows none
_LEAST = 1e-4  # probabilities are kept this far from 0 and 1


def log_odds(probability: float) -> float:
    """log(p / (1 - p)), kept finite."""
    p = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(p / (1 - p))


def describe_line(hyp: Hypothesis) -> tuple[float, ...]:
    """The numbers that the fit of lines looks at, in the order of `LINE_FEATURES`.

    path: log of 1 + the negative optical log-probability; mean: mean symbol log-probability;
    doubts: log of how many symbols are expected to be wrong by their own probabilities;
    posterior: its log-odds; language: log-probability of the language model, for each symbol that
    it speaks about; marks: log of 1 + the symbols of punctuation; overruled: log of 1 + the symbols
    that have a likelier rival in the picture. What a hypothesis lacks counts as 0.
    """
    logps = [symbol.logp for symbol in hyp.symbols] or [hyp.optical_logp]
    spoken = sum(any(map(is_spoken, symbol.text)) for symbol in hyp.symbols)
    return (
        1.0,
        math.log1p(max(0.0, -hyp.optical_logp)),
        sum(logps) / len(logps),
        math.log(_FEWEST + sum(1 - math.exp(min(0.0, logp)) for logp in logps)),
        _posterior(hyp),
        (hyp.lm_logp or 0.0) / max(1, spoken),
        math.log1p(sum(map(_is_mark, hyp.symbols))),
        math.log1p(sum(map(is_overruled, hyp.symbols))),
    )


def describe_clusters(hyp: Hypothesis) -> list[tuple[float, ...]]:
    """The numbers that the fit of clusters looks at, in the order of `CLUSTER_FEATURES`.

    symbols: log-odds of the product of the cluster's symbols; posterior: log-odds of the line's;
    overruled: 1 where one of them has a likelier rival in the picture, for whatever spoke for it
    spoke against the picture.
    """
    posterior = _posterior(hyp)
    overruled = [is_overruled(symbol) for symbol in hyp.symbols for _ in symbol.text]
    rows: list[tuple[float, ...]] = []
    at = 0
    for cluster, logp in zip(split_clusters(hyp.text), sum_clusters(hyp), strict=True):
        end = at + len(cluster)
        odds = log_odds(math.exp(min(0.0, logp)))
        rows.append((1.0, odds, posterior, float(any(overruled[at:end]))))
        at = end
    return rows


def is_overruled(symbol: Symbol) -> bool:
    """Whether the picture alone speaks for another symbol at its place."""
    return any(logp > symbol.logp for _, logp in symbol.alternatives)


def _is_mark(symbol: Symbol) -> bool:
    return unicodedata.category(symbol.text[0])[0] in "PS" if symbol.text else False


def _posterior(hyp: Hypothesis) -> float:
    return 0.0 if hyp.posterior is None else log_odds(hyp.posterior)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Candidates -> Reading of the best hypothesis, with calibrated confidence.

    Attributes:
        line: One weight per entry of `LINE_FEATURES`; empty means not calibrated, confidence None.
        cluster: One per entry of `CLUSTER_FEATURES`; empty takes products of symbol probabilities.
        review: Lines at least this sure are right in 98 % of cases on the fitting lines; None
            where no such value was found. See `needs_review`.
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
        """From the plain values that a model file holds.

        Weights of another number of features were fitted by another version: they are left out,
        and confidence is None.
        """
        line, cluster = (tuple(values.get(name, ())) for name in ("line", "cluster"))
        if len(line) != len(LINE_FEATURES) or len(cluster) != len(CLUSTER_FEATURES):
            return cls()
        return cls(line, cluster, values.get("review"))

    def __call__(self, cands: Candidates) -> Reading:
        """The reading of the best hypothesis; its text is normalised."""
        hyp = cands.best
        text = normalise(hyp.text)
        return Reading(
            text=text,
            confidence=_weigh(self.line, describe_line(hyp)) if self.line and hyp.scored else None,
            cluster_confidence=self._rate_clusters(hyp, text),
            hypothesis=hyp,
        )

    def _rate_clusters(self, hyp: Hypothesis, text: str) -> tuple[float, ...]:
        """One value a cluster; empty where spelling changed, or the engine gave no scores."""
        if hyp.text != text or not hyp.scored:
            return ()
        if not self.cluster:
            return tuple(min(1.0, math.exp(logp)) for logp in sum_clusters(hyp))
        return tuple(_weigh(self.cluster, row) for row in describe_clusters(hyp))


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


def needs_review(reading: Reading, threshold: float | None) -> bool:
    """Whether a line is too doubtful to be taken as it is.

    Args:
        reading: A line's reading.
        threshold: Least confidence that is enough, 0..1, such as `Calibration.review`. Without a
            threshold, as without a confidence, nothing vouches for the line.
    """
    if threshold is None or reading.confidence is None:
        return True
    return reading.confidence < threshold
