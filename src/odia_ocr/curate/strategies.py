"""Which lines to label: five strategies over the features of a pool.

A strategy sees features, never texts and pictures, and gives lines in the order in which they are
worth labelling. All but `random` leave lines for last that nobody could read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from odia_ocr.curate.coverage import LetterCoverage, StyleCoverage, pick_far
from odia_ocr.curate.features import LineFeatures
from odia_ocr.errors import DataError, name_choices

Values = npt.NDArray[np.float64]  # (lines,)

READABLE = 0.45  # mean probability of a cluster, by the picture alone, below which a line is last
_STYLE = 0.25  # how much the look of lines counts beside their letters in `combined`
_WEIGHED = 6000  # lines of a larger pool that `combined` and `diverse` look at


@dataclass(frozen=True, slots=True)
class Choice:
    """A line that is to be labelled.

    Attributes:
        id: Of the line in its pool.
        rank: From 1, the most wanted first.
        score: What the strategy gives it: what that means differs between strategies.
        reasons: Numbers that decided, by name.
    """

    id: str
    rank: int
    score: float
    reasons: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What a strategy is asked.

    Attributes:
        lines: Features of the lines to choose from.
        budget: How many are wanted, at most all.
        rng: Of this question.
        known: Features of lines that are labelled already.
    """

    lines: Sequence[LineFeatures]
    budget: int
    rng: np.random.Generator
    known: Sequence[LineFeatures] = ()


@dataclass(frozen=True, slots=True)
class Pick:
    """The place of a chosen line among those asked about, and its score."""

    at: int
    score: float


Strategy = Callable[[Question], list[Pick]]


def choose_lines(
    lines: Sequence[LineFeatures],
    budget: int,
    *,
    strategy: str = "combined",
    seed: int = 0,
    known: Sequence[LineFeatures] = (),
) -> list[Choice]:
    """Choose lines to label, the most wanted first.

    Args:
        lines: Features of those that may be chosen; their order does not count.
        budget: How many; a smaller pool is chosen whole.
        strategy: One of `STRATEGIES`.
        seed: Of what is left to chance.
        known: Features of lines that are labelled already, so that others are chosen.

    Raises:
        UsageError: If there is no such strategy.
        DataError: If there is nothing to choose from.
    """
    if strategy not in STRATEGIES:
        raise name_choices(strategy, list(STRATEGIES), kind="strategy")
    if not lines:
        raise DataError("There is no line left to choose from.", next_step="Add lines to the pool.")
    lines = sorted(lines, key=lambda line: line.id)
    question = Question(lines, min(budget, len(lines)), np.random.default_rng(seed), known)
    return [
        Choice(lines[pick.at].id, rank, round(pick.score, 6), explain(lines[pick.at]))
        for rank, pick in enumerate(STRATEGIES[strategy](question), start=1)
    ]


def explain(line: LineFeatures) -> dict[str, float]:
    """The numbers of a line that strategies go by, for records and people."""
    told = {
        "doubt": line.doubt,
        "disagreement": line.disagreement,
        "surprise": line.surprise,
        "sureness": line.sureness,
        "clusters": len(line.clusters),
    }
    if line.confidence is not None:
        told["confidence"] = line.confidence
    return {name: round(value, 4) for name, value in told.items()}


def pick_random(question: Question) -> list[Pick]:
    """Any lines, each with the same chance."""
    order = question.rng.permutation(len(question.lines))
    return [Pick(int(at), 0.0) for at in order[: question.budget]]


def pick_uncertain(question: Question) -> list[Pick]:
    """The lines whose clusters are likeliest to be wrong, by calibrated confidence."""
    return _rank(question, np.array([line.doubt for line in question.lines]))


def pick_disputed(question: Question) -> list[Pick]:
    """The lines that the views read most differently (arXiv 1802.10038)."""
    return _rank(question, np.array([line.disagreement for line in question.lines]))


def pick_diverse(question: Question) -> list[Pick]:
    """Lines far from each other and from the labelled ones: k-center greedy (arXiv 1708.00489)."""
    kept = _weighed(question)
    points = np.stack([question.lines[at].embedding for at in kept])
    known = np.stack([line.embedding for line in question.known]) if question.known else None
    found = pick_far(points, question.budget, known=known)
    return _fill(question, [Pick(kept[pick.at], pick.gap) for pick in found])


def pick_combined(question: Question) -> list[Pick]:
    """Lines that promise to correct the most errors of the whole pool for the work they make.

    For each grapheme cluster the pool's expected errors are counted: occurrences, weighed by how
    likely they are wrong (confidence, dissent of the views, surprise of the language) and with what
    other views read instead. Labels of a cluster take a share of its errors away, the first ones
    most, doubtful ones more than sure ones; the greedy choice takes the line that takes most away,
    from letters (`LetterCoverage`) and with a smaller weight from looks (`StyleCoverage`), for the
    work of correcting it. Both are submodular, so the greedy choice is within 1 - 1/e of the best.
    """
    kept = _weighed(question)
    lines = [question.lines[at] for at in kept]
    letters = LetterCoverage(lines, question.known)
    style = StyleCoverage(lines, question.known, question.rng)
    work = np.array([rate_work(line) for line in lines])
    left = np.ones(len(lines), bool)
    picks: list[Pick] = []
    for _ in range(min(question.budget, len(lines))):
        gain = (letters.gains() + _STYLE * style.gains()) / work
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        picks.append(Pick(kept[best], float(gain[best])))
        left[best] = False
        letters.add(best)
        style.add(best)
    return _fill(question, picks)


def rate_work(line: LineFeatures) -> float:
    """The work of correcting a line, that of a line of 30 clusters being 1.

    Half of it is to look at the line at all, half grows with its length.
    """
    return 0.5 + 0.5 * len(line.clusters) / 30


STRATEGIES: dict[str, Strategy] = {
    "combined": pick_combined,
    "uncertainty": pick_uncertain,
    "disagreement": pick_disputed,
    "diverse": pick_diverse,
    "random": pick_random,
}


def is_readable(line: LineFeatures) -> bool:
    """Whether a person can be expected to read it: a picture of nothing teaches nothing."""
    return bool(line.text) and line.sureness >= READABLE


def _rank(question: Question, values: Values) -> list[Pick]:
    """The highest first, unreadable lines last; equals in an order of chance."""
    unreadable = np.array([not is_readable(line) for line in question.lines])
    chance = question.rng.random(len(values))
    order = np.lexsort((chance, -values, unreadable))
    return [Pick(int(at), float(values[at])) for at in order[: question.budget]]


def _weighed(question: Question) -> list[int]:
    """Places of the readable lines; of very many some that are drawn."""
    kept = [at for at, line in enumerate(question.lines) if is_readable(line)]
    most = max(_WEIGHED, 4 * question.budget)
    if len(kept) > most:
        kept = sorted(question.rng.choice(kept, most, replace=False).tolist())
    return kept or list(range(len(question.lines)))


def _fill(question: Question, picks: list[Pick]) -> list[Pick]:
    """Picks up to the budget: what they lack is made up of the least doubtful other lines."""
    chosen = {pick.at for pick in picks}
    rest = sorted(
        (at for at in range(len(question.lines)) if at not in chosen),
        key=lambda at: -question.lines[at].sureness,
    )
    return [*picks, *(Pick(at, 0.0) for at in rest[: question.budget - len(picks)])]
