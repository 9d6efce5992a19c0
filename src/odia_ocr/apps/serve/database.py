"""One SQLite file for jobs, readings and corrections: its tables, and one lock for all threads.

One process holds the file: a second server on the same folder would read the same jobs again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from odia_ocr.errors import DataError, UsageError

_VERSION = 1
_TABLES = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,          -- what the document is called
    preset TEXT NOT NULL,
    numbers TEXT NOT NULL,       -- JSON: the wanted pages
    problems TEXT NOT NULL,      -- JSON: of the file as a whole
    passing INTEGER NOT NULL,    -- 1: of a request that waits for it; goes with it
    state TEXT NOT NULL,
    starts INTEGER NOT NULL,     -- times it was begun without a page coming of it
    review REAL,                 -- lines surer than this need not be looked at
    error TEXT,                  -- JSON: why it failed
    created REAL NOT NULL,       -- seconds since 1970
    started REAL,
    finished REAL,
    touched REAL NOT NULL        -- it expires some time after this
);
CREATE TABLE pages (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
    number INTEGER NOT NULL,
    content BLOB,                -- the page as JSON, packed; NULL where it failed
    problem TEXT,                -- JSON: why it failed
    PRIMARY KEY (job, number)
);
CREATE TABLE corrections (       -- only ever added to: the last of a line holds
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE,
    page INTEGER NOT NULL,
    line TEXT NOT NULL,
    state TEXT NOT NULL,
    text TEXT NOT NULL,
    made REAL NOT NULL
);
CREATE INDEX corrections_of_lines ON corrections (job, page, line, id);
"""


class Database:
    """The open file.

    Args:
        path: Made when it is missing.

    Raises:
        UsageError: If another server has it open.
        DataError: If it is no database of this program.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=0.5, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self._connection.close()
            if "locked" not in str(error):
                raise
            raise UsageError(
                f"Another server works in {path.parent}.",
                next_step="Stop it, or give this one another --folder.",
            ) from None
        except (sqlite3.DatabaseError, DataError) as error:
            self._connection.close()
            raise DataError(
                f"{path} is no database of this version: {error}.",
                next_step="Move it away, or give another --folder.",
            ) from error

    def _prepare(self) -> None:
        # Exclusive from the first change on, and let go by the system whatever ends the process.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute("PRAGMA foreign_keys=ON")
        with self.change() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise DataError(f"its version is {version}, not {_VERSION}")
            if version == 0:
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={_VERSION}")

    @contextlib.contextmanager
    def change(self, *, lasting: bool = False) -> Iterator[sqlite3.Connection]:
        """A change that happens as a whole or not at all; it outlives the process.

        Args:
            lasting: It also outlives a power cut, which costs the wait for the disk. What can be
                done again, such as reading a page, need not.
        """
        with self._lock:
            if lasting:
                self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            else:
                self._connection.execute("COMMIT")
            finally:
                self._connection.execute("PRAGMA synchronous=NORMAL")

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()
