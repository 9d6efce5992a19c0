"""Empty strips between columns, and the sheet that they are looked for on."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from odia_ocr.pages.placed_row import AnyRow, Row, about_level

if TYPE_CHECKING:
    from odia_ocr.pages.rules import Rule
    from odia_ocr.types import Point

NARROWEST = 0.6  # letter heights
HEADING = 1.25  # times the usual letter height
_TEXT = 3.0  # letter heights of a row that lie in its own column, at least
_SECTION = 12.0  # letter heights of a rule between columns of a section, at least
_SEAM = (0.8, 6.0)  # letter heights between rules of two sections, at least and at most


class Centred(Protocol):
    """What has a horizontal middle at every height."""

    def centre(self, level: float) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Strip:
    """An empty strip between two columns.

    Attributes:
        left, right: Its sides at the height `level`.
        top, bottom: Where it begins and ends.
        lean: How far it shifts to the right per pixel down.
        level: See `left`.
    """

    left: float
    top: float
    right: float
    bottom: float
    lean: float = 0.0
    level: float = 0.0

    def centre(self, level: float) -> float:
        """Its horizontal middle at a height."""
        return (self.left + self.right) / 2 + self.lean * (level - self.level)

    @property
    def width(self) -> float:
        """From side to side."""
        return self.right - self.left


@dataclass(frozen=True, slots=True)
class Gap:
    """The space between two rows at about one level.

    Attributes:
        left, right: Its sides.
        level: Of the left row.
        start, end: Where the left row begins and the right row ends.
    """

    left: float
    right: float
    level: float
    start: float
    end: float

    def moved(self, shift: float) -> tuple[float, float]:
        """Its sides, shifted."""
        return self.left + shift, self.right + shift


@dataclass(frozen=True, slots=True)
class Sheet:
    """What strips are looked for among.

    Attributes:
        rows: Of two letters and more.
        across: Rules that run across.
        lone: Levels of those that belong to no frame. One in a column takes its room there, around
            a quotation from the text for instance.
        seams: Where a rule that runs down ends and the next one begins, a new section.
        size: Usual height of letters.
    """

    rows: Sequence[Row]
    across: Sequence[Rule]
    lone: Sequence[float]
    seams: Sequence[Point]
    size: float

    def breaks(self, strip: Strip) -> list[float]:
        """Levels at which something crosses a strip."""
        rows = [row.middle for row in self.rows if self._crosses(row, strip)]
        rules = [
            (rule.start[1] + rule.end[1]) / 2
            for rule in self.across
            if rule.start[0] < strip.centre(rule.start[1])
            and rule.end[0] > strip.centre(rule.end[1])
        ]
        seams = [y for x, y in self.seams if abs(x - strip.centre(y)) < self.size]
        return sorted([*rows, *rules, *seams])

    def _crosses(self, row: Row, strip: Strip) -> bool:
        """Does a row cross a strip? A row of text that only ends too far out does not."""
        centre = strip.centre(row.middle)
        if not row.left < centre < row.right:
            return False
        half = strip.width / 2
        short, far = sorted((centre - half - row.left, row.right - centre - half))
        text = row.height < HEADING * self.size and far > _TEXT * self.size
        return not text or short > NARROWEST * self.size


def lay_sheet(rows: Sequence[Row], rules: Sequence[Rule]) -> Sheet:
    """The sheet of a page.

    Args:
        rows: Of two letters and more, at least one.
        rules: Of the page, in the same coordinates.
    """
    size = statistics.median(row.height for row in rows)
    across = [rule for rule in rules if rule.across]
    down = [rule for rule in rules if not rule.across]
    lone = [rule.start[1] for rule in across if not _is_framed(rule, down, size)]
    return Sheet(rows, across, lone, _find_seams(down, size), size)


def find_gaps(rows: Sequence[Row], size: float) -> list[Gap]:
    """The space to the right of each row up to the next one at about its level.

    Args:
        rows: Of a page.
        size: Usual height of their letters.
    """
    gaps = []
    for row in rows:
        beside = [other for other in rows if other.left >= row.right and about_level(row, other)]
        after = min(beside, key=lambda other: other.left, default=None)
        if after is not None and after.left - row.right > NARROWEST * size:
            gaps.append(Gap(row.right, after.left, row.middle, row.left, after.right))
    return gaps


def split_at(line: Centred, rows: Iterable[AnyRow]) -> tuple[list[AnyRow], list[AnyRow]]:
    """Rows to the left and to the right of a line, each by its own middle."""
    sides: tuple[list[AnyRow], list[AnyRow]] = ([], [])
    for row in rows:
        sides[(row.left + row.right) / 2 >= line.centre(row.middle)].append(row)
    return sides


def _is_framed(rule: Rule, down: Sequence[Rule], size: float) -> bool:
    """Does a rule that runs across meet the end of one that runs down?"""
    return any(
        math.dist(end, other) < size
        for end in (rule.start, rule.end)
        for side in down
        for other in (side.start, side.end)
    )


def _find_seams(down: Sequence[Rule], size: float) -> list[Point]:
    """Middles between long rules that follow one another."""
    long = [rule for rule in down if rule.end[1] - rule.start[1] > _SECTION * size]
    return [
        ((upper.end[0] + lower.start[0]) / 2, (upper.end[1] + lower.start[1]) / 2)
        for upper, lower in itertools.permutations(long, 2)
        if abs(upper.end[0] - lower.start[0]) < size
        and _SEAM[0] * size < lower.start[1] - upper.end[1] < _SEAM[1] * size
    ]
