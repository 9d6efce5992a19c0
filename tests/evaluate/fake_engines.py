"""Recognizers that say what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from odia_ocr.types import Candidates, Hypothesis, LineImage, Problem, Symbol

TEXTS = {"a_1": "ଧର୍ମ ଓ କର୍ମ", "a_2": "ସତ୍ୟ ବା ଜ୍ଞାନ", "b_1": "ଭାରତ ଦେଶ ।", "b_2": "୨୦୨୪"}


@dataclass
class FakeRecognizer:
    """Says what it is told to; without an entry, nothing."""

    readings: dict[str, str]
    name: str = "fake"
    problems: frozenset[str] = frozenset()
    calls: list[int] = field(default_factory=list)

    def read(self, lines: Sequence[LineImage]) -> list[Candidates | Problem]:
        self.calls.append(len(lines))
        return [
            Problem("recognition", f"{line.id} is too odd", line_id=line.id)
            if line.id in self.problems
            else say(line.id, self.readings.get(line.id, ""))
            for line in lines
        ]


def say(line_id: str, text: str) -> Candidates:
    symbols = (Symbol(text, -0.1),) if text else ()
    return Candidates(line_id, (Hypothesis(symbols, -0.1 if text else 0.0),))
