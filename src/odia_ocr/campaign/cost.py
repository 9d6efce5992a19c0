"""What a step took: seconds, and the peak of this process's memory where the system tells it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a step took.

    Attributes:
        seconds: Time of computing, pictures already decoded: processor time, or wall time where
            several threads make that shorter. So other work on the machine does not count.
        memory_mb: Peak of the process meanwhile; None where the system does not tell.
    """

    seconds: float = 0.0
    memory_mb: float | None = None

    def __add__(self, other: Cost) -> Cost:
        peaks = [cost.memory_mb for cost in (self, other) if cost.memory_mb is not None]
        return Cost(self.seconds + other.seconds, max(peaks, default=None))

    def share(self, part: float) -> Cost:
        """The cost of a part of the lines."""
        return Cost(self.seconds * part, self.memory_mb)


@dataclass(frozen=True, slots=True)
class Clock:
    """Takes time and memory of a step."""

    wall: float
    processor: float

    @classmethod
    def start(cls) -> Clock:
        """Begin to take time and memory."""
        _reset_peak()
        return cls(time.perf_counter(), _read_processor())

    def stop(self) -> Cost:
        """What it took since then."""
        wall = time.perf_counter() - self.wall
        return Cost(min(wall, _read_processor() - self.processor), _read_peak())


def _read_processor() -> float:
    """Processor seconds of this process and of programs it ran to their end."""
    return sum(os.times()[:4])


def _reset_peak() -> None:
    """Forget the peak so far; nothing happens where the system does not allow it."""
    try:
        _RESET.write_text("5")
    except OSError:
        return


def _read_peak() -> float | None:
    """Peak of resident memory since `_reset_peak`, in MB; None where the system does not tell."""
    try:
        rows = _STATUS.read_text().splitlines()
    except OSError:
        return None
    for row in rows:
        if row.startswith("VmHWM:"):
            return round(int(row.split()[1]) / 1024, 1)
    return None


def read_cost(facts: Mapping[str, Any]) -> Cost:
    """The cost in the facts of something kept."""
    return Cost(facts["seconds"], facts["memory_mb"])
