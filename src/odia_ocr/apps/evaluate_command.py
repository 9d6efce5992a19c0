"""`odia-ocr evaluate`: measure engines on a folder of pictures with transcriptions.

Tables go to standard output, progress and problems to standard error.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from odia_ocr.apps.messages import report, say
from odia_ocr.errors import UsageError, name_choices

EXIT_SOME_FAILED = 1
_UNITS = ["line", "page"]


def evaluate(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="SET",
            help="Folder of NAME.png or .jpg beside NAME.gt.txt.",
            show_default=False,
        ),
    ],
    unit: Annotated[str, typer.Option(metavar="line|page", help="What a picture shows.")] = "line",
    engine: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:MODEL]",
            help="Which recognizer reads; repeat it to compare. [default: ctc]",
            show_default=False,
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the full record.")
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a report with the worst lines."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Count every difference; fold nothing but NFC and white space."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap intervals.")] = 0,
    resamples: Annotated[
        int, typer.Option(min=1000, help="Bootstrap resamples of the intervals.")
    ] = 2000,
    threads: Annotated[
        int | None,
        typer.Option(min=1, help="Processor threads of the recognizer.", show_default=False),
    ] = None,
) -> None:
    """Measure error rates of one or more engines on the same pictures.

    Prints character, word and cluster error rates and exact lines with 95 % bootstrap intervals,
    and the paired difference of each two engines.

    \b
    Examples:
      odia-ocr evaluate lines/
      odia-ocr evaluate lines/ --engine ctc --engine tesseract --html report.html
      odia-ocr evaluate lines/ --engine ctc:mine.onnx --json scores.json

    \b
    Exit status: 0 every line was read; 1 some line or picture failed, the rest is
    measured; 2 wrong use; 3 an engine is not installed.
    """
    if unit not in _UNITS:
        raise name_choices(unit, _UNITS, kind="unit")
    if unit == "page":
        raise UsageError(
            "Measuring whole pages comes with page reading; this version measures lines.",
            next_step="Use --unit line with line pictures.",
        )
    from rich.console import Console

    from odia_ocr.evaluate.lineset import read_line_set
    from odia_ocr.evaluate.measure import measure_lines
    from odia_ocr.evaluate.report import print_tables, write_json
    from odia_ocr.evaluate.scores import Bootstrap
    from odia_ocr.recognize import open_recognizer

    line_set = read_line_set(folder)
    names = list(dict.fromkeys(engine or ["ctc"]))
    engines = {name: open_recognizer(name, threads=threads) for name in names}
    bootstrap = Bootstrap(seed=seed, resamples=resamples)
    with _show_progress(len(line_set.samples) * len(engines)) as progress:
        evaluation = measure_lines(
            line_set, engines, strict=strict, bootstrap=bootstrap, progress=progress
        )
    for problem in evaluation.problems:
        say(f"{folder}: {problem.message} {problem.next_step}".rstrip())
    for result in evaluation.results:
        for problem in result.problems:
            report(result.engine, problem)
    if json_file is not None:
        write_json(evaluation, json_file)
    if html_file is not None:
        from odia_ocr.evaluate.html_report import write_html

        write_html(evaluation, html_file)
    width = None if sys.stdout.isatty() else 160
    print_tables(evaluation, Console(width=width))
    if evaluation.problems or any(result.problems for result in evaluation.results):
        raise typer.Exit(EXIT_SOME_FAILED)


@contextlib.contextmanager
def _show_progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error when that is a terminal; else nothing."""
    if not sys.stderr.isatty() or os.environ.get("NO_PROGRESS"):
        yield lambda lines: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda lines: progress.advance(task, lines)
