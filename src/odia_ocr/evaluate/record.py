"""The record of a measurement, whatever its unit, and how results are grouped, paired and signed.

An item is what one engine made of one sample. Knows sets, counts and scores by their names only:
how a sample is read and scored is the matter of `measure` and `page_measure`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from odia_ocr.errors import DataError, OdiaOcrError
from odia_ocr.evaluate.confusions import Confusion
from odia_ocr.evaluate.picture_set import PictureSet, Sample
from odia_ocr.evaluate.scores import Bootstrap, sign_score
from odia_ocr.types import Problem

Progress = Callable[[int], None]


class Item(Protocol):
    """What one engine made of one sample."""

    @property
    def sample(self) -> Sample: ...  # noqa: D102

    @property
    def counts(self) -> Any: ...  # noqa: D102

    @property
    def problem(self) -> Problem | None: ...  # noqa: D102


AnyItem = TypeVar("AnyItem", bound=Item)
Rates = TypeVar("Rates")
Gaps = TypeVar("Gaps")


@dataclass(frozen=True, slots=True)
class GroupResult(Generic[Rates]):
    """Scores of the items of one group, e.g. of one typeface or layout."""

    by: str
    group: str
    scores: Rates


@dataclass(frozen=True, slots=True)
class PairedResult(Generic[Gaps]):
    """Two engines on the same samples: the first one's rates minus the second one's."""

    first: str
    second: str
    differences: Gaps


@dataclass(frozen=True, slots=True)
class EngineRecord(Generic[AnyItem, Rates]):
    """All about one engine on one set.

    Attributes:
        engine: The name it was asked for by.
        model: The engine's own name.
        scores: Over all items.
        signature: How the scores were made.
        items: In the order of the set.
        groups: Scores per group.
        confusions: Over grapheme clusters, most frequent first.
        seconds: Wall time of reading, pictures already decoded.
    """

    engine: str
    model: str
    scores: Rates
    signature: str
    items: tuple[AnyItem, ...]
    groups: tuple[GroupResult[Rates], ...]
    confusions: tuple[Confusion, ...]
    seconds: float

    @property
    def per_second(self) -> float:
        """Items read per second of wall time."""
        return len(self.items) / max(1e-9, self.seconds)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What this engine failed on."""
        return tuple(item.problem for item in self.items if item.problem is not None)


Result = TypeVar("Result", bound="AnyEngine")


@dataclass(frozen=True, slots=True)
class EvaluationRecord(Generic[Result, Gaps]):
    """The record of one measurement.

    Attributes:
        set_name: The folder, as it was given.
        unit: "line" or "page".
        strict: Whether scoring folded only NFC and white space.
        results: One per engine, in the order given.
        paired: One per pair of engines.
        problems: Of the set itself: pictures left out.
    """

    set_name: str
    unit: str
    strict: bool
    results: tuple[Result, ...]
    paired: tuple[PairedResult[Gaps], ...]
    problems: tuple[Problem, ...]


AnyEngine: TypeAlias = EngineRecord[Any, Any]
AnyEvaluation: TypeAlias = EvaluationRecord[Any, Any]


def require_engines(engines: Sized) -> None:
    """Raises DataError where there is nothing to measure."""
    if not engines:
        raise DataError("No engine to measure.", next_step="Name one, e.g. --engine ctc.")


def leave_out(sample: Sample, error: OdiaOcrError) -> Problem:
    """The problem of a sample whose picture cannot be decoded."""
    message = f"{error.message} It is left out."
    return Problem(error.code, message, error.next_step, line_id=sample.name)


def sign_items(
    found: PictureSet[Any], items: Sequence[Item], *, unit: str, strict: bool, bootstrap: Bootstrap
) -> str:
    """The signature of scores over what was measured; raises DataError if that is nothing."""
    if not items:
        raise DataError(
            f"No picture of {found.folder} can be decoded.",
            next_step="Check the files with an image viewer.",
        )
    measured = replace(found, samples=tuple(item.sample for item in items))
    return sign_score(
        unit=unit, n=len(items), strict=strict, bootstrap=bootstrap, digest=measured.digest
    )


def score_groups(
    items: Sequence[Item], score: Callable[[list[Any]], Rates]
) -> tuple[GroupResult[Rates], ...]:
    """Scores per group, for each way of grouping that makes two groups or more."""
    members: dict[str, dict[str, list[Any]]] = {}
    for item in items:
        for label in item.sample.labels:
            members.setdefault(label.by, {}).setdefault(label.group, []).append(item.counts)
    return tuple(
        GroupResult(by, group, score(counts))
        for by, groups in members.items()
        if len(groups) > 1
        for group, counts in sorted(groups.items())
    )


def pair_results(
    results: Sequence[AnyEngine], compare: Callable[[list[Any], list[Any]], Gaps]
) -> tuple[PairedResult[Gaps], ...]:
    """The differences of each two engines; `compare` takes the counts of both."""
    return tuple(
        PairedResult(
            one.engine,
            other.engine,
            compare([item.counts for item in one.items], [item.counts for item in other.items]),
        )
        for one, other in combinations(results, 2)
    )
