"""What a model may write: the symbols of the alphabet, byte by byte, and no endless repetition.

Tokens of a byte-level BPE may hold parts of characters, so what is allowed next is a state of a
small automaton over UTF-8. It is found anew from the tokens written so far: beams may be
reordered at will.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from odia_ocr.language import ALPHABET

_NEVER = -float("inf")
_LEADERS = b".-_=* "  # rows of these lead the eye in a table of contents, or rule a line off


def list_token_bytes(tokenizer: Any) -> list[bytes | None]:
    """The bytes of each token; None of special and added tokens."""
    bytes_of = {sign: byte for byte, sign in enumerate(bytes_to_signs())}
    special = set(tokenizer.all_special_ids)
    vocabulary = tokenizer.get_vocab()
    found: list[bytes | None] = [None] * (max(vocabulary.values()) + 1)
    for token, i in vocabulary.items():
        if i not in special and all(sign in bytes_of for sign in token):
            found[i] = bytes(bytes_of[sign] for sign in token)
    return found


def bytes_to_signs() -> list[str]:
    """The sign by which a byte-level BPE writes each of the 256 bytes (the table of GPT-2)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    signs = {byte: chr(byte) for byte in shown}
    signs.update({byte: chr(256 + i) for i, byte in enumerate(hidden)})
    return [signs[byte] for byte in range(256)]


class AlphabetTable:
    """Which tokens may follow in which state; made once for a tokenizer.

    Attributes:
        after: int32 (states, tokens), the state after a token, -1 where it is not allowed.
    """

    def __init__(self, tokenizer: Any, ends: Iterable[int], extra: str = "\n") -> None:
        """Allow the alphabet and `extra`; a text may end, by `ends`, at the end of a character."""
        states: list[dict[int, int]] = [{}]
        for symbol in (*ALPHABET.symbols, *extra):
            at = 0
            *head, last = symbol.encode()
            for byte in head:
                if byte not in states[at]:
                    states.append({})
                    states[at][byte] = len(states) - 1
                at = states[at][byte]
            states[at][last] = 0
        pieces = list_token_bytes(tokenizer)
        self.after = torch.full((len(states), len(pieces)), -1, dtype=torch.int32)
        for state in range(len(states)):
            for token, piece in enumerate(pieces):
                end = _walk(states, state, piece) if piece else None
                if end is not None:
                    self.after[state, token] = end
        self._allowed = self.after >= 0
        for end in ends:
            self._allowed[0, end] = True

    def mask(self, written: Sequence[Sequence[int]], width: int) -> Tensor:
        """bool (rows, width): what may not follow the tokens written in each row."""
        states = []
        for row in written:
            state = 0
            for token in row:
                state = max(0, int(self.after[state, token])) if token < self.after.shape[1] else 0
            states.append(state)
        refused = torch.ones(len(states), width, dtype=torch.bool)
        known = min(width, self.after.shape[1])  # embeddings may be wider than the tokenizer
        refused[:, :known] = ~self._allowed[torch.tensor(states)][:, :known]
        return refused


def _walk(states: list[dict[int, int]], state: int, piece: bytes) -> int | None:
    for byte in piece:
        if byte not in states[state]:
            return None
        state = states[state][byte]
    return state


class OnlyAlphabet(LogitsProcessor):  # type: ignore[misc]
    """Refuses tokens that lead out of the alphabet."""

    def __init__(self, table: AlphabetTable, prompt: int) -> None:
        """`prompt` tokens stand before what is written."""
        self._table, self._prompt = table, prompt

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Mask the scores (rows, vocabulary)."""
        refused = self._table.mask(input_ids[:, self._prompt :].tolist(), scores.shape[1])
        return scores.masked_fill(refused.to(scores.device), _NEVER)


class LoopGuard(LogitsProcessor):  # type: ignore[misc]
    """Refuses one more repetition of what was written over and over.

    Unlike a ban on repeated n-grams it leaves ordinary repetition alone: Odia takes three tokens
    and more a letter, so true lines repeat short runs of tokens.
    """

    def __init__(self, prompt: int, pieces: Sequence[bytes | None]) -> None:
        """`prompt` tokens stand before what is written; `pieces` are the bytes of all tokens."""
        self._prompt, self._pieces = prompt, pieces

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Mask the scores (rows, vocabulary); the only token that is allowed stays so."""
        scores = scores.clone()
        for i, row in enumerate(input_ids[:, self._prompt :].tolist()):
            period = find_loop([self._pieces[t] if t < len(self._pieces) else None for t in row])
            if period and int(scores[i].isfinite().sum()) > 1:
                scores[i, row[-period]] = _NEVER
        return scores


def find_loop(pieces: Sequence[bytes | None], *, longest: int = 24) -> int:
    """Tokens in the run that the end repeats, four times or more and over 24 tokens; 0 if none.

    Rows of dots and dashes are none. `longest` is the longest run that is seen, in tokens.
    """
    for period in range(1, longest + 1):
        length = period * max(4, -(-24 // period))
        if length > len(pieces):
            continue
        tail = pieces[-length:]
        if tail[period:] == tail[:-period]:
            return period if b"".join(p or b"?" for p in tail[:period]).strip(_LEADERS) else 0
    return 0
