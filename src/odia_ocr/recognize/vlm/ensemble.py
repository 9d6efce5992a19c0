"""The adapters of one base read together, at a fraction of the price of reading one after the
other.

Adapters that leave the vision tower alone share its pass. In one batch each row has its own
adapter; with `JointSpeaker` the rows of a line write the same token at each place, the likeliest by
the mean of their probabilities: an ensemble inside one search, greedy or in beams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LogitsProcessor

from odia_ocr.errors import ConfigError
from odia_ocr.recognize.vlm.adapters import list_layers
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.inputs import EncodedSample
from odia_ocr.recognize.vlm.opening import OpenVlm
from odia_ocr.recognize.vlm.writing import Seen, Writer


class MeanProbability(LogitsProcessor):  # type: ignore[misc]
    """Rows are copies of the same lines; all get the mean of their probabilities."""

    def __init__(self, copies: int) -> None:
        self._copies = copies

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (copies * B, vocabulary) become the logarithm of their mean over the copies."""
        return mean_logs(scores.float().log_softmax(-1), self._copies).repeat(self._copies, 1)


def mean_logs(logs: Tensor, copies: int) -> Tensor:
    """Logarithm of the mean probability over copies: (copies * B, ...) -> (B, ...)."""
    parts = logs.reshape(copies, -1, *logs.shape[1:])
    return torch.logsumexp(parts, 0) - math.log(copies)


@dataclass(frozen=True, slots=True, eq=False)
class JointSpeaker:
    """Several adapters as one; see `odia_ocr.recognize.vlm.reader.Speaker`.

    Attributes:
        writer: Of the open model.
        adapters: Names of the adapters.
    """

    writer: Writer
    adapters: tuple[str, ...]

    def __post_init__(self) -> None:
        check_shared_sight(self.writer.vlm)

    def look(self, samples: Sequence[EncodedSample]) -> Seen:
        """Look at the pictures once, for all adapters."""
        with self.writer.vlm.speaking():
            return self.writer.see(samples)

    def write(self, seen: Seen, decoding: VlmDecoding, most: int) -> tuple[Tensor, Tensor]:
        """Readings of the mean of the adapters' probabilities."""
        count, lines = len(self.adapters), len(seen.ids)
        rows = [name for name in self.adapters for _ in range(lines)]
        with self.writer.vlm.speaking(self.adapters[0]):
            written = self.writer.write(
                seen.stack(count), decoding, most=most, rows=rows, first=[MeanProbability(count)]
            )
            kept = written[: len(written) // count]  # all copies wrote the same
            each = len(kept) // lines
            logs = self.writer.score(
                seen.repeat(each).stack(count),
                kept.repeat(count, 1),
                rows=[name for name in self.adapters for _ in range(lines * each)],
            )
        return kept, mean_logs(logs, count)


def write_mixed(
    writer: Writer, adapters: Sequence[str], seen: Seen, decoding: VlmDecoding, *, most: int
) -> list[tuple[Tensor, Tensor]]:
    """What each adapter writes on its own, all in one batch: (tokens, log-probabilities) of each.

    Equal to letting one after the other write.
    """
    check_shared_sight(writer.vlm)
    count, lines = len(adapters), len(seen.ids)
    rows = [name for name in adapters for _ in range(lines)]
    stacked = seen.stack(count)
    with writer.vlm.speaking(adapters[0]):
        written = writer.write(stacked, decoding, most=most, rows=rows)
        each = len(written) // (count * lines)
        logs = writer.score(
            stacked.repeat(each), written, rows=[name for name in rows for _ in range(each)]
        )
    return list(zip(written.chunk(count), logs.chunk(count), strict=True))


def check_shared_sight(vlm: OpenVlm) -> None:
    """Refuse adapters that cannot stand in one batch.

    Raises:
        ConfigError: If one changes the vision tower, keeps whole layers, or is a DoRA adapter.
    """
    for name in vlm.adapters:
        config = vlm.model.peft_config[name]
        if any("visual" in key for key, _ in list_layers(vlm.model, name)):
            raise ConfigError(
                f"{vlm.name}: an adapter changes the vision tower, so the adapters cannot share "
                "one look at the picture.",
                next_step="Name one adapter at a time, and let the campaign vote.",
            )
        if config.use_dora or config.modules_to_save:
            kind = "DoRA adapters" if config.use_dora else "Adapters that hold whole layers"
            raise ConfigError(
                f"{vlm.name}: {kind} cannot stand in one batch.",
                next_step="Merge them, or name one at a time.",
            )
