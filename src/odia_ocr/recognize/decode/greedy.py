"""Best-path decoding: the most probable class of each frame, repeats merged, blanks dropped.

Source: Graves et al. 2006, "Connectionist Temporal Classification", section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from odia_ocr.recognize.decode.alignment import find_best_path
from odia_ocr.recognize.decode.spelling import spell_peaks
from odia_ocr.types import Emission, Hypothesis


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
        total = float(np.minimum(log_probs.max(axis=1), 0.0).sum())
        symbols = spell_peaks(emission, find_best_path(log_probs), alternatives=self.alternatives)
        return (
            Hypothesis(
                symbols=symbols,
                optical_logp=min(0.0, total),
                source=self.source,
            ),
        )
