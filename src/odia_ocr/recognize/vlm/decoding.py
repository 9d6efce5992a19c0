"""How a vision-language model is to write: deterministic unless something else is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from odia_ocr.errors import ConfigError
from odia_ocr.types import Recognizer


@dataclass(frozen=True, slots=True)
class VlmDecoding:
    """How a line is written.

    Attributes:
        beams: Width of the beam search; 1 takes the likeliest token each time.
        nbest: Readings kept of the beams.
        samples: Readings drawn instead, the likeliest one among them; 0 draws none.
        temperature: Of the draws.
        top_p: Share of the probability that is drawn from.
        top_k: Tokens that are drawn from, 0 for all.
        seed: Of the draws.
        limited: Only symbols of the alphabet are written.
        most: Tokens written at most; 0 goes by the width of the picture.
        retries: Temperatures at which a text that runs into a loop is tried again.
    """

    beams: int = 1
    nbest: int = 1
    samples: int = 0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    limited: bool = True
    most: int = 0
    retries: tuple[float, ...] = (0.3, 0.6, 0.9)

    def __post_init__(self) -> None:
        if min(self.beams, self.nbest) < 1 or min(self.samples, self.most, self.top_k) < 0:
            raise ConfigError(f"beams and nbest must be 1 or more, got {self!r}.")
        if self.nbest > self.beams and not self.samples:
            raise ConfigError(
                f"{self.nbest} readings of {self.beams} beams.", next_step="Raise beams to nbest."
            )
        if self.temperature <= 0 or not 0 < self.top_p <= 1:
            raise ConfigError(
                f"temperature must be above 0 and top_p in 0..1, got {self.temperature}, "
                f"{self.top_p}."
            )

    @property
    def name(self) -> str:
        """In a word, e.g. "beam5" or "sample16"."""
        if self.samples:
            return f"sample{self.samples}"
        return f"beam{self.beams}" if self.beams > 1 else "greedy"


@runtime_checkable
class WritingRecognizer(Protocol):
    """A recognizer that writes token by token, in a way that can be chosen."""

    def with_decoding(self, decoding: VlmDecoding) -> Recognizer:
        """The same model, writing in another way."""
        ...
