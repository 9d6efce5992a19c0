"""A recognizer made of recognizers: each reads the line, a combiner that is handed in decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odia_ocr.types import Candidates, LineImage, Problem, Recognizer

Combine = Callable[[Sequence[Candidates]], Candidates]


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleRecognizer:
    """Several recognizers behind one name.

    Attributes:
        name: E.g. "vote-3".
        members: In the order the combiner sees them.
        combine: All members' candidates of one line -> candidates.
        calibration: Values of a confidence fit for the combined readings.
    """

    name: str
    members: tuple[Recognizer, ...]
    combine: Combine
    calibration: dict[str, object] | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError(f"ensemble {self.name!r} has no members")

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        """Read all lines; see `odia_ocr.types.Recognizer`.

        A member that fails on a line has no say there; a line on which all fail is a Problem.
        """
        readings = [member.read(lines) for member in self.members]
        return [self._combine(outcomes) for outcomes in zip(*readings, strict=True)]

    def _combine(self, outcomes: Sequence[Candidates | Problem]) -> Candidates | Problem:
        read = [outcome for outcome in outcomes if isinstance(outcome, Candidates)]
        if read:
            return self.combine(read)
        return next(outcome for outcome in outcomes if isinstance(outcome, Problem))
