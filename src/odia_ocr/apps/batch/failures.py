"""What every runner says of a worker that dies, takes too long or does not get ready."""

from __future__ import annotations

from odia_ocr.apps.batch.runner import Task
from odia_ocr.errors import PageTimeoutError, ResourceMissingError, WorkerDiedError

START_SECONDS = 600.0  # for opening the models
MOST_FAILED_STARTS = 3  # in a row


def tell_death(task: Task, death: str) -> WorkerDiedError:
    """The error of a task whose worker ended in the middle of it."""
    return WorkerDiedError(
        f"{task.label}: {death}.",
        next_step="Read this page alone; memory may have run out, or the file is broken.",
    )


def tell_delay(task: Task, seconds: float) -> PageTimeoutError:
    """The error of a task that took more than the seconds it may."""
    return PageTimeoutError(
        f"{task.label}: it took more than {seconds:g} seconds.",
        next_step="Raise --page-seconds, or look at what the page holds.",
    )


def tell_no_start(what: str) -> ResourceMissingError:
    """The error that ends a batch whose workers do not get ready."""
    return ResourceMissingError(
        f"The models cannot be opened: {what} before it was ready.",
        next_step="Try fewer --workers: each holds its own models in memory.",
    )
