"""The guide to the techniques: for the command line and docs/techniques.md, of the same data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from odia_ocr.campaign.apart import STRATEGIES
from odia_ocr.campaign.catalogue import TECHNIQUES
from odia_ocr.campaign.report import describe_technique
from odia_ocr.campaign.tables import show_claim, show_settings
from odia_ocr.campaign.techniques import Technique

_INTRODUCTION = """# Techniques

What can make the reading of a line better or cheaper, what the improvement plan promised of it, and
what was measured. Claims are percent CER from an assumed 42 % and were never measured by the plan;
effects are of the shipped campaign, on lines that chose no setting. This file is made by
`odia-ocr techniques --markdown`.
"""


def read_strategies() -> list[dict[str, Any]]:
    """Rows of the campaign that this version was shipped with; empty when there was none."""
    file = files("odia_ocr.campaign") / STRATEGIES
    if not file.is_file():
        return []
    rows: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return rows


def record_guide(techniques: Sequence[Technique]) -> list[dict[str, Any]]:
    """What there is to say about techniques, as plain values for JSON."""
    known = _index(read_strategies())
    return [_record(entry, known.get((entry.id, entry.name))) for entry in techniques]


def _index(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["id"], row["name"]): row for row in rows}


def _record(technique: Technique, row: Mapping[str, Any] | None) -> dict[str, Any]:
    measured = row["measured"] if row else None
    values = {
        **describe_technique(technique),
        "key": technique.key,
        "what": technique.what,
        "when": technique.when,
        "example": technique.example,
        "measured": measured,
        "verdict": row["verdict"] if row else None,
        "settings": row["settings"] if row else None,
    }
    if measured is None:
        why = row.get("why") if row else technique.why
        values["why"] = why or "No campaign was shipped with this version."
    return values


def make_guide() -> str:
    """docs/techniques.md."""
    entries = record_guide(tuple(TECHNIQUES.values()))
    rows = [
        f"| [{entry['name']}](#{_anchor(entry)}) | {entry['id']} | {show_claimed(entry)} | "
        f"{show_effect(entry)} | {entry['verdict'] or '–'} |"
        for entry in entries
    ]
    table = "\n".join(
        ["| Technique | Id | Claimed | Measured CER | Verdict |", "|---|---|---|---|---|", *rows]
    )
    return "\n".join([_INTRODUCTION, table, "", *(_make_section(entry) for entry in entries)])


def _make_section(entry: Mapping[str, Any]) -> str:
    return (
        f"## {entry['id']} {entry['name']}\n\n"
        f"{entry['what']}\n\n"
        f"**When it helps.** {entry['when']}\n\n"
        f"**Effort.** {entry['effort'].capitalize()}. **Claimed.** {show_claimed(entry)}. "
        f"**Measured.** {show_measurement(entry)}\n\n"
        f"```python\n{entry['example']}\n```\n"
    )


def _anchor(entry: Mapping[str, Any]) -> str:
    """As forges make it of a heading: letters, digits, hyphens."""
    heading = f"{entry['id']} {entry['name']}".lower().replace(" ", "-")
    return "".join(char for char in heading if char.isalnum() or char == "-")


def show_claimed(entry: Mapping[str, Any]) -> str:
    """The plan's promise in a few words."""
    return show_claim(TECHNIQUES[entry["key"]].claim)


def show_effect(entry: Mapping[str, Any]) -> str:
    """Before and after, or a dash."""
    measured = entry["measured"]
    if measured is None:
        return "–"
    return f"{100 * measured['before']:.2f} → {100 * measured['after']:.2f} %"


def show_measurement(entry: Mapping[str, Any]) -> str:
    """The last measured effect in a sentence or two."""
    measured = entry["measured"]
    if measured is None:
        return str(entry["why"])
    settings = show_settings(entry["settings"])
    low, high = 100 * measured["low"], 100 * measured["high"]
    return (
        f"CER {show_effect(entry)}, {100 * measured['delta']:+.2f} points "
        f"({low:+.2f} to {high:+.2f}), on {measured['n']} lines "
        f"of {measured['set']}; {1000 * measured['seconds_per_line']:.1f} ms a line"
        f"{f'; settings: {settings}' if settings != '–' else ''}. Verdict: {entry['verdict']}."
    )
