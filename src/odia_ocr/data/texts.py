"""Where the text of rendered lines comes from, and the rule that holds lines out for good.

A line is held out when `sha1(NFC line) % 20 == 1`. Held-out lines never enter training, and
neither do near-copies: lines that are equal once only letters are looked at, that hold a whole
held-out line of four words or more or stand inside one, that differ from one in a single word (five
words or more), or that share a run of seven words with one.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np

from odia_ocr.errors import DataError
from odia_ocr.language import ALPHABET, find_unknown, fold, normalise

# The held-out lines fall into two halves: "check" chooses checkpoints and fits confidence, "report"
# makes published figures; "heldout" is both.
Split = Literal["train", "heldout", "check", "report"]
SHIPPED = Path(str(files("odia_ocr.data"))) / "text"
_SHINGLE = 7
_SHORTEST_CONTAINED = 4
_NOT_LETTER = re.compile(r"[^\w\u0b00-\u0b7f ]")

LEXICON_SAMPLE = 60_000
NOT_LEXICONS = ("english", "countries_cldr", "desired_characters")
# Share of lines taken from large one-voice or machine-made texts; other files count in full.
CORPUS_SHARE = {"bible-irv": 0.25, "bhagabata": 0.3, "mmlu": 0.3}


def is_heldout(line: str) -> bool:
    """The held-out rule, on the line as it stands in its file without the line break."""
    return _hash(line) % 20 == 1


def _hash(line: str) -> int:
    digest = hashlib.sha1(unicodedata.normalize("NFC", line).encode()).hexdigest()
    return int(digest, 16)


def is_in_split(line: str, split: Split) -> bool:
    """Does the line belong to the split by its hash? Near-copies are looked at elsewhere."""
    if not is_heldout(line):
        return split == "train"
    half = "report" if _hash(line) // 20 % 2 else "check"
    return split in ("heldout", half)


def find_letter_words(line: str) -> list[str]:
    """The words of a line as copies are told by: folded, with letters, signs and digits alone."""
    return _NOT_LETTER.sub(" ", fold(line)).split()


class NearCopies:
    """Tells whether a line comes too close to a held-out one."""

    def __init__(self, heldout: Iterable[str]) -> None:
        self._runs: dict[int, set[tuple[str, ...]]] = {}
        self._inside: set[tuple[str, ...]] = set()
        self._but_one: set[tuple[str, ...]] = set()
        self._whole: set[str] = set()
        for line in heldout:
            words = find_letter_words(line)
            if not words:
                continue
            self._whole.add("".join(words))
            if len(words) >= _SHINGLE:
                self._runs.setdefault(_SHINGLE, set()).update(_runs_of(words, _SHINGLE))
            elif len(words) >= _SHORTEST_CONTAINED:
                self._runs.setdefault(len(words), set()).add(tuple(words))
            for length in range(_SHORTEST_CONTAINED, _SHINGLE):
                self._inside.update(_runs_of(words, length))
            self._but_one.update(_leave_one_out(words))

    def __contains__(self, line: object) -> bool:
        words = find_letter_words(str(line))
        if "".join(words) in self._whole or tuple(words) in self._inside:
            return True
        if not self._but_one.isdisjoint(_leave_one_out(words)):
            return True
        return any(
            not runs.isdisjoint(_runs_of(words, length)) for length, runs in self._runs.items()
        )


def _runs_of(words: list[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[i : i + length]) for i in range(len(words) - length + 1))


def _leave_one_out(words: list[str]) -> Iterator[tuple[str, ...]]:
    """The line without its first, second ... word; a gap marks where. Long lines share runs."""
    if not _SHORTEST_CONTAINED < len(words) <= 2 * _SHINGLE:
        return
    for i in range(len(words)):
        yield (*words[:i], "", *words[i + 1 :])


def read_text_lines(path: Path) -> list[str]:
    """Non-empty lines of a text file as they stand, without line breaks and NUL bytes.

    Raises:
        DataError: If the file is missing or not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"No text file {path}.", next_step="Check the path.") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not UTF-8 ({error.reason} at byte {error.start}).",
            next_step="Convert it, for example with iconv -t UTF-8.",
        ) from None
    lines = (line.strip("\x00 \t\r") for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("# ")]


@dataclass(frozen=True, slots=True, eq=False)
class TextPool:
    """Text to draw lines from.

    Attributes:
        lines: Normalised lines, every character in the alphabet.
        words: Normalised Odia words of lexicons, in no order that matters.
        latin: Latin-letter words.
    """

    lines: tuple[str, ...]
    words: tuple[str, ...]
    latin: tuple[str, ...]


def _keep_known(lines: Iterable[str]) -> list[str]:
    kept = (normalise(line) for line in lines)
    return [line for line in kept if line and all(char in ALPHABET for char in line)]


def split_lines(lines: Iterable[str], split: Split, copies: NearCopies | None = None) -> list[str]:
    """Lines of one split; for training, near-copies of held-out lines are dropped as well."""
    return [
        line
        for line in lines
        if is_in_split(line, split) and (copies is None or line not in copies)
    ]


def _split_latin(words: Iterable[str], split: Split) -> tuple[str, ...]:
    return tuple(word for word in words if is_in_split(word.lower(), split))


def _sample_lexicon(path: Path) -> list[str]:
    """Up to 60,000 words of a list, a random sample of a longer one.

    Takes one word a line, hunspell's word/FLAGS and word TAB count.
    """
    rows = (re.split(r"[\t/]", line)[0].strip() for line in read_text_lines(path))
    words = [word for word in rows if len(word) > 1]
    if len(words) > LEXICON_SAMPLE:
        picked = np.random.default_rng(2).permutation(len(words))[:LEXICON_SAMPLE]
        words = [words[i] for i in sorted(picked)]
    return words


def count_unknown(folder: Path) -> Counter[str]:
    """Characters of `folder/text/**/*.txt` that the alphabet lacks; their lines are left out."""
    counts: Counter[str] = Counter()
    for path in sorted((folder / "text").rglob("*.txt")):
        counts.update("".join(read_text_lines(path)))
    # One character at a time: what is unknown alone is unknown in any spelling.
    return Counter({char: n for char, n in counts.items() if find_unknown([char])})


@functools.lru_cache(maxsize=4)
def load_pool(split: Split, folder: Path | None = None) -> TextPool:
    """Load the text of one split.

    Args:
        split: "train", or "heldout", or one half of it.
        folder: Holds `text/**/*.txt` and `words/*.txt`; None takes the small shipped text.

    Raises:
        DataError: If there is no text.
    """
    if folder is None:
        held = read_text_lines(SHIPPED / "heldout.txt")
        raw = read_text_lines(SHIPPED / "train.txt") if split == "train" else held
        raw = split_lines(raw, split)
        lines = _keep_known(raw)
        words = tuple(dict.fromkeys(word for line in lines for word in line.split()))
        latin = _split_latin(read_text_lines(SHIPPED / "english.txt"), split)
        return TextPool(tuple(lines), words, latin)
    paths = sorted((folder / "text").rglob("*.txt"))
    if not paths:
        raise DataError(
            f"No text in {folder / 'text'}.",
            next_step="Name a folder that holds text/*.txt, or leave the option out to use the "
            "shipped text.",
        )
    everything = {path: read_text_lines(path) for path in paths}
    held = read_text_lines(SHIPPED / "heldout.txt")
    copies = None
    if split == "train":
        copies = NearCopies(
            [*held, *(line for lines in everything.values() for line in lines if is_heldout(line))]
        )
    chosen: list[str] = []
    for path, lines in everything.items():
        share = CORPUS_SHARE.get(path.stem, 1.0)
        pick = np.random.default_rng(1).random(len(lines)) < share
        some = [line for line, take in zip(lines, pick, strict=True) if take]
        chosen += _keep_known(split_lines(some, split, copies))
    lexicon: list[str] = []
    for path in sorted((folder / "words").glob("*.txt")):
        if path.stem not in NOT_LEXICONS:
            lexicon += _sample_lexicon(path)
    odia_words = tuple(dict.fromkeys(_keep_known(split_lines(lexicon, split, copies))))
    if not odia_words:
        odia_words = tuple(dict.fromkeys(word for line in chosen for word in line.split(" ")))
    english = folder / "words" / "english.txt"
    tokens = re.findall(r"(?<!\w)[A-Za-z]{2,}(?!\w)", "\n".join(chosen))
    source = english if english.exists() else SHIPPED / "english.txt"
    latin = _split_latin(dict.fromkeys([*tokens, *read_text_lines(source)]), split)
    return TextPool(tuple(chosen), odia_words, latin)
