"""`odia-ocr evaluate`: measure engines on a folder of pictures with transcriptions.

Tables go to standard output, progress and problems to standard error.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from odia_ocr.apps.engine_options import Adapters, Device, Dtype, LoadIn
from odia_ocr.apps.messages import report, say, show_bar
from odia_ocr.errors import name_choices

if TYPE_CHECKING:
    from rich.console import Console

    from odia_ocr.evaluate.scores import Bootstrap
    from odia_ocr.pipeline import Reader

EXIT_SOME_FAILED = 1
_UNITS = ["line", "page"]


def evaluate(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="SET",
            help="Folder of NAME.png or .jpg beside NAME.gt.txt; for pages NAME.json if any.",
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
    adapter: Adapters = None,
    device: Device = None,
    dtype: Dtype = None,
    load_in: LoadIn = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the full record.")
    ] = None,
    html_file: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a report with the worst pictures."),
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
    and the paired difference of each two engines. With --unit page also lines found, reading
    order, the score without regard to order, and pages of which most is wrong.

    \b
    Examples:
      odia-ocr evaluate lines/
      odia-ocr evaluate lines/ --engine ctc --engine tesseract --html report.html
      odia-ocr evaluate lines/ --engine ctc:mine.onnx --json scores.json
      odia-ocr evaluate pages/ --unit page --engine ctc --engine tesseract
      odia-ocr evaluate pages/ --unit page --engine tesseract-lines --html report.html

    \b
    Pages: NAME.gt.txt holds one printed line a line, in reading order. With NAME.json (as
    `render pages` writes it) lines are told by their outlines, without it by their text.

    \b
    Exit status: 0 all was read; 1 some line, page or picture failed (it counts as wrong),
    the rest is measured; 2 wrong use; 3 no usable set, or an engine is not installed.
    """
    if unit not in _UNITS:
        raise name_choices(unit, _UNITS, kind="unit")
    from odia_ocr.evaluate.scores import Bootstrap
    from odia_ocr.recognize.vlm.naming import KIND, compose_engine

    def whole(name: str) -> str:
        if name.partition(":")[0] != KIND:  # the options are for those that take them
            return name
        return compose_engine(
            name, adapters=tuple(adapter or ()), device=device, dtype=dtype, load_in=load_in
        )

    order = _Order(
        folder=folder,
        engines=list(dict.fromkeys(map(whole, engine or ["ctc"]))),
        threads=threads,
        strict=strict,
        bootstrap=Bootstrap(seed=seed, resamples=resamples),
        json_file=json_file,
        html_file=html_file,
    )
    failed = _measure_pages(order) if unit == "page" else _measure_lines(order)
    if failed:
        raise typer.Exit(EXIT_SOME_FAILED)


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be measured, and where the reports go."""

    folder: Path
    engines: list[str]
    threads: int | None
    strict: bool
    bootstrap: Bootstrap
    json_file: Path | None
    html_file: Path | None


def _measure_lines(order: _Order) -> bool:
    """Measure a set of lines; true when something failed."""
    from odia_ocr.evaluate.lineset import read_line_set
    from odia_ocr.evaluate.measure import measure_lines
    from odia_ocr.evaluate.report import print_tables, write_json
    from odia_ocr.recognize import open_recognizer

    line_set = read_line_set(order.folder)
    engines = {name: open_recognizer(name, threads=order.threads) for name in order.engines}
    with show_bar(len(line_set.samples) * len(engines), "readings of lines") as progress:
        evaluation = measure_lines(
            line_set, engines, strict=order.strict, bootstrap=order.bootstrap, progress=progress
        )
    for problem in evaluation.problems:
        say(f"{order.folder}: {problem.message} {problem.next_step}".rstrip())
    for result in evaluation.results:
        for problem in result.problems:
            report(result.engine, problem)
    if order.json_file is not None:
        write_json(evaluation, order.json_file)
    if order.html_file is not None:
        from odia_ocr.evaluate.html_report import write_html

        write_html(evaluation, order.html_file)
    print_tables(evaluation, _open_console())
    return bool(evaluation.problems) or any(result.problems for result in evaluation.results)


def _measure_pages(order: _Order) -> bool:
    """Measure a set of pages; true when something failed."""
    from odia_ocr.evaluate.page_measure import PageEngine, measure_pages
    from odia_ocr.evaluate.page_report import print_page_tables, write_page_json
    from odia_ocr.evaluate.page_set import read_page_set
    from odia_ocr.line_reading import REMARKS
    from odia_ocr.pipeline import open_reader

    page_set = read_page_set(order.folder)
    readers = {name: open_reader(name, threads=order.threads) for name in order.engines}
    engines = {
        name: PageEngine(_name_model(reader), reader.read_page) for name, reader in readers.items()
    }
    with show_bar(len(page_set.samples) * len(engines), "readings of pages") as progress:
        evaluation = measure_pages(
            page_set, engines, strict=order.strict, bootstrap=order.bootstrap, progress=progress
        )
    for problem in evaluation.problems:
        say(f"{order.folder}: {problem.message} {problem.next_step}".rstrip())
    failed = bool(evaluation.problems)
    for result in evaluation.results:
        for page in result.pages:
            if page.problem is not None:
                failed = True
                message = f"{page.problem.message} {page.problem.next_step}".rstrip()
                say(f"{result.engine}, page {page.sample.name}: {message}")
            for remark in page.remarks:
                failed |= remark.code not in REMARKS
                say(f"{result.engine}, page {page.sample.name}: {remark.message}")
    if order.json_file is not None:
        write_page_json(evaluation, order.json_file)
    if order.html_file is not None:
        from odia_ocr.evaluate.page_html import write_page_html

        write_page_html(evaluation, order.html_file)
    print_page_tables(evaluation, _open_console())
    return failed


def _name_model(reader: Reader) -> str:
    return (reader.page_reader or reader.recognizer).name


def _open_console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 160)
