"""Symbols in the usual spelling: what `normalise` joins or respells is merged with its scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from odia_ocr.language import normalise
from odia_ocr.recognize.decode.alignment import Peaks, make_symbols
from odia_ocr.recognize.decode.dandas import settle_dandas
from odia_ocr.types import Emission, Symbol


def spell_peaks(emission: Emission, peaks: Peaks, *, alternatives: int) -> tuple[Symbol, ...]:
    """The symbols of labels that were laid along the frames, as they are written.

    Args:
        emission: What the model says.
        peaks: Labels and where they stand.
        alternatives: Rivals kept for each symbol.
    """
    return settle_dandas(spell_symbols(make_symbols(emission, peaks, alternatives=alternatives)))


def spell_symbols(symbols: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """Rewrite symbols so that their joined text is normalised.

    A run of symbols whose spelling changes becomes one symbol: the new text, the sum of the
    log-probabilities, the union of the spans, no alternatives. A symbol that vanishes (a stray
    joiner, a doubled space) leaves its log-probability to the one before it.
    """
    text = "".join(symbol.text for symbol in symbols)
    usual = normalise(text)
    if text == usual:
        return symbols
    owners = [i for i, symbol in enumerate(symbols) for _ in symbol.text]
    spelled: list[Symbol] = []
    for block in _find_blocks(text, usual, owners):
        members = symbols[block.first : block.last + 1]
        if len(members) == 1 and members[0].text == block.text:
            spelled.append(members[0])
            continue
        logp = sum(symbol.logp for symbol in members)
        if block.text:
            spans = [symbol.span for symbol in members if symbol.span is not None]
            span = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else None
            spelled.append(Symbol(block.text, logp, span))
        elif spelled:
            spelled[-1] = replace(spelled[-1], logp=spelled[-1].logp + logp)
    return tuple(spelled)


@dataclass(slots=True)
class _Block:
    """Symbols `first` .. `last` and what they are spelled as."""

    first: int
    last: int
    text: str


def _find_blocks(text: str, usual: str, owners: list[int]) -> list[_Block]:
    """The smallest runs of symbols that are respelled as a whole, in order."""
    blocks: list[_Block] = []
    matcher = SequenceMatcher(None, text, usual, autojunk=False)
    for op, start, end, new_start, new_end in matcher.get_opcodes():
        if op == "equal":
            steps = [(owners[at], owners[at], text[at]) for at in range(start, end)]
        elif start == end:  # grown text belongs to the symbol before it, or to the first
            owner = owners[max(0, start - 1)]
            steps = [(owner, owner, usual[new_start:new_end])]
        else:
            steps = [(owners[start], owners[end - 1], usual[new_start:new_end])]
        for first, last, piece in steps:
            if blocks and first <= blocks[-1].last:
                blocks[-1].last = max(blocks[-1].last, last)
                blocks[-1].text += piece
            else:
                blocks.append(_Block(first, last, piece))
    return blocks
