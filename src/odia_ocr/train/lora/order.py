"""Which sample comes when: a function of (seed, position), whatever was done before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True, slots=True)
class Place:
    """A sample's number, and the epoch it is seen in."""

    number: int
    epoch: int


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a run.

    Attributes:
        numbers: Samples that may be learned from, shortest first; None where they never end.
        seed: Of the order.
        growing: Positions over which samples grow from short to long.
    """

    numbers: tuple[int, ...] | None
    seed: int
    growing: int = 0

    def at(self, position: int) -> Place:
        """What is seen at a position, counted from 0 over the whole run."""
        if self.numbers is None:
            return Place(position, 0)
        count = len(self.numbers)
        epoch = position // count
        if position < self.growing:
            # A quarter of the samples at first, all of them in the end.
            reach = max(1, round(count * (0.25 + 0.75 * position / self.growing)))
            chosen = int(np.random.default_rng([self.seed, 83, position]).integers(reach))
            return Place(self.numbers[chosen], epoch)
        return Place(self.numbers[_shuffle(self.seed, epoch, count)[position % count]], epoch)


@lru_cache(maxsize=2)
def _shuffle(seed: int, epoch: int, count: int) -> Sequence[int]:
    found: list[int] = np.random.default_rng([seed, 84, epoch]).permutation(count).tolist()
    return found
