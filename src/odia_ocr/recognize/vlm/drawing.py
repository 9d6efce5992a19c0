"""Readings drawn at random, the same whatever else is in the batch.

Noise is added to the log-probabilities, and the likeliest token is taken (the Gumbel-max trick).
The noise of a draw depends on its seed and number alone, so a line reads the same in any company,
copies of a line stay in step, and the random state of torch is left as it was.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import (
    LogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from odia_ocr.recognize.vlm.decoding import VlmDecoding


class Draws(LogitsProcessor):  # type: ignore[misc]
    """Makes the likeliest token a drawn one; rows are r0 r0 r1 r1 for two draws of each line."""

    def __init__(self, decoding: VlmDecoding) -> None:
        self._draws, self._seed = decoding.samples, decoding.seed
        self._noise: torch.Generator | None = None
        self._limits: list[LogitsProcessor] = [TemperatureLogitsWarper(decoding.temperature)]
        if decoding.top_k:
            self._limits.append(TopKLogitsWarper(decoding.top_k))
        if decoding.top_p < 1:
            self._limits.append(TopPLogitsWarper(decoding.top_p))

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (lines * draws, vocabulary), with noise."""
        if self._noise is None:
            self._noise = torch.Generator(scores.device).manual_seed(self._seed)
        scores = scores.float()
        for limit in self._limits:
            scores = limit(input_ids, scores)
        noise = torch.empty(self._draws, scores.shape[1], device=scores.device)
        noise.exponential_(generator=self._noise)
        return scores - noise.log().repeat(len(scores) // self._draws, 1)
