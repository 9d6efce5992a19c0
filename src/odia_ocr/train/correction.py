"""Fits the correction dictionary to a recognizer: its mistakes, the weights and the threshold.

On rendered lines of the split "check", see `odia_ocr.train.correction_lines`. What was learned from
some lines is never tried on them: mistakes and weights are fitted crosswise on two folds of texts,
and the threshold to the edits that this makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from odia_ocr.correct.confusions import ConfusionTable
from odia_ocr.correct.dictionary import CorrectionFit, make_proposer, weigh_proposals
from odia_ocr.correct.lexicon import Lexicon, open_lexicon, store_facts
from odia_ocr.correct.proposals import FEATURES, Proposal
from odia_ocr.language import count_edits, fold
from odia_ocr.language.ngram import NgramModel, open_ngram_model
from odia_ocr.recognize.ctc import CtcRecognizer
from odia_ocr.runtime import find_weights
from odia_ocr.train.confusions import ReadText, learn_confusions
from odia_ocr.train.correction_lines import KnownLine, read_fitting_lines

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

RIGHT = 0.92  # share of right edits on the fitting lines, so that 0.90 hold elsewhere
FEWEST = 40  # edits, right or not, that a threshold must rest on
_RIDGE = 1.0
_STEPS = 30
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """Proposals for one word, and how many errors its line has more with each of them (< 0: right).

    Attributes:
        group: The proposals.
        more: Errors more, one value a proposal.
    """

    group: tuple[Proposal, ...]
    more: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """An edit that could be made: how likely it is right, and how many errors it adds."""

    probability: float
    more: int


@dataclass(frozen=True, slots=True)
class CorrectionTally:
    """Edits above a threshold: right ones take errors away, wrong ones add some."""

    right: int
    neutral: int
    wrong: int

    @classmethod
    def of(cls, edits: Sequence[Judged]) -> CorrectionTally:
        """Count edits."""
        right = sum(edit.more < 0 for edit in edits)
        wrong = sum(edit.more > 0 for edit in edits)
        return cls(right, len(edits) - right - wrong, wrong)


@dataclass(frozen=True, slots=True)
class FittedCorrection:
    """A fit and what it does on the lines it was fitted crosswise on."""

    fit: CorrectionFit
    lines: int
    tally: CorrectionTally
    errors_before: int
    errors_after: int


def try_proposals(
    lines: Sequence[KnownLine], lexicon: Lexicon, confusions: ConfusionTable, lm: NgramModel
) -> list[Trial]:
    """What each proposal for each word would do to the errors of its line."""
    propose = make_proposer(lexicon, confusions, lm)
    trials = []
    for line in lines:
        truth, text = fold(line.truth), line.cands.best.text
        had = count_edits(truth, fold(text)).edits
        for group in propose(line.cands):
            edited = (text[: p.start] + p.variant.text + text[p.end :] for p in group)
            more = tuple(count_edits(truth, fold(new)).edits - had for new in edited)
            trials.append(Trial(tuple(group), more))
    return trials


def fit_weights(trials: Sequence[Trial]) -> tuple[float, ...]:
    """Weights of a conditional logit, by Newton's method with a ridge.

    In each trial one of the proposals is chosen, the one that takes most errors away, or none.
    """
    cases = [_describe(trial) for trial in trials]
    size = len(FEATURES)
    weights: Floats = np.zeros(size)
    for _ in range(_STEPS):
        gradient = -_RIDGE * weights
        hessian = _RIDGE * np.eye(size)
        for values, chosen in cases:
            scores = values @ weights
            top = max(0.0, float(scores.max()))
            shares = np.exp(scores - top)
            shares /= shares.sum() + np.exp(-top)
            mean = shares @ values
            gradient += (values[chosen] if chosen is not None else 0.0) - mean
            hessian += (values * shares[:, None]).T @ values - np.outer(mean, mean)
        step = np.linalg.solve(hessian, gradient)
        weights = weights + step
        if float(np.abs(step).max()) < 1e-6:
            break
    return tuple(round(float(weight), 5) for weight in weights)


def _describe(trial: Trial) -> tuple[Floats, int | None]:
    """Values (n, k) of a trial's proposals, and which of them is to be chosen."""
    values = np.array([proposal.values for proposal in trial.group])
    return values, int(np.argmin(trial.more)) if min(trial.more) < 0 else None


def judge_trials(trials: Sequence[Trial], weights: Sequence[float]) -> list[Judged]:
    """The edit that would be made in each trial, likeliest first."""
    judged = []
    for trial in trials:
        decision = weigh_proposals(trial.group, weights)
        more = trial.more[trial.group.index(decision.proposal)]
        judged.append(Judged(decision.probability, more))
    return sorted(judged, key=lambda edit: -edit.probability)


def find_threshold(edits: Sequence[Judged]) -> float | None:
    """The lowest probability above which `RIGHT` of the edits are right; None where there is none.

    Args:
        edits: Likeliest first.
    """
    best, right = None, 0
    for count, edit in enumerate(edits, 1):
        right += edit.more < 0
        if count >= FEWEST and right >= RIGHT * count:
            best = edit.probability
    return best


def fit_correction(
    lines: Sequence[KnownLine], lexicon: Lexicon, lm: NgramModel
) -> FittedCorrection:
    """Fit mistakes, weights and threshold to lines with known text."""
    folds = [[line for line in lines if _find_fold(line) == fold_] for fold_ in (0, 1)]
    trials = [
        try_proposals(some, lexicon, _learn(others), lm)
        for some, others in ((folds[0], folds[1]), (folds[1], folds[0]))
    ]
    judged = [
        *judge_trials(trials[0], fit_weights(trials[1])),
        *judge_trials(trials[1], fit_weights(trials[0])),
    ]
    judged.sort(key=lambda edit: -edit.probability)
    threshold = find_threshold(judged)
    made = [e for e in judged if threshold is not None and e.probability >= threshold]
    before = sum(count_edits(fold(line.truth), fold(line.cands.best.text)).edits for line in lines)
    return FittedCorrection(
        CorrectionFit(_learn(lines), fit_weights([*trials[0], *trials[1]]), threshold),
        len(lines),
        CorrectionTally.of(made),
        before,
        before + sum(edit.more for edit in made),
    )


def _find_fold(line: KnownLine) -> int:
    return int(hashlib.sha1(line.truth.encode()).hexdigest(), 16) % 2


def _learn(lines: Sequence[KnownLine]) -> ConfusionTable:
    return learn_confusions(ReadText(line.truth, line.cands.best.text) for line in lines)


def record_fit(fitted: FittedCorrection, recognizer: str) -> dict[str, Any]:
    """Plain values for the lexicon's file, see `CorrectionFit.of`."""
    tally = fitted.tally
    return {
        "recognizer": recognizer,
        "lines": fitted.lines,
        "edits": {"right": tally.right, "neutral": tally.neutral, "wrong": tally.wrong},
        "errors": [fitted.errors_before, fitted.errors_after],
        "threshold": fitted.fit.threshold,
        "weights": list(fitted.fit.weights),
        "unseen": round(fitted.fit.confusions.unseen, 3),
        "confusions": [
            [c.true, c.read, round(c.logp, 3)] for c in fitted.fit.confusions.confusions
        ],
    }


def fit_lexicon(
    path: Path, recognizer: CtcRecognizer, *, count: int = 1600, report: Report = print
) -> dict[str, FittedCorrection]:
    """Fit the dictionary to a recognizer and store that in the lexicon's file.

    Raises:
        ModelMissingError: If the file is no lexicon.
        OutputError: If it cannot be written.
        UsageError: If the recognizer has no beam search.
    """
    lexicon = open_lexicon(path)
    lm = open_ngram_model(find_weights("lm-odia", ".ngram"))
    report(f"Rendering {count} held-out lines and reading them with {recognizer.name} ...")
    known = read_fitting_lines(recognizer, count=count)
    fits = {name: fit_correction(lines, lexicon, lm) for name, lines in known.items()}
    stored = {name: record_fit(fitted, recognizer.name) for name, fitted in fits.items()}
    store_facts(path, {**lexicon.facts, "fits": stored})
    for name, fitted in fits.items():
        report(f"{name}: {tell_fit(fitted)}")
    return fits


def tell_fit(fitted: FittedCorrection) -> str:
    """One line about a fit."""
    if fitted.fit.threshold is None:
        return f"no threshold keeps {100 * RIGHT:.0f} % of the edits right, so none are made"
    tally = fitted.tally
    return (
        f"threshold {fitted.fit.threshold:.3f}: {tally.right} edits right, {tally.neutral} "
        f"neutral, {tally.wrong} wrong; errors {fitted.errors_before} -> {fitted.errors_after}"
    )
