"""`odia-ocr curate mine`: the worst lines of a report, by cause, as the next training mix."""

from __future__ import annotations

import sys
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from odia_ocr.apps.data_command import Force
from odia_ocr.apps.data_told import to_json
from odia_ocr.apps.messages import say
from odia_ocr.apps.out_folder import check_folder

if TYPE_CHECKING:
    from odia_ocr.curate.mine import Cause, Mined
    from odia_ocr.curate.report_lines import ReadReport

MINED, LIST, CONFIG = "mined.json", "hard.jsonl", "train.json"
_SHOWN = 8  # causes of a kind


def mine(
    report: Annotated[
        Path,
        typer.Argument(
            metavar="REPORT",
            help="JSON of `odia-ocr evaluate`, or a campaign's folder.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="Folder for the record, the list and the training mix."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose errors. [default: the first engine's]")
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="SET", help="The set that was read, where it lies now.")
    ] = None,
    worst: Annotated[int, typer.Option(min=1, help="How many lines are listed.")] = 200,
    force: Force = False,
) -> None:
    """Say where the errors of a report come from, and make the next training mix of it.

    Errors are put down to conjuncts and language by the letters that were misread, and to font,
    degradation and layout by what the report or the set says of a line. Lift is how many times more
    errors a cause has than everything else: above 1 it is one.

    With -o the folder gets mined.json (everything), hard.jsonl (the worst lines as a data set,
    where the set is at hand) and train.json for `train ctc --config`: kinds of text and
    degradations that are misread are rendered more often, and the listed lines are mixed in. Lines
    that are trained on no longer measure anything: mine a set that you do not report on.

    \b
    Examples:
      odia-ocr evaluate lines/ --json report.json
      odia-ocr curate mine report.json
      odia-ocr curate mine report.json -o mined/ --worst 100
      odia-ocr train ctc -o runs/mined --from shipped --config mined/train.json --steps 500

    Exit status: 0 done; 1 it cannot be written; 2 wrong use; 3 no usable report.
    """
    from odia_ocr.curate.mine import mine_report
    from odia_ocr.curate.report_lines import read_report

    if out is not None:
        check_folder(out, force=force)
    read = read_report(report, engine=engine, data=data)
    found = mine_report(read, worst=worst)
    _print_causes(read, found)
    if out is not None:
        _write(out, read, found)


def _print_causes(read: ReadReport, found: Mined) -> None:
    from rich.console import Console

    from odia_ocr.evaluate.report import print_table

    rows = []
    for kind, group in groupby(found.causes, key=lambda one: one.kind):
        causes = list(group)
        rows += [_row(cause) for cause in causes[:_SHOWN]]
        if len(causes) > _SHOWN:
            rows.append([kind, f"... {len(causes) - _SHOWN} more", "", "", "", "", ""])
    title = f"{read.set_name}, {read.engine}: {found.errors} errors in {found.lines} lines"
    headings = ["cause", "", "lines", "errors", "rate", "share", "lift"]
    console = Console(width=None if sys.stdout.isatty() else 120)
    print_table(console, title, headings, rows, texts=2)


def _row(cause: Cause) -> list[str]:
    return [
        cause.kind,
        cause.name,
        str(cause.lines),
        str(cause.errors),
        f"{100 * cause.rate:.1f} %",
        f"{100 * cause.share:.1f} %",
        f"{cause.lift:.1f}",
    ]


def _write(out: Path, read: ReadReport, found: Mined) -> None:
    from odia_ocr.curate.training_mix import make_mix
    from odia_ocr.errors import name_extra
    from odia_ocr.evaluate.report import write_report

    write_report(out / MINED, to_json(_describe(read, found)))
    say(f"{len(found.hard)} hard lines in {out / MINED}")
    try:
        mix = make_mix(found.causes, lines=_list_usable(out / LIST, read, found))
    except ImportError as error:
        raise name_extra(error, "train", doing="A training mix") from error
    write_report(out / CONFIG, to_json(mix))
    say(f"Train on: odia-ocr train ctc -o RUN --from shipped --config {out / CONFIG}")


def _list_usable(path: Path, read: ReadReport, found: Mined) -> Path | None:
    """The list of the worst lines, if training takes any of them."""
    from odia_ocr.curate.training_mix import list_lines
    from odia_ocr.data.lineset import load_labelled
    from odia_ocr.data.sets.split_list import write_list
    from odia_ocr.errors import DataError

    if read.found is None:
        say("The set is not at hand, so no line is listed to train on: name it with --data SET.")
        return None
    if not write_list(list_lines(found.hard, read.found, path.parent), path):
        return None
    try:
        say(f"{path}: {load_labelled(path)}")
    except DataError as error:
        say(error.message)
        return None
    return path


def _describe(read: ReadReport, found: Mined) -> dict[str, Any]:
    return {
        "schema": 1,
        "report": str(read.path),
        "engine": read.engine,
        "set": read.set_name,
        "unit": read.unit,
        "lines": found.lines,
        "errors": found.errors,
        "causes": [
            {**asdict(cause), "rate": round(cause.rate, 5), "lift": round(cause.lift, 3)}
            for cause in found.causes
        ],
        "hard": [
            {
                "name": one.line.name,
                "cause": one.cause,
                "edits": one.line.edits,
                "length": one.line.length,
                "reference": one.line.reference,
                "hypothesis": one.line.hypothesis,
            }
            for one in found.hard
        ],
    }
