"""Interpolated modified Kneser-Ney n-grams: counted, estimated, pruned, quantised, in numpy.

Text comes as one array of symbol numbers in which number 1, the boundary, stands before the first
line, between lines and after the last. Number 0 is the unknown symbol. Knows counts and
probabilities; refuses to know letters, files of text and how much a text counts for.

Sources: Chen and Goodman 1999, "An empirical study of smoothing techniques for language modeling",
section 3 (modified Kneser-Ney); Seymore and Rosenfeld 1996, "Scalable backoff language models"
(pruning by weighted difference).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.language.ngram_file import Level

if TYPE_CHECKING:
    import numpy.typing as npt

    Keys = npt.NDArray[np.uint64]
    Indices = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Symbols = npt.NDArray[np.uint8]

BITS = 7  # of a symbol in a key
MOST_SYMBOLS = 1 << BITS
MOST_ORDER = 64 // BITS
_BOUNDARY = 1
_NO_DISCOUNTS = (0.5, 1.0, 1.5)  # where the counts of counts give none, as KenLM falls back


@dataclass(frozen=True, slots=True, eq=False)
class Grams:
    """The n-grams of one order.

    Attributes:
        keys: The symbols, `BITS` each, the last one lowest; sorted, (n,).
        counts: How often each occurs, (n,).
        logp: Natural log-probability of the last symbol after the others, (n,).
        backoff: Log of the back-off weight of the n-gram as a context, (n,).
    """

    keys: Keys
    counts: Indices
    logp: Floats
    backoff: Floats


def count_grams(text: Symbols, order: int) -> tuple[Keys, Indices]:
    """The n-grams of one order that stay within a line, sorted, with their counts.

    A boundary may only be the first symbol (the start of a line) or the last one (its end).
    """
    size = len(text) - order + 1
    keys = np.zeros(max(0, size), np.uint64)
    inside = np.ones(len(keys), bool)
    for i in range(order):
        part = text[i : i + len(keys)]
        keys = (keys << np.uint64(BITS)) | part.astype(np.uint64)
        if 0 < i < order - 1:
            inside &= part != _BOUNDARY
    if order == 1 and len(keys):
        inside[0] = False  # the start of the first line is never predicted
    unique, counts = np.unique(keys[inside], return_counts=True)
    return unique, counts.astype(np.int64)


def estimate(
    text: Symbols,
    *,
    order: int,
    symbols: int,
    discounts: Sequence[Sequence[float]] | None = None,
) -> list[Grams]:
    """Estimate a model, one entry per order 1 .. `order`.

    Args:
        text: Symbol numbers, see the head of the module.
        order: 2 .. `MOST_ORDER`.
        symbols: Number of symbols; every one gets a unigram.
        discounts: Per order what is taken from counts of 1, of 2 and of more; None: from the text.

    Raises:
        ValueError: If order or number of symbols are out of range.
    """
    if not 2 <= order <= MOST_ORDER or not 2 <= symbols <= MOST_SYMBOLS:
        raise ValueError(f"order must be 2..{MOST_ORDER}, symbols 2..{MOST_SYMBOLS}")
    counted = [count_grams(text, k) for k in range(1, order + 1)]
    # Unigrams of symbols that never occur keep the count 0.
    every = np.zeros(symbols, np.int64)
    every[counted[0][0].astype(np.int64)] = counted[0][1]
    counted[0] = (np.arange(symbols, dtype=np.uint64), every)
    model: list[Grams] = []
    below: Floats = np.empty(0)
    for k in range(1, order + 1):
        keys, counts = counted[k - 1]
        adjusted = counts if k == order else _count_contexts(keys, counts, counted[k][0], k)
        taken = _discount(adjusted, discounts[k - 1] if discounts else _find_discounts(adjusted))
        contexts = (
            _find(counted[k - 2][0], keys >> np.uint64(BITS)) if k > 1 else np.zeros_like(counts)
        )
        size = len(counted[k - 2][0]) if k > 1 else 1
        totals = np.bincount(contexts, adjusted, size)
        rest = np.bincount(contexts, taken, size) / np.maximum(totals, 1)  # gamma of each context
        if k == 1:
            lower: Floats = np.full(symbols, 1.0 / symbols)
        else:
            lower = below[_find(counted[k - 2][0], keys & _mask(k - 1))]
            with np.errstate(divide="ignore"):
                backoff = np.where(totals > 0, np.log(rest), 0.0)
            model[-1] = Grams(model[-1].keys, model[-1].counts, model[-1].logp, backoff)
        below = (adjusted - taken) / np.maximum(totals[contexts], 1) + rest[contexts] * lower
        model.append(Grams(keys, counts, np.log(below), np.zeros(len(keys))))
    return model


def _mask(order: int) -> np.uint64:
    return np.uint64((1 << (BITS * order)) - 1)


def _find(keys: Keys, wanted: Keys) -> Indices:
    """Where each wanted key stands in the sorted keys; -1 where it does not."""
    at = np.searchsorted(keys, wanted)
    at[at == len(keys)] = 0
    found: Indices = np.where(keys[at] == wanted, at, -1) if len(keys) else np.full(len(wanted), -1)
    return found


def _count_contexts(keys: Keys, counts: Indices, longer: Keys, order: int) -> Indices:
    """How many different symbols come before each n-gram; at the start of a line its count."""
    suffixes, before = np.unique(longer & _mask(order), return_counts=True)
    adjusted = np.zeros(len(keys), np.int64)
    adjusted[_find(keys, suffixes)] = before
    first = keys >> np.uint64(BITS * (order - 1)) == _BOUNDARY
    return np.where(first & (order > 1), counts, adjusted)


def _find_discounts(counts: Indices) -> tuple[float, ...]:
    """Chen and Goodman 1999, equation 26."""
    n = [float((counts == i).sum()) for i in range(1, 5)]
    if not all(n):
        return _NO_DISCOUNTS
    y = n[0] / (n[0] + 2 * n[1])
    found = tuple((i + 1) - (i + 2) * y * n[i + 1] / n[i] for i in range(3))
    return found if all(0 < d < i + 1 for i, d in enumerate(found)) else _NO_DISCOUNTS


def _discount(counts: Indices, discounts: Sequence[float]) -> Floats:
    """What is taken from each count."""
    table = np.array([0.0, *discounts])
    taken: Floats = np.minimum(table[np.minimum(counts, 3)], counts)
    return taken


def score_keys(model: Sequence[Grams], keys: Keys, order: int) -> Floats:
    """Log-probability of the last symbol of each key after the others, with back-off."""
    if order == 1:
        return model[0].logp[keys.astype(np.int64)]
    at = _find(model[order - 1].keys, keys)
    scores = model[order - 1].logp[at] if len(model[order - 1].keys) else np.zeros(len(keys))
    missing = np.flatnonzero(at < 0)
    if len(missing):
        rest = keys[missing]
        context = _find(model[order - 2].keys, rest >> np.uint64(BITS))
        weights = np.where(context >= 0, model[order - 2].backoff[context], 0.0)
        scores[missing] = weights + score_keys(model, rest & _mask(order - 1), order - 1)
    return scores


def score_text(model: Sequence[Grams], text: Symbols) -> float:
    """Mean natural log-probability of a symbol of a text, line ends counted, starts not."""
    total, number = 0.0, 0
    order = len(model)
    starts = np.flatnonzero(text == _BOUNDARY)
    since = np.arange(len(text)) - starts[np.searchsorted(starts, np.arange(len(text)), "left") - 1]
    # Symbols early in a line have short contexts, which end at the boundary before it.
    length = np.minimum(since + 1, order)
    length[0] = 0
    for k in range(2, order + 1):
        ends = np.flatnonzero(length == k)
        if not len(ends):
            continue
        keys = np.zeros(len(ends), np.uint64)
        for i in range(k):
            keys = (keys << np.uint64(BITS)) | text[ends - k + 1 + i].astype(np.uint64)
        total += float(score_keys(model, keys, k).sum())
        number += len(ends)
    return total / max(1, number)


def prune(model: Sequence[Grams], threshold: float) -> list[Grams]:
    """Leave out n-grams that hardly change the probability of the text; longest orders first.

    An n-gram goes when its count times the change of its log-probability is below the threshold
    and no longer n-gram goes on from it. Unigrams and bigrams stay; orders that are left empty are
    none. Back-off weights are found anew, so that probabilities still sum to one.
    """
    kept: list[Grams] = []
    needed: Keys = np.empty(0, np.uint64)
    for k in range(len(model), 2, -1):
        grams, lower = model[k - 1], model[k - 2]
        context = _find(lower.keys, grams.keys >> np.uint64(BITS))
        suffix = _find(lower.keys, grams.keys & _mask(k - 1))
        loss = grams.counts * (grams.logp - lower.backoff[context] - lower.logp[suffix])
        keep = loss >= threshold
        keep[_find(grams.keys, needed)] = True
        if keep.any():
            kept.append(
                Grams(grams.keys[keep], grams.counts[keep], grams.logp[keep], grams.backoff[keep])
            )
            needed = np.unique(kept[-1].keys >> np.uint64(BITS))
    return weigh([*model[:2], *reversed(kept)])


def weigh(model: Sequence[Grams]) -> list[Grams]:
    """Find the back-off weights that make probabilities sum to one after every context."""
    done = [model[0]]
    for k in range(2, len(model) + 1):
        grams, contexts = model[k - 1], done[-1]
        at = _find(contexts.keys, grams.keys >> np.uint64(BITS))
        lower = score_keys(done, grams.keys & _mask(k - 1), k - 1)
        seen = np.bincount(at, np.exp(grams.logp), len(contexts.keys))
        covered = np.bincount(at, np.exp(lower), len(contexts.keys))
        with np.errstate(divide="ignore", invalid="ignore"):
            backoff = np.log(np.maximum(1 - seen, 1e-9)) - np.log(np.maximum(1 - covered, 1e-9))
        backoff[np.bincount(at, minlength=len(contexts.keys)) == 0] = 0.0
        done[-1] = Grams(contexts.keys, contexts.counts, contexts.logp, backoff)
        done.append(grams)
    return done


def count_bytes(model: Sequence[Grams]) -> int:
    """Size of the file of a model, without its header."""
    inner = sum(4 * len(grams.keys) + 2048 for grams in model[:-1])
    return inner + 2 * len(model[-1].keys) + 1024


def prune_to_size(model: Sequence[Grams], size: int) -> list[Grams]:
    """Prune as little as makes the file no larger than `size` bytes.

    Raises:
        ValueError: If not even unigrams and bigrams have room.
    """
    if count_bytes(model) <= size:
        return list(model)
    least = count_bytes(model[:2])
    if least > size:
        raise ValueError(f"unigrams and bigrams take {least} bytes, more than {size}")
    low, high = 0.0, 1.0
    while count_bytes(smaller := prune(model, high)) > size:
        low, high = high, high * 4
    for _ in range(7):
        middle = (low + high) / 2
        tried = prune(model, middle)
        if count_bytes(tried) > size:
            low = middle
        else:
            high, smaller = middle, tried
    return smaller


def quantise(model: Sequence[Grams]) -> tuple[list[Level], list[Grams]]:
    """The levels of the file, and the model as the file holds it.

    Log-probabilities are rounded first and back-off weights found for the rounded ones.
    """
    rounded = []
    codes = []
    for grams in model:
        code, values = _make_codes(grams.logp)
        codes.append((code, values))
        rounded.append(Grams(grams.keys, grams.counts, values.astype(float)[code], grams.backoff))
    rounded = weigh(rounded)
    levels: list[Level] = []
    none = np.empty(0, np.uint8)
    for k, grams in enumerate(rounded):
        last = (grams.keys & _mask(1)).astype(np.uint8)
        code, values = codes[k]
        if k + 1 == len(rounded):
            levels.append(Level(last, code, values, none, np.empty(0, np.float32), none))
            continue
        backoff, backoff_values = _make_codes(grams.backoff)
        at = _find(grams.keys, rounded[k + 1].keys >> np.uint64(BITS))
        children = np.bincount(at, minlength=len(grams.keys)).astype(np.uint8)
        levels.append(Level(last, code, values, backoff, backoff_values, children))
        rounded[k] = Grams(
            grams.keys, grams.counts, grams.logp, backoff_values.astype(float)[backoff]
        )
    return levels, rounded


def _make_codes(values: Floats) -> tuple[Symbols, npt.NDArray[np.float32]]:
    """A code for each value and the 256 values that codes stand for, each the mean of its bin.

    Bins hold equally many values; the exact zero, frequent among back-off weights, has its own.
    """
    edges = np.unique(np.quantile(values, np.linspace(0, 1, 256))[1:-1])
    code = np.searchsorted(edges, values, side="right")
    zero = values == 0.0
    code[zero] = 255
    sums = np.bincount(code, values, 256)
    table = sums / np.maximum(1, np.bincount(code, minlength=256))
    return code.astype(np.uint8), table.astype(np.float32)
