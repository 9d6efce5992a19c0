"""The lexicon's words: counted in the texts that may be shipped, and taken from word lists.

The texts are those of the language model, so held-out lines and their near-copies never enter.
Nothing is standardised: dialect words stand beside others, and a word that was seen once is a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from odia_ocr.correct.lexicon import LEXICON_NAME, LEXICON_SUFFIX, is_letter, write_lexicon
from odia_ocr.errors import DataError, UsageError
from odia_ocr.language.normalise import ZWNJ
from odia_ocr.train.lm import Corpus, read_corpus

FILE_NAME = LEXICON_NAME + LEXICON_SUFFIX
LARGEST = 4_000_000  # bytes of the file
_SHORTEST = 2  # code points
Report = Callable[[str], None]


def count_words(lines: Iterable[str]) -> Counter[str]:
    """How often each word of Odia letters occurs; what stands beside digits or Latin is none."""
    counts: Counter[str] = Counter()
    for line in lines:
        for token in line.replace(ZWNJ, "").split():
            counts.update(_split_letters(token))
    return counts


def _split_letters(token: str) -> list[str]:
    """The runs of Odia letters of a token; none where it holds other letters or digits."""
    if any(char.isalnum() and not is_letter(char) for char in token):
        return []
    runs = "".join(char if is_letter(char) else " " for char in token).split()
    return [run for run in runs if len(run) >= _SHORTEST]


def choose_words(corpus: Corpus) -> dict[str, int]:
    """Times each word of the texts was seen; 0 for those that only lists hold."""
    listed = dict.fromkeys(count_words(corpus.words), 0)
    return {**listed, **count_words(corpus.lines)}


def train_lexicon(out: Path, text: Path | None, *, report: Report = print) -> Path:
    """Make a lexicon; returns the file, `out` / `FILE_NAME`.

    Args:
        out: Folder of the file.
        text: As for `odia_ocr.train.lm.read_corpus`.
        report: Told what happens.

    Raises:
        DataError: If there is no text.
        OutputError: If the file cannot be written.
        UsageError: If the lexicon would be larger than `LARGEST`.
    """
    report("Reading the text, leaving out what comes close to held-out lines ...")
    corpus = read_corpus(text)
    seen = choose_words(corpus)
    if not seen:
        raise DataError("The text holds no Odia words.", next_step="Name a folder of Odia text.")
    path = out / FILE_NAME
    facts = {"lines": len(corpus.lines), "sources": list(corpus.sources)}
    beside = out / f"{FILE_NAME}.new"
    write_lexicon(beside, seen, facts)
    size = beside.stat().st_size
    if size > LARGEST:
        beside.unlink()
        raise UsageError(
            f"A lexicon of {len(seen)} words takes {size / 1e6:.1f} MB, more than "
            f"{LARGEST / 1e6:g} MB.",
            next_step="Learn from less text.",
        )
    beside.replace(path)
    running = sum(times > 0 for times in seen.values())
    report(f"{path}: {len(seen)} words, {running} of them in running text, {size / 1e6:.2f} MB")
    return path
