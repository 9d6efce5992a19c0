"""Jobs and the pages read for them, as they are kept.

A job is one document. Each page is kept as soon as it is read, so that a server that is killed goes
on where it was and reads no page twice. Knows no HTTP and reads nothing.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from odia_ocr.apps.serve.database import Database
from odia_ocr.export.document_json import page_from_json, page_to_json, problem_to_json
from odia_ocr.types import Page, Problem

if TYPE_CHECKING:
    import sqlite3


class JobState(StrEnum):
    """Where a job stands; the first two are not ended."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One document to read, or that was read.

    Attributes:
        id: Cannot be guessed.
        name: What the document is called; for showing only.
        preset: How it is read.
        numbers: Its wanted pages.
        problems: Of the file as a whole.
        passing: A request waits for it, and it goes when that is answered.
        state: Where it stands.
        starts: How often it was begun since a page last came of it.
        review: Least confidence of a line that need not be looked at, 0..1; None when not known.
        error: Why it failed.
        created, started, finished, touched: Seconds since 1970.
        read, failed: Pages so far.
    """

    id: str
    name: str
    preset: str
    numbers: tuple[int, ...]
    problems: tuple[Problem, ...] = ()
    passing: bool = False
    state: JobState = JobState.QUEUED
    starts: int = 0
    review: float | None = None
    error: Problem | None = None
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    touched: float = 0.0
    read: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class KeptPage:
    """What became of a page: the page, or why there is none."""

    number: int
    page: Page | None = None
    problem: Problem | None = None


_COUNTED = """SELECT jobs.*,
    (SELECT count(*) FROM pages WHERE job = jobs.id AND content IS NOT NULL) AS read,
    (SELECT count(*) FROM pages WHERE job = jobs.id AND content IS NULL) AS failed
FROM jobs """


@dataclass(frozen=True, slots=True)
class JobStore:
    """Jobs in a database."""

    database: Database

    def add(self, job: Job) -> None:
        """Keep a new job."""
        now = time.time()
        with self.database.change(lasting=not job.passing) as connection:
            connection.execute(
                "INSERT INTO jobs (id, name, preset, numbers, problems, passing, state, starts,"
                " created, touched) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
                (
                    job.id,
                    job.name,
                    job.preset,
                    json.dumps(job.numbers),
                    json.dumps([problem_to_json(problem) for problem in job.problems]),
                    job.passing,
                    job.state,
                    now,
                    now,
                ),
            )

    def find(self, job_id: str) -> Job | None:
        """A job, or None."""
        rows = self.database.rows(_COUNTED + "WHERE id = ?", job_id)
        return _job(rows[0]) if rows else None

    def list_newest(self, most: int) -> list[Job]:
        """The newest jobs that no request waits for."""
        query = _COUNTED + "WHERE NOT passing ORDER BY created DESC, id LIMIT ?"
        return [_job(row) for row in self.database.rows(query, most)]

    def list_open(self) -> list[Job]:
        """Jobs that have not ended, oldest first."""
        query = _COUNTED + "WHERE state IN (?, ?) ORDER BY created, id"
        return [_job(row) for row in self.database.rows(query, *OPEN_STATES)]

    def list_ids(self) -> set[str]:
        """Of all jobs."""
        return {row["id"] for row in self.database.rows("SELECT id FROM jobs")}

    def list_expired(self, before: float) -> list[str]:
        """Ended jobs that were last worked on before a time, in seconds since 1970."""
        query = "SELECT id FROM jobs WHERE touched < ? AND state NOT IN (?, ?)"
        return [row["id"] for row in self.database.rows(query, before, *OPEN_STATES)]

    def list_passing(self) -> list[str]:
        """Jobs that a request waits for."""
        return [row["id"] for row in self.database.rows("SELECT id FROM jobs WHERE passing")]

    def list_missing(self, job: Job) -> list[int]:
        """Wanted pages that were neither read nor failed."""
        rows = self.database.rows("SELECT number FROM pages WHERE job = ?", job.id)
        done = {row["number"] for row in rows}
        return [number for number in job.numbers if number not in done]

    def begin(self, job_id: str, review: float | None) -> None:
        """A job is being read, for the first time or again; see `Job.review`."""
        now = time.time()
        with self.database.change() as connection:
            connection.execute(
                "UPDATE jobs SET state = ?, starts = starts + 1, review = ?, touched = ?,"
                " started = coalesce(started, ?) WHERE id = ? AND state IN (?, ?)",
                (JobState.RUNNING, review, now, now, job_id, *OPEN_STATES),
            )

    def keep_page(self, job: Job, kept: KeptPage) -> None:
        """Keep what became of a page; a job that has ended takes none.

        Nobody reviews a job that passes, so it is kept without what only a review needs.
        """
        content = None if kept.page is None else _pack(kept.page, hypotheses=not job.passing)
        problem = None if kept.problem is None else json.dumps(problem_to_json(kept.problem))
        with self.database.change() as connection:
            taken = connection.execute(
                "UPDATE jobs SET starts = 0, touched = ? WHERE id = ? AND state IN (?, ?)",
                (time.time(), job.id, *OPEN_STATES),
            ).rowcount
            if taken:
                connection.execute(
                    "INSERT OR IGNORE INTO pages VALUES (?, ?, ?, ?)",
                    (job.id, kept.number, content, problem),
                )

    def end(self, job_id: str, state: JobState, error: Problem | None = None) -> bool:
        """A job that was open has ended; False when it had before."""
        now = time.time()
        told = None if error is None else json.dumps(problem_to_json(error))
        with self.database.change() as connection:
            ended = connection.execute(
                "UPDATE jobs SET state = ?, error = ?, finished = ?, touched = ?"
                " WHERE id = ? AND state IN (?, ?)",
                (state, told, now, now, job_id, *OPEN_STATES),
            ).rowcount
        return bool(ended)

    def remove(self, job_id: str) -> None:
        """Forget a job, its pages and their corrections."""
        with self.database.change() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def find_page(self, job_id: str, number: int) -> KeptPage | None:
        """What became of a page; None when it was not wanted or is not read yet."""
        rows = self.database.rows(
            "SELECT * FROM pages WHERE job = ? AND number = ?", job_id, number
        )
        return _kept(rows[0]) if rows else None

    def list_problems(self, job_id: str) -> tuple[Problem, ...]:
        """Why pages failed, in their order."""
        query = "SELECT problem FROM pages WHERE job = ? AND problem IS NOT NULL ORDER BY number"
        return _problems(json.loads(row["problem"]) for row in self.database.rows(query, job_id))

    def load_pages(self, job: Job) -> Iterator[KeptPage]:
        """What became of the pages of a job, in order, one at a time."""
        for number in job.numbers:
            kept = self.find_page(job.id, number)
            if kept is not None:
                yield kept


def _job(row: sqlite3.Row) -> Job:
    (error,) = _problems([json.loads(row["error"])]) if row["error"] else (None,)
    return Job(
        id=row["id"],
        name=row["name"],
        preset=row["preset"],
        numbers=tuple(json.loads(row["numbers"])),
        problems=_problems(json.loads(row["problems"])),
        passing=bool(row["passing"]),
        state=JobState(row["state"]),
        starts=row["starts"],
        review=row["review"],
        error=error,
        created=row["created"],
        started=row["started"],
        finished=row["finished"],
        touched=row["touched"],
        read=row["read"],
        failed=row["failed"],
    )


def _problems(records: Iterable[dict[str, object]]) -> tuple[Problem, ...]:
    return tuple(Problem(**record) for record in records)  # type: ignore[arg-type]


def _kept(row: sqlite3.Row) -> KeptPage:
    problem = Problem(**json.loads(row["problem"])) if row["problem"] else None
    page = None if row["content"] is None else _unpack(row["content"])
    return KeptPage(row["number"], page, problem)


def _pack(page: Page, *, hypotheses: bool) -> bytes:
    record = page_to_json(page, hypotheses=hypotheses)
    return zlib.compress(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"), 1)


def _unpack(content: bytes) -> Page:
    return page_from_json(json.loads(zlib.decompress(content)))
