"""The server's folder: what was sent, and pictures made of it. Nobody else may look in.

File names are made here, of random identifiers: nothing that came from outside becomes part of a
path.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from odia_ocr.errors import OutputError, UsageError

_ID = re.compile(r"[0-9a-f]{32}")


class StorageError(OutputError):
    """The server's folder cannot be written: its own fault, not the document's."""

    code = "storage"


def make_id() -> str:
    """A name that cannot be guessed: 128 random bits."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """True for what `make_id` makes."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class PrivateFolder:
    """Files by job; see `open_folder`."""

    root: Path

    @property
    def database(self) -> Path:
        """The file of jobs, readings and corrections."""
        return self.root / "jobs.sqlite3"

    def _job(self, job: str) -> Path:
        if not is_id(job):
            raise ValueError(f"not an identifier of a job: {job!r}")
        return self.root / "jobs" / job

    def document(self, job: str) -> Path:
        """The file that was sent."""
        return self._job(job) / "document"

    def picture(self, job: str, page: int) -> Path:
        """The picture of a page for looking at."""
        return self._job(job) / f"page-{page}.webp"

    def take(self, job: str, content: BinaryIO, *, lasting: bool) -> None:
        """Keep what was sent.

        Args:
            job: Identifier.
            content: What was sent.
            lasting: It is on the disk before this returns.

        Raises:
            StorageError: If there is no room.
        """
        path = self.document(job)
        try:
            path.parent.mkdir(mode=0o700)
            with path.open("xb") as stream:
                shutil.copyfileobj(content, stream, 1 << 20)
                stream.flush()
                if lasting:
                    os.fsync(stream.fileno())
        except OSError as error:
            self.remove(job)
            raise _unwritable(path, error) from error

    def remove(self, job: str) -> None:
        """Remove all files of a job."""
        shutil.rmtree(self._job(job), ignore_errors=True)

    def remove_others(self, jobs: Collection[str]) -> None:
        """Remove what belongs to no job, e.g. half an upload."""
        for path in (self.root / "jobs").iterdir():
            if path.name not in jobs and is_id(path.name):
                self.remove(path.name)


def open_folder(root: Path) -> PrivateFolder:
    """Make the folder where it is missing, and keep others out of it.

    Raises:
        UsageError: If other things are in it, or it is a file.
        StorageError: If it cannot be made.
    """
    root = root.expanduser().absolute()
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is no folder.", next_step="Give --folder a new or empty folder.")
    try:
        if root.is_dir() and any(root.iterdir()) and not (root / "jobs").is_dir():
            # Its permissions are about to change, and it may be anybody's.
            raise UsageError(
                f"{root} holds other files.", next_step="Give --folder a new or an empty folder."
            )
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        (root / "jobs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _unwritable(root, error) from error
    return PrivateFolder(root)


def _unwritable(path: Path, error: OSError) -> StorageError:
    failure = StorageError(
        f"The server's folder cannot be written: {error.strerror or error}.",
        next_step="Check free space and permissions, or start it with another --folder.",
    )
    with contextlib.suppress(AttributeError):
        failure.add_note(str(path))
    return failure
