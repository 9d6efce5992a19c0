"""What a stack's readings are worth: rates with intervals, and differences on the same lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from odia_ocr.campaign.cache import digest_key
from odia_ocr.campaign.reader import Readings, StackReader
from odia_ocr.campaign.sets import Bench
from odia_ocr.campaign.stack import Stack, record_stack
from odia_ocr.evaluate.scores import (
    Bootstrap,
    Differences,
    LineCounts,
    Scores,
    compare_lines,
    count_line,
    score_lines,
    sign_score,
)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A stack on a set.

    Attributes:
        stack: What read.
        set_name: What was read.
        readings: What came out.
        counts: The comparison of each line, in order.
        scores: Over all lines.
        signature: How the scores were made, of what, by which stack.
    """

    stack: Stack
    set_name: str
    readings: Readings
    counts: tuple[LineCounts, ...]
    scores: Scores
    signature: str

    @property
    def edits(self) -> int:
        """Wrong code points in all."""
        return sum(line.chars.edits for line in self.counts)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two stacks on the same lines: after minus before.

    Attributes:
        before: Compared with.
        after: Compared.
        differences: Of all rates, paired by line.
        wins: Lines with fewer wrong code points than before.
        losses: Lines with more.
    """

    before: Measured
    after: Measured
    differences: Differences
    wins: int
    losses: int

    @property
    def better(self) -> bool:
        """Whether the whole interval of the CER's difference lies below zero."""
        return self.differences.cer.high < 0

    @property
    def worse(self) -> bool:
        """Whether it lies above zero."""
        return self.differences.cer.low > 0


@dataclass(frozen=True, slots=True, eq=False)
class Scorer:
    """Measures stacks on one set; the same stack is measured once.

    Attributes:
        reader: Reads.
        bench: The set.
        bootstrap: How intervals are made.
    """

    reader: StackReader
    bench: Bench
    bootstrap: Bootstrap
    _known: dict[Stack, Measured] = field(default_factory=dict, repr=False)

    def measure(self, stack: Stack) -> Measured:
        """Read and score; errors as `StackReader.read`."""
        if stack not in self._known:
            readings = self.reader.read(stack, self.bench)
            counts = tuple(
                count_line(text, read)
                for text, read in zip(self.bench.texts, readings.texts, strict=True)
            )
            self._known[stack] = Measured(
                stack,
                self.bench.name,
                readings,
                counts,
                score_lines(counts, self.bootstrap),
                self._sign(stack, len(counts)),
            )
        return self._known[stack]

    def measure_all(
        self, stacks: Sequence[Stack], *, backwards: bool = False
    ) -> tuple[Measured, ...]:
        """Measure stacks one after another; given in their order also when done `backwards`."""
        for stack in reversed(stacks) if backwards else stacks:
            self.measure(stack)
        return tuple(map(self.measure, stacks))

    def compare(self, before: Stack, after: Stack) -> Comparison:
        """Measure both, and their difference on the same lines."""
        one, other = self.measure(before), self.measure(after)
        edits = [
            (a.chars.edits, b.chars.edits) for a, b in zip(one.counts, other.counts, strict=True)
        ]
        return Comparison(
            one,
            other,
            compare_lines(other.counts, one.counts, self.bootstrap),
            wins=sum(b < a for a, b in edits),
            losses=sum(b > a for a, b in edits),
        )

    @property
    def known(self) -> tuple[Measured, ...]:
        """All stacks measured so far, in order."""
        return tuple(self._known.values())

    def _sign(self, stack: Stack, n: int) -> str:
        signed = sign_score(
            unit="line",
            n=n,
            strict=False,
            bootstrap=self.bootstrap,
            digest=self.bench.references,
        )
        engines = self.reader.sources.engines.describe_all(stack)
        digest = digest_key({**record_stack(stack), "engines": engines})[:10]
        return f"{signed}|stack:{digest}"
