"""Where tasks run: the seam between a batch and the processes or machines that do its work.

A runner is handed one task at a time while it has room and gives back what became of them, in any
order. It does not try again: whether a task that failed is worth another try is not its business.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from odia_ocr.errors import OdiaOcrError
from odia_ocr.types import Problem


@dataclass(frozen=True, slots=True)
class Task:
    """One page to read, or a document whose pages are to be counted.

    Attributes:
        document: Its number in the manifest.
        name: What the document is called in messages and results.
        path: Its file.
        number: Of the page, from 1; None asks for the pages of the document.
    """

    document: int
    name: str
    path: Path
    number: int | None = None

    @property
    def label(self) -> str:
        """The document or page in messages."""
        return self.name if self.number is None else f"{self.name}, page {self.number}"


@dataclass(frozen=True, slots=True)
class Counted:
    """The wanted pages of a document, and what is wrong with the file though it opens."""

    numbers: tuple[int, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page that was read, as the manifest keeps it (see `kept_page.pack_page`)."""

    packed: bytes


Made: TypeAlias = Counted | PageRead
Work: TypeAlias = Callable[[Task], Made]
OpenWork: TypeAlias = Callable[[], Work]  # must pickle; called once in each process


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a task.

    Attributes:
        task: As it was handed in.
        made: What was made, or the error that kept it from being made.
        seconds: It took.
    """

    task: Task
    made: Made | OdiaOcrError
    seconds: float


class Runner(AbstractContextManager["Runner"], Protocol):
    """Runs tasks side by side; leaving its context ends what is under way."""

    @property
    def has_room(self) -> bool:
        """May another task be handed in?"""
        ...

    @property
    def is_busy(self) -> bool:
        """Is a task under way?"""
        ...

    def submit(self, task: Task) -> None:
        """Take a task on; only when there is room."""
        ...

    def wait(self) -> list[Result]:
        """What has ended since; waits until something has, unless nothing is under way.

        Raises:
            UsageError: If there is no such engine; nothing can be read.
            ResourceMissingError: If the engine lacks something it needs; the same holds.
        """
        ...
