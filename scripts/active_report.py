"""What the experiment on active learning found: figures with intervals, a plot and a table."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from learning_report import put_table

from odia_ocr.evaluate.scores import (
    Difference,
    LineCounts,
    Score,
    compare_lines,
    score_lines,
)

BASE, BEST = "random", "combined"
_COLOURS = {
    "random": "#6b7280",
    "combined": "#a8481f",
    "uncertainty": "#2563a8",
    "disagreement": "#3f7d4e",
    "diverse": "#7a4fa3",
}


@dataclass(frozen=True)
class Point:
    """A model after a round.

    Attributes:
        labels: Lines it learned from.
        letters: Code points of their texts.
        corrected: How many of them differ from their drafts.
        seconds: Its fine-tuning took.
        cer: On the held-out lines.
        counts: Of each of them.
    """

    labels: int
    letters: int
    corrected: int
    seconds: float
    cer: Score
    counts: tuple[LineCounts, ...]

    @classmethod
    def of(
        cls, labels: int, letters: int, corrected: int, seconds: float, counts: Sequence[LineCounts]
    ) -> Point:
        """A point with its score."""
        cer = score_lines(counts).cer
        return cls(labels, letters, corrected, seconds, cer, tuple(counts))


@dataclass(frozen=True)
class Curve:
    """One run: its strategy and seed, and a point for each round."""

    strategy: str
    seed: int
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Level:
    """A strategy at one number of labels, over its seeds.

    Attributes:
        labels: Lines learned from.
        letters: Code points labelled, on average.
        corrected: Share of the drafts that had to be corrected.
        cer: Of all seeds together, the interval over held-out lines.
        low: The best seed's CER.
        high: The worst seed's.
        seeds: How many.
        against: Paired difference to random at as many labels, the same seeds; None for random.
    """

    labels: int
    letters: float
    corrected: float
    cer: Score
    low: float
    high: float
    seeds: int
    against: Difference | None = None


@dataclass(frozen=True)
class Reach:
    """Where one strategy reads as well as random with all its labels.

    Attributes:
        target: Random's CER at the end, mean of its seeds.
        labels: Labels that the other one needs for it, interpolated; None where it never does.
        letters: The same in code points labelled.
        share: Its labels against random's.
        letter_share: Its code points against random's.
    """

    target: float
    labels: float | None
    letters: float | None
    share: float | None
    letter_share: float | None


def pool_counts(points: Sequence[Point]) -> list[LineCounts]:
    """Each line's counts, summed over points: lines are resampled once for all seeds."""
    return [
        LineCounts(
            chars=sum((one.chars for one in same[1:]), same[0].chars),
            words=sum((one.words for one in same[1:]), same[0].words),
            clusters=sum((one.clusters for one in same[1:]), same[0].clusters),
            exact=all(one.exact for one in same),
        )
        for same in zip(*(point.counts for point in points), strict=True)
    ]


def level_curves(curves: Sequence[Curve]) -> dict[str, list[Level]]:
    """The levels of each strategy."""
    by: dict[str, dict[int, dict[int, Point]]] = defaultdict(lambda: defaultdict(dict))
    for curve in curves:
        for number, point in enumerate(curve.points, 1):
            by[curve.strategy][number][curve.seed] = point
    levels = {}
    for strategy, rounds in by.items():
        base = by.get(BASE, {}) if strategy != BASE else {}
        levels[strategy] = [
            _level(points, base.get(number, {})) for number, points in rounds.items()
        ]
    return levels


def _level(points: Mapping[int, Point], base: Mapping[int, Point]) -> Level:
    own = list(points.values())
    shared = [seed for seed in points if seed in base]
    against = None
    if shared:
        pair = [pool_counts([side[seed] for seed in shared]) for side in (points, base)]
        against = compare_lines(*pair).cer
    rates = [point.cer.value for point in own]
    return Level(
        labels=round(sum(point.labels for point in own) / len(own)),
        letters=sum(point.letters for point in own) / len(own),
        corrected=sum(point.corrected for point in own) / max(1, sum(p.labels for p in own)),
        cer=score_lines(pool_counts(own)).cer,
        low=min(rates),
        high=max(rates),
        seeds=len(own),
        against=against,
    )


def find_reach(start: float, own: Sequence[Level], base: Sequence[Level]) -> Reach:
    """Where a strategy reaches random's last CER, in a straight line between what was measured.

    Args:
        start: CER without labels.
        own: Of the strategy.
        base: Of random.
    """
    target = base[-1].cer.value
    points = [(0.0, 0.0, start), *((float(x.labels), x.letters, x.cer.value) for x in own)]
    for (labels, letters, cer), (next_labels, next_letters, next_cer) in pairwise(points):
        if next_cer <= target:
            way = (cer - target) / (cer - next_cer) if cer > next_cer else 1.0
            found = labels + way * (next_labels - labels)
            written = letters + way * (next_letters - letters)
            share = found / base[-1].labels
            return Reach(target, found, written, share, written / base[-1].letters)
    return Reach(target, None, None, None, None)


def write_report(
    curves: Sequence[Curve], facts: Mapping[str, Any], out: Path, docs: Path | None
) -> str:
    """Write active.json and active.svg into `out` and the table into `docs`; returns the table."""
    shipped = next(curve for curve in curves if curve.strategy == "shipped").points[0]
    levels = level_curves([curve for curve in curves if curve.strategy != "shipped"])
    reaches = {
        strategy: find_reach(shipped.cer.value, own, levels[BASE])
        for strategy, own in levels.items()
        if strategy != BASE
    }
    record = {
        "schema": 1,
        **facts,
        "shipped": asdict(shipped.cer),
        "levels": {name: [asdict(level) for level in own] for name, own in levels.items()},
        "reach": {name: asdict(reach) for name, reach in reaches.items()},
        "runs": [
            {
                "strategy": curve.strategy,
                "seed": curve.seed,
                "points": [_describe(point) for point in curve.points],
            }
            for curve in curves
        ],
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "active.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    draw(shipped, levels, out / "active.svg")
    table = make_table(shipped, levels, reaches)
    if docs is not None:
        put_table(docs, "active", table)
    return table


def _describe(point: Point) -> dict[str, Any]:
    return {key: value for key, value in asdict(point).items() if key != "counts"}


def make_table(
    shipped: Point, levels: Mapping[str, Sequence[Level]], reaches: Mapping[str, Reach]
) -> str:
    """The figures as Markdown."""
    steps = [level.labels for level in levels[BASE]]
    rows = [
        ["Strategy", "Seeds", *(f"{step} labels" for step in steps), "Drafts wrong", "Letters"],
        ["---", "---:", *("---:" for _ in steps), "---:", "---:"],
    ]
    for strategy, own in levels.items():
        cells = [_show(level) for level in own]
        last = own[-1]
        rows.append(
            [strategy, str(last.seeds), *cells, f"{last.corrected:.0%}", f"{last.letters:,.0f}"]
        )
    told = [f"| {' | '.join(row)} |" for row in rows]
    cer = shipped.cer
    span = f"{_percent(cer, 'low')} to {_percent(cer, 'high')}"
    told += ["", f"Shipped model: {_percent(cer)} ({span})."]
    for strategy, own in levels.items():
        if strategy != BASE:
            gaps = ", ".join(_show_gap(level) for level in own if level.against is not None)
            told += ["", f"`{strategy}` against `{BASE}`, points of CER: {gaps}."]
            told.append(_tell(reaches[strategy]))
    return "\n".join(told)


def _show_gap(level: Level) -> str:
    gap = level.against
    assert gap is not None
    return (
        f"{100 * gap.value:+.2f} ({100 * gap.low:+.2f} to {100 * gap.high:+.2f}) at {level.labels}"
    )


def _tell(reach: Reach) -> str:
    if reach.labels is None or reach.share is None or reach.letter_share is None:
        return f"It does not reach `{BASE}`'s last CER of {reach.target:.2%}."
    return (
        f"It reaches `{BASE}`'s last CER of {reach.target:.2%} with {reach.labels:.0f} labels "
        f"({reach.share:.0%} of them; {reach.letter_share:.0%} of the letters)."
    )


def _show(level: Level) -> str:
    spread = f" ({100 * level.low:.2f}–{100 * level.high:.2f})" if level.seeds > 1 else ""
    return f"{_percent(level.cer)}{spread}"


def _percent(score: Score, part: str = "value") -> str:
    return f"{100 * getattr(score, part):.2f} %"


def draw(shipped: Point, levels: Mapping[str, Sequence[Level]], path: Path) -> None:
    """CER against labels: a line for each strategy, the spread of its seeds as an area."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "odia-ocr"})

    figure, axes = plt.subplots(figsize=(6.4, 4.0))
    start = 100 * shipped.cer.value
    for strategy, own in levels.items():
        colour = _COLOURS.get(strategy)
        labels = [0, *(level.labels for level in own)]
        line = axes.plot(
            labels,
            [start, *(100 * level.cer.value for level in own)],
            color=colour,
            marker="o",
            markersize=4,
            linewidth=2 if strategy in (BASE, BEST) else 1.2,
            label=f"{strategy} ({own[-1].seeds})",
        )
        axes.fill_between(
            labels,
            [start, *(100 * level.low for level in own)],
            [start, *(100 * level.high for level in own)],
            color=line[0].get_color(),
            alpha=0.15,
            linewidth=0,
        )
    axes.set(xlabel="labelled lines", ylabel="CER on held-out lines, %")
    axes.set_xticks([0, *(level.labels for level in levels[BASE])])
    axes.grid(alpha=0.25)
    axes.legend(title="strategy (seeds)", frameon=False)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
