"""What people made of the lines: each change is kept, the last one holds.

Knows lines by their job, page and name; refuses to know where they stand and what was read there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from odia_ocr.apps.serve.database import Database
from odia_ocr.apps.serve.failures import ConflictError


class LineState(StrEnum):
    """What a person said about a line."""

    UNSEEN = "unseen"
    EDITED = "edited"  # changed, and not yet said to be right
    ACCEPTED = "accepted"  # its text is what the picture shows


@dataclass(frozen=True, slots=True)
class Correction:
    """One change of a line.

    Attributes:
        state: Of the line from then on.
        text: Of the line from then on.
        revision: How many changes the line has had with this one.
        made: Seconds since 1970.
    """

    state: LineState
    text: str
    revision: int
    made: float


@dataclass(frozen=True, slots=True)
class CorrectionStore:
    """Changes in a database."""

    database: Database

    def of_page(self, job: str, page: int) -> Mapping[str, Correction]:
        """The change that holds, for each line of a page that has any."""
        rows = self.database.rows(
            "SELECT line, state, text, made, max(id), count(*) AS revision FROM corrections"
            " WHERE job = ? AND page = ? GROUP BY line",  # the other columns are the last row's
            job,
            page,
        )
        return {
            row["line"]: Correction(
                LineState(row["state"]), row["text"], row["revision"], row["made"]
            )
            for row in rows
        }

    def history(self, job: str, page: int, line: str) -> list[Correction]:
        """All changes of a line, oldest first."""
        rows = self.database.rows(
            "SELECT state, text, made FROM corrections WHERE job = ? AND page = ? AND line = ?"
            " ORDER BY id",
            job,
            page,
            line,
        )
        return [
            Correction(LineState(row["state"]), row["text"], number, row["made"])
            for number, row in enumerate(rows, start=1)
        ]

    def add(
        self, job: str, page: int, line: str, state: LineState, text: str, *, seen: int
    ) -> Correction:
        """Keep a change.

        Args:
            job, page, line: The line.
            state: What is said of it.
            text: Its text from now on.
            seen: How many changes of it the person knew of.

        Raises:
            ConflictError: If it has been changed since.
        """
        now = time.time()
        with self.database.change(lasting=True) as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM corrections WHERE job = ? AND page = ? AND line = ?",
                (job, page, line),
            ).fetchone()
            if count != seen:
                raise ConflictError(
                    f"Line {line} has been changed elsewhere (revision {count}, not {seen}).",
                    next_step="Load the page again and repeat the change.",
                )
            connection.execute(
                "INSERT INTO corrections (job, page, line, state, text, made)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (job, page, line, state, text, now),
            )
            connection.execute("UPDATE jobs SET touched = ? WHERE id = ?", (now, job))
        return Correction(state, text, count + 1, now)
