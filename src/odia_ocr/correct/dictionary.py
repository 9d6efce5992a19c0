"""The correction dictionary: a word becomes another only where enough speaks for it.

What a word might be, and the word as it was read, share one probability: a conditional logit over
the numbers of the proposals, leaving it alone being worth 0. An edit is made where the best
proposal is likelier than a threshold at which 92 of 100 edits were right on the fitting lines.
Both were fitted, for each way of decoding, by `odia-ocr train lexicon` and stand in the lexicon's
file.
Source: noisy channel as in Kernighan, Church and Gale 1990; conditional logit: McFadden 1973.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from odia_ocr.correct.calibrate import load_for
from odia_ocr.correct.confusions import ConfusionTable
from odia_ocr.correct.lexicon import LEXICON_NAME, LEXICON_SUFFIX, Lexicon, open_lexicon
from odia_ocr.correct.proposals import FEATURES, Proposal, Proposer
from odia_ocr.correct.search import WordSearch
from odia_ocr.errors import ModelMissingError
from odia_ocr.language import split_clusters
from odia_ocr.language.ngram import NgramModel, open_ngram_model
from odia_ocr.runtime import find_weights
from odia_ocr.types import Candidates, Corrector, Edit, Reading

RIVALS = 3  # of each symbol, that the fits were made with
NBEST, WIDTH = 5, 12  # readings and prefixes of a beam, likewise


@dataclass(frozen=True, slots=True)
class CorrectionFit:
    """What was fitted for one way of decoding.

    Attributes:
        confusions: The reader's mistakes.
        weights: One per entry of `FEATURES`.
        threshold: Edits less likely to be right are not made; None makes none at all.
    """

    confusions: ConfusionTable
    weights: tuple[float, ...]
    threshold: float | None

    def __post_init__(self) -> None:
        if len(self.weights) != len(FEATURES):
            raise ValueError(f"correction needs {len(FEATURES)} weights, got {self.weights!r}")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> CorrectionFit:
        """From the plain values that a lexicon's file holds."""
        table = ConfusionTable.of(values["confusions"], values["unseen"])
        return cls(table, tuple(values["weights"]), values["threshold"])


@dataclass(frozen=True, slots=True)
class Decision:
    """The likeliest proposal for a word and how likely it is right, 0..1."""

    proposal: Proposal
    probability: float


def weigh_proposals(group: Sequence[Proposal], weights: Sequence[float]) -> Decision:
    """The likeliest of the proposals for one word, beside leaving the word alone."""
    scores = [
        sum(w * x for w, x in zip(weights, proposal.values, strict=True)) for proposal in group
    ]
    best = max(scores)
    top = max(0.0, best)
    total = math.exp(-top) + sum(math.exp(score - top) for score in scores)
    return Decision(group[scores.index(best)], math.exp(best - top) / total)


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Candidates and their Reading -> the Reading with its words corrected.

    Attributes:
        propose: Finds what words might be.
        weights: One per entry of `FEATURES`.
        threshold: Edits less likely to be right are not made.
    """

    propose: Proposer
    weights: tuple[float, ...]
    threshold: float

    def decide(self, cands: Candidates) -> list[Decision]:
        """The edits to make, in reading order."""
        found = (weigh_proposals(group, self.weights) for group in self.propose(cands))
        return [decision for decision in found if decision.probability >= self.threshold]

    def __call__(self, cands: Candidates, reading: Reading) -> Reading:
        """Edit the reading of the best candidate; others, respelled or edited ones, stay."""
        if reading.text != cands.best.text or reading.edits:
            return reading
        for decision in reversed(self.decide(cands)):
            reading = apply_edit(reading, decision)
        return reading


def apply_edit(reading: Reading, decision: Decision) -> Reading:
    """Put a proposal in place of a word that no later edit touches.

    The word's clusters get the edit's probability. The line is right if the edit and the rest are,
    the rest being as sure as the line was without the doubts about the old word.
    """
    proposal = decision.proposal
    text = reading.text[: proposal.start] + proposal.variant.text + reading.text[proposal.end :]
    clusters, confidence = reading.cluster_confidence, reading.confidence
    if clusters:
        head = len(split_clusters(reading.text[: proposal.start]))
        size = len(split_clusters(proposal.before))
        doubts = math.prod(clusters[head : head + size])
        new = (decision.probability,) * len(split_clusters(proposal.variant.text))
        clusters = (*clusters[:head], *new, *clusters[head + size :])
        if len(clusters) != len(split_clusters(text)):  # a stray sign joined its neighbour
            clusters = ()
        if confidence is not None:
            confidence = decision.probability * min(1.0, confidence / max(doubts, 1e-6))
    edit = Edit(
        proposal.start, proposal.end, proposal.before, proposal.variant.text, explain(decision)
    )
    return replace(
        reading,
        text=text,
        confidence=confidence,
        cluster_confidence=clusters,
        edits=(edit, *reading.edits),
    )


def explain(decision: Decision) -> str:
    """Why an edit was made, for a person."""
    proposal = decision.proposal
    if proposal.seen is None:
        reason = "another candidate of this line has it"
    elif proposal.known:
        reason = "both are words; this one fits the picture and the line better"
    else:
        times = round(math.expm1(proposal.seen))
        met = f"seen {times} times" if times else "in word lists"
        reason = f"the word as read is in no lexicon, this one is ({met})"
    return f"{reason}; {100 * decision.probability:.0f} % sure"


@dataclass(frozen=True, slots=True)
class DictionaryCorrector:
    """Candidates -> Reading: calibration first, then the dictionary.

    Attributes:
        calibrate: Makes the reading of the best candidate, with its confidence.
        dictionary: Edits it.
    """

    calibrate: Corrector
    dictionary: Dictionary

    def __call__(self, cands: Candidates) -> Reading:
        """The corrected reading; `Reading.hypothesis` stays what the machine saw."""
        return self.dictionary(cands, self.calibrate(cands))


def make_proposer(lexicon: Lexicon, confusions: ConfusionTable, lm: NgramModel) -> Proposer:
    """Put the parts together; the language model brings its own weights."""
    fusion = lm.facts.get("fusion", {})
    return Proposer(
        WordSearch(lexicon, confusions),
        lm,
        float(fusion.get("alpha", 0.0)),
        float(fusion.get("beta", 0.0)),
    )


def load_dictionary(
    decoding: str, *, path: Path | None = None, threshold: float | None = None
) -> Dictionary | None:
    """The shipped dictionary, fitted to a way of decoding.

    Args:
        decoding: "path" for best-path decoding, "beam" with the language model.
        path: Another lexicon file.
        threshold: Instead of the fitted one.

    Returns:
        None where nothing was fitted to this decoding, or no threshold kept its edits right.

    Raises:
        ModelMissingError: If the lexicon or the language model is missing or something else.
    """
    lexicon = open_lexicon(path or find_weights(LEXICON_NAME, LEXICON_SUFFIX))
    stored = lexicon.facts.get("fits", {}).get(decoding)
    if stored is None:
        return None
    try:
        fit = CorrectionFit.of(stored)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelMissingError(
            f"The lexicon was fitted by another version of this program ({error}).",
            next_step="Fit it again: odia-ocr train lexicon --only-fit --fit ctc.",
        ) from error
    least = fit.threshold if threshold is None else threshold
    if least is None:
        return None
    lm = open_ngram_model(find_weights("lm-odia", ".ngram"))
    return Dictionary(make_proposer(lexicon, fit.confusions, lm), fit.weights, least)


def load_corrector(
    recognizer: object, decoding: str, *, threshold: float | None = None
) -> Corrector:
    """The recognizer's calibration with the dictionary around it, where there is one for it.

    Raises:
        ModelMissingError: As `load_dictionary`.
    """
    calibrate = load_for(recognizer)
    dictionary = load_dictionary(decoding, threshold=threshold)
    return calibrate if dictionary is None else DictionaryCorrector(calibrate, dictionary)
