"""Gutters: empty strips with columns of text beside them.

A strip shows in the gaps between rows that stand beside one another, or has a rule in it. A row or
a rule that crosses it, such as a headline, ends it, and so does a pause in all columns. On curved
pages a gutter has several strips.

Source: the strips are the white rectangles of Breuel, "Two geometric algorithms for layout
analysis" (2002), found here from the gaps between rows.
"""

from __future__ import annotations

import bisect
import itertools
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from odia_ocr.pages.placed_row import Row
from odia_ocr.pages.rules import Rule
from odia_ocr.pages.strip_ends import fit_length
from odia_ocr.pages.strips import (
    HEADING,
    NARROWEST,
    Gap,
    Sheet,
    Strip,
    find_gaps,
    lay_sheet,
    split_at,
)

_ROWS = 3  # so many gaps make a gutter ...
_WIDE_ROWS = 2  # ... or so many wide ones, or even ones
_LEANING_ROWS = 5  # gaps of a leaning one
_WIDE = 2.0  # letter heights
_EVEN = 0.3  # letter heights by which sides of even gaps differ
_LEANS = tuple(step / 100 for step in range(-6, 7))  # pixels to the right per pixel down
_LEAN_COST = 0.75  # a leaning strip must be shared by so many more gaps than an upright one
_RIVER_ROWS = 8  # gaps that word spaces, one below another, leave empty, at most
_PITCH = 1.3  # times the distance of rows beside a river to the row that crosses it
_PAUSE = 2.6  # letter heights without rows on both sides of a strip end it: a new section
_PAUSE_SHARE = 1.7  # times the usual space between rows, too
_BRIDGE = 8.0  # letter heights from a strip to the next one of a gutter
_OVERLAP = 4.0  # letter heights that they may have in common
_SHIFT = 0.5  # letter heights by which it may stand aside ...
_SHIFT_DOWN = 0.12  # ... and for each pixel down


@dataclass(frozen=True, slots=True)
class Gutter:
    """Strips that follow one another, from the top; never empty."""

    strips: tuple[Strip, ...]

    @property
    def top(self) -> float:
        """Where the first strip begins."""
        return self.strips[0].top

    @property
    def bottom(self) -> float:
        """Where the last strip ends."""
        return self.strips[-1].bottom

    def centre(self, level: float) -> float:
        """Its horizontal middle at a height."""
        at = bisect.bisect([strip.bottom for strip in self.strips[:-1]], level)
        return self.strips[at].centre(level)


@dataclass(frozen=True, slots=True)
class Gutters:
    """All gutters of a page."""

    gutters: tuple[Gutter, ...] = ()

    def part(self, one: Row, other: Row) -> bool:
        """True when a gutter lies between two rows at their level."""
        level = (one.middle + other.middle) / 2
        left, right = min(one.right, other.right), max(one.left, other.left)
        return any(
            gutter.top <= level <= gutter.bottom and left <= gutter.centre(level) <= right
            for gutter in self.gutters
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """Gaps of one strip from the top, and the levels between which nothing ends it."""

    gaps: tuple[Gap, ...]
    lean: float
    top: float
    bottom: float

    def strip(self, size: float) -> Strip:
        """The strip that all its gaps leave empty, from its first gap to its last."""
        level = self.gaps[0].level
        sides = [gap.moved(-self.lean * (gap.level - level)) for gap in self.gaps]
        left, right = max(side[0] for side in sides), min(side[1] for side in sides)
        return Strip(left, level - size, right, self.gaps[-1].level + size, self.lean, level)

    def is_even(self, most: float) -> bool:
        """Do all rows end and begin at its sides, as in columns set to a width?"""
        sides = [(gap.left, gap.right) for gap in self.gaps]
        return all(max(side) - min(side) < most for side in zip(*sides, strict=True))


def find_gutters(rows: Sequence[Row], rules: Sequence[Rule] = ()) -> Gutters:
    """Strips that part columns of text.

    Args:
        rows: Of a page or a part of it.
        rules: Of the page, in the same coordinates.
    """
    solid = [row for row in rows if row.letters >= 2]
    if len(solid) < 2 * _WIDE_ROWS:
        return Gutters()
    sheet = lay_sheet(solid, rules)
    down = [rule for rule in rules if not rule.across]
    found = [*_find_empty_strips(sheet), *_find_ruled_strips(sheet, down)]
    return Gutters(tuple(_join_strips(list(dict.fromkeys(found)), sheet)))


def _find_empty_strips(sheet: Sheet) -> list[Strip]:
    size = sheet.size
    gaps = find_gaps(sheet.rows, size)
    done: set[Gap] = set()
    found: list[Strip] = []
    for gap in sorted(gaps, key=lambda gap: gap.right - gap.left):
        if gap in done:  # it has a strip already, which its neighbours made
            continue
        runs = _shared_gaps(gap, gaps, sheet)
        few = sum(len(run.gaps) for run in runs) <= _RIVER_ROWS
        for run in runs:
            done.update(run.gaps)
            strip = run.strip(size)
            clear = strip.width > _WIDE * size or run.is_even(_EVEN * size)
            least = _WIDE_ROWS if clear else _ROWS
            least = max(least, _LEANING_ROWS) if strip.lean else least
            if strip.width < NARROWEST * size or len(run.gaps) < least:
                continue
            if few and _is_river(run, strip, sheet):
                continue
            fitted = fit_length(strip, run.top, run.bottom, sheet)
            if fitted is not None and not (fitted.lean and _cuts_across(fitted, found, size)):
                found.append(fitted)
    return found


def _is_river(run: _Run, strip: Strip, sheet: Sheet) -> bool:
    """Are its gaps word spaces of one column, one below another by chance?

    They are where the next row of the same print, at the same distance, runs on across them.
    """
    size = sheet.size
    if strip.width > _WIDE * size:
        return False
    levels = [gap.level for gap in run.gaps]
    steps = [b - a for a, b in itertools.pairwise(levels) if b - a > 0.5 * size]
    if not steps:
        return False
    pitch = _PITCH * statistics.median(steps)
    start, end = min(gap.start for gap in run.gaps), max(gap.end for gap in run.gaps)
    return any(
        row.left < strip.centre(row.middle) - size
        and row.right > strip.centre(row.middle) + size
        and start - size < row.left
        and row.right < end + size
        and row.height < HEADING * size
        and (0 < levels[0] - row.middle < pitch or 0 < row.middle - levels[-1] < pitch)
        for row in sheet.rows
    )


def _cuts_across(strip: Strip, others: Sequence[Strip], size: float) -> bool:
    """Does a leaning strip take the place of an upright one?"""
    return any(
        abs(strip.centre(level) - other.centre(level)) < size
        for other in others
        if not other.lean
        for level in (max(strip.top, other.top), min(strip.bottom, other.bottom))
        if strip.top <= level <= strip.bottom and other.top <= level <= other.bottom
    )


def _find_ruled_strips(sheet: Sheet, down: Sequence[Rule]) -> Iterable[Strip]:
    """Strips around rules that run down between rows."""
    for rule in down:
        (x0, y0), (x1, y1) = rule.start, rule.end
        lean = (x1 - x0) / max(1.0, y1 - y0)
        line = Strip(x0, y0, x0, y1, lean, y0)
        ends = [y0, *(level for level in sheet.breaks(line) if y0 < level < y1), y1]
        for top, bottom in itertools.pairwise(ends):
            left, right = split_at(line, (r for r in sheet.rows if top < r.middle < bottom))
            if not left or not right or len(left) + len(right) < _ROWS:
                continue
            strip = Strip(
                max(row.right - lean * (row.middle - y0) for row in left),
                max(top, min(row.top for row in (*left, *right))),
                min(row.left - lean * (row.middle - y0) for row in right),
                min(bottom, max(row.bottom for row in (*left, *right))),
                lean,
                y0,
            )
            if strip.left > x0 or strip.right < x0:  # a row ends on the rule
                strip = replace(strip, left=min(strip.left, x0), right=max(strip.right, x0))
            breaks = [-math.inf, *sheet.breaks(strip), math.inf]
            at = bisect.bisect(breaks, (strip.top + strip.bottom) / 2)
            fitted = fit_length(strip, breaks[at - 1], breaks[at], sheet)
            if fitted is not None:
                yield fitted


def _shared_gaps(seed: Gap, gaps: Sequence[Gap], sheet: Sheet) -> list[_Run]:
    """Gaps that share a strip with the seed, in runs that nothing ends, from the top."""
    # What is left of a page's curl and perspective lets gutters lean: the lean that most share.
    shared, lean = max(
        ((_share(seed, gaps, sheet.size, lean), lean) for lean in _LEANS),
        key=lambda found: (len(found[0]) * (1.0 if found[1] == 0 else _LEAN_COST), -abs(found[1])),
    )
    shared.sort(key=lambda gap: gap.level)
    strip = _Run(tuple(shared), lean, 0.0, 0.0).strip(sheet.size)
    breaks = sorted([*sheet.breaks(strip), *_find_pauses(shared, strip, sheet)])
    runs: dict[int, list[Gap]] = {}
    for gap in shared:
        runs.setdefault(bisect.bisect(breaks, gap.level), []).append(gap)
    ends = [-math.inf, *breaks, math.inf]
    return [_Run(tuple(found), lean, ends[at], ends[at + 1]) for at, found in runs.items()]


def _share(seed: Gap, gaps: Sequence[Gap], size: float, lean: float) -> list[Gap]:
    """Gaps that leave a strip of some lean empty together with the seed."""
    left, right = seed.left, seed.right
    shared = [seed]
    # The nearest first, so that the strip narrows only as far as it must.
    for gap in sorted(gaps, key=lambda gap: abs(gap.level - seed.level)):
        start, end = gap.moved(-lean * (gap.level - seed.level))
        if min(end, right) - max(start, left) > NARROWEST * size and gap is not seed:
            left, right = max(start, left), min(end, right)
            shared.append(gap)
    return shared


def _find_pauses(gaps: Sequence[Gap], strip: Strip, sheet: Sheet) -> list[float]:
    """Levels at which all columns pause; larger print, a section's heading, may stand there."""
    size = sheet.size
    low, high = min(gap.level for gap in gaps), max(gap.level for gap in gaps)
    usual = [r for r in sheet.rows if r.height < HEADING * size and low <= r.middle <= high]
    edges = []
    for side in (
        [row for row in usual if row.right <= strip.centre(row.middle)],
        [row for row in usual if row.left >= strip.centre(row.middle)],
    ):
        ordered = sorted(side, key=lambda row: row.middle)
        edges.append([(a.bottom, b.top) for a, b in itertools.pairwise(ordered)])
    spaces = [b - a for a, b in itertools.chain(*edges) if b > a]
    least = max(_PAUSE * size, _PAUSE_SHARE * statistics.median(spaces)) if spaces else math.inf
    pauses = []
    for a, b in itertools.product(*edges):
        top, bottom = max(a[0], b[0]), min(a[1], b[1])
        levels = itertools.chain((row.middle for row in usual), sheet.lone)
        if bottom - top > least and not any(top < level < bottom for level in levels):
            pauses.append((top + bottom) / 2)
    return pauses


def _join_strips(strips: list[Strip], sheet: Sheet) -> list[Gutter]:
    """Gutters of strips that go on from one another, as they do where a page is curved."""
    rest = sorted(strips, key=lambda strip: strip.top)
    gutters = []
    while rest:
        chain = [rest.pop(0)]
        while True:
            after = next((strip for strip in rest if _goes_on(chain[-1], strip, sheet)), None)
            if after is None:
                break
            rest.remove(after)
            chain.append(after)
        gutters.append(Gutter(tuple(chain)))
    return gutters


def _goes_on(strip: Strip, other: Strip, sheet: Sheet) -> bool:
    size = sheet.size
    if other.bottom <= strip.bottom:
        return False
    top, bottom = sorted((strip.bottom, other.top))
    if bottom - top > (_BRIDGE if top == strip.bottom else _OVERLAP) * size:
        return False
    shift = other.centre(bottom) - strip.centre(top)
    if abs(shift) > _SHIFT * size + _SHIFT_DOWN * (bottom - top):
        return False
    half = min(strip.width, other.width) / 2
    centre, lean = strip.centre(top), shift / max(1.0, bottom - top)
    bridge = Strip(centre - half, top, centre + half, bottom, lean, top)
    if any(top <= level <= bottom for level in sheet.breaks(bridge)):
        return False
    between = [row for row in sheet.rows if top < row.middle < bottom]
    spans = sorted((r.top, r.bottom) for r in between if r.height < HEADING * size)
    edges = [top, *itertools.chain(*spans), bottom]
    return all(b - a < _PAUSE * size for a, b in zip(edges[::2], edges[1::2], strict=True))
