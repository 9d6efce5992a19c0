"""Composes the text of one line: spans of running text, words, numbers, Latin, rare letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from odia_ocr.data.texts import TextPool
from odia_ocr.language import ALPHABET, normalise

_ODIA_DIGITS, _ASCII_DIGITS = "୦୧୨୩୪୫୬୭୮୯", "0123456789"
_RARE = "ଈଊଐଔଋୠଌଏଓଉଇଆଅଞଙଝଢଡ଼ଢ଼ଠଫଘଛଥଧଭଖଣଳଷ"
_CONSONANTS = "କଖଗଘଙଚଛଜଝଞଟଠଡଢଣତଥଦଧନପଫବଭମଯୟରଲଳଶଷସହୱ"
_SIGNS = ("", "", "", "ା", "ି", "ୀ", "ୁ", "ୂ", "ୃ", "େ", "ୈ", "ୋ", "ୌ")
_CONJUNCTS = (
    "କ୍ଷ ଜ୍ଞ ଞ୍ଚ ଞ୍ଜ ଞ୍ଛ ଣ୍ଟ ଣ୍ଠ ଣ୍ଡ ଣ୍ଣ ଣ୍ଢ ନ୍ତ ନ୍ଥ ନ୍ଦ ନ୍ଧ ନ୍ନ ନ୍ମ ମ୍ପ ମ୍ଫ ମ୍ବ ମ୍ଭ "
    "ମ୍ମ ଙ୍କ ଙ୍ଖ ଙ୍ଗ ଙ୍ଘ ତ୍ତ ତ୍ଥ ତ୍ମ ତ୍ସ ତ୍ନ ଦ୍ଦ ଦ୍ଧ ଦ୍ଭ ଦ୍ମ ଦ୍ୱ ସ୍ତ ସ୍ଥ ସ୍ନ ସ୍ପ ସ୍ଫ "
    "ସ୍ମ ସ୍କ ସ୍ଖ ସ୍ୱ ଶ୍ଚ ଶ୍ଛ ଶ୍ନ ଶ୍ୱ ଶ୍ରୀ ଷ୍ଟ ଷ୍ଠ ଷ୍ଣ ଷ୍କ ଷ୍ପ ଷ୍ମ ଚ୍ଚ ଚ୍ଛ ଜ୍ଜ ଜ୍ୱ ଟ୍ଟ "
    "ଡ୍ଡ ପ୍ତ ପ୍ପ ପ୍ସ ବ୍ଦ ବ୍ଧ ବ୍ବ ବ୍ଜ ଲ୍ଲ ଲ୍କ ଲ୍ପ ଲ୍ଗ ଲ୍ମ ହ୍ମ ହ୍ନ ହ୍ଣ ହ୍ୱ ହ୍ଲ କ୍ତ କ୍କ "
    "କ୍ମ କ୍ଲ କ୍ସ ଗ୍ଧ ଗ୍ନ ଗ୍ମ ଗ୍ଗ ଘ୍ନ ର୍ମ ର୍ଯ୍ୟ ର୍ବ ର୍ଣ୍ଣ ର୍ତ୍ତ ର୍ଦ୍ଧ ର୍ଗ ର୍ଥ ର୍ଶ କ୍ର "
    "ଗ୍ର ତ୍ର ଦ୍ର ପ୍ର ବ୍ର ଭ୍ର ମ୍ର ଶ୍ର ସ୍ର ହ୍ର ଟ୍ର ଡ୍ର ଧ୍ର ଫ୍ର ଦ୍ଧ୍ୟ ନ୍ଧ୍ର ନ୍ତ୍ର ସ୍ତ୍ର "
    "ଷ୍ଟ୍ର ନ୍ଦ୍ର ମ୍ପ୍ର ତ୍ତ୍ୱ ନ୍ଦ୍ୱ କ୍ଷ୍ମ କ୍ଷ୍ଣ ଙ୍କ୍ଷ ନ୍ତ୍ୟ ସ୍ତ୍ୟ ଣ୍ଡ୍ୟ ଖ୍ୟ ଗ୍ୟ ତ୍ୟ "
    "ଦ୍ୟ ଧ୍ୟ ନ୍ୟ ବ୍ୟ ଭ୍ୟ ମ୍ୟ ଲ୍ୟ ଶ୍ୟ ଷ୍ୟ ସ୍ୟ ହ୍ୟ ଚ୍ୟ ଜ୍ୟ ଥ୍ୟ ଣ୍ୟ ଡ୍ୟ ଟ୍ୟ ପ୍ୟ ର୍ଘ୍ୟ "
    "ର୍ଚ୍ଚ ର୍ଜ୍ଜ ର୍ଦ୍ଦ ର୍ଭ ର୍ପ ର୍କ ର୍ଷ ର୍ହ ର୍ଳ ର୍ଲ ର୍ଡ ର୍ଟ ର୍ଢ଼ ର୍ଖ ର୍ଝ ର୍ଫ ର୍ନ୍ନ ଗ୍ଣ "
    "ପ୍ନ ପ୍ଲ ଫ୍ଲ ଭ୍ଲ ମ୍ଲ ଗ୍ଲ ବ୍ଲ ଶ୍ଲ ସ୍ଲ ତ୍ପ ତ୍କ ଟ୍କ ଡ୍ଗ ଦ୍ଗ ଦ୍ଘ ଦ୍ବ"
).split()
_ENDS = (" ।", "।", "।", " ।।", "?", ",", "!", "-", ";", ":", ".", " –", "...")
_WRAPS = (
    '"{}"',
    "({})",
    "'{}'",
    "“{}”",
    "‘{}’",
    "[{}]",
    "– {}",
    "“{}",
    "{}”",
    "• {}",
    "({}",
    "* {}",
)


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the kinds of line text; they need not add up to one.

    Attributes:
        running: Spans of running text.
        words: Random lexicon words.
        numbers: Numbers, dates, amounts between words.
        latin: Latin words and codes between Odia words.
        rare: Rare letters and made-up syllables with conjuncts.
        min_words: Fewest words of a line.
        max_words: Most words of a line.
        max_chars: Lines are cut at a word boundary past this many characters.
        punctuated: Share of lines that get a changed ending or are wrapped in quotes or brackets.
    """

    running: float = 0.60
    words: float = 0.13
    numbers: float = 0.09
    latin: float = 0.11
    rare: float = 0.09
    min_words: int = 1
    max_words: int = 9
    max_chars: int = 70
    punctuated: float = 0.28


def _choose(rng: np.random.Generator, items: Sequence[str]) -> str:
    return items[int(rng.integers(len(items)))]


def _words_of(rng: np.random.Generator, mix: Mix) -> int:
    return int(rng.integers(mix.min_words, mix.max_words + 1))


def _span(rng: np.random.Generator, pool: TextPool, count: int, least: int) -> str:
    """`count` words of a line, fewer where it is short; `least` if such a line is found."""
    words = _choose(rng, pool.lines).split(" ")
    for _ in range(20):
        if len(words) >= least:
            break
        words = _choose(rng, pool.lines).split(" ")
    start = int(rng.integers(max(1, len(words) - count + 1)))
    return " ".join(words[start : start + count])


def _word(rng: np.random.Generator, pool: TextPool) -> str:
    return _choose(rng, pool.words)


def make_number(rng: np.random.Generator) -> str:
    """A number as pages hold them: plain, date, time, amount, percentage, range, phone number."""
    digits = _ODIA_DIGITS if rng.random() < 0.55 else _ASCII_DIGITS

    def run(low: int, high: int) -> str:
        return "".join(_choose(rng, digits) for _ in range(int(rng.integers(low, high + 1))))

    forms: tuple[Callable[[], str], ...] = (
        lambda: run(1, 6),
        lambda: run(1, 4),
        lambda: f"{run(1, 2)}-{run(1, 2)}-{run(4, 4)}",
        lambda: f"{run(1, 2)}/{run(1, 2)}/{run(2, 4)}",
        lambda: f"{run(1, 2)}.{run(1, 2)}.{run(4, 4)}",
        lambda: f"{run(1, 2)}:{run(2, 2)}",
        lambda: f"{run(1, 4)}.{run(1, 2)}",
        lambda: f"{run(1, 2)},{run(3, 3)}",
        lambda: f"₹{run(2, 5)}",
        lambda: f"{run(1, 2)}%",
        lambda: f"{run(4, 4)}–{run(2, 4)}",
        lambda: f"{run(5, 5)} {run(5, 5)}",
        lambda: f"({run(1, 2)})",
        lambda: f"{run(1, 2)}.",
        lambda: f"{run(1, 2)})",
        lambda: f"+{run(2, 4)}",
        lambda: f"{run(1, 2)}°",
        lambda: f"{run(1, 3)}×{run(1, 3)}",
        lambda: f"{run(1, 2)}{_choose(rng, '½¼¾²³')}",
        lambda: f"{run(1, 2)}{_choose(rng, '=+÷±-')}{run(1, 2)}",
    )
    weights = np.array([5, 5, 2, 2, 1, 2, 2, 2, 1, 2, 1, 1, 2, 2, 1, 0.3, 0.3, 0.3, 0.3, 0.5])
    return forms[int(rng.choice(len(forms), p=weights / weights.sum()))]()


def make_latin(rng: np.random.Generator, pool: TextPool) -> str:
    """A Latin word or code: word, Name, ACRONYM, address, code with digits."""
    word = _choose(rng, pool.latin)
    x = rng.random()
    if x < 0.34:
        return word
    if x < 0.62:
        return word.capitalize()
    if x < 0.78:
        return word.upper()
    if x < 0.84:
        return "".join(chr(65 + int(rng.integers(26))) for _ in range(int(rng.integers(1, 5))))
    if x < 0.88:
        return "".join(
            f"{chr(65 + int(rng.integers(26)))}." for _ in range(int(rng.integers(1, 4)))
        )
    if x < 0.91:
        return f"www.{word}.{_choose(rng, ('com', 'in', 'org', 'gov.in'))}"
    if x < 0.94:
        return f"{word}{int(rng.integers(0, 99))}@{_choose(rng, pool.latin)}.com"
    if x < 0.97:
        return f"{word.upper()[:3]}-{int(rng.integers(1, 999))}"
    sign = _choose(rng, "#@&$€£©®_=<>{}\\^~*→")
    return f"{word}{sign}{_choose(rng, pool.latin)}" if rng.random() < 0.5 else f"{sign}{word}"


def make_syllable(rng: np.random.Generator) -> str:
    """A made-up syllable: a letter or conjunct, a vowel sign, now and then a candrabindu."""
    x = rng.random()
    if x < 0.30:
        head = _choose(rng, _CONJUNCTS)
        if head[-1] in "ୀ":
            return head
    elif x < 0.38:
        head = f"{_choose(rng, _CONSONANTS)}୍{_choose(rng, _CONSONANTS)}"
    elif x < 0.52:
        return _choose(rng, _RARE.replace("଼", ""))
    elif x < 0.58:
        head = _choose(rng, ("ଡ଼", "ଢ଼"))
    else:
        head = _choose(rng, _CONSONANTS)
    tail = _choose(rng, ("", "", "", "", "", "ଁ", "ଂ", "ଃ", "୍")) if rng.random() < 0.4 else ""
    if tail == "୍":
        return head + tail
    return head + _choose(rng, _SIGNS) + tail


def _rare_word(rng: np.random.Generator, pool: TextPool) -> str:
    x = rng.random()
    if x < 0.35:
        return _choose(rng, ("ଈ", "ଊ", "ଐ", "ଔ", "ଋ", "ୠ", "ଌ", "ଢ଼", "ଓଁ", "ଽ", "୰", "ୡ")) + (
            _word(rng, pool) if rng.random() < 0.6 else ""
        )
    if x < 0.40:
        return _choose(rng, _CONSONANTS) + _choose(rng, ("ୄ", "ୢ", "ୣ", "ୃ"))
    return "".join(make_syllable(rng) for _ in range(int(rng.integers(1, 5))))


def _fill(rng: np.random.Generator, pool: TextPool, mix: Mix, make: Callable[[], str]) -> str:
    """Words of running text with made ones strewn in."""
    base = _span(rng, pool, _words_of(rng, mix), mix.min_words).split(" ")
    made = max(1, round(len(base) * float(rng.uniform(0.15, 0.8))))
    for _ in range(made):
        at = int(rng.integers(len(base) + 1))
        if at < len(base) and rng.random() < 0.5:
            base[at] = make()
        else:
            base.insert(at, make())
    return " ".join(base[: mix.max_words])


def compose_line(rng: np.random.Generator, pool: TextPool, mix: Mix) -> str:
    """Compose one normalised line whose every character is in the alphabet; never empty."""
    shares = np.array([mix.running, mix.words, mix.numbers, mix.latin, mix.rare])
    kind = int(rng.choice(5, p=shares / shares.sum()))
    count = _words_of(rng, mix)
    if kind == 0:
        text = _span(rng, pool, count, mix.min_words)
    elif kind == 1:
        text = " ".join(_word(rng, pool) for _ in range(min(count, 6)))
    elif kind == 2:
        text = _fill(rng, pool, mix, lambda: make_number(rng))
    elif kind == 3:
        text = _fill(rng, pool, mix, lambda: make_latin(rng, pool))
    else:
        text = " ".join(_rare_word(rng, pool) for _ in range(min(count, 5)))
    if rng.random() < mix.punctuated:
        if rng.random() < 0.4:
            text = _choose(rng, _WRAPS).format(text)
        else:
            text = text.rstrip(" ।,.;:-!?") + _choose(rng, _ENDS)
    text = normalise("".join(char for char in normalise(text) if char in ALPHABET))
    if len(text) > mix.max_chars:
        text = text[: mix.max_chars].rsplit(" ", 1)[0].strip()
    return text if any(char.isalnum() for char in text) else "ଓଡ଼ିଆ"
