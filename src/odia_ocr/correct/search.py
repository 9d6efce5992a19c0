"""Words of a lexicon that a read word may be: a walk of the trie with the reader's own mistakes.

Each letter is kept, exchanged for a rival that the recognizer saw in its place, or taken for one of
the learned mistakes; the walk goes on only where some word of the lexicon does. Knows letters with
their rivals, the mistakes and the lexicon; refuses to decide.
Source: Mays, Damerau and Mercer 1991, "Context based spelling correction" (noisy channel), searched
as in Oflazer 1996, "Error-tolerant finite-state recognition", section 2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from odia_ocr.correct.confusions import ConfusionTable
from odia_ocr.correct.lexicon import ROOT, Lexicon
from odia_ocr.types import Hypothesis

FLOOR = -8.0  # log-probability of what a picture shows no sign of
_BEYOND = 0.7  # a letter that is not among the rivals is at least this much less likely than they
_LOST = -4.0  # for a letter that was lost, of which no frame tells


@dataclass(frozen=True, slots=True)
class Place:
    """One code point of a reading.

    Attributes:
        char: What was read.
        logp: Its log-probability, <= 0.
        rivals: Others at its place, one code point each, with theirs.
        nothing: Log-probability that nothing stands there.
    """

    char: str
    logp: float
    rivals: tuple[tuple[str, float], ...] = ()
    nothing: float = FLOOR

    def compare(self, char: str) -> float:
        """How much likelier another letter is than the one read, by the picture alone, nats."""
        for rival, logp in self.rivals:
            if rival == char:
                return max(FLOOR, logp) - self.logp
        least = self.rivals[-1][1] - _BEYOND if self.rivals else FLOOR
        return max(FLOOR, least) - self.logp


def find_places(hyp: Hypothesis) -> tuple[Place, ...]:
    """A place for each code point of a hypothesis' text."""
    places: list[Place] = []
    for symbol in hyp.symbols:
        if len(symbol.text) != 1:
            share = symbol.logp / max(1, len(symbol.text))
            places += [Place(char, share) for char in symbol.text]
            continue
        rivals = tuple(rival for rival in symbol.alternatives if len(rival[0]) == 1)
        known = math.exp(symbol.logp) + sum(math.exp(logp) for _, logp in symbol.alternatives)
        nothing = math.log(max(math.exp(FLOOR), 1.0 - known))
        places.append(Place(symbol.text, symbol.logp, rivals, nothing))
    return tuple(places)


@dataclass(frozen=True, slots=True)
class Variant:
    """A word that a read one may be.

    Attributes:
        text: The word.
        optical: How much likelier the picture makes it than the word read, nats.
        confusion: Sum of the weights of the mistakes that it takes.
        changes: Number of these mistakes.
    """

    text: str
    optical: float
    confusion: float
    changes: int

    @property
    def worth(self) -> float:
        """By which variants are kept."""
        return self.optical + 0.5 * self.confusion


@dataclass(frozen=True, slots=True)
class WordSearch:
    """Reading of a word -> words of the lexicon that it may be.

    Attributes:
        lexicon: The words.
        confusions: The reader's mistakes.
        changes: Most mistakes in a word.
        least: Variants worth less are not followed (nats), see `Variant.worth`.
        most: Most variants given back.
    """

    lexicon: Lexicon
    confusions: ConfusionTable
    changes: int = 2
    least: float = -12.0
    most: int = 8

    def __call__(self, places: Sequence[Place]) -> list[Variant]:
        """Variants in the lexicon other than the word itself, worthiest first."""
        walk = _Walk(self, places)
        walk.follow(0, ROOT, "", Variant("", 0.0, 0.0, 0))
        read = "".join(place.char for place in places)
        walk.found.pop(read, None)
        return sorted(walk.found.values(), key=lambda v: (-v.worth, v.text))[: self.most]


@dataclass(slots=True)
class _Walk:
    """The state of one search."""

    search: WordSearch
    places: Sequence[Place]
    found: dict[str, Variant] = field(default_factory=dict)

    def follow(self, at: int, node: int, text: str, so_far: Variant) -> None:
        """Go on from the letters `text` of the trie, the places before `at` being used up."""
        if at == len(self.places):
            self._keep(node, text, so_far)
        else:
            place = self.places[at]
            deeper = self.search.lexicon.step(node, place.char)
            if deeper >= 0:
                self.follow(at + 1, deeper, text + place.char, so_far)
        if so_far.changes < self.search.changes:
            self._mistake(at, node, text, so_far)

    def _keep(self, node: int, text: str, so_far: Variant) -> None:
        if self.search.lexicon.rate(node) is None:
            return
        known = self.found.get(text)
        if known is None or known.worth < so_far.worth:
            self.found[text] = Variant(text, so_far.optical, so_far.confusion, so_far.changes)

    def _mistake(self, at: int, node: int, text: str, so_far: Variant) -> None:
        table = self.search.confusions
        tried: set[str] = set()
        if at < len(self.places):
            place = self.places[at]
            for confusion in table.begin_with(place.char):
                if self._reads(at, confusion.read):
                    tried.add(confusion.true if len(confusion.read) == 1 else "")
                    self._take(
                        at, node, text, so_far, confusion.true, confusion.read, confusion.logp
                    )
            for char, _ in place.rivals:
                if char not in tried:
                    weight = table.weigh(char, place.char)
                    self._take(at, node, text, so_far, char, place.char, weight)
        for confusion in table.begin_with(""):
            self._take(at, node, text, so_far, confusion.true, "", confusion.logp)

    def _reads(self, at: int, read: str) -> bool:
        places = self.places[at : at + len(read)]
        return len(places) == len(read) and all(
            place.char == char for place, char in zip(places, read, strict=True)
        )

    def _take(
        self, at: int, node: int, text: str, so_far: Variant, true: str, read: str, weight: float
    ) -> None:
        for char in true:
            node = self.search.lexicon.step(node, char)
            if node < 0:
                return
        optical = so_far.optical + self._look(self.places[at : at + len(read)], true)
        after = Variant("", optical, so_far.confusion + weight, so_far.changes + 1)
        if after.worth >= self.search.least:
            self.follow(at + len(read), node, text + true, after)

    def _look(self, places: Sequence[Place], true: str) -> float:
        """What the picture says to `true` at these places instead of what was read."""
        gain = _LOST * max(0, len(true) - len(places))
        gain += sum(place.nothing - place.logp for place in places[len(true) :])
        return gain + sum(place.compare(char) for place, char in zip(places, true, strict=False))
