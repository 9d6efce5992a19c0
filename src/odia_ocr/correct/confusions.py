"""What a reader takes for what: learned log-probabilities of its mistakes, letter by letter.

A confusion says that `true` was printed where `read` was read, each at most a few code points; one
of them may be empty. Its weight is log P(read | true) - log P(right | right letter): how much less
likely that mistake is than a right reading. Knows the table; counting mistakes is the trainer's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Confusion:
    """One mistake of a reader.

    Attributes:
        true: What is printed; empty where the reader added something.
        read: What it read; empty where it lost something.
        logp: Weight, natural logarithm, <= 0.
    """

    true: str
    read: str
    logp: float

    def __post_init__(self) -> None:
        if self.true == self.read:
            raise ValueError(f"{self.true!r} read as itself is no confusion")
        if not self.logp <= 0:
            raise ValueError(f"Confusion.logp must be <= 0, got {self.logp!r}")


@dataclass(frozen=True, slots=True, eq=False)
class ConfusionTable:
    """All mistakes that were learned.

    Attributes:
        confusions: The mistakes.
        unseen: Weight of a mistake that was never seen, per code point, below all others.
    """

    confusions: tuple[Confusion, ...]
    unseen: float
    _by_start: dict[str, tuple[Confusion, ...]] = field(
        init=False, repr=False, default_factory=dict
    )
    _weights: dict[tuple[str, str], float] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        starts: dict[str, list[Confusion]] = {}
        for confusion in self.confusions:
            starts.setdefault(confusion.read[:1], []).append(confusion)
            self._weights[confusion.true, confusion.read] = confusion.logp
        self._by_start.update({start: tuple(some) for start, some in starts.items()})

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str, float]], unseen: float) -> ConfusionTable:
        """From the plain values that a file holds."""
        return cls(tuple(Confusion(*row) for row in rows), unseen)

    def begin_with(self, read: str) -> tuple[Confusion, ...]:
        """Mistakes whose `read` begins with this code point; with "" those that lost something."""
        return self._by_start.get(read, ())

    def weigh(self, true: str, read: str) -> float:
        """Weight of a mistake; `unseen` for each code point of one that was not learned."""
        known = self._weights.get((true, read))
        return known if known is not None else self.unseen * max(len(true), len(read))

    def __len__(self) -> int:
        return len(self.confusions)
