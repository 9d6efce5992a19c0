"""CTC prefix beam search, with a character language model fused in.

A prefix is scored as log P(prefix | picture) + alpha * log P(prefix | language) + beta * letters.
The language model speaks about Odia letters, their signs and spaces only: digits, Latin letters
and punctuation move it on and cost nothing, so that numbers and foreign words are read as they
stand; only what hardly stands side by side (digits of two scripts, see `mixing`) costs something.
Nor does it speak about where a line ends, which pages settle in the middle of words.
Prefixes that nothing to come can tell apart are recombined, so that a narrow beam holds rivals that
differ now. Knows emissions and the language model's states; refuses to know how either was made.

Sources: Graves 2012, "Supervised Sequence Labelling with Recurrent Neural Networks", section 7.5.3
(prefix search); Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition
using Bi-Directional Recurrent DNNs", algorithm 1 (prefix beam search with a language model).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from odia_ocr.language.ngram import NgramModel
from odia_ocr.recognize.decode.alignment import Peaks, align_labels, find_best_path
from odia_ocr.recognize.decode.fusion import Fusion
from odia_ocr.recognize.decode.greedy import GreedyDecoder
from odia_ocr.recognize.decode.prefix_search import (
    Found,
    Table,
    add_logs,
    find_choices,
    search_prefixes,
)
from odia_ocr.recognize.decode.spelling import spell_peaks
from odia_ocr.types import Emission, Hypothesis, Symbol


@dataclass(frozen=True, slots=True)
class BeamDecoder:
    """Decodes an Emission into its N best readings.

    Attributes:
        lm: Language model, or None to search by the picture alone.
        fusion: Weights of `lm`.
        width: Prefixes kept; 1 without `lm` is best-path decoding. More than 8 gains nothing that
            can be measured (LOG.md).
        nbest: Most hypotheses given back.
        margin: Prefixes whose score is this far below the best one's are dropped (nats).
        symbols: Most classes looked at in one frame.
        least: Classes less likely than this share of the frame's best are not looked at.
        alone: A class this likely is the only one of its frame; 1 looks at every frame in full.
        alternatives: Rivals kept for each symbol.
        source: Written into `Hypothesis.source`.
    """

    lm: NgramModel | None = None
    fusion: Fusion = field(default_factory=Fusion)
    width: int = 8
    nbest: int = 5
    margin: float = 8.0
    symbols: int = 6
    least: float = 1e-3
    alone: float = 0.999
    alternatives: int = 2
    source: str = "beam"
    _tables: dict[tuple[str, ...], Table] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        if self.width < 1 or self.nbest < 1 or self.symbols < 1:
            raise ValueError(
                f"width, nbest and symbols must be 1 or more, got {self.width}, {self.nbest}, "
                f"{self.symbols}"
            )

    def __call__(self, emission: Emission) -> tuple[Hypothesis, ...]:
        """The N best readings, best first, each spelling once; never empty.

        `optical_logp` is the log-probability of the reading over all its paths, `lm_logp` the
        unweighted one of the language model over the symbols it speaks about, `posterior` the share
        among all prefixes that the search met to the end.
        """
        greedy = GreedyDecoder(self.source, self.alternatives)
        if self.width == 1 and self.lm is None:
            return greedy(emission)
        near = find_best_path(emission.log_probs)
        table = self._find_table(emission.alphabet)
        frames = find_choices(emission.log_probs, self.symbols, self.least, self.alone)
        found = search_prefixes(
            frames, table, self.fusion, width=self.width, margin=self.margin, keep=self.nbest
        )
        return self._describe(emission, near, table, found)

    def _find_table(self, alphabet: tuple[str, ...]) -> Table:
        table = self._tables.get(alphabet)
        if table is None:
            table = self._tables[alphabet] = Table.make(self.lm, alphabet)
        return table

    def _describe(
        self, emission: Emission, near: Peaks, table: Table, found: list[Found]
    ) -> tuple[Hypothesis, ...]:
        """Hypotheses of the prefixes found; those of one spelling become one."""
        merged: dict[str, _Reading] = {}
        for prefix in found:
            peaks = align_labels(emission.log_probs, prefix.labels, near)
            symbols = spell_peaks(emission, peaks, alternatives=self.alternatives)
            text = "".join(symbol.text for symbol in symbols)
            known = merged.get(text)
            if known is None:
                merged[text] = _Reading(symbols, prefix.optical, prefix.language, prefix.score)
            else:
                known.optical = add_logs(known.optical, prefix.optical)
                known.score = add_logs(known.score, prefix.score)
            if len(merged) == self.nbest:
                break
        best = found[0].score
        everything = sum(math.exp(prefix.score - best) * (1.0 + prefix.lost) for prefix in found)
        return tuple(
            Hypothesis(
                reading.symbols,
                min(0.0, reading.optical),
                reading.language if self.lm else None,
                min(1.0, math.exp(reading.score - best) / everything),
                self.source,
            )
            for reading in sorted(merged.values(), key=lambda reading: -reading.score)
        )


@dataclass(slots=True)
class _Reading:
    """One spelling while its prefixes are brought together."""

    symbols: tuple[Symbol, ...]
    optical: float
    language: float
    score: float
