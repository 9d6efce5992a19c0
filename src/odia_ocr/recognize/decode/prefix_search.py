"""The search of `beam` over prefixes: frames are walked once, the best prefixes go on.

Prefixes are nodes of one tree, with the language model's state at each. Knows labels; refuses to
know texts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from odia_ocr.language.mixing import STRANGE_PAIRS, Kind, kind_of
from odia_ocr.language.ngram import NgramModel, State, is_spoken, symbol_of
from odia_ocr.language.normalise import ZWNJ
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.types import FloatArray

_NEVER = -math.inf


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What the language model makes of each class of an alphabet.

    Attributes:
        lm: The model, or None.
        numbers: Its number of each class; -1 for the blank and what it passes over.
        spoken: Whether it speaks about the class.
        kinds: What matters about the class for its neighbours.
    """

    lm: NgramModel | None
    numbers: tuple[int, ...]
    spoken: tuple[bool, ...]
    kinds: tuple[Kind, ...]

    @classmethod
    def make(cls, lm: NgramModel | None, alphabet: tuple[str, ...]) -> Table:
        """The table of an alphabet without the blank; without a model it never speaks."""
        if lm is None:
            count = len(alphabet) + 1
            return cls(None, (-1,) * count, (False,) * count, (Kind.OTHER,) * count)
        numbers = [-1 if char == ZWNJ else lm.number(symbol_of(char)) for char in alphabet]
        kinds = (Kind.OTHER, *map(kind_of, alphabet))
        return cls(lm, (-1, *numbers), (False, *map(is_spoken, alphabet)), kinds)

    def step(self, state: State, label: int) -> tuple[float | None, State]:
        """What a class adds to the model's log-probability, and the state after it.

        It adds None where the model does not speak.
        """
        number = self.numbers[label]
        if number < 0 or self.lm is None:
            return None, state
        logp, after = self.lm.step(state, number)
        return (logp if self.spoken[label] else None), after


@dataclass(frozen=True, slots=True)
class Found:
    """A prefix at the end of the search: its labels, scores, all of them fused, what it beat.

    `lost` is the score of prefixes that were dropped in its favour, as a share of its own.
    """

    labels: tuple[int, ...]
    optical: float
    language: float
    score: float
    lost: float


@dataclass(frozen=True, slots=True)
class _Choices:
    """What one frame, or a run of frames that say the same, leaves open.

    Attributes:
        blank: Log-probability of the blank.
        classes: (class, log-probability) of the others, likeliest first.
    """

    blank: float
    classes: tuple[tuple[int, float], ...]


def find_choices(log_probs: FloatArray, most: int, least: float, alone: float) -> list[_Choices]:
    """The likely classes of each frame; runs in which one class stands alone become one."""
    best = log_probs.argmax(axis=1)
    top = log_probs[np.arange(len(best)), best]
    single = (top >= math.log(alone)) if alone < 1.0 else np.zeros(len(top), bool)
    lowest = math.log(least) if least > 0.0 else _NEVER
    shared = np.flatnonzero(~single)
    rows, classes = np.nonzero(log_probs[shared] >= (top[shared] + lowest)[:, None])
    pairs: list[list[tuple[int, float]]] = [[] for _ in shared]
    values = log_probs[shared[rows], classes]
    for row, label, value in zip(rows.tolist(), classes.tolist(), values.tolist(), strict=True):
        pairs[row].append((label, value))
    open_frames = iter(pairs)
    frames: list[_Choices] = []
    run = -1  # the class that stands alone since the frame before
    for stands_alone, label, logp in zip(single.tolist(), best.tolist(), top.tolist(), strict=True):
        if not stands_alone:
            frames.append(_make_choices(next(open_frames), most))
            run = -1
            continue
        if label == run:
            before = frames.pop()
            logp += before.blank if label == 0 else before.classes[0][1]
        frames.append(_Choices(logp, ()) if label == 0 else _Choices(_NEVER, ((label, logp),)))
        run = label
    return frames


def _make_choices(pairs: list[tuple[int, float]], most: int) -> _Choices:
    """The likeliest `most` of (class, log-probability) pairs."""
    pairs.sort(key=lambda pair: -pair[1])
    del pairs[most:]
    blank = next((logp for label, logp in pairs if label == 0), _NEVER)
    return _Choices(blank, tuple(pair for pair in pairs if pair[0]))


def add_logs(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _NEVER else a + math.log1p(math.exp(b - a))


@dataclass(slots=True)
class _Tree:
    """All prefixes ever tried; 0 is the empty one.

    Attributes:
        parents: The prefix without its last symbol.
        labels: The last symbol.
        states: The language model's state.
        language: Its log-probability, unweighted.
        bonus: What is added to the optical score: all weights applied.
        longer: Prefixes with one symbol more, by that symbol.
        lost: Score of others that were dropped in favour of this one, as a share of its own.
    """

    parents: list[int]
    labels: list[int]
    states: list[State]
    language: list[float]
    bonus: list[float]
    longer: list[dict[int, int]]
    lost: list[float]

    @classmethod
    def make(cls, start: State) -> _Tree:
        return cls([0], [0], [start], [0.0], [0.0], [{}], [0.0])

    def grow(self, prefix: int, label: int, table: Table, fusion: Fusion) -> int:
        """The prefix with one symbol more, made when it is new."""
        child = self.longer[prefix].get(label)
        if child is None:
            child = self.longer[prefix][label] = len(self.labels)
            added, state = table.step(self.states[prefix], label)
            own, spoken = self.bonus[prefix], self.language[prefix]
            if added is not None:
                own += fusion.alpha * added + fusion.beta
                spoken += added
            elif (table.kinds[self.labels[prefix]], table.kinds[label]) in STRANGE_PAIRS:
                own -= fusion.mixed
            self.parents.append(prefix)
            self.labels.append(label)
            self.states.append(state)
            self.language.append(spoken)
            self.bonus.append(own)
            self.longer.append({})
            self.lost.append(self.lost[prefix])
        return child

    def recombine(
        self, beam: dict[int, tuple[float, float]], keep: int
    ) -> dict[int, tuple[float, float]]:
        """Drop what can never again be among the best: others with the same future lead for good.

        After a blank the future depends on the language model's state and the last symbol alone.
        """
        kept: dict[int, tuple[float, float]] = {}
        leaders: dict[tuple[State, int], list[int]] = {}
        for prefix, pair in beam.items():  # best first
            group = leaders.setdefault((self.states[prefix], self.labels[prefix]), [])
            if len(group) < keep:
                group.append(prefix)
                kept[prefix] = pair
                continue
            first = group[0]
            behind = pair[0] + self.bonus[prefix] - kept[first][0] - self.bonus[first]
            self.lost[first] += math.exp(behind) * (1.0 + self.lost[prefix])
        return kept

    def spell(self, prefix: int) -> tuple[int, ...]:
        """The labels of a prefix."""
        labels = []
        while prefix:
            labels.append(self.labels[prefix])
            prefix = self.parents[prefix]
        return tuple(reversed(labels))


def search_prefixes(
    frames: list[_Choices],
    table: Table,
    fusion: Fusion,
    *,
    width: int,
    margin: float,
    keep: int,
) -> list[Found]:
    """Prefix beam search: all prefixes kept after the last frame, best first.

    Of prefixes that nothing to come can tell apart, the `keep` best go on.
    """
    tree = _Tree.make(table.lm.start if table.lm else ())
    labels, bonus = tree.labels, tree.bonus
    # prefix -> (log P of its paths that end in a blank, of those that end in its last symbol)
    beam: dict[int, tuple[float, float]] = {0: (0.0, _NEVER)}
    most_bonus = max(0.0, fusion.beta)
    for frame in frames:
        blank, classes = frame.blank, frame.classes
        if not classes:  # every prefix ends in a blank now, and none gains on another
            beam = {prefix: (add_logs(*pair) + blank, _NEVER) for prefix, pair in beam.items()}
            if len(beam) > keep:
                beam = tree.recombine(beam, keep)
            continue
        after: dict[int, tuple[float, float]] = {}
        limit = _NEVER
        for prefix, (in_blank, in_symbol) in beam.items():  # best first
            both = add_logs(in_blank, in_symbol)
            last = labels[prefix]
            own = bonus[prefix]
            stay = _NEVER
            limit = max(limit, both + blank + own - margin)
            for label, logp in classes:
                if label == last:
                    stay = in_symbol + logp
                    gained = in_blank + logp
                else:
                    gained = both + logp
                # Not even the best word of the language model would keep it.
                if gained + own + most_bonus < limit or gained == _NEVER:
                    continue
                child = tree.grow(prefix, label, table, fusion)
                limit = max(limit, gained + bonus[child] - margin)
                old = after.get(child)
                after[child] = (
                    (_NEVER, gained) if old is None else (old[0], add_logs(old[1], gained))
                )
            old = after.get(prefix)
            after[prefix] = both + blank, stay if old is None else add_logs(old[1], stay)
        scored = [(add_logs(*pair) + bonus[prefix], prefix) for prefix, pair in after.items()]
        scored.sort(reverse=True)
        limit = scored[0][0] - margin
        beam = {prefix: after[prefix] for score, prefix in scored[:width] if score >= limit}
    found = []
    for prefix, pair in beam.items():
        optical = add_logs(*pair)
        found.append(
            Found(
                tree.spell(prefix),
                optical,
                tree.language[prefix],
                optical + bonus[prefix],
                tree.lost[prefix],
            )
        )
    return sorted(found, key=lambda entry: -entry.score)
