"""Readings drawn by chance from an emission: paths are sampled frame by frame.

Sampling as such gains nothing; it makes varied candidates for `odia_ocr.fuse.mbr`. Temperature
divides the log-probabilities; top-k and top-p cut the tail of each frame, as for language models
(Fan et al. 2018; Holtzman et al. 2020).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from odia_ocr.recognize.decode.alignment import Peaks
from odia_ocr.recognize.decode.forward import score_labels
from odia_ocr.recognize.decode.spelling import spell_peaks
from odia_ocr.types import Emission, FloatArray, Hypothesis


@dataclass(frozen=True, slots=True)
class SamplingDecoder:
    """Decodes an Emission into readings drawn by chance, the same for the same line and seed.

    Attributes:
        count: Paths drawn.
        temperature: Above 1 more varied, towards 0 the best path.
        top_k: Classes of a frame that may be drawn, the likeliest ones.
        top_p: Of these, the fewest that together are this likely.
        seed: Of the drawing.
        first: Give the readings in the order they were drawn, not the most frequent first; what
            sampling alone does is then seen in the first one.
        alternatives: Rivals kept for each symbol.
        source: Written into `Hypothesis.source`.
    """

    count: int = 16
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    seed: int = 0
    first: bool = False
    alternatives: int = 2
    source: str = "sample"

    def __post_init__(self) -> None:
        if self.count < 1 or self.top_k < 1:
            raise ValueError(f"count and top_k must be 1 or more, got {self.count}, {self.top_k}")
        if self.temperature <= 0.0 or not 0.0 < self.top_p <= 1.0:
            raise ValueError(
                f"temperature must be above 0 and top_p in 0..1, got {self.temperature}, "
                f"{self.top_p}"
            )

    def __call__(self, emission: Emission) -> tuple[Hypothesis, ...]:
        """Distinct readings; `posterior` is the share of the paths that spell one.

        `optical_logp` is the log-probability of a reading over all its paths, at temperature 1;
        symbols stand where the first path that was drawn for it has them.
        """
        if not len(emission.log_probs):
            return (Hypothesis((), 0.0, posterior=1.0, source=self.source),)
        drawn: dict[tuple[int, ...], list[Peaks]] = {}
        for path in self._draw(emission):
            peaks = _find_peaks(path)
            drawn.setdefault(peaks.labels, []).append(peaks)
        scores = score_labels(emission.log_probs, list(drawn))
        hyps: dict[str, Hypothesis] = {}
        for found, score in zip(drawn.values(), scores, strict=True):
            symbols = spell_peaks(emission, found[0], alternatives=self.alternatives)
            share, logp = len(found) / self.count, score
            text = "".join(symbol.text for symbol in symbols)
            known = hyps.get(text)
            if known:  # other labels, the same usual spelling
                symbols = known.symbols
                share += known.posterior or 0.0
                logp = float(np.logaddexp(logp, known.optical_logp))
            hyps[text] = Hypothesis(
                symbols, min(0.0, logp), posterior=min(1.0, share), source=self.source
            )
        order = list(hyps.values())
        if not self.first:
            order.sort(key=lambda hyp: -(hyp.posterior or 0.0))
        return tuple(order)

    def _draw(self, emission: Emission) -> np.ndarray:
        """Paths (count, T)."""
        log_probs = emission.log_probs / self.temperature
        count = min(self.top_k, log_probs.shape[1])
        classes = np.argsort(-log_probs, axis=1, kind="stable")[:, :count]  # (T, k)
        logs = np.take_along_axis(log_probs, classes, axis=1)
        shares = _normalise(np.exp(logs - logs[:, :1]))
        before = np.cumsum(shares, axis=1) - shares
        shares = _normalise(np.where(before < self.top_p, shares, 0.0))
        ends = np.cumsum(shares, axis=1)
        ends[:, -1] = 1.0
        # The seed is joined with the line, so that lines do not depend on their neighbours.
        rng = np.random.default_rng((self.seed, zlib.crc32(emission.line_id.encode())))
        dice = rng.random((self.count, len(log_probs), 1))
        places = (dice >= ends[None]).sum(axis=2)  # (count, T)
        return np.asarray(classes[np.arange(len(log_probs))[None], places])


def _find_peaks(path: np.ndarray) -> Peaks:
    """The labels of a path (T,) and where they stand."""
    edges = np.flatnonzero(np.diff(path)) + 1
    starts = np.concatenate(([0], edges))
    kept = path[starts] != 0
    ends = np.concatenate((edges, [len(path)]))[kept]
    return Peaks(
        tuple(path[starts[kept]].tolist()), tuple(starts[kept].tolist()), tuple(ends.tolist())
    )


def _normalise(shares: FloatArray) -> FloatArray:
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float32)
