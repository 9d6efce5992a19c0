"""What the words of a line might be instead, and all that speaks for it, in numbers.

Proposals come from the lexicon, through the reader's known mistakes, and from the rivals among the
candidates. Words with digits or Latin letters, and those whose halant is shown by a ZWNJ (mostly
foreign words), are left alone, and so are punctuation and spaces. Refuses to decide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from odia_ocr.correct.lexicon import Lexicon
from odia_ocr.correct.search import Place, Variant, WordSearch, find_places
from odia_ocr.language.ngram import NgramModel
from odia_ocr.language.normalise import ZWNJ
from odia_ocr.types import Candidates, Hypothesis

FEATURES = (
    "optical",
    "confusion",
    "language",
    "known",
    "common",
    "rival",
    "changes",
    "sure",
    "bias",
)
_TOKEN = re.compile(r"\S+")
_WORD = re.compile(f"[\u0b01-\u0b65\u0b71{ZWNJ}]+")
_FOREIGN = re.compile(r"[^\W\u0b01-\u0b65\u0b71]")  # a letter or digit that is no Odia letter
_SHORTEST = 2  # code points of a word that is looked at
_SURE = math.log(0.9)  # a known word whose letters are all surer than this is not questioned
_OPTICAL = (-14.0, 8.0)
_COMMON = 7.0  # beyond some thousand times seen, words count alike
_UNSURE = -2.0  # mean log-probability of a line; below it all lines are as bad


@dataclass(frozen=True, slots=True)
class Proposal:
    """One word of a reading and what it might be.

    Attributes:
        start: Code-point offset of the word in the text.
        end: Offset after it.
        before: The word as read.
        variant: What it might be, and what the reader would have done to it.
        seen: log(1 + times seen) of the proposed word, None where the lexicon lacks it.
        known: Whether the lexicon holds the word as read.
        values: As named in `FEATURES`. optical: see `Variant`; confusion: likewise; language: gain
            of the weighted language model over the line, nats; known: words the lexicon holds, now
            less before; common: gain of log(1 + times seen), unknown words counting as 0; rival: 1
            if the word stands in another candidate; changes: see `Variant`; sure: mean
            log-probability of the line's symbols; bias: 1.
    """

    start: int
    end: int
    before: str
    variant: Variant
    seen: float | None
    known: bool
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Proposer:
    """Candidates -> proposals for the words of the best one, in groups of one word.

    Attributes:
        search: Finds words of the lexicon.
        lm: The language model.
        alpha: Weight of its log-probability.
        beta: Added for each symbol it speaks about.
    """

    search: WordSearch
    lm: NgramModel
    alpha: float
    beta: float

    def __call__(self, cands: Candidates) -> list[list[Proposal]]:
        """One list for each questioned word that might be another, in reading order."""
        hyp = cands.best
        if not hyp.symbols:
            return []
        places = find_places(hyp)
        rivals = _find_rivals(cands)
        sure = max(_UNSURE, sum(place.logp for place in places) / len(places))
        judged: float | None = None
        groups = []
        for word in find_words(hyp.text):
            variants = self._question(word, places[word.start() : word.end()], rivals)
            if variants:
                judged = self._judge(hyp.text) if judged is None else judged
                groups.append([self._describe(word, v, rivals, judged, sure) for v in variants])
        return groups

    def _question(
        self, word: re.Match[str], places: Sequence[Place], rivals: dict[tuple[int, str], float]
    ) -> list[Variant]:
        found = {text: gain for (start, text), gain in rivals.items() if start == word.start()}
        sure = min(place.logp for place in places) > _SURE
        if sure and not found and word[0] in self.search.lexicon:
            return []
        variants = {variant.text: variant for variant in self.search(places)}
        for text, gain in found.items():
            variant = variants.get(text)
            if variant is None:
                variant = Variant(text, gain, 0.0, Levenshtein.distance(word[0], text))
            if gain > -math.inf:
                variant = Variant(text, gain, variant.confusion, variant.changes)
            if variant.optical > -math.inf:
                variants[text] = variant
        return list(variants.values())

    def _describe(
        self,
        word: re.Match[str],
        variant: Variant,
        rivals: dict[tuple[int, str], float],
        judged: float,
        sure: float,
    ) -> Proposal:
        text = word.string[: word.start()] + variant.text + word.string[word.end() :]
        seen, had = (
            rate_word(self.search.lexicon, variant.text),
            rate_word(self.search.lexicon, word[0]),
        )
        values = (
            min(max(variant.optical, _OPTICAL[0]), _OPTICAL[1]),
            variant.confusion,
            self._judge(text) - judged,
            float(seen is not None) - float(had is not None),
            min(seen or 0.0, _COMMON) - min(had or 0.0, _COMMON),
            float((word.start(), variant.text) in rivals),
            float(variant.changes),
            sure,
            1.0,
        )
        return Proposal(word.start(), word.end(), word[0], variant, seen, had is not None, values)

    def _judge(self, text: str) -> float:
        judgement = self.lm.judge(text)
        return self.alpha * judgement.logp + self.beta * judgement.symbols


def rate_word(lexicon: Lexicon, word: str) -> float | None:
    """`Lexicon.find`, whatever way the halants of the word are drawn."""
    return lexicon.find(word.replace(ZWNJ, ""))


def find_words(text: str) -> Iterator[re.Match[str]]:
    """The words of a line that correction may question."""
    for token in _TOKEN.finditer(text):
        if not _FOREIGN.search(token[0]):
            for word in _WORD.finditer(text, token.start(), token.end()):
                if len(word[0]) >= _SHORTEST and ZWNJ not in word[0]:
                    yield word


def _find_rivals(cands: Candidates) -> dict[tuple[int, str], float]:
    """(start of a word, what another candidate has in its place) -> optical gain, nats.

    The gain is minus infinity where the candidates differ elsewhere too, so that nobody knows it.
    """
    best = cands.best
    own = list(_WORD.finditer(best.text))
    frame = _WORD.sub("", best.text)
    found: dict[tuple[int, str], float] = {}
    for hyp in cands.hypotheses[1:]:
        words = _WORD.findall(hyp.text)
        if len(words) != len(own) or _WORD.sub("", hyp.text) != frame:
            continue
        other = [(a.start(), b) for a, b in zip(own, words, strict=True) if a[0] != b]
        gain = _gain(best, hyp) if len(other) == 1 else -math.inf
        for key in other:
            found[key] = max(gain, found.get(key, -math.inf))
    return found


def _gain(best: Hypothesis, hyp: Hypothesis) -> float:
    return hyp.optical_logp - best.optical_logp
