"""How much a language model counts beside the picture, for one model and one recognizer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from odia_ocr.language.mixing import count_strange_pairs
from odia_ocr.language.ngram import NgramModel


@dataclass(frozen=True, slots=True)
class Fusion:
    """How much a language model counts; fitted on held-out lines, kept in the model's file.

    Attributes:
        alpha: Weight of its log-probability.
        beta: Added for each symbol it speaks about, against short readings.
        mixed: Taken off for two neighbours that hardly stand side by side (nats).
    """

    alpha: float = 0.0
    beta: float = 0.0
    mixed: float = 2.0

    @classmethod
    def of(cls, lm: NgramModel) -> Fusion:
        """The weights that were stored with a model; none of its own when it was not fitted."""
        stored: Mapping[str, Any] = lm.facts.get("fusion", {})
        return cls(**{name: float(value) for name, value in stored.items()})

    def weigh(self, lm: NgramModel, text: str) -> float:
        """What is added to the optical score of a whole text."""
        judged = lm.judge(text)
        spoken = self.alpha * judged.logp + self.beta * judged.symbols
        return spoken - self.mixed * count_strange_pairs(text)
