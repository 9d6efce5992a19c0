"""Where read pages go: standard output, or the files of a folder."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import typer

from odia_ocr.apps.inputs import OVERLAY_SUFFIX, Input
from odia_ocr.apps.messages import say
from odia_ocr.errors import OutputError

if TYPE_CHECKING:
    from odia_ocr.export.formats import Format
    from odia_ocr.pipeline import PageOutcome
    from odia_ocr.types import Page, Problem

TakePage = Callable[["PageOutcome"], None]


class Sink(Protocol):
    """Where the pages of documents go."""

    def keeps(self, item: Input, pages: Sequence[int] | None = None) -> bool:
        """True when the document need not be read: its files exist and stay.

        Args:
            item: The document.
            pages: Numbers of its wanted pages, or None while it is not open.
        """
        ...

    def describe(self, item: Input) -> str:
        """The files of the document."""
        ...

    def open(self, item: Input) -> AbstractContextManager[TakePage]:
        """Take the pages of one document, read or failed, in order."""
        ...


@dataclass(slots=True)
class TextSink:
    """Standard output: text as it is read, a form feed between pages and files."""

    started: bool = False

    def keeps(self, item: Input, pages: Sequence[int] | None = None) -> bool:
        """Standard output keeps nothing."""
        return False

    def describe(self, item: Input) -> str:
        """What would be kept."""
        return ""

    @contextlib.contextmanager
    def open(self, item: Input) -> Iterator[TakePage]:
        """Write each page of one document as it comes."""
        yield self._write

    def _write(self, outcome: PageOutcome) -> None:
        from odia_ocr.export.text import page_text

        if outcome.page is None:
            return
        text = ("\f" if self.started else "") + page_text(outcome.page)
        self.started = True
        try:
            sys.stdout.buffer.write(text.encode("utf-8"))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Whoever reads our output has enough (`| head`): stop without a word.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


@dataclass(slots=True)
class FolderSink:
    """Files in a folder: all formats of a document, written when it is complete."""

    folder: Path
    formats: list[Format]
    overlay: bool
    force: bool

    def keeps(self, item: Input, pages: Sequence[int] | None = None) -> bool:
        """True when every file of the document is there and may not be replaced.

        There is an overlay for each page, so with overlays it is False while the pages are unknown.
        """
        if self.force or not all(path.exists() for path in self._paths(item).values()):
            return False
        if not self.overlay:
            return True
        return bool(pages) and all(self._overlay(item, n).exists() for n in pages or ())

    def describe(self, item: Input) -> str:
        """The files of the document."""
        return ", ".join(str(path) for path in self._paths(item).values())

    @contextlib.contextmanager
    def open(self, item: Input) -> Iterator[TakePage]:
        """Collect the pages of one document, then write its files."""
        pages: list[Page] = []
        problems: list[Problem] = []

        def take(outcome: PageOutcome) -> None:
            if outcome.problem is not None:
                problems.append(outcome.problem)
            if outcome.page is not None:
                pages.append(_slim(outcome.page))
                if self.overlay:
                    self._write_overlay(item, outcome)

        yield take
        if pages:
            self._write_files(item, pages, problems)

    def _write_files(self, item: Input, pages: list[Page], problems: list[Problem]) -> None:
        for form, path in zip(self.formats, self._paths(item).values(), strict=True):
            if path.exists() and not self.force:
                say(f"{item.name}: kept {path}, use --force to replace.")
                continue
            writer = form.open(item.name, problems)
            with replace_file(path) as stream:
                writer(((page, None) for page in pages), stream)

    def _write_overlay(self, item: Input, outcome: PageOutcome) -> None:
        from odia_ocr.export.overlay import write_overlay

        assert outcome.page is not None
        assert outcome.image is not None
        path = self._overlay(item, outcome.number)
        if path.exists() and not self.force:
            say(f"{item.name}: kept {path}, use --force to replace.")
            return
        with replace_file(path) as stream:
            write_overlay(outcome.page, outcome.image, stream)

    def _overlay(self, item: Input, number: int) -> Path:
        return self.folder / f"{item.stem}.p{number:04d}{OVERLAY_SUFFIX}"

    def _paths(self, item: Input) -> dict[str, Path]:
        return {form.name: self.folder / f"{item.stem}{form.suffix}" for form in self.formats}


def _slim(page: Page) -> Page:
    """Without the symbols behind each reading, so that a long book fits in memory."""
    lines = tuple(
        replace(line, reading=replace(line.reading, hypothesis=None)) if line.reading else line
        for line in page.lines
    )
    return replace(page, lines=lines)


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file whole or not at all.

    Raises:
        OutputError: If it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            yield stream
        part.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            next_step="Check free space and permissions.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
