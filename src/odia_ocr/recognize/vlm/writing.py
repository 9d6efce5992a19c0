"""A model looks at pictures once and writes: greedy, in beams, by draws; then scores what it wrote.

Scores are the model's own probabilities of the tokens: they do not depend on how a text was found,
nor on what was forbidden meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from odia_ocr.recognize.vlm.alphabet_guard import (
    AlphabetTable,
    LoopGuard,
    OnlyAlphabet,
    list_token_bytes,
)
from odia_ocr.recognize.vlm.decoding import VlmDecoding
from odia_ocr.recognize.vlm.drawing import Draws
from odia_ocr.recognize.vlm.inputs import EncodedSample
from odia_ocr.recognize.vlm.opening import OpenVlm
from odia_ocr.recognize.vlm.symbols import ScoredToken

_RIVALS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Prompts whose pictures were looked at.

    Attributes:
        ids: Token ids (B, L), padded on the left.
        mask: Attention mask (B, L).
        kinds: 1 at the picture's tokens (B, L).
        grids: (t, h, w) patches of each picture (B, 3).
        embeddings: Of all tokens, the picture's features in their places (B, L, d).
    """

    ids: Tensor
    mask: Tensor
    kinds: Tensor
    grids: Tensor
    embeddings: Tensor

    def repeat(self, times: int) -> Seen:
        """Each row `times` times in a row: r0 r0 r1 r1."""
        return Seen(*(part.repeat_interleave(times, 0) for part in self._parts))

    def stack(self, times: int) -> Seen:
        """The whole batch `times` times: r0 r1 r0 r1."""
        return Seen(*(torch.cat([part] * times) for part in self._parts))

    @property
    def _parts(self) -> tuple[Tensor, ...]:
        return self.ids, self.mask, self.kinds, self.grids, self.embeddings

    @property
    def inputs(self) -> dict[str, Tensor]:
        """As the model takes them."""
        return {
            "input_ids": self.ids,
            "attention_mask": self.mask,
            "mm_token_type_ids": self.kinds,
            "image_grid_thw": self.grids,
            "inputs_embeds": self.embeddings,
        }


@dataclass(frozen=True, slots=True)
class Written:
    """One text that was written.

    Attributes:
        tokens: What was written, with its scores; the end of the turn is the last one.
        finished: It came to an end by itself.
    """

    tokens: tuple[ScoredToken, ...]
    finished: bool

    @property
    def logp(self) -> float:
        """Natural logarithm of the probability of the whole text, <= 0."""
        return min(0.0, sum(token.logp for token in self.tokens))

    def split_lines(self) -> list[Written]:
        """Its lines, without those that hold nothing; a token's share goes to each of its bytes."""
        lines: list[list[ScoredToken]] = [[]]
        for token in self.tokens:
            for i, piece in enumerate(token.piece.split(b"\n")):
                if i:
                    lines.append([])
                if piece:
                    share = token.logp * len(piece) / len(token.piece)
                    lines[-1].append(ScoredToken(piece, share, token.rivals))
        return [Written(tuple(line), finished=True) for line in lines if line]

    def cut(self, most: int) -> Written:
        """The same, not finished if it is longer than `most` tokens."""
        if len(self.tokens) <= most:
            return self
        return Written(self.tokens[:most], finished=False)


class ScoreKeeper(LogitsProcessor):  # type: ignore[misc]
    """Keeps the log-probabilities of each place while a text is written."""

    def __init__(self, rows: int) -> None:
        """Of the first `rows` rows; the others are copies."""
        self._rows = rows
        self._logs: list[Tensor] = []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Scores (rows, vocabulary) stay as they are."""
        self._logs.append(scores[: self._rows].float().log_softmax(-1))
        return scores

    @property
    def logs(self) -> Tensor:
        """(rows, T, vocabulary), as `Writer.score` gives them."""
        return torch.stack(self._logs, 1)


class Writer:
    """Writes with one open model."""

    def __init__(self, vlm: OpenVlm) -> None:
        self.vlm = vlm
        tokenizer = vlm.encoder.tokenizer
        self._pieces = list_token_bytes(tokenizer)
        self._end = int(tokenizer.convert_tokens_to_ids("<|im_end|>"))

    @cached_property
    def _table(self) -> AlphabetTable:
        return AlphabetTable(self.vlm.encoder.tokenizer, (self._end,))

    @torch.inference_mode()
    def see(self, samples: Sequence[EncodedSample]) -> Seen:
        """Look at the pictures of samples that end where the answer begins."""
        batch = self.vlm.encoder.collate(samples)
        batch = {key: value.to(self.vlm.device) for key, value in batch.items()}
        base = self.vlm.base
        features = base.model.visual(
            batch["pixel_values"].to(base.model.visual.dtype), grid_thw=batch["image_grid_thw"]
        ).pooler_output
        words = base.get_input_embeddings()(batch["input_ids"])
        places = (batch["mm_token_type_ids"] == 1)[..., None].expand_as(words)
        return Seen(
            batch["input_ids"],
            batch["attention_mask"],
            batch["mm_token_type_ids"],
            batch["image_grid_thw"],
            words.masked_scatter(places, features.to(words.dtype)),
        )

    @torch.inference_mode()
    def write(
        self,
        seen: Seen,
        decoding: VlmDecoding,
        *,
        most: int,
        first: Sequence[Any] = (),
    ) -> Tensor:
        """Token ids (B * readings, T) that the model writes, readings of a row together.

        Args:
            seen: Prompts.
            decoding: How.
            most: Tokens at most.
            first: Logits processors that come before the others.
        """
        prompt = seen.ids.shape[1]
        processors: list[Any] = list(first)
        if decoding.limited:
            processors.append(OnlyAlphabet(self._table, prompt))
        processors.append(LoopGuard(prompt, self._pieces))
        beams, kept = decoding.beams, decoding.nbest
        if decoding.samples:
            processors.append(Draws(decoding))
            seen, beams, kept = seen.repeat(decoding.samples), 1, 1
        options: dict[str, Any] = {}
        if beams > 1:  # beams are ranked by the probability of the whole text
            options["length_penalty"] = 0.0
        made = self.vlm.model.generate(
            **seen.inputs,
            **options,
            do_sample=False,
            num_beams=beams,
            num_return_sequences=kept,
            max_new_tokens=most,
            repetition_penalty=1.0,
            logits_processor=processors,
            eos_token_id=self._end,
            pad_token_id=self.vlm.encoder.pad_id,
        )
        written: Tensor = made[:, prompt:]
        return written

    def write_scored(
        self, seen: Seen, decoding: VlmDecoding, *, most: int
    ) -> tuple[Tensor, Tensor]:
        """As `write`, with the log-probabilities (rows, T, vocabulary) as `score` gives them."""
        if decoding.beams > 1 and not decoding.samples:  # rows change places
            written = self.write(seen, decoding, most=most)
            return written, self.score(seen.repeat(decoding.nbest), written)
        keeper = ScoreKeeper(len(seen.ids) * max(1, decoding.samples))
        return self.write(seen, decoding, most=most, first=[keeper]), keeper.logs

    @torch.inference_mode()
    def score(self, seen: Seen, written: Tensor) -> Tensor:
        """Log-probabilities (rows, T, vocabulary) of what may be written at each place.

        Args:
            seen: Prompts, one for each row of `written`.
            written: Token ids (rows, T).
        """
        base = self.vlm.base
        ids = torch.cat([seen.ids, written], 1)
        more = torch.zeros_like(written)
        logits = self.vlm.model(
            input_ids=ids,
            inputs_embeds=torch.cat([seen.embeddings, base.get_input_embeddings()(written)], 1),
            attention_mask=torch.cat([seen.mask, torch.ones_like(written)], 1),
            mm_token_type_ids=torch.cat([seen.kinds, more], 1),
            image_grid_thw=seen.grids,
            use_cache=False,
            logits_to_keep=written.shape[1] + 1,  # a vocabulary of 150,000 is wide
        ).logits
        told: Tensor = logits[:, :-1].float().log_softmax(-1)
        return told

    def collect(self, written: Tensor, scores: Tensor) -> list[Written]:
        """Texts with their scores; `scores` (rows, T, vocabulary) as `score` gives them."""
        best = scores.topk(_RIVALS + 1)
        chosen = scores.gather(-1, written[..., None]).squeeze(-1).tolist()
        texts = []
        for row, tokens in enumerate(written.tolist()):
            finished = self._end in tokens
            length = tokens.index(self._end) + 1 if finished else len(tokens)
            rivals = zip(
                best.indices[row, :length].tolist(), best.values[row, :length].tolist(), strict=True
            )
            scored = tuple(
                ScoredToken(
                    self._piece(token),
                    min(0.0, logp),
                    tuple(
                        (self._piece(i), min(0.0, value))
                        for i, value in zip(others, values, strict=True)
                        if i != token and self._piece(i)
                    ),
                )
                for token, logp, (others, values) in zip(
                    tokens[:length], chosen[row][:length], rivals, strict=True
                )
            )
            texts.append(Written(scored, finished))
        return texts

    def _piece(self, token: int) -> bytes:
        return (self._pieces[token] if token < len(self._pieces) else None) or b""
