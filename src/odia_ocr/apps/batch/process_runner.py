"""Tasks in processes of this machine, a task a process; one that dies or hangs is replaced."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Self

from odia_ocr.apps.batch.failures import (
    MOST_FAILED_STARTS,
    START_SECONDS,
    tell_death,
    tell_delay,
    tell_no_start,
)
from odia_ocr.apps.batch.runner import OpenWork, Result, Task
from odia_ocr.apps.batch.worker import Ended, Hopeless, work

_DYING_SECONDS = 5.0  # between the end of a pipe and that of its process


@dataclass(slots=True, eq=False)
class _Seat:
    """A process and what it is busy with.

    Attributes:
        process: The worker.
        connection: Our end of its pipe.
        task: Under way or, before it is ready, waiting for it.
        begun: When the task, or the start, began, by the monotonic clock.
        ready: Its models are open.
    """

    process: BaseProcess
    connection: Connection
    task: Task | None
    begun: float
    ready: bool = False

    def begin(self) -> None:
        """Send the task to a worker that is ready."""
        self.begun = time.monotonic()
        with contextlib.suppress(OSError):  # it died meanwhile: its end of the pipe tells
            self.connection.send(self.task)

    def end(self) -> int | None:
        """End the process; gives its exit status if it had ended by itself."""
        self.connection.close()
        status = self.process.exitcode
        self.process.kill()
        self.process.join()
        return status


class ProcessRunner:
    """Runs tasks in worker processes, which are started when there is work for them.

    Args:
        open_work: Opens the models in each process.
        workers: At most so many processes.
        page_seconds: A task that takes longer is ended with its process.
    """

    def __init__(self, open_work: OpenWork, *, workers: int, page_seconds: float) -> None:
        self._open_work = open_work
        self._workers = workers
        self._page_seconds = page_seconds
        self._seats: list[_Seat] = []
        self._failed_starts = 0
        self._context = multiprocessing.get_context("spawn")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for seat in self._seats:
            seat.end()
        self._seats.clear()

    @property
    def has_room(self) -> bool:
        """Is a process idle, or may another be started?"""
        return sum(seat.task is not None for seat in self._seats) < self._workers

    @property
    def is_busy(self) -> bool:
        """Is a task under way?"""
        return any(seat.task is not None for seat in self._seats)

    def submit(self, task: Task) -> None:
        """Hand a task to an idle process, else to a new one."""
        seat = next((seat for seat in self._seats if seat.task is None), None)
        if seat is None:
            self._hire(task)
            return
        seat.task = task
        seat.begin()

    def wait(self) -> list[Result]:
        """What has ended since; waits until something has, unless nothing is under way.

        Raises:
            UsageError: If there is no such engine.
            ResourceMissingError: If the engine lacks something it needs, or workers keep dying
                before they are ready.
        """
        results: list[Result] = []
        while self.is_busy and not results:
            busy = [seat for seat in self._seats if seat.task is not None]
            first = min(self._time_left(seat) for seat in busy)
            heard = wait([seat.connection for seat in busy], timeout=max(0.0, first))
            for seat in busy:
                if seat.connection in heard:
                    result = self._hear(seat)
                elif self._time_left(seat) <= 0:
                    result = self._give_up(seat)
                else:
                    continue
                if result is not None:
                    results.append(result)
        return results

    def _time_left(self, seat: _Seat) -> float:
        allowed = self._page_seconds if seat.ready else START_SECONDS
        return seat.begun + allowed - time.monotonic()

    def _hire(self, task: Task) -> None:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=work, args=(self._open_work, theirs), name="odia-ocr-batch", daemon=True
        )
        process.start()
        theirs.close()  # so that the pipe ends with the worker
        self._seats.append(_Seat(process, ours, task, time.monotonic()))

    def _hear(self, seat: _Seat) -> Result | None:
        try:
            message = seat.connection.recv()
        except (EOFError, OSError):
            return self._bury(seat)
        if isinstance(message, Hopeless):
            raise message.error
        if isinstance(message, Ended):
            assert seat.task is not None
            result = Result(seat.task, message.made, message.seconds)
            seat.task = None
            return result
        seat.ready = True
        self._failed_starts = 0
        seat.begin()
        return None

    def _bury(self, seat: _Seat) -> Result | None:
        """A worker died: its task failed, unless it had not begun."""
        seat.process.join(_DYING_SECONDS)
        status = self._dismiss(seat)
        assert seat.task is not None
        died = f"a worker process died ({_describe_exit(status)})"
        if seat.ready:
            return Result(seat.task, tell_death(seat.task, died), time.monotonic() - seat.begun)
        self._failed_starts += 1
        if self._failed_starts >= MOST_FAILED_STARTS:
            raise tell_no_start(f"{died} {MOST_FAILED_STARTS} times")
        self._hire(seat.task)
        return None

    def _give_up(self, seat: _Seat) -> Result:
        """A worker takes too long: it is ended, and its task failed."""
        self._dismiss(seat)
        assert seat.task is not None
        if not seat.ready:
            raise tell_no_start(f"a worker took more than {START_SECONDS:g} seconds")
        error = tell_delay(seat.task, self._page_seconds)
        return Result(seat.task, error, time.monotonic() - seat.begun)

    def _dismiss(self, seat: _Seat) -> int | None:
        self._seats.remove(seat)
        return seat.end()


def _describe_exit(status: int | None) -> str:
    if status is None:
        return "it closed its pipe"
    if status < 0:
        with contextlib.suppress(ValueError):
            return signal.Signals(-status).name
    return f"exit status {status}"
