"""Error rates with intervals, from sufficient statistics per line.

A line is compared once; every rate, interval and difference is a sum over such counts, so a
bootstrap is resample and sum. Knows counts and text; refuses to know engines, files and pictures.

Sources: percentile bootstrap, Efron and Tibshirani, An Introduction to the Bootstrap (1993), ch.
13; for error rates of recognizers and paired differences, Bisani and Ney, "Bootstrap estimates
for confidence intervals in ASR performance evaluation", ICASSP 2004.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from odia_ocr.language import EditCounts, count_edits, fold, split_clusters, unicode_version

if TYPE_CHECKING:
    import numpy.typing as npt

    Counts = npt.NDArray[np.float64]  # (lines, 8)
    Rates = npt.NDArray[np.float64]  # (resamples, 4)

METRICS = ("cer", "wer", "cluster_error", "exact")
RESAMPLES = 2000
LEVEL = 0.95
_CHUNK = 4_000_000  # weights drawn at once, 32 MB


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Sufficient statistics of one line, reference against hypothesis.

    Attributes:
        chars: Over code points of the folded texts.
        words: Over what white space separates in them.
        clusters: Over grapheme clusters, white space included.
        exact: Whether the folded texts are equal.
    """

    chars: EditCounts
    words: EditCounts
    clusters: EditCounts
    exact: bool


@dataclass(frozen=True, slots=True)
class Score:
    """A rate with its 95 % interval.

    Attributes:
        value: As a fraction; error rates can exceed 1.
        low: 2.5 % percentile of the resampled rates.
        high: 97.5 % percentile.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scores:
    """All rates of one engine on one set of lines.

    Attributes:
        n: Number of lines.
        cer: Character error rate: edits per code point of the references.
        wer: Word error rate.
        cluster_error: Edits per grapheme cluster.
        exact: Share of lines without any error.
    """

    n: int
    cer: Score
    wer: Score
    cluster_error: Score
    exact: Score


@dataclass(frozen=True, slots=True)
class Difference:
    """A rate of one engine minus that of another on the same lines.

    Attributes:
        value: First minus second, as a fraction.
        low: 2.5 % percentile over resamples of lines, the same lines for both engines.
        high: 97.5 % percentile.
        p: Two-sided bootstrap p-value of "no difference", 0..1, never below 1 / (resamples + 1).
    """

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Differences:
    """Paired differences of all rates."""

    cer: Difference
    wer: Difference
    cluster_error: Difference
    exact: Difference


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made; part of every signature.

    Attributes:
        seed: Of the resampling.
        resamples: At least 1000.
    """

    seed: int = 0
    resamples: int = RESAMPLES

    def __post_init__(self) -> None:
        if self.resamples < 1000:
            raise ValueError(f"Bootstrap.resamples must be 1000 or more, got {self.resamples!r}")
        if self.seed < 0:
            raise ValueError(f"Bootstrap.seed must not be negative, got {self.seed!r}")

    def resample(self, counts: Sequence[Sequence[LineCounts]]) -> list[Rates]:
        """Rates of resampled lines, (resamples, 4) per engine; all engines share the draws.

        Args:
            counts: Per engine the counts of the same lines.
        """
        tables = [_tabulate(lines) for lines in counts]
        n = len(tables[0])
        sums = [np.empty((self.resamples, table.shape[1])) for table in tables]
        for part, weights in self.draw(n):
            for total, table in zip(sums, tables, strict=True):
                total[part] = weights @ table
        return [_rate(total) for total in sums]

    def draw(self, n: int) -> Iterator[tuple[slice, Counts]]:
        """How often each of `n` units occurs in each resample, some resamples at a time.

        Yields:
            The resamples that come now, and their weights (resamples, n).
        """
        rng = np.random.default_rng(self.seed)
        step = max(1, _CHUNK // n)
        for start in range(0, self.resamples, step):
            stop = min(self.resamples, start + step)
            drawn = rng.integers(0, n, size=(stop - start, n))  # (resamples, n)
            offsets = np.arange(stop - start)[:, None] * n
            weights = np.bincount((drawn + offsets).ravel(), minlength=(stop - start) * n)
            yield slice(start, stop), weights.reshape(stop - start, n).astype(np.float64)


def count_line(reference: str, hypothesis: str, *, strict: bool = False) -> LineCounts:
    """Compare one line.

    Args:
        reference: The transcription.
        hypothesis: What was read.
        strict: Fold only NFC and white space, see `odia_ocr.language.fold`.
    """
    ref, hyp = fold(reference, strict=strict), fold(hypothesis, strict=strict)
    return LineCounts(
        chars=count_edits(ref, hyp),
        words=count_edits(ref.split(), hyp.split()),
        clusters=count_edits(split_clusters(ref), split_clusters(hyp)),
        exact=ref == hyp,
    )


def score_lines(lines: Sequence[LineCounts], bootstrap: Bootstrap | None = None) -> Scores:
    """Rates of all lines together, with intervals.

    Raises:
        ValueError: Without any line.
    """
    if not lines:
        raise ValueError("scores need at least one line")
    (rates,) = (bootstrap or Bootstrap()).resample([lines])
    values = _rate(_tabulate(lines).sum(axis=0, keepdims=True))[0]
    cer, wer, cluster_error, exact = bound_rates(values, rates)
    return Scores(len(lines), cer=cer, wer=wer, cluster_error=cluster_error, exact=exact)


def compare_lines(
    first: Sequence[LineCounts], second: Sequence[LineCounts], bootstrap: Bootstrap | None = None
) -> Differences:
    """Paired differences, first minus second, on the same lines in the same order.

    Raises:
        ValueError: If the two are not of one length, or empty.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"a paired comparison needs the same lines: {len(first)}, {len(second)}")
    one, other = (bootstrap or Bootstrap()).resample([first, second])
    total = [_rate(_tabulate(lines).sum(axis=0, keepdims=True))[0] for lines in (first, second)]
    cer, wer, cluster_error, exact = bound_gaps(total[0] - total[1], one - other)
    return Differences(cer=cer, wer=wer, cluster_error=cluster_error, exact=exact)


def bound_rates(values: Rates, rates: Rates) -> list[Score]:
    """Rates (k,) with the intervals of their resamples (resamples, k)."""
    low, high = _interval(rates)
    return [Score(*map(float, row)) for row in zip(values, low, high, strict=True)]


def bound_gaps(values: Rates, gaps: Rates) -> list[Difference]:
    """Paired differences (k,) with intervals and p-values of their resamples (resamples, k)."""
    low, high = _interval(gaps)
    below = (gaps <= 0).sum(axis=0)
    above = (gaps >= 0).sum(axis=0)
    p = np.minimum(1.0, 2.0 * (np.minimum(below, above) + 1) / (len(gaps) + 1))
    return [Difference(*map(float, row)) for row in zip(values, low, high, p, strict=True)]


def sign_score(*, unit: str, n: int, strict: bool, bootstrap: Bootstrap, digest: str) -> str:
    """What a printed score must carry, so that two of them can be compared.

    Args:
        unit: "line" or "page".
        n: Number of units.
        strict: Whether folding was strict.
        bootstrap: How the intervals were made.
        digest: Of the set's names and transcriptions.

    Returns:
        E.g. "odia-ocr:0.1.0|unit:line|n:44|norm:fold|clusters:regex-2026.11.15|refs:ab..|
        ci:95-bootstrap-2000|seed:0".
    """
    return (
        f"odia-ocr:{version('odia-ocr')}|unit:{unit}|n:{n}|norm:{'strict' if strict else 'fold'}"
        f"|clusters:{unicode_version()}|refs:{digest}"
        f"|ci:{LEVEL * 100:.0f}-bootstrap-{bootstrap.resamples}|seed:{bootstrap.seed}"
    )


def _tabulate(lines: Sequence[LineCounts]) -> Counts:
    rows = [
        (
            line.chars.edits,
            line.words.edits,
            line.clusters.edits,
            line.exact,
            line.chars.length,
            line.words.length,
            line.clusters.length,
            1,
        )
        for line in lines
    ]
    return np.array(rows, dtype=np.float64)  # (lines, 8)


def _rate(sums: Counts) -> Rates:
    """(m, 8) sums to (m, 4) rates."""
    return sums[:, :4] / np.maximum(1.0, sums[:, 4:])


def _interval(rates: Rates) -> Rates:
    """(2, 4): low and high percentiles of each column."""
    tail = (1.0 - LEVEL) / 2 * 100
    return np.percentile(rates, [tail, 100 - tail], axis=0)
