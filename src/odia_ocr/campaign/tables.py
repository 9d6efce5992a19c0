"""The tables of a campaign's report, as rows of text; how they are marked up is the writers'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odia_ocr.campaign.ladders import Rung
from odia_ocr.campaign.measure import Comparison, Measured
from odia_ocr.campaign.outcome import Outcome, Row
from odia_ocr.campaign.stack import name_engine
from odia_ocr.campaign.techniques import Claim
from odia_ocr.campaign.verdicts import judge
from odia_ocr.evaluate.report import format_difference, format_score


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        title: Over it.
        note: Under the title.
        headings: Of the columns.
        rows: Cells as text.
        texts: So many columns from the left are text, the others figures.
    """

    title: str
    note: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


def make_tables(outcome: Outcome) -> list[Table]:
    """All tables of a report, in order."""
    tables = [tabulate_summary(outcome), tabulate_techniques(outcome), tabulate_stack(outcome)]
    tables += [_tabulate_apart(outcome), _tabulate_others(outcome)]
    tables += [_tabulate_ladder(level, rungs) for level, rungs in outcome.ladders.items()]
    tables.append(_tabulate_checkpoints(outcome))
    return [table for table in tables if table.rows]


def tabulate_summary(outcome: Outcome) -> Table:
    """Single reader and stack on every set."""
    rows = []
    if outcome.built is not None:
        rows.append(_compare_row(outcome.built.whole))
    for found in outcome.elsewhere:
        rows.append(_compare_row(found.stack))
    return Table(
        "From the single reader to the stack",
        "Character error rates with 95 % bootstrap intervals; differences in points, paired by "
        "line.",
        ("Set", "Single reader", "Stack", "Difference", "Errors", "Lines better / worse"),
        tuple(rows),
    )


def _compare_row(pair: Comparison) -> tuple[str, ...]:
    return (
        pair.after.set_name,
        format_score(pair.before.scores.cer),
        format_score(pair.after.scores.cer),
        format_difference(pair.differences.cer),
        _change(pair),
        f"{pair.wins} / {pair.losses}",
    )


def _change(pair: Comparison) -> str:
    before = pair.before.edits
    return f"{100 * (pair.after.edits - before) / before:+.1f} %" if before else "–"


def tabulate_techniques(outcome: Outcome) -> Table:
    """Every technique alone that was measured, the most helpful first."""
    measured = [row for row in outcome.rows if row.comparison is not None]
    measured.sort(key=_effect)
    return Table(
        "Every technique alone",
        "Settings were chosen on the fitting lines, figures are of the reporting lines. The plan's "
        "claims start at 42 % CER and were never measured.",
        (
            "Technique",
            "Id",
            "Verdict",
            "Settings",
            "CER before",
            "CER after",
            "Difference",
            "Errors",
            "WER",
            "Cluster errors",
            "Better / worse",
            "ms a line",
            "MB",
            "Claimed",
        ),
        tuple(_technique_row(row, outcome) for row in measured),
        texts=4,
    )


def _effect(row: Row) -> float:
    assert row.comparison is not None
    before = row.comparison.before.scores.cer.value
    return row.comparison.differences.cer.value / max(1e-9, before)


def _technique_row(row: Row, outcome: Outcome) -> tuple[str, ...]:
    technique, pair = row.technique, row.comparison
    claim = show_claim(technique.claim)
    assert pair is not None
    assert row.fitted is not None
    before, after = pair.before, pair.after
    memory = after.readings.cost.memory_mb
    return (
        technique.name,
        technique.id,
        judge(row, outcome.built) or "–",
        show_settings(row.fitted.settings),
        _percent(before.scores.cer.value),
        _percent(after.scores.cer.value),
        format_difference(pair.differences.cer),
        _change(pair),
        f"{_percent(before.scores.wer.value)} → {_percent(after.scores.wer.value)}",
        f"{_percent(before.scores.cluster_error.value)} → "
        f"{_percent(after.scores.cluster_error.value)}",
        f"{pair.wins} / {pair.losses}",
        _milliseconds(after),
        f"{memory:.0f}" if memory is not None else "–",
        claim,
    )


def tabulate_effects(outcome: Outcome) -> Table:
    """The columns of `tabulate_techniques` that a terminal has room for."""
    table = tabulate_techniques(outcome)
    shown = ("Technique", "Verdict", "CER before", "CER after", "Difference", "Errors", "ms a line")
    places = [table.headings.index(heading) for heading in shown]
    rows = tuple(tuple(row[i] for i in places) for row in table.rows)
    return Table(table.title, table.note, shown, rows, texts=2)


def _tabulate_apart(outcome: Outcome) -> Table:
    found = [entry for row in outcome.rows if (entry := outcome.find_apart(row)) is not None]
    return Table(
        "Measured apart",
        "Taken over from further campaigns, on their own lines: what is learned from one kind of "
        "print is measured on that kind.",
        ("Technique", "Id", "Verdict", "Set", "CER before", "CER after", "Difference", "Campaign"),
        tuple(
            (
                entry["name"],
                entry["id"],
                entry["verdict"],
                (measured := entry["measured"])["set"],
                _percent(measured["before"]),
                _percent(measured["after"]),
                f"{100 * measured['delta']:+.2f} "
                f"({100 * measured['low']:+.2f} to {100 * measured['high']:+.2f})",
                apart.name,
            )
            for apart, entry in found
        ),
        texts=4,
    )


def _tabulate_others(outcome: Outcome) -> Table:
    return Table(
        "Not measured here",
        "",
        ("Technique", "Id", "Why", "Claimed"),
        tuple(
            (row.technique.name, row.technique.id, row.why, show_claim(row.technique.claim))
            for row in outcome.rows
            if row.comparison is None and outcome.find_apart(row) is None
        ),
        texts=3,
    )


def tabulate_stack(outcome: Outcome) -> Table:
    """The steps of the stack: alone and inside, and what the others do of their work."""
    steps = outcome.built.steps if outcome.built is not None else ()
    return Table(
        "The stack, step by step",
        "The fitting lines decide who joins; figures are of the reporting lines. 'Inside' compares "
        "the whole stack with the stack without the technique; an interaction above zero is work "
        "that the others do as well.",
        ("Technique", "Settings", "CER with it", "Alone", "Inside the stack", "Interaction"),
        tuple(
            (
                step.fitted.technique.name,
                show_settings(step.fitted.settings),
                _percent(step.measured.after.scores.cer.value),
                format_difference(step.alone.differences.cer),
                format_difference(step.inside.differences.cer),
                f"{100 * step.interaction:+.2f}",
            )
            for step in steps
        ),
        texts=2,
    )


def _tabulate_ladder(level: str, rungs: Sequence[Rung]) -> Table:
    start = next((rung.measured for rung in rungs if rung.measured), None)
    return Table(
        f"The plan's {level} path, in its order",
        "Each rung stands on those before it. Claimed: the plan, from 42 %; both also as shares of "
        "their start.",
        ("Rung", "Technique", "Claimed", "Claimed, of start", "Measured CER", "Measured, of start"),
        tuple(_rung_row(rung, start) for rung in rungs),
        texts=2,
    )


def _rung_row(rung: Rung, start: Measured | None) -> tuple[str, ...]:
    claim = rung.claim
    share = f"{50 * (claim.low + claim.high) / claim.start:.0f} %" if claim else "–"
    if rung.measured is None or start is None:
        return (rung.name, rung.why, show_claim(claim), share, "–", "–")
    of_start = rung.measured.scores.cer.value / max(1e-9, start.scores.cer.value)
    return (
        rung.name,
        rung.key or "–",
        show_claim(claim),
        share,
        format_score(rung.measured.scores.cer),
        f"{100 * of_start:.0f} %",
    )


def _tabulate_checkpoints(outcome: Outcome) -> Table:
    return Table(
        "Along the checkpoints",
        "Each checkpoint alone, by its best path.",
        ("Checkpoint", "Claimed", "Measured CER"),
        tuple(
            (
                name_engine(found.engine),
                f"{found.claim:g} %" if found.claim is not None else "–",
                format_score(found.measured.scores.cer),
            )
            for found in outcome.checkpoints
        ),
    )


def show_claim(claim: Claim | None) -> str:
    """E.g. "35-38 %", or a dash."""
    if claim is None:
        return "–"
    return f"{claim.low:g} %" if claim.low == claim.high else f"{claim.low:g}–{claim.high:g} %"


def show_settings(settings: object) -> str:
    """E.g. "alpha 0.75, beta 1.2", or a dash."""
    pairs = dict(settings) if settings else {}  # type: ignore[call-overload]
    return ", ".join(f"{key} {value}" for key, value in pairs.items()) or "–"


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"


def _milliseconds(measured: Measured) -> str:
    return f"{1000 * measured.readings.seconds_per_line:.1f}"
