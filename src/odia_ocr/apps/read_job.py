"""One call of `odia-ocr read`: documents are opened, read side by side and delivered in order."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from odia_ocr.apps.inputs import Input
from odia_ocr.apps.messages import ReadingProgress, report, say
from odia_ocr.apps.sinks import Sink
from odia_ocr.errors import InputError, OdiaOcrError, OutputError, ResourceMissingError, UsageError

if TYPE_CHECKING:
    from odia_ocr.pages.images import PageFile, PageLimits
    from odia_ocr.pages.page_range import PageRange
    from odia_ocr.pipeline import PageOptions, PageOutcome, Reader

EXIT_SOME_FAILED = 1
EXIT_NOTHING_READ = 3


@dataclass(slots=True, eq=False)
class _Document:
    """A document under way.

    Attributes:
        item: What was named, or why it cannot be opened.
        content: Its file.
        file: The open file; None where it is not read.
        numbers: Of its wanted pages.
        kept: Its outputs exist and stay.
        given_up: Its pages are wanted no more.
    """

    item: Input | OdiaOcrError
    content: Path | bytes = b""
    file: PageFile | None = None
    numbers: list[int] = field(default_factory=list)
    kept: bool = False
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    """A page to read; a document that has none to read gives one task without a number."""

    document: _Document
    number: int | None = None


@dataclass(slots=True)
class ReadJob:
    """One call of the command: what to read with, and what became of it so far.

    Attributes:
        engine: Name of the recognizer.
        detector: File of another line detector.
        threads: Shared by the pages that are read side by side; None takes as many as help.
        pages: Of each document.
        limits: Largest page and PDF resolution.
        options: How pages are to be taken.
        digits: In which script digits are written.
        done: Pages read and documents kept.
        failures: Pages, documents and outputs that failed.
        unwritten: Those of them that could not be written.
    """

    engine: str
    detector: str | None
    threads: int | None
    pages: PageRange
    limits: PageLimits
    options: PageOptions
    digits: str = "keep"
    done: int = 0
    failures: int = 0
    unwritten: int = 0
    _reader: Reader | None = None

    def read(
        self, items: Sequence[Input | OdiaOcrError], sink: Sink, progress: ReadingProgress
    ) -> None:
        """Read documents into the sink, in order; what fails is reported and counted.

        Raises:
            UsageError: If there is no such engine; no document can be read.
            ResourceMissingError: If the engine lacks something it needs; the same holds.
        """
        from odia_ocr.pages.ahead import count_workers, work_ahead
        from odia_ocr.runtime import count_threads

        threads = count_threads(self.threads)
        with contextlib.ExitStack() as opened:
            documents: Iterable[_Document] = (self._open(item, sink, opened) for item in items)
            pages = sys.maxsize
            if len(items) == 1:
                documents = list(documents)
                pages = len(documents[0].numbers)
            elif any(isinstance(item, Input) and item.path is None for item in items):
                pages = 1  # standard input may come late: nobody waits for it before its turn
            workers = count_workers(threads, pages)
            tasks = self._list_tasks(documents, threads // workers)
            with contextlib.closing(work_ahead(self._make, tasks, workers=workers)) as made:
                for first in made:
                    document = first[0].document
                    pages_of_it = chain([first], islice(made, len(document.numbers[1:])))
                    outcomes = (outcome for _, get in pages_of_it if (outcome := get()) is not None)
                    self._finish(document, outcomes, sink, progress)
                    progress.end_file()

    def _open(
        self, item: Input | OdiaOcrError, sink: Sink, opened: contextlib.ExitStack
    ) -> _Document:
        """Open a document, unless its outputs are there; `opened` closes it at the latest."""
        from odia_ocr.pages.images import open_pages, select_pages

        document = _Document(item)
        opened.callback(_close, document)
        if isinstance(item, OdiaOcrError):
            return document
        try:
            document.kept = sink.keeps(item)
            if not document.kept:
                document.content = item.content()
                document.file = open_pages(document.content, name=item.name, limits=self.limits)
                document.numbers = select_pages(document.file, self.pages)
                document.kept = sink.keeps(item, document.numbers)
        except OdiaOcrError as error:
            document.item = error
        except Exception as error:  # the documents before it are still to be written
            document.item = InputError(
                f"{item.name}: it cannot be opened: {type(error).__name__}: {error}",
                next_step="Check the file; if others open it, report it.",
            )
        if document.kept or isinstance(document.item, OdiaOcrError):
            document.numbers = []
            _close(document)
        return document

    def _list_tasks(self, documents: Iterable[_Document], threads: int) -> Iterator[_Task]:
        for document in documents:
            if document.file is None:
                yield _Task(document)
                continue
            self._open_reader(threads)
            yield from (_Task(document, number) for number in document.numbers)

    def _open_reader(self, threads: int) -> None:
        from odia_ocr.pipeline import open_reader

        if self._reader is None:
            self._reader = open_reader(self.engine, threads=threads, detector=self.detector)

    def _make(self, task: _Task) -> PageOutcome | None:
        """Read a page; called from several threads."""
        document = task.document
        if task.number is None or document.file is None or document.given_up:
            return None
        assert self._reader is not None
        return self._reader.read_one(document.file, self.options, task.number)

    def _finish(
        self,
        document: _Document,
        outcomes: Iterator[PageOutcome],
        sink: Sink,
        progress: ReadingProgress,
    ) -> None:
        """Deliver the pages of a document, or say why there are none."""
        item = document.item
        if isinstance(item, OdiaOcrError):
            self.fail(item)
        elif document.kept:
            say(f"{item.name}: kept {sink.describe(item)}, use --force to replace.")
            self.done += 1
        elif document.file is not None:
            try:
                self._deliver(item, document, outcomes, sink, progress)
            except (ResourceMissingError, UsageError):
                raise
            except OdiaOcrError as error:
                self.fail(error)
            finally:
                document.given_up = True
        for _ in outcomes:  # what was under way when it failed
            pass
        _close(document)

    def _deliver(
        self,
        item: Input,
        document: _Document,
        outcomes: Iterator[PageOutcome],
        sink: Sink,
        progress: ReadingProgress,
    ) -> None:
        from odia_ocr.pipeline import tell_problems

        assert document.file is not None
        progress.begin_pages(document.file.source, len(document.numbers))
        with sink.open(item, document.content) as delivery:
            for outcome in tell_problems(document.file.problems, outcomes):
                written = self._write_digits(outcome)
                self._count(item, written)
                delivery.take(written)
                progress.end_page()
        for error in delivery.errors:
            self.fail(error)

    def _write_digits(self, outcome: PageOutcome) -> PageOutcome:
        from odia_ocr.export.digits import write_page_digits

        if outcome.page is None:
            return outcome
        return replace(outcome, page=write_page_digits(outcome.page, self.digits))

    def _count(self, item: Input, outcome: PageOutcome) -> None:
        """Tell what went wrong on a page; it is done if something on it could be read."""
        from odia_ocr.line_reading import REMARKS

        if outcome.problem is not None:
            self.failures += 1
            report(item.name, outcome.problem)
        if outcome.page is not None:
            failures = sum(problem.code not in REMARKS for problem in outcome.page.problems)
            self.failures += failures
            self.done += not failures or any(line.reading for line in outcome.page.lines)
            for problem in outcome.page.problems:
                report(item.name, problem)

    def fail(self, error: OdiaOcrError) -> None:
        """Report a document that could not be read."""
        self.failures += 1
        self.unwritten += isinstance(error, OutputError)
        say(str(error))

    def exit_code(self) -> int:
        """Exit status of the whole call."""
        if not self.failures:
            return 0
        # What could not be written is no sign that the document cannot be read.
        return EXIT_SOME_FAILED if self.done or self.unwritten else EXIT_NOTHING_READ


def _close(document: _Document) -> None:
    if document.file is not None:
        document.file.close()
        document.file = None
