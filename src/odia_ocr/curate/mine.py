"""Where the errors of a report come from, which lines show it, and what to train on next.

Causes that lie in the text (conjuncts, language) are counted by grapheme cluster: a wrong cluster
is put down to what it is. Causes that lie in the picture (font, degradation, layout) are counted by
line: all its errors are put down to each thing known of it, so shares of one kind may overlap. So
is the content of lines in reports without readings.
What says that something is a cause is its lift: errors a cluster, or a letter, against all others.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from odia_ocr.curate.report_lines import ReadLine, ReadReport
from odia_ocr.language import align, fold, split_clusters

VIRAMA = "୍"
_ODIA = ("\u0b00", "\u0b7f")
# What a cluster is, as causes of the kind "language" name it.
ODIA, LATIN, DIGITS, MARKS, SPACES = "odia", "latin", "digits", "punctuation", "spaces"
CONJUNCTS, ALL = "conjuncts", "(all)"
TEXT_KINDS = ("conjunct", "language")
_LEAST_LINES = 5  # of a cause that names a line's
_LEAST_LIFT = 1.1


@dataclass(frozen=True, slots=True)
class Cause:
    """A thing that lines or clusters have in common, and their errors.

    Attributes:
        kind: "conjunct", "language", "font", "degradation", "layout" ...
        name: E.g. "କ୍ଷ", "latin", "blur".
        lines: Lines that have it.
        errors: Wrong clusters of a kind of text, else wrong code points of those lines.
        units: Clusters of it, else code points of those lines.
        share: Of all errors of the report, 0..1.
        lift: Its errors a unit, against those of all others; 1 is no cause.
    """

    kind: str
    name: str
    lines: int
    errors: int
    units: int
    share: float
    lift: float

    @property
    def rate(self) -> float:
        """Errors a unit."""
        return self.errors / max(1, self.units)


@dataclass(frozen=True, slots=True)
class HardLine:
    """A line of many errors, and what they are put down to: the cause of most lift that it has."""

    line: ReadLine
    kind: str
    name: str

    @property
    def cause(self) -> str:
        """Kind and name."""
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Mined:
    """What a report says about causes.

    Attributes:
        causes: By kind, of each kind the gravest first.
        hard: The worst lines, the worst first.
        lines: Of the report.
        errors: Wrong code points in all.
    """

    causes: tuple[Cause, ...]
    hard: tuple[HardLine, ...]
    lines: int
    errors: int


@dataclass(slots=True)
class _Tally:
    errors: int = 0
    units: int = 0
    lines: set[int] = field(default_factory=set)


Key = tuple[str, str]


def mine_report(report: ReadReport, *, worst: int = 200) -> Mined:
    """Find causes and the worst lines.

    Args:
        report: Its lines.
        worst: Most lines that are given.
    """
    tallies: dict[Key, _Tally] = defaultdict(_Tally)
    owned: list[list[Key]] = []
    for number, line in enumerate(report.lines):
        owned.append([])
        for key, errors, units in _tell_causes(line):
            tally = tallies[key]
            tally.errors += errors
            tally.units += units
            tally.lines.add(number)
            if errors:
                owned[-1].append(key)
    clusters = [tally for key, tally in tallies.items() if key[0] == "language"]
    of_text = _Tally(sum(x.errors for x in clusters), sum(x.units for x in clusters))
    of_lines = _Tally(sum(x.edits for x in report.lines), sum(x.length for x in report.lines))
    causes = {
        key: _rate(key, tally, of_text if key[0] in TEXT_KINDS else of_lines)
        for key, tally in tallies.items()
    }
    hard = [
        HardLine(line, *_blame(keys, causes))
        for line, keys in zip(report.lines, owned, strict=True)
        if line.edits
    ]
    hard.sort(key=lambda one: (-one.line.edits / max(1, one.line.length), one.line.name))
    ranked = sorted(causes.values(), key=lambda one: (one.kind, -one.errors, one.name))
    return Mined(tuple(ranked), tuple(hard[:worst]), len(report.lines), of_lines.errors)


def _rate(key: Key, tally: _Tally, whole: _Tally) -> Cause:
    others = (whole.errors - tally.errors) / max(1, whole.units - tally.units)
    own = tally.errors / max(1, tally.units)
    # Others without an error count as half a one, or any error would be infinitely graver.
    lift = own / max(others, 0.5 / max(1, whole.units)) if tally.units < whole.units else 1.0
    share = tally.errors / max(1, whole.errors)
    return Cause(*key, len(tally.lines), tally.errors, tally.units, share, lift)


def _blame(keys: Sequence[Key], causes: Mapping[Key, Cause]) -> Key:
    telling = [
        causes[key]
        for key in keys
        if causes[key].lines >= _LEAST_LINES and causes[key].lift >= _LEAST_LIFT
    ]
    best = max(telling, key=lambda one: (one.lift, one.errors), default=None)
    return (best.kind, best.name) if best is not None else ("other", "")


def _tell_causes(line: ReadLine) -> Iterator[tuple[Key, int, int]]:
    """(cause, errors, units) of a line; each cause once."""
    for trait in line.traits:
        yield trait, line.edits, line.length
    if line.hypothesis is None:
        for name in _tell_content(line.reference):
            yield ("content", name), line.edits, line.length
        return
    text: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for cluster, wrong in _judge_clusters(line.reference, line.hypothesis):
        keys = [("language", tell_language(cluster))]
        conjunct = tell_conjunct(cluster)
        if conjunct:
            keys += [("conjunct", ALL), ("conjunct", conjunct)]
        for key in keys:
            text[key][0] += wrong
            text[key][1] += 1
    for key, (errors, units) in text.items():
        yield key, errors, units


def _tell_content(reference: str) -> set[str]:
    """What a line has in it, where nobody knows which of its letters were read wrongly."""
    clusters = split_clusters(fold(reference))
    return {tell_language(cluster) for cluster in clusters} - {SPACES} | {
        CONJUNCTS for cluster in clusters if tell_conjunct(cluster)
    }


def _judge_clusters(reference: str, hypothesis: str) -> Iterator[tuple[str, int]]:
    """The printed clusters, folded as for scoring, and 1 for each that was read wrongly.

    What was read beside them is put down to the cluster before it.
    """
    clusters = split_clusters(fold(reference))
    wrong = [0] * len(clusters)
    at = 0
    for pair in align(clusters, split_clusters(fold(hypothesis))):
        if pair.reference != pair.hypothesis and wrong:
            wrong[at if pair.reference else max(0, at - 1)] = 1
        at += bool(pair.reference)
    return zip(clusters, wrong, strict=True)


def tell_language(cluster: str) -> str:
    """What a cluster is: "odia", "latin", "digits", "punctuation" or "spaces"."""
    first = cluster[0]
    if first.isspace():
        return SPACES
    if first.isdecimal():
        return DIGITS
    if _ODIA[0] <= first <= _ODIA[1]:
        return ODIA
    return LATIN if unicodedata.category(first)[0] == "L" else MARKS


def tell_conjunct(cluster: str) -> str:
    """The consonants of a conjunct with what joins them, without vowel signs; "" of others."""
    parts = cluster.split(VIRAMA)
    heads = [part[0] for part in parts if part and unicodedata.category(part[0]) == "Lo"]
    return VIRAMA.join(heads) if len(heads) > 1 else ""
