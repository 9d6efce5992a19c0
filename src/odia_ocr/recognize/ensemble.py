"""A recognizer made of recognizers: each reads the line, a combiner that is handed in decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from odia_ocr.errors import RecognitionError
from odia_ocr.types import Candidates, LineImage, Problem, Recognizer

# One entry a member, in their order; None where it could not read the line.
Combine = Callable[[Sequence[Candidates | None]], Candidates]


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

        Raises:
            RecognitionError: If a member gives other lines than it was handed.
        """
        readings = [member.read(lines) for member in self.members]
        for member, results in zip(self.members, readings, strict=True):
            _check_lines(member.name, lines, results)
        return [self._combine(outcomes) for outcomes in zip(*readings, strict=True)]

    def _combine(self, outcomes: Sequence[Candidates | Problem]) -> Candidates | Problem:
        read = [outcome if isinstance(outcome, Candidates) else None for outcome in outcomes]
        if any(read):
            return self.combine(read)
        return outcomes[0]


def _check_lines(
    name: str, lines: Sequence[LineImage], results: Sequence[Candidates | Problem]
) -> None:
    wrong = len(results) != len(lines) or any(
        isinstance(result, Candidates) and result.line_id != line.id
        for line, result in zip(lines, results, strict=False)
    )
    if wrong:
        raise RecognitionError(
            f"{name} gave {len(results)} results for {len(lines)} lines, or in another order.",
            next_step="This is a fault of that recognizer; leave it out.",
        )
