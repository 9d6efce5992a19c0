"""Threads that read pages: a few pages at a time, in turn from all documents that wait.

The page is the unit of work, so a book of a thousand pages holds nobody up, and a server that ends
loses no more than the pages under way. Models are opened once and shared by the threads, as when a
folder is read by the command. Knows no HTTP.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from odia_ocr.apps.presets import PRESETS
from odia_ocr.apps.serve.failures import TooSlowError
from odia_ocr.apps.serve.jobs import Job, JobState, JobStore, KeptPage
from odia_ocr.apps.serve.memory import open_grown
from odia_ocr.apps.serve.nbest import widen
from odia_ocr.apps.serve.private_folder import PrivateFolder
from odia_ocr.apps.serve.settings import Limits
from odia_ocr.errors import OdiaOcrError
from odia_ocr.pages.ahead import count_workers
from odia_ocr.pages.images import PageFile, open_pages
from odia_ocr.pipeline import DEFAULT_OPTIONS, Reader
from odia_ocr.runtime import count_threads
from odia_ocr.types import Problem, Recognizer

if TYPE_CHECKING:
    from odia_ocr.apps.serve.telling import Telling

OpenReader = Callable[[str, int], Reader]  # name of an engine, threads

_MOST_STARTS = 3
_FIRST_GUESS = 1.0  # seconds a page, before one was read
_MEMORY = 0.9  # of the running mean


def _begin_future() -> Future[None]:
    """A future that those who wait for it cannot cancel."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()
    return future


@dataclass(slots=True, eq=False)
class _Open:
    """A document that waits or is being read.

    Attributes:
        job: As it was taken on.
        numbers: Pages not begun.
        ended: Done when nothing of it is under way any more.
        under_way: Pages being read.
        file: Opened for its first page.
        opening: Held while it is opened.
        begun: By the monotonic clock; None while it waits.
        failure: Why its other pages are not read.
        suspect: It may have ended the server before; until a page of it comes to an end, nothing
            is read beside it, so that no other document is blamed or lost with it.
    """

    job: Job
    numbers: deque[int]
    ended: Future[None] = field(default_factory=_begin_future)
    under_way: int = 0
    file: PageFile | None = None
    opening: threading.Lock = field(default_factory=threading.Lock)
    begun: float | None = None
    failure: Problem | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Load:
    """How much there is to do: documents not ended, pages not begun, pages under way."""

    documents: int
    waiting: int
    busy: int


class PageWorkers:
    """Reads the open jobs of a store.

    Args:
        store: Where jobs come from and pages go.
        folder: Where their documents lie.
        limits: What is accepted.
        telling: Logs and figures.
        threads: Pages read at once; None takes what the command takes.
        open_with: Opens a reader by the name of its engine, on so many threads; None opens it and
            reads a trial page.
    """

    def __init__(
        self,
        store: JobStore,
        folder: PrivateFolder,
        limits: Limits,
        telling: Telling,
        *,
        threads: int | None = None,
        open_with: OpenReader | None = None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._limits = limits
        self._telling = telling
        self._cores = count_threads(None)
        self._open_with = open_with or open_grown
        self._changed = threading.Condition()
        self._turns: deque[_Open] = deque()  # who has pages to read, the next one first
        self._open: dict[str, _Open] = {}
        self._busy = 0
        self._alone = False  # a suspect is being read
        self._reserved = 0
        self._leaving = self._stopping = False
        self._seconds_a_page = _FIRST_GUESS
        self._readers: dict[str, Reader] = {}
        self._wide: dict[str, Recognizer | None] = {}
        self._opening = threading.Lock()
        count = threads or count_workers(self._cores, self._cores)
        self._threads = [
            threading.Thread(target=self._work, name=f"page-{i}", daemon=True) for i in range(count)
        ]

    def start(self) -> None:
        """Go on with what was not ended, then take what comes."""
        for job in sorted(self._store.list_open(), key=lambda job: -job.starts):
            self.take(job)
        for thread in self._threads:
            thread.start()

    def leave_jobs(self) -> None:
        """Begin no page any more but of documents that a request waits for."""
        with self._changed:
            self._leaving = True
            self._turns = deque(opened for opened in self._turns if opened.job.passing)

    def stop(self) -> None:
        """Finish the pages under way; what is left stays for the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for opened in self._open.values():
            _close(opened)

    def take(self, job: Job) -> Future[None]:
        """Take a job on; the future is done when it has ended."""
        opened = _Open(job, deque(self._store.list_missing(job)), suspect=job.starts > 0)
        if job.starts >= _MOST_STARTS:
            opened.numbers.clear()
            opened.failure = Problem(
                "gave-up",
                f"The server ended {job.starts} times while it read this document.",
                "Send single pages of it to find the one; more memory may help.",
            )
        with self._changed:
            self._open[job.id] = opened
            if opened.numbers and self._may_begin(opened):
                self._turns.append(opened)
                self._changed.notify()
        if not opened.numbers:
            self._end(opened)
        return opened.ended

    def reserve(self, most: int) -> bool:
        """Keep a place for a job to come, unless `most` wait or are read; see `release`."""
        with self._changed:
            if len(self._open) + self._reserved >= most:
                return False
            self._reserved += 1
            return True

    def release(self) -> None:
        """The job that a place was kept for has been taken, or will not come."""
        with self._changed:
            self._reserved -= 1

    def cancel(self, job_id: str) -> None:
        """Read no further page of a job; the one under way is not kept."""
        self._store.end(job_id, JobState.CANCELLED)
        with self._changed:
            opened = self._open.get(job_id)
            if opened is None:
                return
            opened.numbers.clear()
            idle = not opened.under_way
        if idle:
            self._end(opened)

    def load(self) -> Load:
        """How much there is to do."""
        with self._changed:
            waiting = sum(len(opened.numbers) for opened in self._open.values())
            return Load(len(self._open) + self._reserved, waiting, self._busy)

    def guess_wait(self) -> int:
        """Seconds until a document of those that wait will be done, roughly."""
        load = self.load()
        pages = (load.waiting + load.busy) / max(1, load.documents)
        seconds = pages * self._seconds_a_page / len(self._threads)
        return max(1, min(600, round(seconds)))

    def warm(self, preset: str) -> str:
        """Open the models of a preset; gives the recognizer's name."""
        return self._find_reader(preset).recognizer.name

    def find_wide(self, preset: str) -> Recognizer | None:
        """What gives several readings a line, on one thread; see `nbest.widen`."""
        reader = self._find_reader(preset)
        with self._opening:
            if preset not in self._wide:
                one = reader.reopen(1) if reader.reopen is not None else reader
                self._wide[preset] = widen(one.recognizer)
            return self._wide[preset]

    @property
    def warm_presets(self) -> frozenset[str]:
        """Presets whose models are open."""
        return frozenset(self._readers)

    def _find_reader(self, preset: str) -> Reader:
        with self._opening:
            if preset not in self._readers:
                self._readers[preset] = self._open_with(PRESETS[preset], self._cores)
            return self._readers[preset]

    def _work(self) -> None:
        while (task := self._next_task()) is not None:
            opened, number, cores = task
            try:
                self._read(opened, number, cores)
            except Exception as error:  # the thread must live: others wait
                self._telling.log_error("page-lost", error, {"job": opened.job.id, "page": number})
                self._give_up(opened, OdiaOcrError("The server could not keep what it read."))
            finally:
                with self._changed:
                    self._busy -= 1
                    opened.under_way -= 1
                    if opened.suspect:
                        opened.suspect = self._alone = False
                    self._changed.notify_all()
                    last = not opened.under_way and not opened.numbers
                if last:
                    self._end(opened)

    def _next_task(self) -> tuple[_Open, int, int] | None:
        """The next page, and on how many threads it may be read; None at the end of the day."""
        with self._changed:
            while True:
                while self._turns and not self._turns[0].numbers:
                    self._turns.popleft()
                if self._stopping:
                    return None
                if self._turns and not (self._alone or (self._turns[0].suspect and self._busy)):
                    break
                self._changed.wait()
            opened = self._turns.popleft()
            number = opened.numbers.popleft()
            if opened.numbers and self._may_begin(opened):
                self._turns.append(opened)
            opened.under_way += 1
            self._busy += 1
            self._alone = opened.suspect
            waiting = sum(len(other.numbers) for other in self._turns)
            side_by_side = min(len(self._threads), self._busy + waiting)
            return opened, number, max(1, self._cores // side_by_side)

    def _may_begin(self, opened: _Open) -> bool:
        return opened.job.passing or not self._leaving

    def _read(self, opened: _Open, number: int, cores: int) -> None:
        """Read a page and keep it."""
        began = time.monotonic()
        try:
            reader = self._find_reader(opened.job.preset)
            file = self._begin(opened, reader, began)
            if reader.reopen is not None:
                reader = reader.reopen(cores)
            outcome = reader.read_one(file, DEFAULT_OPTIONS, number)
        except OdiaOcrError as error:
            self._give_up(opened, error)
            return
        self._store.keep_page(opened.job, KeptPage(number, outcome.page, outcome.problem))
        seconds = time.monotonic() - began
        self._seconds_a_page = _MEMORY * self._seconds_a_page + (1 - _MEMORY) * seconds
        self._telling.count_page(opened.job.preset, seconds, read=outcome.page is not None)

    def _begin(self, opened: _Open, reader: Reader, now: float) -> PageFile:
        """The file of a job, opened for the first of its pages.

        Raises:
            TooSlowError: If the job has had its time.
            InputError: If its document does not open any more.
        """
        with opened.opening:
            if opened.begun is None:
                opened.begun = now
                review = getattr(reader.corrector, "review", None)
                self._store.begin(opened.job.id, review)
            if now - opened.begun > self._limits.seconds:
                raise TooSlowError(
                    f"Reading took longer than {self._limits.seconds:g} seconds.",
                    next_step="Send fewer pages at a time, or start with more --max-seconds.",
                )
            if opened.file is None:
                opened.file = open_pages(
                    self._folder.document(opened.job.id),
                    name=opened.job.name,
                    limits=self._limits.page,
                )
            return opened.file

    def _give_up(self, opened: _Open, error: OdiaOcrError) -> None:
        with self._changed:
            opened.numbers.clear()
        opened.failure = Problem(error.code, error.message, error.next_step)

    def _end(self, opened: _Open) -> None:
        """Nothing of a job is under way, and nothing of it waits."""
        job_id = opened.job.id
        with self._changed:
            if self._open.pop(job_id, None) is None:
                return  # two threads saw it end
        _close(opened)
        try:
            state, failure = self._judge(opened)
            if not self._store.end(job_id, state, failure):
                state, failure = JobState.CANCELLED, None
            self._telling.log(
                "job-ended",
                {
                    "job": job_id,
                    "state": state,
                    "pages": len(opened.job.numbers),
                    "seconds": round(time.monotonic() - (opened.begun or time.monotonic()), 3),
                    "error": failure.code if failure else None,
                },
            )
        except Exception as error:  # whoever waits for it must be told
            self._telling.log_error("job-lost", error, {"job": job_id})
        opened.ended.set_result(None)

    def _judge(self, opened: _Open) -> tuple[JobState, Problem | None]:
        """How a job ended: it is done when some page could be read."""
        if opened.failure is not None:
            return JobState.FAILED, opened.failure
        job = self._store.find(opened.job.id)
        if job is not None and not job.read and job.failed:
            return JobState.FAILED, self._store.list_problems(job.id)[0]
        return JobState.DONE, None


def _close(opened: _Open) -> None:
    if opened.file is not None:
        opened.file.close()
        opened.file = None
