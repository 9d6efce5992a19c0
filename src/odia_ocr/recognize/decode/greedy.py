"""Best-path decoding: the most probable class of each frame, repeats merged, blanks dropped.

Source: Graves et al. 2006, "Connectionist Temporal Classification", section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from odia_ocr.types import Emission, Hypothesis, Symbol


@dataclass(frozen=True, slots=True)
class GreedyDecoder:
    """Decodes an Emission into its best path.

    Attributes:
        source: Written into `Hypothesis.source`.
        alternatives: Rivals kept for each symbol.
    """

    source: str = "greedy"
    alternatives: int = 2

    def __call__(self, emission: Emission) -> tuple[Hypothesis, ...]:
        """One hypothesis; `optical_logp` is the log-probability of the whole path.

        A symbol's `logp` is that of its surest frame, its span the frames up to the neighbours'.
        """
        log_probs = emission.log_probs  # (T, V)
        best = log_probs.argmax(axis=1)  # (T,)
        total = float(np.minimum(log_probs[np.arange(len(best)), best], 0.0).sum())
        starts = np.flatnonzero((best != 0) & (np.concatenate(([0], best[:-1])) != best))
        symbols: list[Symbol] = []
        width = emission.px_per_frame
        for start in starts:
            label = int(best[start])
            end = int(start) + 1
            while end < len(best) and best[end] == label:
                end += 1
            peak = int(start) + int(log_probs[start:end, label].argmax())
            symbols.append(
                Symbol(
                    text=emission.alphabet[label - 1],
                    logp=min(0.0, float(log_probs[peak, label])),
                    span=(int(start) * width, end * width),
                    alternatives=self._find_rivals(emission, peak, label),
                )
            )
        return (
            Hypothesis(
                symbols=_fill_gaps(symbols), optical_logp=min(0.0, total), source=self.source
            ),
        )

    def _find_rivals(
        self, emission: Emission, frame: int, label: int
    ) -> tuple[tuple[str, float], ...]:
        if not self.alternatives:
            return ()
        row = emission.log_probs[frame]
        order = np.argpartition(-row, self.alternatives + 1)[: self.alternatives + 2]
        ranked = sorted((int(k) for k in order if k not in (0, label)), key=lambda k: -row[k])
        return tuple(
            (emission.alphabet[k - 1], min(0.0, float(row[k]))) for k in ranked[: self.alternatives]
        )


def _fill_gaps(symbols: list[Symbol]) -> tuple[Symbol, ...]:
    """Let each symbol reach halfway to its neighbours: CTC peaks are narrower than letters."""
    if len(symbols) < 2:
        return tuple(symbols)
    spans = [symbol.span or (0.0, 0.0) for symbol in symbols]
    edges = [spans[0][0]]
    edges += [(a[1] + b[0]) / 2 for a, b in pairwise(spans)]
    edges.append(spans[-1][1])
    return tuple(
        Symbol(symbol.text, symbol.logp, (edges[i], edges[i + 1]), symbol.alternatives)
        for i, symbol in enumerate(symbols)
    )
