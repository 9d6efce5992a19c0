"""A character n-gram language model: log p(next symbol | the symbols before it), state explicit.

The unit is the printed line: `start` is the state before a line, `BOUNDARY` the symbol that ends
one. Symbols are the code points of normalised text; digits share one symbol, Latin letters another,
and what the model has never seen is `UNKNOWN`. ZWNJ shows how a face draws a conjunct, not which
word it is, so it is no symbol at all. Knows the file and back-off; estimating is the trainer's.

Source: back-off form of interpolated models, Chen and Goodman 1999, "An empirical study of
smoothing techniques for language modeling", section 2.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from odia_ocr.language.ngram_file import NgramFile, open_ngram_file
from odia_ocr.language.normalise import ZWNJ, normalise

UNKNOWN, BOUNDARY, DIGIT, LATIN = "\ufffd", "\n", "0", "a"
# For each order 1 .. the node of the last symbols of that number, -1 where none leads on.
State = tuple[int, ...]
_ODIA = ("\u0b00", "\u0b7f")
_CACHE = 100_000  # entries, some 40 MB; a page asks for about 1,600 new ones


def symbol_of(char: str) -> str:
    """The symbol that stands for a code point."""
    if char.isdecimal():
        return DIGIT
    if char.isascii() and char.isalpha():
        return LATIN
    return char


def is_spoken(symbol: str) -> bool:
    """Does a model speak about this symbol where it judges readings: Odia letters, signs, spaces?

    Digits, Latin letters and punctuation move it on and cost nothing: numbers and foreign words are
    to be read as they stand.
    """
    return symbol == " " or (_ODIA[0] <= symbol <= _ODIA[1] and not symbol.isdecimal())


def split_symbols(text: str) -> list[str]:
    """The symbols of a line of text, without the boundary that ends it."""
    return [symbol_of(char) for char in normalise(text) if char != ZWNJ]


@dataclass(frozen=True, slots=True, eq=False)
class NgramModel:
    """An open model.

    Attributes:
        symbols: What symbol numbers stand for; 0 is `UNKNOWN`, 1 `BOUNDARY`.
        order: Length of the longest n-grams.
        facts: How it was made; weights of its use, see `odia_ocr.recognize.decode.beam`.
        start: The state before a line.
    """

    symbols: tuple[str, ...]
    order: int
    facts: Mapping[str, Any]
    start: State
    _numbers: dict[str, int] = field(repr=False)
    _levels: tuple[_Nodes, ...] = field(repr=False)
    _find: Any = field(repr=False)
    _cache: dict[tuple[State, int], tuple[float, State]] = field(repr=False, default_factory=dict)

    def number(self, symbol: str) -> int:
        """The number of a symbol; that of `UNKNOWN` for one the model has never seen."""
        return self._numbers.get(symbol, 0)

    def step(self, state: State, symbol: int) -> tuple[float, State]:
        """Natural log-probability of a symbol number after `state`, and the state after it."""
        key = (state, symbol)
        found = self._cache.get(key)
        if found is None:
            found = self._look_up(state, symbol)
            if len(self._cache) >= _CACHE:
                self._cache.clear()
            self._cache[key] = found
        return found

    def _look_up(self, state: State, symbol: int) -> tuple[float, State]:
        first = self._levels[0]
        logp = first.logp_codes[first.logp[symbol]]
        follow = [symbol if first.starts[symbol + 1] > first.starts[symbol] else -1]
        byte = bytes((symbol,))
        for k, node in enumerate(state, 1):
            nodes = self._levels[k - 1]
            if node < 0:
                follow.append(-1)
                continue
            deeper = self._levels[k]
            low, high = nodes.starts[node], nodes.starts[node + 1]
            at = self._find(byte, deeper.offset + low, deeper.offset + high) - deeper.offset
            if at < 0:
                logp += nodes.backoff_codes[nodes.backoff[node]]
                follow.append(-1)
                continue
            logp = deeper.logp_codes[deeper.logp[at]]
            leads_on = k + 1 < self.order and deeper.starts[at + 1] > deeper.starts[at]
            follow.append(at if leads_on else -1)
        while follow and follow[-1] < 0:
            follow.pop()
        return logp, tuple(follow[: self.order - 1])

    def score(self, symbols: Iterable[str], *, end: bool = True) -> float:
        """Natural log-probability of a line's symbols.

        Args:
            symbols: As `split_symbols` gives them.
            end: Count the end of the line as well.
        """
        state, total = self.start, 0.0
        numbers = [self.number(symbol) for symbol in symbols]
        for number in [*numbers, 1] if end else numbers:
            logp, state = self.step(state, number)
            total += logp
        return total

    def judge(self, text: str) -> Judgement:
        """What a reading is worth to the model: over the symbols that it speaks about."""
        state, total, spoken = self.start, 0.0, 0
        for symbol in split_symbols(text):
            logp, state = self.step(state, self.number(symbol))
            if is_spoken(symbol):
                total += logp
                spoken += 1
        return Judgement(total, spoken)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Natural log-probability of the symbols that a model speaks about, and how many they are."""

    logp: float
    symbols: int


@dataclass(frozen=True, slots=True, eq=False)
class _Nodes:
    """One level for look-ups one at a time: plain sequences, which Python indexes fastest."""

    offset: int
    logp: memoryview
    logp_codes: tuple[float, ...]
    backoff: memoryview
    backoff_codes: tuple[float, ...]
    starts: memoryview


def open_ngram_model(path: Path) -> NgramModel:
    """Open a model that `odia-ocr train lm` wrote.

    Raises:
        ModelMissingError: If the file is missing or something else.
    """
    return _make_model(open_ngram_file(path))


def _make_model(file: NgramFile) -> NgramModel:
    levels = []
    for level, offset in zip(file.levels, file.offsets, strict=True):
        starts = np.zeros(len(level.children) + 1, np.int32)
        np.cumsum(level.children, out=starts[1:])
        levels.append(
            _Nodes(
                offset,
                level.logp.data,
                tuple(level.logp_codes.tolist()),
                level.backoff.data,
                tuple(level.backoff_codes.tolist()),
                starts.data,
            )
        )
    numbers = {symbol: i for i, symbol in enumerate(file.symbols)}
    begins = len(levels) > 1 and levels[0].starts[2] > levels[0].starts[1]
    return NgramModel(
        symbols=file.symbols,
        order=len(levels),
        facts=file.facts,
        start=(1,) if begins else (),
        _numbers=numbers,
        _levels=tuple(levels),
        _find=file.memory.find,
    )
