"""`odia-ocr campaign`: run, diff."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from odia_ocr.apps.engine_options import Adapters, Device, Dtype, LoadIn
from odia_ocr.apps.messages import say, tell_stop
from odia_ocr.apps.out_folder import refuse_file
from odia_ocr.errors import OdiaOcrError, UsageError, name_choices

if TYPE_CHECKING:
    from rich.console import Console

    from odia_ocr.campaign.outcome import Outcome
    from odia_ocr.campaign.tables import Table

app = typer.Typer(help="Measure techniques and build the stack to ship.", no_args_is_help=True)

EXIT_SOME_FAILED = 1


@app.command("run")
def run(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the reports.")],
    config: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it
        typer.Argument(
            metavar="[CONFIG]",
            help="JSON, e.g. campaigns/small.json; without it degraded rendered lines are read.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="NAME[:MODEL]",
            help="The single reader, instead of the configuration's; of a ladder of adapters the "
            "last one.",
            show_default=False,
        ),
    ] = None,
    adapter: Adapters = None,
    device: Device = None,
    dtype: Dtype = None,
    load_in: LoadIn = None,
    level: Annotated[
        str,
        typer.Option(metavar="quick|mid|full", help="Phase 2A, up to 2B, or everything."),
    ] = "full",
    ladder: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            metavar="'RUN/checkpoint-*'",
            help="Checkpoints of one run for the checkpoint ensemble: .onnx, .safetensors, or "
            "folders of LoRA adapters.",
        ),
    ] = None,
    cache: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder for what is computed. [default: OUT/cache]", show_default=False),
    ] = None,
    also: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Folder of labelled lines to measure the stack on as well; repeatable."),
    ] = None,
    learned: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            metavar="TECHNIQUE=ENGINE",
            help="A model that was trained by a technique of learning (`odia-ocr techniques`: 3-1, "
            "3-2, +/adaptation, ...), to be measured as that technique; repeatable.",
        ),
    ] = None,
    processes: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            min=1,
            help="Processes side by side; each opens the engines. [default: 2 for CTC engines, "
            "else 1]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run every technique on a data set, measure it, and build the stack to ship.

    Writes evaluation_results.json, performance_improvement_strategies.json, report.md and
    report.html. What was computed is kept in the cache: a campaign that was stopped goes on where
    it was, and a second one takes a minute.

    \b
    Examples:
      odia-ocr campaign run campaigns/small.json -o out/
      odia-ocr campaign run campaigns/odia.json -o out/ --level quick
      odia-ocr campaign run campaigns/odia.json -o out/ --ladder 'runs/mine/checkpoint-*'
      odia-ocr campaign run -o out/ --engine vlm:Qwen/Qwen2.5-VL-3B-Instruct \\
          --ladder 'lora/checkpoint-*' --also my_lines/
      odia-ocr campaign run mine.json -o out/ --learned 3-2=ctc:learned/model.onnx

    \b
    Exit status: 0 all was measured; 1 something failed (its row says why), the rest is written;
    2 wrong use; 3 a set or the recognizer cannot be used.
    """
    from dataclasses import replace

    from odia_ocr.apps.campaign_ladder import Ladder, open_floating, open_halved, open_ladder
    from odia_ocr.campaign.apart import RESULTS
    from odia_ocr.campaign.config import DEFAULT_CAMPAIGN, LEVELS, SetOrder, read_campaign
    from odia_ocr.campaign.report import write_records
    from odia_ocr.campaign.report_pages import HTML, write_pages
    from odia_ocr.campaign.run import run_campaign
    from odia_ocr.recognize.vlm.naming import KIND, compose_engine

    chosen = next((known for known in LEVELS if known == level), None)
    if chosen is None:
        raise name_choices(level, list(LEVELS), kind="level")
    refuse_file(out, "campaign")
    campaign = read_campaign(config) if config else DEFAULT_CAMPAIGN
    if also:
        orders = tuple(SetOrder(folder=str(folder)) for folder in also)
        campaign = replace(campaign, also=(*campaign.also, *orders))
    if learned:
        named = dict(map(_read_learned, learned))
        campaign = replace(campaign, learned={**campaign.learned, **named})
    kept = cache or out / "cache"
    single = engine or campaign.single
    rungs = Ladder()
    if ladder:
        base = single if single.partition(":")[0] == KIND else ""
        rungs = open_ladder(ladder, kept / "ladder", say=say, base=base)
        if rungs.engines[-1].partition(":")[0] == KIND and not adapter:
            single = rungs.engines[-1]

    def place(name: str) -> str:
        return compose_engine(name, device=device, dtype=dtype, load_in=load_in)

    single = place(compose_engine(single, adapters=tuple(adapter or ())))
    rungs = replace(
        rungs,
        engines=tuple(map(place, rungs.engines)),
        averaged=rungs.averaged and place(rungs.averaged),
    )
    campaign = replace(campaign, single=single)
    if campaign.floating:
        try:
            floating = open_floating(campaign.floating, kept / "ladder")
            campaign = replace(campaign, floating=floating)
        except OdiaOcrError as error:
            say(f"What int8 and 16-bit weights cost is not measured: {error}")
            campaign = replace(campaign, floating="", halved="")
    if campaign.floating and not campaign.halved:
        try:
            campaign = replace(campaign, halved=open_halved(campaign.floating, kept / "ladder"))
        except OdiaOcrError as error:
            say(f"What 16-bit weights cost is not measured: {error}")
    with tell_stop("The same command goes on where it was."), _show_progress() as progress:
        outcome = run_campaign(
            campaign,
            kept,
            level=chosen,
            ladder=rungs.engines,
            averaged=rungs.averaged,
            processes=processes or _count_processes(single),
            say=say,
            progress=progress,
        )
    write_records(outcome, out)
    write_pages(outcome, out)
    _print(outcome)
    say(f"figures: {out / RESULTS}, report: {out / HTML}")
    if outcome.problems:
        raise typer.Exit(EXIT_SOME_FAILED)


def _read_learned(given: str) -> tuple[str, str]:
    """Technique and engine of TECHNIQUE=ENGINE.

    Raises:
        UsageError: If it does not look so.
    """
    key, mark, engine = given.partition("=")
    if not (key and mark and engine):
        raise UsageError(
            f"--learned {given} names no technique and engine.",
            next_step="Write TECHNIQUE=ENGINE, e.g. --learned 3-2=ctc:learned/model.onnx.",
        )
    return key, engine


def _count_processes(engine: str) -> int:
    """Two where there is a core for each and the engine is small."""
    from odia_ocr.runtime import count_threads

    return min(2, count_threads(None)) if engine.partition(":")[0].startswith("ctc") else 1


@app.command("diff")
def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="Folder of a campaign.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Folder of another one.")],
) -> None:
    """Compare two campaigns, technique by technique, and their stacks.

    Where both measured the same lines, the difference is paired by line, with an interval.
    """
    from rich.console import Console

    from odia_ocr.campaign.apart import read_folder
    from odia_ocr.campaign.diff import compare_campaigns

    table = compare_campaigns(read_folder(before), read_folder(after))
    console = Console(width=None if sys.stdout.isatty() else 160)
    _print_table(console, table)


def _print(outcome: Outcome) -> None:
    from rich.console import Console

    from odia_ocr.campaign.tables import tabulate_effects, tabulate_stack, tabulate_summary

    console = Console(width=None if sys.stdout.isatty() else 160)
    for tabulate in (tabulate_effects, tabulate_stack, tabulate_summary):
        table = tabulate(outcome)
        if table.rows:
            _print_table(console, table)


def _print_table(console: Console, table: Table) -> None:
    from rich.table import Table as Grid

    grid = Grid(title=table.title, title_justify="left")
    for i, heading in enumerate(table.headings):
        grid.add_column(heading, justify="left" if i < table.texts else "right")
    for row in table.rows:
        grid.add_row(*row)
    console.print(grid)


@contextlib.contextmanager
def _show_progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error when that is a terminal; else nothing."""
    if not sys.stderr.isatty() or os.environ.get("NO_PROGRESS"):
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("campaign", total=None)
        yield lambda what, done, total: bars.update(
            task, description=what, completed=done, total=total
        )
