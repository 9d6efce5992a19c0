"""What the command tells on standard error: problems, a line each, and progress on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from odia_ocr.types import Problem


def report(name: str, problem: Problem) -> None:
    """Tell a problem on standard error."""
    where = name if problem.page is None else f"{name}, page {problem.page}"
    if problem.line_id:
        where += f", line {problem.line_id}"
    message = problem.message.removeprefix(f"{where}: ").removeprefix(f"{name}: ")
    say(f"{where}: {message} {problem.next_step}".rstrip())


def say(message: str) -> None:
    """One line on standard error."""
    typer.echo(f"odia-ocr: {message}", err=True)


@contextlib.contextmanager
def show_progress(name: str, pages: int) -> Iterator[Callable[[], None]]:
    """A progress bar on standard error when that is a terminal; else nothing."""
    if pages < 2 or not sys.stderr.isatty() or os.environ.get("NO_PROGRESS"):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:-1], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=pages)
        yield lambda: progress.advance(task)
