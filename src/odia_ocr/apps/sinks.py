"""Where read pages go: standard output, or the files of a folder.

Files are written whole or not at all, and one that cannot be written leaves the others alone.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

import typer

from odia_ocr.apps.inputs import OVERLAY_SUFFIX, Input
from odia_ocr.apps.messages import say
from odia_ocr.errors import OdiaOcrError, OutputError

if TYPE_CHECKING:
    from odia_ocr.export.formats import Format
    from odia_ocr.export.origin import Origin
    from odia_ocr.pipeline import PageOutcome
    from odia_ocr.types import Page, Problem


class Delivery(Protocol):
    """The pages of one document on their way out.

    Attributes:
        errors: What could not be written; complete once the delivery is closed.
    """

    errors: list[OdiaOcrError]

    def take(self, outcome: PageOutcome) -> None:
        """Take the next page, read or failed."""
        ...


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

    def open(self, item: Input, content: Path | bytes) -> AbstractContextManager[Delivery]:
        """Take the pages of one document, in order; leaving the context writes what is left.

        Args:
            item: The document.
            content: Its file, which some formats embed.
        """
        ...


@dataclass(slots=True)
class TextSink:
    """Standard output: text as it is read, a form feed between pages and files.

    Attributes:
        paragraphs: Join the printed lines of each paragraph.
    """

    paragraphs: bool = False
    started: bool = False
    errors: list[OdiaOcrError] = field(default_factory=list)

    def keeps(self, item: Input, pages: Sequence[int] | None = None) -> bool:
        """Standard output keeps nothing."""
        return False

    def describe(self, item: Input) -> str:
        """What would be kept."""
        return ""

    @contextlib.contextmanager
    def open(self, item: Input, content: Path | bytes) -> Iterator[Delivery]:
        """Write each page of one document as it comes."""
        yield self

    def take(self, outcome: PageOutcome) -> None:
        """Write a page; the command ends when standard output takes no more."""
        from odia_ocr.export.text import page_text

        if outcome.page is None:
            return
        text = page_text(outcome.page, paragraphs=self.paragraphs)
        text = ("\f" if self.started else "") + text
        self.started = True
        try:
            sys.stdout.buffer.write(text.encode("utf-8", "replace"))
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # Whoever reads our output has enough (`| head`): stop without a word.
            _silence_stdout()
            raise typer.Exit(0) from None
        except OSError as error:
            # Nothing more can be told there, so nothing more is read.
            _silence_stdout()
            say(
                f"Standard output cannot be written: {error.strerror or error}. "
                "Check free space where it goes."
            )
            raise typer.Exit(1) from None


def _silence_stdout() -> None:
    """Keep the interpreter from failing once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@dataclass(slots=True)
class FolderSink:
    """Files in a folder: all formats of a document, written when it is complete.

    Attributes:
        folder: Where to; made when it is missing.
        formats: What to write of each document.
        overlay: Also draw each page with its lines.
        force: Replace files that exist.
        paragraphs: Join the printed lines of a paragraph where the format is running text.
        dated: Say when a file was written where its format asks for it.
    """

    folder: Path
    formats: list[Format]
    overlay: bool
    force: bool
    paragraphs: bool = False
    dated: bool = True

    def keeps(self, item: Input, pages: Sequence[int] | None = None) -> bool:
        """True when every file of the document is there and may not be replaced.

        How many overlays and files of one page there are is unknown while the pages are, so with
        those it is False then.
        """
        if self.force or not all(path.exists() for path in self._paths(item).values()):
            return False
        if not self.overlay and not any(form.one_page for form in self.formats):
            return True
        if not pages:
            return False
        wanted = [self._overlay(item, n) for n in pages] if self.overlay else []
        for form in self.formats:
            if form.one_page:
                wanted.extend(self._page_path(item, form, n) for n in pages[1:])
        return all(path.exists() for path in wanted)

    def describe(self, item: Input) -> str:
        """The files of the document."""
        return ", ".join(str(path) for path in self._paths(item).values())

    @contextlib.contextmanager
    def open(self, item: Input, content: Path | bytes) -> Iterator[Delivery]:
        """Collect the pages of one document, then write its files.

        Raises:
            OutputError: If nothing can be written in the folder; found out before reading.
        """
        from odia_ocr.export.origin import Origin

        delivery = _FolderDelivery(self, item, _open_spool(self.folder))
        try:
            yield delivery
            if delivery.pages:
                origin = Origin(item.name, content, delivery.problems, self.paragraphs, self.dated)
                self._write_files(delivery, origin)
        finally:
            with contextlib.suppress(OSError):  # what it could not hold was told before
                delivery.spool.close()

    def _write_files(self, delivery: _FolderDelivery, origin: Origin) -> None:
        for form, path in zip(self.formats, self._paths(delivery.item).values(), strict=True):
            if form.one_page:
                for position, page in enumerate(delivery.replay()):
                    target = path
                    if position:
                        target = self._page_path(delivery.item, form, page.number)
                    self._write_file(delivery, form, target, origin, iter([page]))
            else:
                self._write_file(delivery, form, path, origin, delivery.replay())

    def _write_file(
        self,
        delivery: _FolderDelivery,
        form: Format,
        path: Path,
        origin: Origin,
        pages: Iterator[Page],
    ) -> None:
        if path.exists() and not self.force:
            say(f"{origin.name}: kept {path}, use --force to replace.")
            delivery.written += 1
            return
        try:
            if isinstance(origin.content, Path) and _is_same_file(path, origin.content):
                raise OutputError(
                    f"{path} would replace the file that is read.", next_step="Give another -o DIR."
                )
            with replace_file(path) as stream:
                form.open(origin)(((page, None) for page in pages), stream)
            delivery.written += 1
        except OdiaOcrError as error:
            delivery.errors.append(error)
        except Exception as error:  # one format must not take the others with it
            failure = OutputError(
                f"{path} cannot be written: {type(error).__name__}: {error}.",
                next_step="This is a bug; the other formats do not depend on it.",
            )
            failure.__cause__ = error
            delivery.errors.append(failure)

    def write_overlay(self, item: Input, outcome: PageOutcome) -> None:
        """Draw a page with its lines.

        Raises:
            OutputError: If the picture cannot be written.
        """
        from odia_ocr.export.overlay import write_overlay
        from odia_ocr.line_reading import is_doubtful

        assert outcome.page is not None
        assert outcome.image is not None
        path = self._overlay(item, outcome.number)
        if path.exists() and not self.force:
            say(f"{item.name}: kept {path}, use --force to replace.")
            return
        with replace_file(path) as stream:
            write_overlay(outcome.page, outcome.image, stream, is_doubtful=is_doubtful)

    def _overlay(self, item: Input, number: int) -> Path:
        return self.folder / f"{item.stem}.p{number:04d}{OVERLAY_SUFFIX}"

    def _page_path(self, item: Input, form: Format, number: int) -> Path:
        """Where a further page of a format of one page a file goes; the first has `_paths`."""
        return self.folder / f"{item.stem}.p{number:04d}{form.suffix}"

    def _paths(self, item: Input) -> dict[str, Path]:
        return {form.name: self.folder / f"{item.stem}{form.suffix}" for form in self.formats}


@dataclass(slots=True)
class _FolderDelivery:
    """Pages of one document, kept in an unnamed file so that a long book is not in memory."""

    sink: FolderSink
    item: Input
    spool: BinaryIO
    problems: list[Problem] = field(default_factory=list)
    pages: int = 0
    written: int = 0
    errors: list[OdiaOcrError] = field(default_factory=list)

    def take(self, outcome: PageOutcome) -> None:
        """Take the next page, read or failed.

        Raises:
            OutputError: If there is no room to keep it.
        """
        if outcome.problem is not None:
            self.problems.append(outcome.problem)
        if outcome.page is None:
            return
        data = zlib.compress(pickle.dumps(_slim(outcome.page)), 1)
        try:
            self.spool.write(len(data).to_bytes(8, "big") + data)
            self.spool.flush()
        except OSError as error:
            raise _unwritable(self.sink.folder, error) from error
        self.pages += 1
        if self.sink.overlay:
            try:
                self.sink.write_overlay(self.item, outcome)
            except OutputError as error:
                self.errors.append(error)

    def replay(self) -> Iterator[Page]:
        """The pages once more, one at a time."""
        try:
            self.spool.seek(0)
            while head := self.spool.read(8):
                data = self.spool.read(int.from_bytes(head, "big"))
                page: Page = pickle.loads(zlib.decompress(data))
                place = self.spool.tell()
                yield page
                self.spool.seek(place)  # another replay may have been going on
        except OSError as error:
            raise _unwritable(self.sink.folder, error) from error


def _open_spool(folder: Path) -> BinaryIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder, prefix=".odia-ocr-")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _slim(page: Page) -> Page:
    """Without the symbols behind each reading, which are ten times the rest."""
    lines = tuple(
        replace(line, reading=replace(line.reading, hypothesis=None)) if line.reading else line
        for line in page.lines
    )
    return replace(page, lines=lines)


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


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
        raise _unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}.",
        next_step="Check free space and permissions.",
    )
