"""What a batch has to do and has done, in one SQLite file: the state of every document and page.

A page's result and its state are written in one transaction, so after a break at any moment a page
either is done, with its result at hand, or waits. Times are kept here and nowhere else.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from odia_ocr.apps.batch.catalogue import Source, is_address
from odia_ocr.apps.batch.kept_page import unpack_page
from odia_ocr.apps.inputs import give_stems
from odia_ocr.errors import OdiaOcrError, OutputError, UsageError
from odia_ocr.export.document_json import problem_to_json
from odia_ocr.types import Page, Problem

MANIFEST = "manifest.sqlite"

# States of a document: "new" its pages are not counted; "counted"; "written" its files are there;
# "failed" it cannot be opened. Of a page: "waiting", "done", "quarantined".
_TABLES = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stem TEXT NOT NULL UNIQUE,
  stamp TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'new',
  problems TEXT NOT NULL DEFAULT '[]', error TEXT);
CREATE TABLE IF NOT EXISTS pages (
  document INTEGER NOT NULL REFERENCES documents (id), number INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting', result BLOB, error TEXT,
  seconds REAL, ended TEXT, PRIMARY KEY (document, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pages_by_state ON pages (state);
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, begun TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, ended TEXT,
  workers INTEGER NOT NULL, pages INTEGER, pages_per_second REAL);
"""
_DOCUMENT = "SELECT id, name, stem, state, problems, error FROM documents"


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A document as the manifest has it.

    Attributes:
        id: Its number, in the order of naming.
        name: As it was named.
        stem: Of its output files.
        state: "new", "counted", "written" or "failed".
        problems: Of the file as a whole.
        error: Why it failed.
    """

    id: int
    name: str
    stem: str
    state: str
    problems: tuple[Problem, ...]
    error: Problem | None

    @property
    def is_remote(self) -> bool:
        """Must it be fetched before it is opened?"""
        return is_address(self.name)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that is done or quarantined: what was read, or why nothing was."""

    number: int
    page: Page | None
    error: Problem | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pages there are in each state, and documents by whether their pages are counted."""

    waiting: int
    done: int
    quarantined: int
    counted: int
    uncounted: int

    @property
    def ended(self) -> int:
        """Pages that need no more work."""
        return self.done + self.quarantined


class Manifest:
    """The manifest of one output folder; held by one process at a time.

    Args:
        folder: Made when it is missing; it must be empty, or hold a batch already.
        settings: What results depend on; they must be those the batch was begun with.

    Raises:
        UsageError: If the folder holds other files, or another batch, or a batch runs there.
        OutputError: If it cannot be written.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        path = folder / MANIFEST
        _check_folder(folder)
        with _told(path):
            self._database = sqlite3.connect(path, timeout=1.0, isolation_level=None)
            try:
                # Held until it is closed, so two runs cannot work on one folder.
                self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
                # A page is on the disk after one write instead of four; it waits for that as ever.
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = FULL")
                with self._transaction():
                    for statement in _TABLES.split(";"):
                        self._database.execute(statement)
                    self._settle_settings(settings)
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._database.close()

    def add(self, sources: Iterable[Source]) -> None:
        """Take documents on; those whose file has changed are read anew."""
        fresh: dict[str, Source] = {}
        with self._transaction():
            for source in sources:
                row = self._one("SELECT id, stamp FROM documents WHERE name = ?", source.name)
                if row is None:
                    fresh[source.name] = source
                elif row[1] != source.stamp:
                    self._forget(row[0], source.stamp)
            taken = [row[0] for row in self._all("SELECT stem FROM documents")]
            stems = give_stems((source.stem for source in fresh.values()), taken=taken)
            self._database.executemany(
                "INSERT INTO documents (name, stem, stamp) VALUES (?, ?, ?)",
                [(s.name, stem, s.stamp) for s, stem in zip(fresh.values(), stems, strict=True)],
            )

    def try_again(self) -> None:
        """Let failed documents and quarantined pages wait once more."""
        with self._transaction():
            self._run(
                "UPDATE documents SET state = 'counted' WHERE id IN "
                "(SELECT document FROM pages WHERE state = 'quarantined')"
            )
            self._run(
                "UPDATE pages SET state = 'waiting', error = NULL WHERE state = 'quarantined'"
            )
            self._run("UPDATE documents SET state = 'new', error = NULL WHERE state = 'failed'")

    def documents(self, *states: str) -> Iterator[KeptDocument]:
        """Documents in the order of naming; all, or those in the given states.

        States may change while they are walked through: they are looked at in their turn.
        """
        last = 0
        limit = f"AND state IN ({', '.join('?' * len(states))}) " if states else ""
        while row := self._one(
            f"{_DOCUMENT} WHERE id > ? {limit}ORDER BY id LIMIT 1", last, *states
        ):
            document = _to_document(row)
            last = document.id
            yield document

    def document(self, number: int) -> KeptDocument:
        """One document."""
        row = self._one(f"{_DOCUMENT} WHERE id = ?", number)
        assert row is not None
        return _to_document(row)

    def waiting(self, document: int) -> list[int]:
        """Numbers of the pages of a document that wait."""
        rows = self._all(
            "SELECT number FROM pages WHERE document = ? AND state = 'waiting' ORDER BY number",
            document,
        )
        return [row[0] for row in rows]

    def pages(self, document: int) -> Iterator[KeptPage]:
        """The pages of a document that need no more work, in order, one in memory at a time."""
        last = 0
        while row := self._one(
            "SELECT number, result, error FROM pages WHERE document = ? AND number > ? "
            "AND state != 'waiting' ORDER BY number LIMIT 1",
            document,
            last,
        ):
            last = row[0]
            page = None if row[1] is None else unpack_page(row[1])
            yield KeptPage(last, page, _to_problem(row[2]))

    def done_pages(self, document: int) -> list[int]:
        """Numbers of the pages of a document that were read."""
        rows = self._all(
            "SELECT number FROM pages WHERE document = ? AND state = 'done' ORDER BY number",
            document,
        )
        return [row[0] for row in rows]

    def count(self) -> Counts:
        """How far the batch is."""
        found = dict(self._all("SELECT state, count(*) FROM pages GROUP BY state"))
        known = dict(self._all("SELECT state = 'new', count(*) FROM documents GROUP BY 1"))
        return Counts(
            waiting=found.get("waiting", 0),
            done=found.get("done", 0),
            quarantined=found.get("quarantined", 0),
            counted=known.get(0, 0),
            uncounted=known.get(1, 0),
        )

    def set_pages(self, document: int, numbers: Iterable[int], problems: Iterable[Problem]) -> None:
        """The pages of a document were counted."""
        with self._transaction():
            self._database.executemany(
                "INSERT OR IGNORE INTO pages (document, number) VALUES (?, ?)",
                [(document, number) for number in numbers],
            )
            told = json.dumps([problem_to_json(problem) for problem in problems])
            self._run(
                "UPDATE documents SET state = 'counted', problems = ? WHERE id = ?", told, document
            )

    def set_state(self, document: int, state: str, error: OdiaOcrError | None = None) -> None:
        """A document got so far, or failed with an error."""
        told = None if error is None else _to_json(error, None)
        self._run("UPDATE documents SET state = ?, error = ? WHERE id = ?", state, told, document)

    def finish(self, document: int, number: int, packed: bytes, seconds: float) -> None:
        """A page was read."""
        self._end_page(document, number, "done", packed, None, seconds)

    def quarantine(self, document: int, number: int, error: OdiaOcrError, seconds: float) -> None:
        """A page cannot be read."""
        self._end_page(document, number, "quarantined", None, _to_json(error, number), seconds)

    def begin_run(self, workers: int) -> int:
        """Note that a run begins; gives its number."""
        return int(self._run("INSERT INTO runs (workers) VALUES (?)", workers).lastrowid or 0)

    def end_run(self, run: int, pages: int, pages_per_second: float) -> None:
        """Note how a run went."""
        self._run(
            "UPDATE runs SET ended = CURRENT_TIMESTAMP, pages = ?, pages_per_second = ? "
            "WHERE id = ?",
            pages,
            pages_per_second,
            run,
        )

    def _end_page(
        self,
        document: int,
        number: int,
        state: str,
        packed: bytes | None,
        error: str | None,
        seconds: float,
    ) -> None:
        ended = self._run(
            "UPDATE pages SET state = ?, result = ?, error = ?, seconds = ?, "
            "ended = CURRENT_TIMESTAMP WHERE document = ? AND number = ? AND state = 'waiting'",
            state,
            packed,
            error,
            seconds,
            document,
            number,
        )
        assert ended.rowcount == 1, f"page {number} of document {document} ended twice"

    def _forget(self, document: int, stamp: str) -> None:
        self._run("DELETE FROM pages WHERE document = ?", document)
        self._run(
            "UPDATE documents SET state = 'new', stamp = ?, problems = '[]', error = NULL "
            "WHERE id = ?",
            stamp,
            document,
        )

    def _settle_settings(self, settings: Mapping[str, str]) -> None:
        kept = dict(self._all("SELECT name, value FROM settings"))
        for name, value in settings.items():
            if kept.get(name, value) != value:
                raise UsageError(
                    f"This batch was begun with {name} {kept[name]!r}, not {value!r}.",
                    next_step="Go on with the settings it was begun with, or give another -o.",
                )
        self._database.executemany(
            "INSERT OR IGNORE INTO settings VALUES (?, ?)", list(settings.items())
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            with _told(Path(MANIFEST)):
                yield
        except BaseException:
            self._database.rollback()
            raise
        self._run("COMMIT")

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        with _told(Path(MANIFEST)):
            return self._database.execute(statement, values)

    def _one(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._run(statement, *values).fetchone()
        return row

    def _all(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self._run(statement, *values).fetchall()


def _to_document(row: tuple[Any, ...]) -> KeptDocument:
    number, name, stem, state, problems, error = row
    told = tuple(Problem(**values) for values in json.loads(problems))
    return KeptDocument(number, name, stem, state, told, _to_problem(error))


def _to_json(error: OdiaOcrError, page: int | None) -> str:
    return json.dumps(
        problem_to_json(Problem(error.code, error.message, error.next_step, page=page)),
        ensure_ascii=False,
    )


def _to_problem(told: str | None) -> Problem | None:
    return None if told is None else Problem(**json.loads(told))


def _check_folder(folder: Path) -> None:
    """Make the folder; one that holds anything but a batch is refused."""
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / MANIFEST).exists() and any(folder.iterdir()):
            raise UsageError(
                f"{folder} holds other files and no batch.",
                next_step="Give -o an empty or a new folder, or that of a batch to go on with.",
            )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system and SQLite say about the manifest into errors of ours."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        if "locked" in str(error):
            raise UsageError(
                f"{path} is in use: another batch works there.",
                next_step="Wait for it, or give another -o.",
            ) from error
        raise OutputError(
            f"{path} cannot be used: {error}.",
            next_step="Check free space, permissions, and that it is the manifest of a batch.",
        ) from error
