"""A random generator with the questions that layouts ask: how likely, how much, which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """Draws for one page; all of a page's chance comes from here."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        """True in `share` (0..1) of the throws."""
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        """Uniform in low..high."""
        return float(self.rng.uniform(low, high))

    def scaled(self, low: float, high: float) -> float:
        """Between two positive numbers, each doubling as likely as the next."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of them."""
        return items[int(self.rng.integers(len(items)))]

    def weigh(self, weights: dict[str, float]) -> str:
        """One of the names, by weight."""
        shares = np.array(list(weights.values()), float)
        return list(weights)[int(self.rng.choice(len(shares), p=shares / shares.sum()))]
