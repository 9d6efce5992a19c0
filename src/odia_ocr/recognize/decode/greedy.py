"""Best-path decoding: the most probable class of each frame, repeats merged, blanks dropped.

Source: Graves et al. 2006, "Connectionist Temporal Classification", section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from odia_ocr.recognize.decode.spelling import spell_symbols
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

        Text is in the usual spelling. A symbol's `logp` is that of its surest frame, its span the
        frames up to halfway to its neighbours'.
        """
        log_probs = emission.log_probs  # (T, V)
        best = log_probs.argmax(axis=1)  # (T,)
        total = float(np.minimum(log_probs[np.arange(len(best)), best], 0.0).sum())
        starts = np.flatnonzero((best != 0) & (np.concatenate(([0], best[:-1])) != best))
        changes = np.flatnonzero(np.diff(best)) + 1
        ends = np.append(changes, len(best))[np.searchsorted(changes, starts, side="right")]
        peaks = [
            int(a) + int(log_probs[a:b, best[a]].argmax())
            for a, b in zip(starts, ends, strict=True)
        ]
        labels = best[starts]
        rivals = self._find_rivals(emission, peaks, labels)
        width = emission.px_per_frame
        symbols = [
            Symbol(
                text=emission.alphabet[int(label) - 1],
                logp=min(0.0, float(log_probs[peak, label])),
                span=(int(a) * width, int(b) * width),
                alternatives=others,
            )
            for a, b, peak, label, others in zip(starts, ends, peaks, labels, rivals, strict=True)
        ]
        return (
            Hypothesis(
                symbols=spell_symbols(_fill_gaps(symbols)),
                optical_logp=min(0.0, total),
                source=self.source,
            ),
        )

    def _find_rivals(
        self, emission: Emission, peaks: list[int], labels: np.ndarray
    ) -> list[tuple[tuple[str, float], ...]]:
        """For each peak frame the best symbols beside the one chosen, blanks left out."""
        count = min(self.alternatives, len(emission.alphabet) - 1)
        if not peaks or not count:
            return [()] * len(peaks)
        rows = emission.log_probs[peaks].copy()  # (n, V)
        rows[:, 0] = -np.inf
        rows[np.arange(len(peaks)), labels] = -np.inf
        top = np.argpartition(-rows, count - 1, axis=1)[:, :count]
        values = np.take_along_axis(rows, top, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        return [
            tuple((emission.alphabet[int(k[j]) - 1], min(0.0, float(v[j]))) for j in o)
            for k, v, o in zip(top, values, order, strict=True)
        ]


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
