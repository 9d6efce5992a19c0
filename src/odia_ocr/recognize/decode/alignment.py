"""Labels that a search has chosen are laid along the frames, and become symbols with their scores.

The best path that spells the labels tells where each symbol stands (Graves 2012, "Supervised
Sequence Labelling with Recurrent Neural Networks", section 7.3). Knows emissions; refuses to know
how labels were chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.types import Emission, FloatArray, Symbol

if TYPE_CHECKING:
    import numpy.typing as npt

    Indices = npt.NDArray[np.int64]

_IMPOSSIBLE = -np.inf


@dataclass(frozen=True, slots=True)
class Peaks:
    """Where labels stand: frames `starts` .. `ends` - 1 of each, in reading order."""

    labels: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def find_best_path(log_probs: FloatArray) -> Peaks:
    """The labels of the best path and where they stand."""
    if not len(log_probs):
        return Peaks((), (), ())
    best = log_probs.argmax(axis=1)  # (T,)
    edges = np.flatnonzero(np.diff(best)) + 1
    starts = np.concatenate(([0], edges))
    ends = np.concatenate((edges, [len(best)]))
    kept = [(int(best[a]), int(a), int(b)) for a, b in zip(starts, ends, strict=True) if best[a]]
    return Peaks(
        tuple(k for k, _, _ in kept), tuple(a for _, a, _ in kept), tuple(b for *_, b in kept)
    )


def align_labels(log_probs: FloatArray, labels: Sequence[int], near: Peaks) -> Peaks:
    """Lay labels along the frames.

    Args:
        log_probs: (T, V), column 0 is the blank.
        labels: What to lay, without blanks.
        near: The best path: labels it has in common at both ends stay where it has them.
    """
    shorter = min(len(labels), len(near.labels))
    head = 0
    while head < shorter and labels[head] == near.labels[head]:
        head += 1
    tail = 0
    while tail < shorter - head and labels[-1 - tail] == near.labels[-1 - tail]:
        tail += 1
    # One more on each side is laid anew: what comes or goes takes frames of its neighbours.
    head, tail = max(0, head - 1), max(0, tail - 1)
    return _align_between(log_probs, labels, near, head, tail) or _align_all(log_probs, labels)


def _align_all(log_probs: FloatArray, labels: Sequence[int]) -> Peaks:
    placed = _lay(log_probs, labels)
    if placed is None:
        raise ValueError(f"{len(labels)} labels have no path through {len(log_probs)} frames")
    return Peaks(tuple(labels), tuple(placed[0]), tuple(placed[1]))


def _align_between(
    log_probs: FloatArray, labels: Sequence[int], near: Peaks, head: int, tail: int
) -> Peaks | None:
    """Keep `head` and `tail` labels of the best path; None where the rest finds no room."""
    last, stop = len(labels) - tail, len(near.labels) - tail
    first_frame = near.ends[head - 1] if head else 0
    last_frame = near.starts[stop] if tail else len(log_probs)
    placed = _lay(log_probs[first_frame:last_frame], labels[head:last])
    if placed is None:
        return None
    starts, ends = placed
    return Peaks(
        tuple(labels),
        (*near.starts[:head], *(first_frame + a for a in starts), *near.starts[stop:]),
        (*near.ends[:head], *(first_frame + b for b in ends), *near.ends[stop:]),
    )


def _lay(log_probs: FloatArray, labels: Sequence[int]) -> tuple[list[int], list[int]] | None:
    """First frame of each label and the frame after its last, by the best path that spells them."""
    frames, count = len(log_probs), len(labels)
    if not count:
        return [], []
    if frames < count:
        return None
    states = np.zeros(2 * count + 1, np.int64)
    states[1::2] = labels
    emitted = log_probs[:, states].astype(np.float64)  # (T, S)
    # A blank may be left out between two labels that differ.
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    score = np.full(len(states), _IMPOSSIBLE)
    score[:2] = emitted[0, :2]
    moves = np.zeros((frames, len(states)), np.int8)
    for t in range(1, frames):
        options = np.full((3, len(states)), _IMPOSSIBLE)
        options[0] = score
        options[1, 1:] = score[:-1]
        options[2, 2:] = np.where(skips[2:], score[:-2], _IMPOSSIBLE)
        moves[t] = options.argmax(axis=0)
        score = options.max(axis=0) + emitted[t]
    if max(score[-1], score[-2]) == _IMPOSSIBLE:
        return None
    state = len(states) - 1 if score[-1] >= score[-2] else len(states) - 2
    path = [0] * frames
    for t in range(frames - 1, -1, -1):
        path[t] = state
        state -= int(moves[t, state])
    starts = [_reach(path, 2 * i + 1) for i in range(count)]
    ends = [_reach(path, 2 * i + 2) for i in range(count)]
    return starts, ends


def _reach(path: Sequence[int], state: int) -> int:
    """The first frame whose state is `state` or a later one."""
    return next((t for t, reached in enumerate(path) if reached >= state), len(path))


def make_symbols(emission: Emission, peaks: Peaks, *, alternatives: int) -> tuple[Symbol, ...]:
    """Symbols as best-path decoding makes them.

    A symbol's `logp` is that of its surest frame, its span the frames up to halfway to its
    neighbours', its alternatives the likeliest others at its surest frame.
    """
    log_probs = emission.log_probs
    surest = [
        a + int(log_probs[a:b, k].argmax())
        for k, a, b in zip(peaks.labels, peaks.starts, peaks.ends, strict=True)
    ]
    edges = _fill_gaps(peaks.starts, peaks.ends)
    width = emission.px_per_frame
    count = min(alternatives, len(emission.alphabet) - 1)
    rows = log_probs[surest].copy() if surest else log_probs[:0]  # (n, V)
    labels = np.array(peaks.labels, np.int64)
    logps = rows[np.arange(len(labels)), labels].tolist()
    rows[:, 0] = -np.inf
    rows[np.arange(len(labels)), labels] = -np.inf
    order = np.argpartition(-rows, count, axis=1)[:, :count]
    values = np.take_along_axis(rows, order, axis=1)
    best = np.argsort(-values, axis=1, kind="stable")
    order = np.take_along_axis(order, best, axis=1)
    values = np.take_along_axis(values, best, axis=1)
    return tuple(
        Symbol(
            text=emission.alphabet[label - 1],
            logp=min(0.0, logp),
            span=(a * width, b * width),
            alternatives=tuple(
                (emission.alphabet[k - 1], min(0.0, v)) for k, v in zip(others, logs, strict=True)
            ),
        )
        for label, logp, (a, b), others, logs in zip(
            peaks.labels, logps, pairwise(edges), order.tolist(), values.tolist(), strict=True
        )
    )


def _fill_gaps(starts: Sequence[int], ends: Sequence[int]) -> list[float]:
    """Frames where one symbol gives way to the next: halfway, as CTC peaks are narrow."""
    if not starts:
        return []
    between = [(a + b) / 2 for a, b in zip(ends, starts[1:], strict=False)]
    return [float(starts[0]), *between, float(ends[-1])]
