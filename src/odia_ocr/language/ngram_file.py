"""The file of an n-gram model: a trie of quantised log-probabilities, mapped into memory.

See `mapped_file` for the outside. For each order k = 1 .. N the body holds the k-grams sorted by
their symbols, so those with one context stand together:

    symbols   uint8[n]   the last symbol of the k-gram
    logp      uint8[n]   code of log p(last symbol | the symbols before it)
    backoff   uint8[n]   code of the log back-off weight, k < N only
    children  uint8[n]   how many (k+1)-grams continue it, k < N only
    codes     float32[256] for logp and, k < N, float32[256] for backoff

Knows bytes; refuses to know what the symbols mean or how the numbers were estimated.
Source: the trie follows Heafield 2011, "KenLM: Faster and Smaller Language Model Queries", section
3.2, with quantisation as in its section 3.2.1, but contexts run forward and children are counted.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odia_ocr.language.mapped_file import MappedFile, open_mapped_file, write_mapped_file

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Codes = npt.NDArray[np.float32]  # (256,)

MAGIC = b"ODIALM1\n"
_NEXT_STEP = "Name a file that `odia-ocr train lm` wrote, or install odia-ocr again."


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The k-grams of one order as they stand in the file.

    Attributes:
        symbols: Last symbols, (n,).
        logp: Codes of the log-probabilities, (n,).
        logp_codes: What each code means, natural logarithm, (256,).
        backoff: Codes of the log back-off weights, (n,); empty at the highest order.
        backoff_codes: What each code means, (256,); empty at the highest order.
        children: Number of continuations, (n,); empty at the highest order.
    """

    symbols: Bytes
    logp: Bytes
    logp_codes: Codes
    backoff: Bytes
    backoff_codes: Codes
    children: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class NgramFile:
    """An open file.

    Attributes:
        symbols: What the symbol numbers stand for, at most 255.
        facts: How it was made and which weights it is used with; JSON values.
        levels: One per order.
        memory: The mapped file.
        offsets: Where the `symbols` of each level begin in it.
    """

    symbols: tuple[str, ...]
    facts: Mapping[str, Any]
    levels: tuple[Level, ...]
    memory: mmap.mmap
    offsets: tuple[int, ...]


def write_ngram_file(
    path: Path, symbols: Sequence[str], facts: Mapping[str, Any], levels: Sequence[Level]
) -> None:
    """Write a model; the file appears whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    sizes = [len(level.symbols) for level in levels]
    header = {"symbols": list(symbols), "sizes": sizes, "facts": dict(facts)}
    parts: list[bytes] = []
    for level in levels:
        for array in (level.symbols, level.logp, level.backoff, level.children):
            parts.append(np.ascontiguousarray(array, np.uint8).tobytes())
        for codes in (level.logp_codes, level.backoff_codes):
            parts.append(np.ascontiguousarray(codes, "<f4").tobytes())
    write_mapped_file(path, MAGIC, header, b"".join(parts))


def open_ngram_file(path: Path) -> NgramFile:
    """Map a file that `write_ngram_file` wrote.

    Raises:
        ModelMissingError: If it is missing, cut short or something else.
    """
    return open_mapped_file(path, MAGIC, _parse, kind="language model", next_step=_NEXT_STEP)


def _parse(file: MappedFile) -> NgramFile:
    memory, header = file.memory, file.header
    symbols = tuple(map(str, header["symbols"]))
    sizes = [int(size) for size in header["sizes"]]
    if not sizes or sizes[0] != len(symbols) or len(symbols) > 255:
        raise ValueError(f"{len(symbols)} symbols, {sizes} n-grams")
    levels: list[Level] = []
    offsets: list[int] = []
    at = file.start

    def take(count: int, kind: str) -> Any:
        nonlocal at
        array = np.frombuffer(memory, kind, count, at)
        at += array.nbytes
        return array

    for k, size in enumerate(sizes, 1):
        inner = k < len(sizes)
        offsets.append(at)
        last, logp = take(size, "u1"), take(size, "u1")
        backoff, children = (take(size * inner, "u1") for _ in range(2))
        logp_codes, backoff_codes = take(256, "<f4"), take(256 * inner, "<f4")
        if inner and int(children.sum(dtype=np.int64)) != sizes[k]:
            raise ValueError(f"the {k}-grams do not lead to the {k + 1}-grams")
        levels.append(Level(last, logp, logp_codes, backoff, backoff_codes, children))
    if at != len(memory):
        raise ValueError(f"{len(memory)} bytes where {at} were due")
    return NgramFile(symbols, header["facts"], tuple(levels), memory, tuple(offsets))
