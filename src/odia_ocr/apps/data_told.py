"""What `odia-ocr data` tells: problems, figures and findings, for people and as records."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from odia_ocr.apps.messages import report, say

if TYPE_CHECKING:
    from odia_ocr.data.sets.check import Check
    from odia_ocr.data.sets.stats import SetStats
    from odia_ocr.types import Problem

_TOLD = 20  # problems that are told one by one


class TellFew:
    """Tells the first problems on standard error, and at the end how many more there were."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, name: str, problem: Problem) -> None:
        """Tell a problem of the set `name`."""
        self.count += 1
        if self.count <= _TOLD:
            report(name, problem)

    def end(self) -> None:
        """Say what was not told."""
        if self.count > _TOLD:
            say(f"... and {self.count - _TOLD} more; {self.count} lines in all were left out.")
        elif self.count:
            say(f"{self.count} left out.")


def to_json(record: Mapping[str, Any]) -> str:
    """A record as the text of a JSON file."""
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def print_stats(stats: SetStats) -> None:
    """The most telling figures on standard output."""
    from odia_ocr.data.sets.stats import describe

    typer.echo(
        f"{stats.lines} lines, {stats.texts} different texts, {stats.words} words, "
        f"{len(stats.clusters)} different clusters, {len(stats.sources)} sources"
    )
    for name, count in stats.splits.items():
        if name:
            typer.echo(f"  {name}: {count} lines")
    for title, values in (
        ("clusters of a line", stats.lengths),
        ("width, pixels", stats.widths),
        ("height, pixels", stats.heights),
    ):
        told = describe(values)
        typer.echo(f"{title}: {told['p0']:g} to {told['p100']:g}, middle {told['p50']:g}")
    outside = " ".join(f"{char} ({count})" for char, count in stats.outside.most_common(20))
    typer.echo(f"outside the alphabet: {outside or 'none'}")
    typer.echo(f"Odia letters that no line has: {' '.join(stats.unused) or 'none'}")


def describe_check(found: Check) -> dict[str, Any]:
    """The record of a check."""
    from odia_ocr.data.sets.findings import count_codes

    return {
        "schema": 1,
        "sets": list(found.sets),
        "engines": list(found.engines),
        "lines": dict(found.lines),
        "faults": len(found.faults),
        "counts": dict(count_codes(found.findings)),
        "findings": [asdict(finding) for finding in found.findings],
    }


def print_check(found: Check) -> None:
    """A line for each fault on standard output, the sums on standard error."""
    from odia_ocr.data.sets.findings import count_codes

    for finding in found.faults:
        where = f"{finding.set}: {finding.id}" if finding.id else finding.set
        typer.echo(f"{where}: {finding.code}: {finding.reason} {finding.next_step}")
    total = sum(found.lines.values())
    counts = ", ".join(f"{n} {code}" for code, n in count_codes(found.faults).items())
    say(f"{total} lines, {len(found.faults)} findings{f': {counts}' if counts else ''}")
    remarks = count_codes(f for f in found.findings if not f.is_fault)
    if remarks:
        told = ", ".join(f"{count} {code}" for code, count in remarks.items())
        say(f"no faults, yet good to know: {told} (see --json)")
