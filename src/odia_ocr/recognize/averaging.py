"""Emissions of one line, from several models or several versions of its picture, become one.

Models of one frame rate are averaged frame by frame; another rate is laid on the first one's frames
by where they stand in the line picture. That is to measure with, not to read with: peaks are one
frame wide, those laid from another rate miss the first one's, and the mean loses letters. So do the
means of models that were trained apart. Checkpoints of one run and versions of one shape can be
averaged; that gains a little on the best path and nothing behind a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from odia_ocr.recognize.augment import View, check_views
from odia_ocr.types import Candidates, Decoder, Emission, FloatArray, LineImage, Problem

_FLOOR = -30.0  # natural log-probability
How = Literal["probability", "log"]


@dataclass(frozen=True, slots=True, eq=False)
class AveragedRecognizer:
    """Several views of each line, one reading of their mean emission.

    Attributes:
        name: E.g. "average-3".
        views: The first one's frames count.
        decoder: Mean emission -> hypotheses.
        weights: Of the views; empty counts all alike.
        how: Mean of probabilities, or of their logarithms (a product of experts).
        calibration: Values of a confidence fit for these readings.
    """

    name: str
    views: tuple[View, ...]
    decoder: Decoder
    weights: tuple[float, ...] = ()
    how: How = "probability"
    calibration: dict[str, object] | None = None

    def __post_init__(self) -> None:
        check_views(self.name, self.views)

    def emit(self, lines: Sequence[LineImage]) -> list[Emission]:
        """Mean emissions of all lines, in order."""
        emissions = [view.emit(lines) for view in self.views]
        return [
            average_emissions(members, self.weights or None, how=self.how)
            for members in zip(*emissions, strict=True)
        ]

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines; see `odia_ocr.types.Recognizer`."""
        return [
            Candidates(emission.line_id, self.decoder(emission)) for emission in self.emit(lines)
        ]


def average_emissions(
    members: Sequence[Emission], weights: Sequence[float] | None = None, *, how: How = "probability"
) -> Emission:
    """The weighted mean of emissions of one line.

    Args:
        members: Of one alphabet; the first one's frames are kept.
        weights: One for each member; None counts all alike.
        how: "probability" or "log"; the mean of logarithms is normalised again.

    Raises:
        ValueError: Without members, or with weights of another number.
    """
    if not members:
        raise ValueError("an average needs at least one emission")
    shares = np.full(len(members), 1.0) if weights is None else np.array(weights, np.float64)
    if len(shares) != len(members):
        raise ValueError(f"{len(shares)} weights for {len(members)} emissions")
    shares = shares / shares.sum()
    first = members[0]
    tables = [np.maximum(lay_frames(member, first), _FLOOR) for member in members]
    if how == "log":
        mean = sum(share * table for share, table in zip(shares, tables, strict=True))
    else:
        mean = np.log(
            sum(share * np.exp(table) for share, table in zip(shares, tables, strict=True))
        )
    mean = mean - np.log(np.exp(mean).sum(axis=1, keepdims=True))
    return replace(first, log_probs=np.asarray(mean, np.float32))


def lay_frames(emission: Emission, like: Emission) -> FloatArray:
    """Log-probabilities (T, V) of an emission on the frames of another one of the same line.

    Equal frames stay as they are; others are taken from the frame nearest to the same place.
    """
    frames = len(like.log_probs)
    if len(emission.log_probs) == frames:
        return emission.log_probs
    middles = (np.arange(frames) + 0.5) * like.px_per_frame
    nearest = np.floor(middles / emission.px_per_frame).astype(np.int64)
    laid = emission.log_probs[np.clip(nearest, 0, len(emission.log_probs) - 1)]
    return np.asarray(laid, np.float32)
