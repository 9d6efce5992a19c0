"""How likely readings are under an emission: the sum over all their paths.

Source: Graves et al. 2006, "Connectionist Temporal Classification", section 4.1 (the forward
variable), for several readings of a line at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from odia_ocr.types import FloatArray

_NEVER = -1e30


def score_labels(log_probs: FloatArray, readings: Sequence[Sequence[int]]) -> list[float]:
    """Natural log-probability of each reading.

    Args:
        log_probs: (T, V), column 0 is the blank.
        readings: Labels without blanks, at least one reading.

    Returns:
        One value a reading; very low where it has no path through the frames.
    """
    longest = max(len(labels) for labels in readings)
    count, states = len(readings), 2 * longest + 1
    spelled = np.zeros((count, states), np.int64)
    for row, labels in zip(spelled, readings, strict=True):
        row[1 : 2 * len(labels) : 2] = labels
    skips = np.zeros((count, states), bool)  # a blank may be left out between labels that differ
    skips[:, 3::2] = spelled[:, 3::2] != spelled[:, 1:-2:2]
    barrier = np.where(skips, 0.0, _NEVER)
    emitted = log_probs.astype(np.float64)[:, spelled]  # (T, N, S)
    score = np.full((count, states + 2), _NEVER)  # two columns more on the left, out of reach
    score[:, 2] = emitted[0, :, 0]
    if longest:
        score[:, 3] = emitted[0, :, 1]
    for frame in emitted[1:]:
        stay, step, skip = score[:, 2:], score[:, 1:-1], score[:, :-2] + barrier
        best = np.maximum(np.maximum(stay, step), skip)
        total = np.exp(stay - best) + np.exp(step - best) + np.exp(skip - best)
        score[:, 2:] = best + np.log(total) + frame
    ends = np.array([2 * len(labels) for labels in readings]) + 2
    rows = np.arange(count)
    last = score[rows, ends]
    before = np.where(ends > 2, score[rows, ends - 1], _NEVER)
    return [float(value) for value in np.logaddexp(last, before)]
