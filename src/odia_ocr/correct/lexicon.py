"""The words of Odia and how common they are: a trie of letters, mapped into memory.

See `language.mapped_file` for the outside. The nodes of the trie stand in the order of a
breadth-first walk, node 0 being the root, so the children of a node stand together:

    letters    uint8[n]   code point of the letter that leads to the node, less U+0B00
    children   uint8[n]   how many letters continue it
    marks      uint8[n]   0 where no word ends, else 1 + round(16 * log(1 + times it was seen))

Words hold Odia letters and signs only; ZWNJ shows how a face draws a conjunct, not which word it
is, so it is no letter. Knows words; refuses to know pictures.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from odia_ocr.language.mapped_file import MappedFile, open_mapped_file, write_mapped_file

LEXICON_NAME, LEXICON_SUFFIX = "lexicon-odia", ".trie"
MAGIC = b"ODIALX1\n"
ROOT = 0
_BLOCK = 0x0B00
_STEPS = 16  # codes of a mark for a factor of e in frequency
_NEXT_STEP = "Name a file that `odia-ocr train lexicon` wrote, or install odia-ocr again."


def is_letter(char: str) -> bool:
    """Can a word of a lexicon hold this code point: an Odia letter or sign, no digit?"""
    return _BLOCK < ord(char) < _BLOCK + 0x80 and not char.isdecimal() and char != "\u0b70"


def mark_word(seen: int) -> int:
    """The mark of a word that was seen so often; 0 is for words that only lists hold."""
    return 1 + min(254, round(_STEPS * math.log1p(seen)))


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """An open lexicon.

    Attributes:
        facts: How it was made, and what was fitted to it.
        words: How many it holds.
    """

    facts: Mapping[str, Any]
    words: int
    _memory: mmap.mmap = field(repr=False)
    _letters: int = field(repr=False)  # where they begin in `_memory`
    _starts: memoryview = field(repr=False)  # node of the first child, one entry more than nodes
    _marks: memoryview = field(repr=False)

    def step(self, node: int, char: str) -> int:
        """The node that a letter leads to, -1 where none does."""
        code = ord(char) - _BLOCK
        if not 0 < code < 0x80:
            return -1
        low, high = self._starts[node], self._starts[node + 1]
        at = self._memory.find(bytes((code,)), self._letters + low, self._letters + high)
        return at - self._letters if at >= 0 else -1

    def rate(self, node: int) -> float | None:
        """log(1 + times seen) of the word that ends at a node; None where no word ends."""
        mark = self._marks[node]
        return (mark - 1) / _STEPS if mark else None

    def find(self, word: str) -> float | None:
        """log(1 + times seen) of a word; None for one that the lexicon lacks."""
        node = ROOT
        for char in word:
            node = self.step(node, char)
            if node < 0:
                return None
        return self.rate(node)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) is not None

    def __iter__(self) -> Iterator[str]:
        """All words, in code-point order."""
        stack = [(ROOT, "")]
        while stack:
            node, text = stack.pop()
            if self._marks[node]:
                yield text
            low, high = self._starts[node], self._starts[node + 1]
            letters = self._memory[self._letters + low : self._letters + high]
            stack += [
                (low + i, text + chr(_BLOCK + code))
                for i, code in reversed(list(enumerate(letters)))
            ]


@dataclass(slots=True)
class _Layer:
    """Nodes of one depth of a growing trie: words first .. last - 1 pass through each."""

    first: list[int]
    last: list[int]


def write_lexicon(path: Path, seen: Mapping[str, int], facts: Mapping[str, Any]) -> None:
    """Write a lexicon; the file appears whole or not at all.

    Args:
        path: The file.
        seen: How often each word was seen.
        facts: How it was made; JSON values.

    Raises:
        OutputError: If it cannot be written.
        ValueError: If a word holds something other than Odia letters; the message names it.
    """
    for word in seen:
        if not word or not all(map(is_letter, word)):
            raise ValueError(f"{word!r} is not a word of Odia letters")
    letters, children, marks = _build_trie(sorted(seen), seen)
    body = letters + children + marks
    header = {"words": len(seen), "nodes": len(letters), "facts": dict(facts)}
    write_mapped_file(path, MAGIC, header, body)


def store_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Replace the facts of a lexicon's file; the words stay.

    Raises:
        ModelMissingError: If it is no lexicon.
        OutputError: If it cannot be written.
    """
    lexicon = open_lexicon(path)
    body = lexicon._memory[lexicon._letters :]
    header = {"words": lexicon.words, "nodes": len(lexicon._marks), "facts": dict(facts)}
    write_mapped_file(path, MAGIC, header, body)


def _build_trie(words: list[str], seen: Mapping[str, int]) -> tuple[bytes, bytes, bytes]:
    """Letters, numbers of children and marks of a breadth-first trie of sorted words."""
    letters, children, marks = bytearray((0,)), bytearray(), bytearray()
    layer = _Layer([0], [len(words)])
    depth = 0
    while layer.first:
        below = _Layer([], [])
        for first, last in zip(layer.first, layer.last, strict=True):
            ends = first < last and len(words[first]) == depth
            marks.append(mark_word(seen[words[first]]) if ends else 0)
            at, count = first + ends, 0
            while at < last:
                char = words[at][depth]
                stop = at + 1
                while stop < last and words[stop][depth] == char:
                    stop += 1
                letters.append(ord(char) - _BLOCK)
                below.first.append(at)
                below.last.append(stop)
                at, count = stop, count + 1
            children.append(count)
        layer = below
        depth += 1
    return bytes(letters), bytes(children), bytes(marks)


def open_lexicon(path: Path) -> Lexicon:
    """Map a file that `write_lexicon` wrote.

    Raises:
        ModelMissingError: If it is missing, cut short or something else.
    """
    return open_mapped_file(path, MAGIC, _parse, kind="lexicon", next_step=_NEXT_STEP)


def _parse(file: MappedFile) -> Lexicon:
    memory, header, end = file.memory, file.header, file.start
    nodes, words = int(header["nodes"]), int(header["words"])
    if end + 3 * nodes != len(memory):
        raise ValueError(f"{len(memory)} bytes where {end + 3 * nodes} were due")
    children = np.frombuffer(memory, np.uint8, nodes, end + nodes)
    starts = np.empty(nodes + 1, np.int32)
    starts[0] = 1
    np.cumsum(children, out=starts[1:])
    starts[1:] += 1
    if int(starts[-1]) != nodes:
        raise ValueError(f"{nodes} nodes of which {starts[-1]} are led to")
    marks = np.frombuffer(memory, np.uint8, nodes, end + 2 * nodes)
    return Lexicon(header["facts"], words, memory, end, starts.data, marks.data)
