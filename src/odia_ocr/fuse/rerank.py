"""A language model orders the candidates of any recognizer anew.

Score: optical * log P(text | picture) + alpha * log P(text | language) + beta * letters, as in the
beam search; the weights are fitted on held-out lines for each recognizer, whose optical scores have
scales of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from odia_ocr.language import count_edits, fold
from odia_ocr.language.ngram import NgramModel
from odia_ocr.types import Candidates

# Only proportions of the weights matter, so the optical one stays 1. Where a recognizer is too sure
# of itself the language model counts more than that.
_ALPHAS = (0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.9, 1.2, 1.6, 2.2, 3.0, 4.0)
_BETA_SHARES = (0.0, 0.8, 1.2, 1.6, 2.0, 2.6, 3.4)  # of alpha; a symbol costs it about 1.6 nats


@dataclass(frozen=True, slots=True)
class RerankWeights:
    """Weights of the three parts of the score.

    Attributes:
        optical: Of the recognizer's log-probability.
        alpha: Of the language model's log-probability.
        beta: Added for each symbol the model speaks about.
    """

    optical: float = 1.0
    alpha: float = 0.0
    beta: float = 0.0


@dataclass(frozen=True, slots=True)
class Reranker:
    """Candidates -> the same candidates with `lm_logp`, best score first.

    Attributes:
        lm: The language model.
        weights: Fitted by `fit_reranker`.
    """

    lm: NgramModel
    weights: RerankWeights

    def __call__(self, cands: Candidates) -> Candidates:
        """Order anew; equal scores keep their order."""
        judged = [self.lm.judge(hyp.text) for hyp in cands.hypotheses]
        scores = [
            self.weights.optical * hyp.optical_logp
            + self.weights.alpha * judgement.logp
            + self.weights.beta * judgement.symbols
            for hyp, judgement in zip(cands.hypotheses, judged, strict=True)
        ]
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        return Candidates(
            cands.line_id,
            tuple(replace(cands.hypotheses[i], lm_logp=judged[i].logp) for i in order),
        )


@dataclass(frozen=True, slots=True)
class RerankFit:
    """Weights that leave the fewest errors on the fitting lines.

    Attributes:
        weights: The weights.
        before: Character error rate of the first candidates there, a fraction.
        after: That of the reranked ones.
    """

    weights: RerankWeights
    before: float
    after: float


def fit_reranker(lines: Sequence[Candidates], truths: Sequence[str], lm: NgramModel) -> RerankFit:
    """Try a grid of weights; where nothing helps the language model counts nothing.

    Raises:
        ValueError: If there is not one truth for each line.
    """
    if len(lines) != len(truths) or not lines:
        raise ValueError(f"{len(truths)} truths for {len(lines)} lines")
    table = []
    length = 0
    for cands, truth in zip(lines, truths, strict=True):
        folded = fold(truth)
        length += len(folded)
        row = []
        for hyp in cands.hypotheses:
            judgement = lm.judge(hyp.text)
            edits = count_edits(folded, fold(hyp.text)).edits
            row.append((hyp.optical_logp, judgement.logp, judgement.symbols, edits))
        table.append(row)

    def count_errors(weights: RerankWeights) -> int:
        return sum(
            max(
                row,
                key=lambda r: weights.optical * r[0] + weights.alpha * r[1] + weights.beta * r[2],
            )[3]
            for row in table
        )

    tried = [
        RerankWeights(1.0, alpha, round(alpha * share, 4))
        for alpha, share in itertools.product(_ALPHAS, _BETA_SHARES)
    ]
    best = min([RerankWeights(), *tried], key=count_errors)
    length = max(1, length)
    return RerankFit(best, sum(row[0][3] for row in table) / length, count_errors(best) / length)
