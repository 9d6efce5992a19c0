"""Tasks in actors of a Ray cluster, each with its own models: a pool that grows with the work.

Actors and not Ray Data: Ray Data reads a block anew when the worker that read it is lost, stops at
a page that takes its worker with it each time, and knows no time limit for one page. Here one
process, that of the batch, hands out each page, hears what became of it and writes it to the
manifest before it forgets it. So a page is done once whoever dies: a worker's pages go to others,
and after the loss of the cluster's head the same command goes on from the manifest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from odia_ocr.apps.batch.failures import (
    MOST_FAILED_STARTS,
    START_SECONDS,
    tell_death,
    tell_delay,
    tell_no_start,
)
from odia_ocr.apps.batch.runner import OpenWork, Result, Task
from odia_ocr.apps.batch.worker import Ended, Hopeless, do_task
from odia_ocr.errors import ResourceMissingError, UsageError, name_extra

_DEPTH = 2  # tasks an actor holds: while one is done the next lies ready
_IDLE_SECONDS = 30.0  # an actor without work is let go of, unless it is among the fewest
_KNOCK_SECONDS = 10.0
_STORE_BYTES = 128 << 20  # of a cluster of our own: results are small


class _Reader:
    """The actor: opens the models once, then does tasks in the order they come."""

    def __init__(self, folder: str) -> None:
        with contextlib.suppress(OSError):  # relative paths are those of the batch's own folder
            os.chdir(folder)

    def open(self, open_work: OpenWork) -> Hopeless | None:
        from odia_ocr.errors import OdiaOcrError

        try:
            self._work = open_work()
        except OdiaOcrError as error:
            return Hopeless(error)
        return None

    def do(self, task: Task) -> Ended | Hopeless:
        return do_task(self._work, task)


@dataclass(slots=True, eq=False)
class _Seat:
    """An actor and what it is busy with.

    Attributes:
        actor: Its handle.
        starting: What will tell that its models are open; None once they are.
        since: When it began to start, to do its first task or to be idle, by the monotonic clock.
        tasks: Each with what will tell of it; the first is under way.
    """

    actor: Any
    starting: Any
    since: float
    tasks: deque[tuple[Task, Any]] = field(default_factory=deque)

    @property
    def next_word(self) -> Any:
        """What will tell of it next; None while it is idle."""
        if self.starting is not None:
            return self.starting
        return self.tasks[0][1] if self.tasks else None


class RayRunner:
    """Runs tasks in actors, of a cluster that is there or of one made for this batch.

    Args:
        open_work: Opens the models in each actor.
        fewest: Actors that are started with the first task and kept.
        most: Actors at most; those above the fewest are asked for while tasks wait, and let go of
            when there is nothing to do, so that a cluster that scales can follow.
        page_seconds: A task that takes longer is ended with its actor.
        address: Of the cluster, as Ray takes it ("auto", "HOST:PORT"); None makes one on this
            machine, for as long as the batch runs.
        gpus: Of one actor; a fraction shares one.

    Raises:
        ResourceMissingError: If Ray is not installed.
        UsageError: If the address is that of a Ray Client.
    """

    def __init__(
        self,
        open_work: OpenWork,
        *,
        fewest: int,
        most: int,
        page_seconds: float,
        address: str | None = None,
        gpus: float = 0.0,
    ) -> None:
        if address is not None and address.startswith("ray://"):
            raise UsageError(
                f"{address} is the address of a Ray Client, through which no batch runs.",
                next_step="Run the command on a machine of the cluster with --address auto.",
            )
        # Ray reads these when it is loaded: it tells nobody of the batch, and a cluster made for
        # it, whose ports are open to the network, takes orders from nobody else.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address is None and os.environ.setdefault("RAY_AUTH_MODE", "token") == "token":
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        try:
            import ray
        except ImportError as error:
            raise name_extra(error, "ray", doing="--runner ray") from error
        self._ray = ray
        self._open_work = open_work
        self._fewest = fewest
        self._most = most
        self._page_seconds = page_seconds
        self._address = address
        self._actor = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(_Reader)
        self._scratch: Path | None = None
        self._seats: list[_Seat] = []
        self._queue: deque[Task] = deque()
        self._suspects: set[Task] = set()  # that were with an actor when it died: read alone
        self._failed_starts = 0
        self._quiet = contextlib.redirect_stdout(sys.stderr)  # where Ray tells of dead workers

    def __enter__(self) -> Self:
        """Join the cluster, or make one.

        Raises:
            ResourceMissingError: If there is none at the address, or of another version.
        """
        options: dict[str, Any] = {"address": self._address}
        if self._address is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="odia-ray-"))
            options = {
                "address": "local",
                "num_cpus": self._most,
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
                "_temp_dir": str(self._scratch),
            }
        self._quiet.__enter__()
        try:
            _knock(self._address)
            self._ray.init(**options, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, OSError, ValueError) as error:
            self._leave()
            place = "here" if self._address is None else f"at {self._address}"
            raise ResourceMissingError(
                f"There is no Ray cluster to work with {place}: {error}".rstrip(".") + ".",
                next_step="Check --address and `ray status`; the same versions of Ray and Python "
                "are needed on all machines.",
            ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for seat in list(self._seats):
            self._dismiss(seat)
        self._leave()

    @property
    def has_room(self) -> bool:
        """Would another task be under way, or next, or make the pool grow?"""
        return self._outstanding < _DEPTH * min(self._most, len(self._seats) + 1)

    @property
    def size(self) -> int:
        """How many actors there are, ready or starting."""
        return len(self._seats)

    @property
    def is_busy(self) -> bool:
        """Is a task under way or waiting?"""
        return self._outstanding > 0

    def submit(self, task: Task) -> None:
        """Take a task on; starts actors when those there are have enough to do."""
        self._queue.append(task)
        self._assign()
        self._grow()

    def wait(self) -> list[Result]:
        """What has ended since; waits until something has, unless nothing is under way.

        Raises:
            UsageError: If there is no such engine.
            ResourceMissingError: If the engine lacks something it needs, or actors keep dying
                before they are ready, or none gets ready.
        """
        results: list[Result] = []
        while self.is_busy and not results:
            self._assign()
            self._grow()
            told = [self._hear(seat) for seat in self._listen()]
            late = [seat for seat in self._seats if seat.tasks and self._time_left(seat) <= 0]
            told += [self._give_up(seat) for seat in late]
            self._check_start()
            self._shrink()
            results = [result for result in told if result is not None]
        return results

    @property
    def _outstanding(self) -> int:
        return len(self._queue) + sum(len(seat.tasks) for seat in self._seats)

    def _assign(self) -> None:
        """Hand waiting tasks to actors that are ready, first to those with fewest."""
        ready = [seat for seat in self._seats if seat.starting is None]
        while self._queue and ready:
            seat = min(ready, key=lambda seat: len(seat.tasks))
            if len(seat.tasks) >= _DEPTH or (
                seat.tasks and not self._suspects.isdisjoint((self._queue[0], seat.tasks[0][0]))
            ):
                return
            if not seat.tasks:
                seat.since = time.monotonic()
            task = self._queue.popleft()
            seat.tasks.append((task, seat.actor.do.remote(task)))

    def _grow(self) -> None:
        starting = sum(seat.starting is not None for seat in self._seats)
        wanted = -(-len(self._queue) // _DEPTH) - starting
        wanted = min(max(wanted, self._fewest - len(self._seats)), self._most - len(self._seats))
        for _ in range(wanted):
            actor = self._actor.remote(str(Path.cwd()))
            self._seats.append(_Seat(actor, actor.open.remote(self._open_work), time.monotonic()))

    def _shrink(self) -> None:
        """Let go of actors above the fewest that have been idle, or not come up, for long."""
        now = time.monotonic()
        for seat in list(self._seats):
            if self._queue or len(self._seats) <= self._fewest:
                return
            if not seat.tasks and now - seat.since > _IDLE_SECONDS:
                self._dismiss(seat)

    def _listen(self) -> list[_Seat]:
        """Actors with something to tell; waits for one as long as all may be silent."""
        speakers = {seat.next_word: seat for seat in self._seats if seat.next_word is not None}
        words = list(speakers)
        told, _ = self._ray.wait(words, num_returns=len(words), timeout=0, fetch_local=True)
        if not told:
            left = [self._time_left(seat) for seat in self._seats if seat.tasks]
            patience = max(0.0, min([*left, _IDLE_SECONDS]))
            told, _ = self._ray.wait(words, num_returns=1, timeout=patience, fetch_local=True)
        return [speakers[word] for word in told]

    def _hear(self, seat: _Seat) -> Result | None:
        try:
            message = self._ray.get(seat.next_word)
        except self._ray.exceptions.RayError as error:
            return self._bury(seat, error)
        if isinstance(message, Hopeless):
            raise message.error
        seat.since = time.monotonic()
        if seat.starting is not None:
            seat.starting = None
            self._failed_starts = 0
            return None
        task, _ = seat.tasks.popleft()
        self._suspects.discard(task)
        return Result(task, message.made, message.seconds)

    def _bury(self, seat: _Seat, error: Exception) -> Result | None:
        """An actor died: its task failed, unless there were two of them."""
        seconds = time.monotonic() - seat.since
        held = [task for task, _ in seat.tasks]
        task = self._dismiss(seat)
        if len(held) > 1:
            # The first may have been done, and its result lost with the actor.
            self._queue.appendleft(held[0])
            self._suspects.update(held)
            return None
        if task is not None:
            died = f"a worker of the cluster died ({type(error).__name__})"
            return Result(task, tell_death(task, died), seconds)
        self._failed_starts += 1
        if self._failed_starts >= MOST_FAILED_STARTS:
            what = str(error).strip().splitlines()[0]
            raise tell_no_start(f"a worker of the cluster died ({what}) {MOST_FAILED_STARTS} times")
        return None

    def _give_up(self, seat: _Seat) -> Result:
        """An actor takes too long: it is ended, and its task failed."""
        seconds = time.monotonic() - seat.since
        task = self._dismiss(seat)
        assert task is not None
        return Result(task, tell_delay(task, self._page_seconds), seconds)

    def _check_start(self) -> None:
        """Actors for which the cluster has no place are waited for while others read."""
        now = time.monotonic()
        if all(
            seat.starting is not None and now - seat.since > START_SECONDS for seat in self._seats
        ):
            if not self._seats:
                return
            free = self._ray.available_resources().get("CPU", 0)
            whole = self._ray.cluster_resources().get("CPU", 0)
            raise tell_no_start(
                f"no worker came up in {START_SECONDS:g} seconds, with {free:g} of {whole:g} cores "
                "of the cluster free,"
            )

    def _time_left(self, seat: _Seat) -> float:
        return seat.since + self._page_seconds - time.monotonic()

    def _dismiss(self, seat: _Seat) -> Task | None:
        """End an actor; gives the task under way and lets the others wait again."""
        self._seats.remove(seat)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(seat.actor)
        tasks = [task for task, _ in seat.tasks]
        self._queue.extendleft(reversed(tasks[1:]))
        return tasks[0] if tasks else None

    def _leave(self) -> None:
        self._ray.shutdown()
        self._quiet.__exit__(None, None, None)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)


def _knock(address: str | None) -> None:
    """Is anybody at HOST:PORT? Ray itself would try for minutes.

    Raises:
        OSError: If not.
    """
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _KNOCK_SECONDS).close()
