"""Tokens and their log-probabilities become symbols: a token's share goes to each of its bytes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from odia_ocr.recognize.decode.spelling import spell_symbols
from odia_ocr.types import Symbol


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token that was written.

    Attributes:
        piece: Its bytes; empty of special tokens.
        logp: Natural logarithm of its probability.
        rivals: (bytes, logp) of other tokens at its place, best first.
    """

    piece: bytes
    logp: float
    rivals: tuple[tuple[bytes, float], ...] = ()


def make_symbols(tokens: Sequence[ScoredToken]) -> tuple[Symbol, ...]:
    """Symbols in the usual spelling; their log-probabilities add up to those of the tokens.

    A character gets the share of its bytes; bytes that make no character are left out and their
    share goes to the symbol before, or to the first one. Special tokens, which have no bytes, are
    left out with theirs. Rivals are told where one token is one character.
    """
    owners = [token for token in tokens for _ in token.piece]
    data = b"".join(token.piece for token in tokens)
    symbols: list[Symbol] = []
    early = 0.0  # of broken bytes before the first character
    at = 0
    while at < len(data):
        length = _count_bytes(data[at])
        text = data[at : at + length].decode("utf-8", errors="ignore")
        if len(text) != 1:
            length, text = 1, ""
        part = owners[at : at + length]
        logp = min(0.0, sum(token.logp / len(token.piece) for token in part))
        if text:
            text = unicodedata.normalize("NFC", text)
            rivals = _find_rivals(part[0], data[at : at + length])
            symbols.append(Symbol(text, early + logp, None, rivals))
            early = 0.0
        elif symbols:
            symbols[-1] = replace(symbols[-1], logp=symbols[-1].logp + logp)
        else:
            early += logp
        at += length
    return spell_symbols(tuple(symbols))


def _count_bytes(first: int) -> int:
    """Bytes of a UTF-8 character by its first one."""
    return 1 if first < 0x80 else 2 if first >> 5 == 6 else 3 if first >> 4 == 14 else 4


def _find_rivals(token: ScoredToken, character: bytes) -> tuple[tuple[str, float], ...]:
    if token.piece != character:
        return ()
    found = []
    for piece, logp in token.rivals:
        text = piece.decode("utf-8", errors="ignore")
        if len(text) == 1 and len(text.encode()) == len(piece) and math.isfinite(logp):
            found.append((text, min(0.0, logp)))
    return tuple(found)
