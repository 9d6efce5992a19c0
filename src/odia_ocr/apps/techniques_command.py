"""`odia-ocr techniques`: what each technique is, when it helps, and what was measured of it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Optional

import typer


def techniques(
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it
        typer.Argument(
            metavar="ID",
            help="E.g. 2A-2, or one of them: 2A-2/tesseract. [default: all]",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/techniques.md.")] = False,
) -> None:
    """Show the techniques: what each is, when it helps, effort, claim, measured effect, example.

    \b
    Examples:
      odia-ocr techniques
      odia-ocr techniques 2B-3
      odia-ocr techniques 2B-3/fusion
      odia-ocr techniques --json
    """
    from odia_ocr.campaign.catalogue import TECHNIQUES, find_techniques
    from odia_ocr.campaign.guide import make_guide, record_guide

    if markdown:
        typer.echo(make_guide(), nl=False)
        return
    chosen = find_techniques(name) if name else tuple(TECHNIQUES.values())
    entries = record_guide(chosen)
    if as_json:
        typer.echo(json.dumps(entries, ensure_ascii=False, indent=1))
    elif name:
        typer.echo("\n\n".join(map(_describe, entries)))
    else:
        _print_list(entries)


def _describe(entry: dict[str, Any]) -> str:
    from odia_ocr.campaign.guide import show_claimed, show_measurement

    rows = [
        f"{entry['key']}  {entry['name']}",
        "",
        entry["what"],
        "",
        f"When it helps  {entry['when']}",
        f"Effort         {entry['effort']}",
        f"Claimed        {show_claimed(entry)}",
        f"Measured       {show_measurement(entry)}",
        "",
        "Example",
        *(f"  {row}".rstrip() for row in entry["example"].splitlines()),
    ]
    return "\n".join(rows)


def _print_list(entries: list[dict[str, Any]]) -> None:
    import sys

    from rich.console import Console
    from rich.table import Table

    from odia_ocr.campaign.guide import show_claimed, show_effect

    table = Table()
    for heading in ("id", "technique", "effort", "claimed", "measured CER", "verdict"):
        table.add_column(heading)
    for entry in entries:
        table.add_row(
            entry["key"],
            entry["name"],
            entry["effort"],
            show_claimed(entry),
            show_effect(entry),
            entry["verdict"] or "–",
        )
    Console(width=None if sys.stdout.isatty() else 160).print(table)
