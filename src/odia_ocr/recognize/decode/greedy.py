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
        edges = _fill_gaps(starts, ends)
        width = emission.px_per_frame
        symbols = tuple(
            Symbol(
                text=emission.alphabet[int(label) - 1],
                logp=min(0.0, float(log_probs[peak, label])),
                span=(a * width, b * width),
                alternatives=others,
            )
            for (a, b), peak, label, others in zip(
                pairwise(edges), peaks, labels, rivals, strict=True
            )
        )
        return (
            Hypothesis(
                symbols=spell_symbols(symbols),
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


def _fill_gaps(starts: np.ndarray, ends: np.ndarray) -> list[float]:
    """Frames where one symbol gives way to the next: halfway, as CTC peaks are narrow.

    Args:
        starts: First frame of each symbol's peak, (n,).
        ends: First frame after it, (n,).

    Returns:
        n + 1 edges; symbol i reaches from edge i to edge i + 1. Empty without symbols.
    """
    if not len(starts):
        return []
    return [float(starts[0]), *((ends[:-1] + starts[1:]) / 2).tolist(), float(ends[-1])]
