"""What a campaign found: the record that reports are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from odia_ocr.campaign.apart import Apart
from odia_ocr.campaign.building import Built
from odia_ocr.campaign.config import Campaign, Level
from odia_ocr.campaign.fitting import Fitted
from odia_ocr.campaign.ladders import Checkpoint, Rung
from odia_ocr.campaign.measure import Comparison, Measured, Scorer
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Means, Technique
from odia_ocr.types import Problem


@dataclass(frozen=True, slots=True)
class Row:
    """One technique: fitted and measured, or why not.

    Attributes:
        technique: The technique.
        fitted: Its settings, or None.
        comparison: Without and with it on the reporting lines, or None.
        why: Why it was not measured; "" when it was.
    """

    technique: Technique
    fitted: Fitted | None = None
    comparison: Comparison | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Single reader, fused reader and final stack on a further set."""

    fused: Comparison
    stack: Comparison


@dataclass(frozen=True, slots=True)
class Outcome:
    """The record of a campaign.

    Attributes:
        campaign: What was asked for.
        level: How far it went.
        means: What stacks were built of.
        fit: Scorer of the fitting set.
        report: Scorer of the reporting set.
        rows: Every technique, in the plan's order.
        built: The stack, or None where it could not be built.
        ladders: The plan's ladders up to the level.
        checkpoints: The trajectory along the checkpoints given.
        elsewhere: On further sets.
        problems: Of sets and steps.
        apart: What other campaigns measured of techniques that this one did not.
    """

    campaign: Campaign
    level: Level
    means: Means
    fit: Scorer
    report: Scorer
    rows: tuple[Row, ...]
    built: Built | None
    ladders: dict[Level, tuple[Rung, ...]]
    checkpoints: tuple[Checkpoint, ...]
    elsewhere: tuple[Elsewhere, ...]
    problems: tuple[Problem, ...]
    apart: tuple[Apart, ...] = ()

    @property
    def single(self) -> Measured:
        """The single reader on the reporting lines."""
        return self.report.measure(Stack((self.means.single,)))

    def find_apart(self, row: Row) -> tuple[Apart, Mapping[str, Any]] | None:
        """The campaign apart that measured what this one did not, and its row."""
        if row.comparison is not None:
            return None
        found = ((apart, apart.find(row.technique.id, row.technique.name)) for apart in self.apart)
        return next(((apart, entry) for apart, entry in found if entry is not None), None)

    @property
    def best(self) -> Measured:
        """The stack that was built, or the single reader."""
        return self.built.whole.after if self.built else self.single
