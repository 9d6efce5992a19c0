"""What the command tells on standard error: problems, a line each, and progress on a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

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
    # Through whatever sys.stderr is now: while bars are drawn, that puts the line above them.
    print(f"odia-ocr: {message}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def tell_stop(advice: str) -> Iterator[None]:
    """Say on Ctrl-C that the work was stopped, and what to do next; the interrupt goes on."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"Stopped. {advice}")
        raise


_ESTIMATE_SECONDS = 600.0


class ReadingProgress:
    """A bar for the files and one for the pages of the file being read; nothing where quiet.

    Args:
        files: How many there are; the bar of files needs two.
        quiet: Draw nothing.
    """

    def __init__(self, files: int, *, quiet: bool) -> None:
        self._files = files
        self._quiet = quiet
        self._bars: Progress | None = None
        self._file_bar: TaskID | None = None
        self._page_bar: TaskID | None = None

    def begin(self) -> None:
        """Show the bar of files when there are several."""
        if self._files > 1:
            self._file_bar = self._add("files", self._files)

    def begin_pages(self, name: str, pages: int) -> None:
        """Show the bar of pages when the file has several."""
        if pages > 1:
            self._page_bar = self._add(f"{name}, pages", pages)

    def end_page(self) -> None:
        """One page more is done."""
        if self._bars is not None and self._page_bar is not None:
            self._bars.advance(self._page_bar)

    def end_file(self) -> None:
        """One file more is done, read or not."""
        if self._bars is None:
            return
        if self._page_bar is not None:
            self._bars.remove_task(self._page_bar)
            self._page_bar = None
        if self._file_bar is not None:
            self._bars.advance(self._file_bar)

    def end(self) -> None:
        """Take the bars away."""
        if self._bars is not None:
            self._bars.stop()

    def _add(self, name: str, total: int) -> TaskID | None:
        if self._quiet:
            return None
        if self._bars is None:
            self._bars = open_bars()
        return self._bars.add_task(name, total=total)


def open_bars() -> Progress:
    """Bars on standard error with the time taken and the time left; the caller stops them."""
    from rich.console import Console
    from rich.progress import (
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        *Progress.get_default_columns()[:-1],
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bars = Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        # A page may take long, and pages differ: the time left is told from many.
        speed_estimate_period=_ESTIMATE_SECONDS,
    )
    bars.start()
    return bars


@contextlib.contextmanager
def show_progress(files: int, *, quiet: bool = False) -> Iterator[ReadingProgress]:
    """Progress bars on standard error when that is a terminal; else nothing."""
    unseen = not sys.stderr.isatty() or bool(os.environ.get("NO_PROGRESS"))
    progress = ReadingProgress(files, quiet=quiet or unseen)
    progress.begin()
    try:
        yield progress
    finally:
        progress.end()


@contextlib.contextmanager
def show_bar(total: int | None, what: str) -> Iterator[Callable[[int], None]]:
    """A bar on standard error when that is a terminal; else nothing.

    Args:
        total: How much there is to do; None where that is not known.
        what: What is counted.

    Yields:
        Takes how much was done since.
    """
    if not sys.stderr.isatty() or os.environ.get("NO_PROGRESS"):
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)
