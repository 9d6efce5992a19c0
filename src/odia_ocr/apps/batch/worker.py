"""One worker process: opens the models once, then does the tasks that come through its pipe."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from odia_ocr.apps.batch.runner import Made, OpenWork, Task, Work
from odia_ocr.errors import OdiaOcrError, RecognitionError, ResourceMissingError, UsageError


@dataclass(frozen=True, slots=True)
class Ready:
    """The models are open."""


@dataclass(frozen=True, slots=True)
class Hopeless:
    """No worker will get further than this one."""

    error: OdiaOcrError


@dataclass(frozen=True, slots=True)
class Ended:
    """A task was done or failed after so many seconds."""

    made: Made | OdiaOcrError
    seconds: float


def work(open_work: OpenWork, connection: Connection) -> None:
    """Do tasks until the other end of the pipe is closed."""
    # An interrupt from the keyboard reaches all processes; the batch ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_parent()
    try:
        do = open_work()
    except OdiaOcrError as error:
        connection.send(Hopeless(error))
        return
    connection.send(Ready())
    while True:
        try:
            task: Task = connection.recv()
        except EOFError:
            return
        connection.send(do_task(do, task))


def do_task(do: Work, task: Task) -> Ended | Hopeless:
    """Do a task; whatever it raises becomes what is told of it."""
    begun = time.monotonic()
    made: Made | OdiaOcrError
    try:
        made = do(task)
    except (ResourceMissingError, UsageError) as error:
        return Hopeless(error)
    except OdiaOcrError as error:
        made = error
    except Exception as error:  # one page must not take the batch with it
        made = RecognitionError(
            f"{task.label}: {type(error).__name__}: {error}",
            next_step="Check the file; if others open it, report it.",
        )
    return Ended(made, time.monotonic() - begun)


def _end_with_parent() -> None:
    """A batch that is killed takes its workers with it, also those that hang in a page."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch(sentinel: int) -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()
