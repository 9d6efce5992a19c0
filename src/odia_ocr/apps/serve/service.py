"""What the server does, without HTTP: documents are taken in, read, given out and forgotten."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from odia_ocr.apps.presets import DEFAULT_PRESET, PRESETS
from odia_ocr.apps.serve.corrections import CorrectionStore
from odia_ocr.apps.serve.database import Database
from odia_ocr.apps.serve.failures import (
    ConflictError,
    JobFailedError,
    NotFoundError,
    QueueFullError,
    TooLargeError,
)
from odia_ocr.apps.serve.jobs import OPEN_STATES, Job, JobState, JobStore
from odia_ocr.apps.serve.nbest import OtherReading, find_others
from odia_ocr.apps.serve.pictures import PictureShelf
from odia_ocr.apps.serve.private_folder import PrivateFolder, make_id, open_folder
from odia_ocr.apps.serve.results import ReadDocument
from odia_ocr.apps.serve.review import correct_page
from odia_ocr.apps.serve.settings import Settings
from odia_ocr.apps.serve.telling import Telling
from odia_ocr.apps.serve.workers import OpenReader, PageWorkers
from odia_ocr.errors import name_choices
from odia_ocr.pages.images import open_pages, select_pages
from odia_ocr.pages.page_range import ALL_PAGES, PageRange, parse_pages
from odia_ocr.pipeline import PageOutcome, tell_problems
from odia_ocr.types import Line, Page

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class ReadingWish:
    """How a document is to be read.

    Attributes:
        preset: Name from `PRESETS`.
        pages: Which of its pages.
    """

    preset: str = DEFAULT_PRESET
    pages: PageRange = ALL_PAGES

    @classmethod
    def of(cls, preset: str, pages: str | None) -> ReadingWish:
        """From what a request says.

        Raises:
            UsageError: If there is no such preset, or the pages cannot be understood.
        """
        if preset not in PRESETS:
            raise name_choices(preset, list(PRESETS), kind="preset")
        return cls(preset, parse_pages(pages) if pages else ALL_PAGES)


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that was taken in, and a future that is done when it has been read."""

    job: Job
    ended: Future[None]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a server; see `open_service`."""

    settings: Settings
    folder: PrivateFolder
    database: Database
    jobs: JobStore
    corrections: CorrectionStore
    workers: PageWorkers
    pictures: PictureShelf
    telling: Telling

    def start(self) -> None:
        """Clear away what nobody waits for, and go on with the rest."""
        for job_id in self.jobs.list_passing():
            self.jobs.remove(job_id)
        self.folder.remove_others(self.jobs.list_ids())
        self.workers.start()

    def prepare_stop(self) -> None:
        """Read only what requests wait for; jobs keep their pages for the next start."""
        self.workers.leave_jobs()

    def stop(self) -> None:
        """Finish the pages under way."""
        self.workers.stop()
        self.database.close()

    def _reserve(self) -> None:
        """Room for one document more.

        Raises:
            QueueFullError: With when to come again.
        """
        most = self.settings.limits.waiting
        if not self.workers.reserve(most):
            wait = self.workers.guess_wait()
            raise QueueFullError(
                f"{most} documents wait or are being read, as many as may.",
                next_step=f"Try again in {wait} seconds.",
                retry_after=wait,
            )

    def take_in(
        self, name: str | None, content: BinaryIO, wish: ReadingWish, *, passing: bool
    ) -> Taken:
        """Take a document in, to be read.

        Args:
            name: What the sender calls it.
            content: The file.
            wish: How it is to be read.
            passing: The sender waits for it.

        Raises:
            QueueFullError: If too many wait.
            InputError: If it is no whole picture or PDF, or has none of the wanted pages.
            TooLargeError: If it has too many.
            StorageError: If it cannot be kept.
        """
        self._reserve()
        job_id = make_id()
        try:
            self.folder.take(job_id, content, lasting=not passing)
            job = self._look_into(job_id, clean_name(name), wish, passing)
            self.jobs.add(job)
            return Taken(job, self.workers.take(job))
        except BaseException:
            self.folder.remove(job_id)
            raise
        finally:
            self.workers.release()

    def _look_into(self, job_id: str, name: str, wish: ReadingWish, passing: bool) -> Job:
        limits = self.settings.limits
        file = open_pages(self.folder.document(job_id), name=name, limits=limits.page)
        try:
            numbers = select_pages(file, wish.pages)
            if len(numbers) > limits.pages:
                raise TooLargeError(
                    f"{name}: {len(numbers)} pages are more than the {limits.pages} allowed.",
                    next_step="Send fewer with ?pages=1-100, or start with more --max-pages.",
                )
            return Job(
                id=job_id,
                name=name,
                preset=wish.preset,
                numbers=tuple(numbers),
                problems=tuple(file.problems),
                passing=passing,
                created=(now := time.time()),
                touched=now,
            )
        finally:
            file.close()

    def find_job(self, job_id: str) -> Job:
        """A job.

        Raises:
            NotFoundError: If there is none of that name.
        """
        job = self.jobs.find(job_id)
        if job is None:
            raise NotFoundError(
                f"There is no job {job_id[:40]!r}.",
                next_step="It may have expired; send the document again.",
            )
        return job

    def cancel(self, job_id: str) -> Job:
        """Cancel a job; its document goes, and so does everything of one that had ended."""
        job = self.find_job(job_id)
        if job.state not in OPEN_STATES:
            self.forget(job_id)
            return job
        self.workers.cancel(job_id)
        job = self.find_job(job_id)
        if job.state is JobState.CANCELLED:  # it may have ended just before
            self.folder.remove(job_id)
        return job

    def forget(self, job_id: str) -> None:
        """Remove a job with all that belongs to it."""
        self.workers.cancel(job_id)
        self.jobs.remove(job_id)
        self.pictures.forget(job_id)
        self.folder.remove(job_id)

    def forget_expired(self) -> None:
        """Forget what nobody worked on for long."""
        before = time.time() - self.settings.keep_seconds
        for job_id in self.jobs.list_expired(before):
            self.forget(job_id)
            self.telling.log("job-expired", {"job": job_id})

    def read_document(self, job: Job, *, corrected: bool = True) -> ReadDocument:
        """What was read, for the exporters.

        Args:
            job: A job that is done.
            corrected: As people corrected it, not as it was read.

        Raises:
            JobFailedError: If it failed.
            ConflictError: If it has not ended, or was cancelled.
        """
        if job.state is JobState.FAILED and job.error is not None:
            raise JobFailedError(job.error)
        if job.state is JobState.CANCELLED:
            raise ConflictError(
                "The job is cancelled.", next_step="Send the document again to read it."
            )
        if job.state is not JobState.DONE:
            raise ConflictError(
                f"The job is {job.state}.",
                next_step=f"Ask GET /v1/jobs/{job.id} until its state is done.",
            )
        pages = partial(self._load_pages, job, corrected)
        problems = self.jobs.list_problems(job.id)
        return ReadDocument(job.name, self.folder.document(job.id), pages, problems)

    def find_others(self, job: Job, number: int, line: Line) -> tuple[OtherReading, ...]:
        """Other readings of a whole line, likeliest first.

        Raises:
            InputError: If its page does not open any more.
            ResourceMissingError: If the models of its preset are missing.
        """
        wide = None if line.reading is None else self.workers.find_wide(job.preset)
        if wide is None:
            return ()
        return find_others(wide, self.pictures.cut(job.id, number, line), line.text)

    def _load_pages(self, job: Job, corrected: bool) -> Iterator[Page]:
        outcomes = (PageOutcome(kept.number, kept.page) for kept in self.jobs.load_pages(job))
        for outcome in tell_problems(job.problems, outcomes):
            page = outcome.page
            if page is None:
                continue
            if corrected:
                page = correct_page(page, self.corrections.of_page(job.id, page.number))
            yield page


def clean_name(name: str | None) -> str:
    """A name from outside, for showing: no folders, no control characters, not too long."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if c == " " or unicodedata.category(c)[0] not in "CZ")
    return shown.strip()[:_LONGEST_NAME].strip() or "document"


def open_service(
    settings: Settings, *, telling: Telling, open_with: OpenReader | None = None
) -> Service:
    """Open what a server consists of; `Service.start` begins to read.

    Args:
        settings: What it is started with.
        telling: Logs and figures.
        open_with: See `PageWorkers`.

    Raises:
        UsageError: If another server works in the folder.
        OutputError: If the folder cannot be used.
    """
    folder = open_folder(settings.folder)
    database = Database(folder.database)
    jobs = JobStore(database)
    workers = PageWorkers(
        jobs,
        folder,
        settings.limits,
        telling,
        threads=settings.workers,
        open_with=open_with,
    )
    return Service(
        settings,
        folder,
        database,
        jobs,
        CorrectionStore(database),
        workers,
        PictureShelf(folder, settings.limits.page),
        telling,
    )
