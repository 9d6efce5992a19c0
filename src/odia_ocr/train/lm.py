"""The language model's texts, its training, and the weights it is used with.

Learns from the tiers whose texts may be shipped and from word lists; held-out lines and their
near-copies never enter. The unit is the printed line: running text is cut into pieces of a few
words, as a page breaks it anywhere. The weights of fusion are fitted to a recognizer on rendered
lines of the split "check". Needs numpy, and the render extra to fit.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.data.texts import (
    CORPUS_SHARE,
    NOT_LEXICONS,
    SHIPPED,
    NearCopies,
    is_heldout,
    read_text_lines,
    split_lines,
)
from odia_ocr.errors import DataError, UsageError
from odia_ocr.language import ALPHABET, normalise
from odia_ocr.language.ngram import BOUNDARY, UNKNOWN, split_symbols
from odia_ocr.language.ngram_file import write_ngram_file
from odia_ocr.train import kneser_ney

if TYPE_CHECKING:
    import numpy.typing as npt

    Symbols = npt.NDArray[np.uint8]

FILE_NAME = "lm-odia.ngram"
TIERS = ("open", "copyleft")  # folders of `text/` whose texts may be learned from and shipped
ORDERS = (2, 8)
_FEWEST = 5  # a symbol seen less often is unknown
_PIECE = (3, 10)  # words of a printed line
_WORDS_A_LINE = 5  # of word lists, which have no running order
_SEED = 3
_HEADER = 16_384  # bytes kept for symbols and facts
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LmConfig:
    """What is trained.

    Attributes:
        order: Length of the longest n-grams, see `ORDERS`.
        size: Largest size of the file in bytes.
        words: Learn from word lists as well.
    """

    order: int = 7
    size: int = 6_000_000
    words: bool = True

    def __post_init__(self) -> None:
        if not ORDERS[0] <= self.order <= ORDERS[1]:
            raise UsageError(f"The order must lie in {ORDERS[0]}..{ORDERS[1]}, got {self.order}.")
        if self.size < 50_000:
            raise UsageError(
                f"A model of {self.size / 1e6:g} MB would hold nothing.",
                next_step="Give --size 0.05 or more.",
            )


@dataclass(frozen=True, slots=True)
class Corpus:
    """Normalised text: lines to learn from, words of lists, and held-out lines to measure on."""

    lines: tuple[str, ...]
    words: tuple[str, ...]
    check: tuple[str, ...]
    sources: tuple[str, ...]


def read_corpus(folder: Path | None) -> Corpus:
    """Read what may be learned from.

    Args:
        folder: Holds `text/open/**` and `text/copyleft/**`, and `words/*.txt`; None takes the
            small shipped text.

    Raises:
        DataError: If there is no text.
    """
    held = read_text_lines(SHIPPED / "heldout.txt")
    check = tuple(_keep_known(split_lines(held, "check")))
    if folder is None:
        lines = split_lines(read_text_lines(SHIPPED / "train.txt"), "train")
        return Corpus(tuple(_keep_known(lines)), (), check, ("shipped",))
    every = {path: read_text_lines(path) for path in sorted((folder / "text").rglob("*.txt"))}
    tiers = {folder / "text" / tier for tier in TIERS}
    chosen = {path: lines for path, lines in every.items() if tiers.intersection(path.parents)}
    if not chosen:
        raise DataError(
            f"No text in {' or '.join(str(tier) for tier in sorted(tiers))}.",
            next_step="Name a folder that holds text/open/*.txt: only text that may be shipped is "
            "learned from.",
        )
    # Held-out lines of the other tiers are held out too.
    copies = NearCopies(
        [*held, *(line for some in every.values() for line in some if is_heldout(line))]
    )
    found: list[str] = []
    for path, some in chosen.items():
        pick = np.random.default_rng(1).random(len(some)) < CORPUS_SHARE.get(path.stem, 1.0)
        taken = [line for line, take in zip(some, pick, strict=True) if take]
        found += _keep_known(split_lines(taken, "train", copies))
    words: list[str] = []
    lists = [p for p in sorted((folder / "words").glob("*.txt")) if p.stem not in NOT_LEXICONS]
    for path in lists:
        rows = (re.split(r"[\t/]", line)[0].strip() for line in read_text_lines(path))
        words += _keep_known(split_lines((word for word in rows if len(word) > 1), "train", copies))
    return Corpus(
        tuple(found),
        tuple(dict.fromkeys(words)),
        check,
        tuple(path.stem for path in (*chosen, *lists)),
    )


def _keep_known(lines: Iterable[str]) -> list[str]:
    kept = (normalise(line) for line in lines)
    return [line for line in kept if line and all(char in ALPHABET for char in line)]


def choose_symbols(lines: Iterable[str]) -> list[str]:
    """The symbols of a text, most frequent first, after the two that every model has."""
    counts = Counter(symbol for line in lines for symbol in split_symbols(line))
    found = [symbol for symbol, n in counts.most_common() if n >= _FEWEST]
    return [UNKNOWN, BOUNDARY, *found][: kneser_ney.MOST_SYMBOLS]


def encode_lines(lines: Iterable[str], symbols: Sequence[str]) -> Symbols:
    """Symbol numbers of lines, the boundary before, between and after them."""
    numbers = {symbol: i for i, symbol in enumerate(symbols)}
    edge = numbers[BOUNDARY]
    text = [edge]
    for line in lines:
        some = [numbers.get(symbol, 0) for symbol in split_symbols(line)]
        if some:
            text += [*some, edge]
    return np.array(text, np.uint8)


def cut_pieces(lines: Iterable[str], rng: np.random.Generator) -> list[str]:
    """Lines broken into pieces of a few words, as pages break running text."""
    pieces = []
    for line in lines:
        words = line.split(" ")
        while words:
            count = int(rng.integers(_PIECE[0], _PIECE[1] + 1))
            pieces.append(" ".join(words[:count]))
            words = words[count:]
    return pieces


def train_lm(
    out: Path, text: Path | None, config: LmConfig | None = None, *, report: Report = print
) -> Path:
    """Train a model; returns the file, `out` / `FILE_NAME`.

    Raises:
        DataError: If there is no text.
        OutputError: If the file cannot be written.
        UsageError: If not even bigrams have room in the size asked for.
    """
    config = config or LmConfig()
    report("Reading the text, leaving out what comes close to held-out lines ...")
    corpus = read_corpus(text)
    rng = np.random.default_rng(_SEED)
    pieces = cut_pieces(corpus.lines, rng)
    symbols = choose_symbols(corpus.lines)
    if config.words and corpus.words:
        shuffled = [corpus.words[i] for i in rng.permutation(len(corpus.words))]
        starts = range(0, len(shuffled), _WORDS_A_LINE)
        pieces += [" ".join(shuffled[i : i + _WORDS_A_LINE]) for i in starts]
    learned = encode_lines(pieces, symbols)
    check = encode_lines(cut_pieces(corpus.check, np.random.default_rng(_SEED)), symbols)
    report(
        f"{len(corpus.lines)} lines, {len(corpus.words)} words, {len(learned)} symbols of "
        f"{len(symbols)} kinds"
    )
    model = kneser_ney.estimate(learned, order=config.order, symbols=len(symbols))
    whole = _perplexity(model, check)
    report(
        f"order {config.order}: {sum(len(grams.keys) for grams in model)} n-grams, perplexity of "
        f"held-out lines {whole:.3f}; pruning to {config.size / 1e6:g} MB ..."
    )
    try:
        smaller = kneser_ney.prune_to_size(model, config.size - _HEADER)
    except ValueError as error:
        raise UsageError(
            f"No model of this text fits {config.size / 1e6:g} MB: {error}.",
            next_step="Give a larger --size.",
        ) from error
    levels, model = kneser_ney.quantise(smaller)
    perplexity = _perplexity(model, check)
    sizes = [len(grams.keys) for grams in model]
    facts = {
        "order": config.order,
        "grams": sizes,
        "lines": len(corpus.lines),
        "words": len(corpus.words) if config.words else 0,
        "symbols_learned": len(learned),
        "sources": list(corpus.sources),
        "check_symbols": len(check),
        "perplexity_check": round(perplexity, 4),
        "perplexity_check_unpruned": round(whole, 4),
    }
    path = out / FILE_NAME
    write_ngram_file(path, symbols, facts, levels)
    report(
        f"{path}: {sum(sizes)} n-grams, {path.stat().st_size / 1e6:.2f} MB, perplexity of "
        f"held-out lines {perplexity:.3f}"
    )
    return path


def _perplexity(model: Sequence[kneser_ney.Grams], text: Symbols) -> float:
    return math.exp(-kneser_ney.score_text(model, text))
