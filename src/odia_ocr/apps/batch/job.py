"""One call of `odia-ocr batch`: what is not done yet is done, then everything is summed up.

Knows the order of things: pages are counted, read, written out as soon as their document is
complete; failures are tried again, then set aside. Where tasks run is the runner's business, what
is done is the manifest's.
"""

from __future__ import annotations

import shutil
from collections import Counter, deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from odia_ocr.apps.batch.catalogue import fetch
from odia_ocr.apps.batch.lines_table import LINES, write_lines
from odia_ocr.apps.batch.manifest import KeptDocument, KeptPage, Manifest
from odia_ocr.apps.batch.progress import BatchProgress
from odia_ocr.apps.batch.report import write_report
from odia_ocr.apps.batch.runner import Counted, PageRead, Result, Runner, Task
from odia_ocr.apps.batch.summary import Summary, sum_up
from odia_ocr.apps.inputs import Input
from odia_ocr.apps.messages import report, say
from odia_ocr.apps.sinks import FolderSink
from odia_ocr.errors import OdiaOcrError, OutputError
from odia_ocr.pages.ahead import work_ahead
from odia_ocr.pipeline import PageOutcome, tell_problems
from odia_ocr.types import Problem

DOCUMENTS = "documents"
_FETCHED = ".fetched"  # of the batch alone: what a killed run left there is thrown away
_FETCHES = 4  # documents that are fetched side by side, and lie ready


@dataclass(slots=True)
class BatchJob:
    """A batch under way.

    Attributes:
        folder: Where everything goes.
        manifest: Of that folder.
        runner: Where tasks run.
        sink: Writes the files of a document.
        tries: How often a page or document is tried before it is set aside.
        progress: Shows how far it is.
        unwritten: Outputs that could not be written.
    """

    folder: Path
    manifest: Manifest
    runner: Runner
    sink: FolderSink
    tries: int
    progress: BatchProgress
    unwritten: int = 0
    _urgent: deque[Task] = field(default_factory=deque)
    _failures: Counter[Task] = field(default_factory=Counter)
    _files: dict[int, Path] = field(default_factory=dict)
    _left: dict[int, int] = field(default_factory=dict)

    def run(self) -> Summary:
        """Do what is not done, write what is not written, and sum up.

        Raises:
            UsageError: If there is no such engine.
            ResourceMissingError: If it lacks something it needs.
            OutputError: If the manifest, the table or the report cannot be written.
        """
        shutil.rmtree(self.folder / _FETCHED, ignore_errors=True)
        self._check_written()
        try:
            self._drive(self._count_local())
            self.progress.begin(self.manifest.count())
            with closing(self._read_all()) as tasks:
                self._drive(tasks)
        finally:
            self.progress.end()
            shutil.rmtree(self.folder / _FETCHED, ignore_errors=True)
        write_lines(self.manifest, self.folder / LINES)
        summary = sum_up(self.manifest)
        write_report(summary, self.folder)
        return summary

    def _check_written(self) -> None:
        """Documents whose files are not all there, e.g. of a new format, are written again."""
        for document in self.manifest.documents("written"):
            pages = self.manifest.done_pages(document.id)
            if pages and not self.sink.keeps(_as_input(document, None), pages):
                self.manifest.set_state(document.id, "counted")

    def _drive(self, tasks: Iterator[Task]) -> None:
        """Keep the runner busy until there are no more tasks."""
        while True:
            while self.runner.has_room:
                task = self._urgent.popleft() if self._urgent else next(tasks, None)
                if task is None:
                    break
                self.runner.submit(task)
            if not self.runner.is_busy:
                return
            for result in self.runner.wait():
                self._settle(result)

    def _count_local(self) -> Iterator[Task]:
        for document in self.manifest.documents("new"):
            if not document.is_remote:
                yield Task(document.id, document.name, Path(document.name))

    def _read_all(self) -> Generator[Task, None, None]:
        """Tasks of all documents that are not written, in order."""
        documents = self.manifest.documents("new", "counted")
        with closing(work_ahead(self._get, documents, workers=_FETCHES)) as ready:
            for document, get in ready:
                try:
                    self._files[document.id] = get()
                except OdiaOcrError as error:
                    self._fail_document(document.id, error)
                    continue
                yield from self._begin(document)

    def _get(self, document: KeptDocument) -> Path:
        """The file of a document; called from several threads."""
        if not document.is_remote:
            return Path(document.name)
        target = self.folder / _FETCHED / str(document.id)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        fetch(document.name, target)
        return target

    def _begin(self, document: KeptDocument) -> Iterator[Task]:
        task = Task(document.id, document.name, self._files[document.id])
        if document.state == "new":
            yield task
            return
        numbers = self.manifest.waiting(document.id)
        self._left[document.id] = len(numbers)
        if not numbers:
            self._write(document)
        yield from (replace(task, number=number) for number in numbers)

    def _settle(self, result: Result) -> None:
        task, made = result.task, result.made
        if isinstance(made, OdiaOcrError):
            self._failures[task] += 1
            if self._failures[task] < self.tries:
                self._urgent.append(task)
                return
            if task.number is None:
                self._fail_document(task.document, made)
            else:
                report(task.name, replace(_to_problem(made), page=task.number))
                self.manifest.quarantine(task.document, task.number, made, result.seconds)
                self._end_page(task.document)
        elif isinstance(made, Counted):
            self.manifest.set_pages(task.document, made.numbers, made.problems)
            self.progress.count_pages(len(made.numbers))
            if task.document in self._files:  # fetched: its pages are read while it is at hand
                self._urgent.extend(self._begin(self.manifest.document(task.document)))
        else:
            assert isinstance(made, PageRead)
            assert task.number is not None
            self.manifest.finish(task.document, task.number, made.packed, result.seconds)
            self._end_page(task.document)
        self._failures.pop(task, None)

    def _end_page(self, document: int) -> None:
        self.progress.end_page()
        self._left[document] -= 1
        if not self._left[document]:
            self._write(self.manifest.document(document))

    def _fail_document(self, document: int, error: OdiaOcrError) -> None:
        say(str(error))
        self.manifest.set_state(document, "failed", error)
        self.progress.count_pages(0)
        self._let_go(document)

    def _write(self, document: KeptDocument) -> None:
        """Write the files of a document that is complete."""
        content = self._files[document.id]
        outcomes = map(_to_outcome, self.manifest.pages(document.id))
        try:
            sink = replace(self.sink, force=True)  # what was written before a break is the same
            with sink.open(_as_input(document, content), content) as delivery:
                for outcome in tell_problems(document.problems, outcomes):
                    delivery.take(outcome)
            errors = delivery.errors
        except OutputError as error:
            errors = [error]
        for failure in errors:
            say(str(failure))
        self.unwritten += len(errors)
        if not errors:
            self.manifest.set_state(document.id, "written")
        self._let_go(document.id)

    def _let_go(self, document: int) -> None:
        self._left.pop(document, None)
        path = self._files.pop(document, None)
        if path is not None and path.parent == self.folder / _FETCHED:
            path.unlink(missing_ok=True)


def _as_input(document: KeptDocument, path: Path | None) -> Input:
    return Input(path, document.name, document.stem)


def _to_outcome(kept: KeptPage) -> PageOutcome:
    return PageOutcome(kept.number, kept.page, error=_to_error(kept.error))


def _to_error(problem: Problem | None) -> OdiaOcrError | None:
    """The error that the manifest keeps as a problem."""
    if problem is None:
        return None
    error = OdiaOcrError(problem.message, next_step=problem.next_step)
    error.code = problem.code
    return error


def _to_problem(error: OdiaOcrError) -> Problem:
    return Problem(error.code, error.message, error.next_step)
