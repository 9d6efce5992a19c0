"""Write the tables of docs/reliability.md from the reports of soak, kill loop and load test.

    python scripts/reliability.py

A report that is missing leaves a line that says with which command it is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / "docs" / "reports"
PAGE = ROOT / "docs" / "reliability.md"


def main() -> None:
    text = PAGE.read_text("utf-8")
    for name, (command, table) in TABLES.items():
        path = REPORTS / f"{name}.json"
        made = table(json.loads(path.read_text("utf-8"))) if path.exists() else ""
        text = put_between(text, name, made or f"Not measured yet: `{command}`.")
    PAGE.write_text(text, encoding="utf-8")


def put_between(text: str, name: str, made: str) -> str:
    """The text with what stands between the markers of a name replaced.

    Raises:
        ValueError: If the markers are missing.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{begin} ... {end} is missing")
    return f"{head}{begin}\n{made}\n{end}{tail}"


def write_rows(*rows: tuple[str, str, str]) -> str:
    """A table of what was measured, the figure, and what it should reach."""
    head = "| What | Measured | Wanted |\n| --- | --- | --- |"
    return "\n".join([head, *(f"| {what} | {is_} | {wanted} |" for what, is_, wanted in rows)])


def show_soak(record: dict[str, Any]) -> str:
    after = f"growth after the first {record['warm_pages']} pages"
    rows = [
        (f"pages read, preset `{record['preset']}`", f"{record['pages']}", ""),
        ("pages that failed, files left", f"{record['failed']}, {record['files_left']}", "0, 0"),
        (after, f"{record['growth']:+.1%}", f"< {record['most_growth']:.0%}"),
        ("growth over the second half", f"{record['growth_second_half']:+.1%}", ""),
        ("peak resident memory", f"{record['peak_bytes'] / 1e6:.0f} MB", ""),
        (
            "seconds; load average at the end",
            f"{record['seconds']:.0f}; {record['load_average']}",
            "",
        ),
    ]
    return write_rows(*rows)


def show_kills(record: dict[str, Any]) -> str:
    kills = f"{record['kills']}, {record['killed_in_work']}"
    return write_rows(
        ("kills (SIGKILL), with pages still to be read", kills, ""),
        ("jobs, pages", f"{record['jobs']}, {record['pages']}", ""),
        ("lost", str(record["lost"]), "0"),
        ("doubled", str(record["doubled"]), "0"),
        ("texts that differ from an undisturbed server's", str(record["differing"]), "0"),
    )


def show_load(record: dict[str, Any]) -> str:
    rows = []
    for run in record["runs"]:
        latency = ", ".join(f"{name} {value:.2f}" for name, value in run["latency"].items())
        rows.append((f"seconds, {run['at_once']} at once", latency, ""))
        speed = f"{run['pages_per_second']:.2f} pages/s, {run['failed']} failed"
        rows.append((f"throughput, {run['at_once']} at once", speed, ""))
    ratios = record["over_idle_same_page"]
    same = ", ".join(f"{name} {value:.2f}" for name, value in ratios.items())
    load = f"{record['load_average_before']}, {record['load_average_after']}"
    rows += [
        ("throughput as a share of `read`", f"{record['share_of_command']:.0%}", ">= 90%"),
        ("p95 under load over idle median", f"{record['p95_over_idle_median']:.2f}", "<= 3"),
        ("the same page, under load over alone", same, ""),
        (f"load average before, after ({record['cores']} cores)", load, ""),
    ]
    return write_rows(*rows)


TABLES: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "serve-load": ("make serve-load", show_load),
    "serve-kills": ("make serve-kills", show_kills),
    "soak": ("make soak PAGES=2000", show_soak),
}


if __name__ == "__main__":
    main()
