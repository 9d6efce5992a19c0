"""Settings are chosen on the fitting lines, and there alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from odia_ocr.campaign.config import Grid
from odia_ocr.campaign.measure import Scorer
from odia_ocr.campaign.stack import Stack
from odia_ocr.campaign.techniques import Means, Settings, Technique


@dataclass(frozen=True, slots=True)
class Fitted:
    """A technique with the settings that left the fewest errors on the fitting lines.

    Attributes:
        technique: The technique.
        settings: Chosen ones.
        before: What it is compared with.
        after: The stack with it.
        tried: Number of settings tried.
        edits: Wrong code points on the fitting lines that are left with it.
    """

    technique: Technique
    settings: Settings
    before: Stack
    after: Stack
    tried: int
    edits: int

    def add(self, stack: Stack, means: Means) -> Stack:
        """Another stack with this technique, at the same settings."""
        assert self.technique.change is not None
        return self.technique.change(stack, self.settings, means)


def fit_technique(
    technique: Technique, scorer: Scorer, means: Means, grid: Grid | None = None
) -> Fitted:
    """Choose a technique's settings by the errors on a fitting set.

    Args:
        technique: One that has a change.
        scorer: Of the fitting set.
        means: What stacks are built of.
        grid: Instead of the technique's own.

    Raises:
        ValueError: If the technique is not measured here.
        OdiaOcrError: What the technique's steps raise.
    """
    change = technique.change
    if change is None:
        raise ValueError(f"{technique.key} is not measured here")
    start = technique.start(means)
    if technique.fit is not None and not grid:
        choices = [technique.fit(scorer.reader, scorer.bench, start)]
    else:
        choices = list(_spread({**technique.grid, **(grid or {})}))
    best = min(choices, key=lambda settings: scorer.measure(change(start, settings, means)).edits)
    before = _find_best_engine(start, scorer) if technique.beside == "best engine" else start
    after = change(start, best, means)
    return Fitted(technique, best, before, after, len(choices), scorer.measure(after).edits)


def _find_best_engine(stack: Stack, scorer: Scorer) -> Stack:
    """The engine that makes the fewest errors alone, read as the stack is before it is changed."""
    alone = [replace(stack, engines=(engine,)) for engine in stack.engines]
    return min(alone, key=lambda single: scorer.measure(single).edits)


def _spread(grid: Grid) -> Iterator[Settings]:
    """All combinations of a grid's settings; one without settings where it is empty."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))
