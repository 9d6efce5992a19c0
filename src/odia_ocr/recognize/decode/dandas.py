"""A danda and a capital I are one stroke in most faces: what stands around it decides.

After Odia writing, with no Latin letter or digit touching it, such a stroke is a danda wherever the
picture allows one. The language model of the beam search does not speak about punctuation.
"""

from __future__ import annotations

from dataclasses import replace

from odia_ocr.types import Symbol

DANDA = "\u0964"
_LOOKS_LIKE = frozenset("Il]|/")
_ALLOWED = 5.0  # nats by which the danda may be less likely than what was read


def settle_dandas(symbols: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """Read strokes as dandas where their surroundings say so.

    Args:
        symbols: A reading in the usual spelling.

    Returns:
        The same symbols; one that was changed has the danda's probability and the former reading
        among its alternatives.
    """
    if not any(symbol.text in _LOOKS_LIKE for symbol in symbols):
        return symbols
    bracketed = any(symbol.text == "[" for symbol in symbols)
    settled: list[Symbol] = []
    for i, symbol in enumerate(symbols):
        following = symbols[i + 1].text[:1] if i + 1 < len(symbols) else ""
        foreign = _goes_on_latin(following) or (bracketed and symbol.text == "]")
        changed = None if foreign or not _after_odia(settled) else _as_danda(symbol)
        settled.append(changed or symbol)
    return tuple(settled)


def _as_danda(symbol: Symbol) -> Symbol | None:
    """The symbol read as a danda; None where it does not look like one."""
    if symbol.text not in _LOOKS_LIKE:
        return None
    rivals = dict(symbol.alternatives)
    logp = rivals.pop(DANDA, None)
    if logp is None or logp < symbol.logp - _ALLOWED:
        return None
    others = sorted([(symbol.text, symbol.logp), *rivals.items()], key=lambda pair: -pair[1])
    return replace(symbol, text=DANDA, logp=logp, alternatives=tuple(others))


def _after_odia(before: list[Symbol]) -> bool:
    """Does the writing before end in Odia or a danda, a space between them or not?"""
    last = [symbol.text for symbol in before[-2:] if symbol.text]
    if last and last[-1] == " ":
        last.pop()
    char = last[-1][-1] if last else ""
    return char == DANDA or "\u0b00" <= char <= "\u0b7f"


def _goes_on_latin(char: str) -> bool:
    """Do a Latin letter, a digit or the full stop of an abbreviation follow?"""
    return char == "." or (char.isascii() and char.isalnum())
