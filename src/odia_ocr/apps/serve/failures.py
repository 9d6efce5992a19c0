"""How errors are told over HTTP: one table from codes to statuses, one form of answer.

Errors of the whole program keep their code, message and next step; the classes here are those that
only a server knows.
"""

from __future__ import annotations

from typing import Any

from odia_ocr.errors import OdiaOcrError
from odia_ocr.types import Problem


class RefusalError(OdiaOcrError):
    """A request that the server turns down.

    Args:
        message: What went wrong.
        next_step: What the caller can do.
        retry_after: Seconds after which it may be tried again, or None.
    """

    code = "refused"

    def __init__(
        self, message: str, *, next_step: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(message, next_step=next_step)
        self.retry_after = retry_after


class WrongKeyError(RefusalError):
    """The API key is missing or wrong."""

    code = "unauthorised"


class WrongOriginError(RefusalError):
    """Another web site, or another name of this server, speaks through the browser."""

    code = "wrong-origin"


class NotFoundError(RefusalError):
    """There is no such job, page or line, or it has expired."""

    code = "not-found"


class ConflictError(RefusalError):
    """The job or line is not in a state that allows this."""

    code = "conflict"


class TooLargeError(RefusalError):
    """The body has more bytes, or the document more pages, than is accepted."""

    code = "too-large"


class QueueFullError(RefusalError):
    """As many documents wait as may."""

    code = "queue-full"


class InternalError(RefusalError):
    """A mistake of the server itself."""

    code = "internal"


class OutOfOrderError(RefusalError):
    """The server is up, and cannot read."""

    code = "not-ready"


class ClientGoneError(RefusalError):
    """Nobody waits for the answer any more; told to the log alone."""

    code = "client-gone"


class TooSlowError(RefusalError):
    """A document had the time that one may take."""

    code = "took-too-long"


# 400 where the request is wrong, 415 and 422 where the document is, 413 where it is too much.
_STATUS = {
    "usage": 400,
    "config": 400,
    "refused": 400,
    "unauthorised": 401,
    "wrong-origin": 403,
    "not-found": 404,
    "conflict": 409,
    "too-large": 413,
    "picture-too-large": 413,
    "not-a-picture": 415,
    "input": 422,
    "picture-unreadable": 422,
    "recognition": 422,
    "output": 422,
    "took-too-long": 422,
    "gave-up": 422,
    "queue-full": 429,
    "client-gone": 499,  # as nginx logs it
    "not-ready": 503,
}


def status_of(code: str) -> int:
    """The HTTP status of an error code; 500 for what is the server's own fault."""
    return _STATUS.get(code, 500)


def tell_failure(code: str, message: str, next_step: str = "") -> dict[str, Any]:
    """The body of every answer that is no success; options of the command become parameters."""
    return {"code": code, "message": message, "next_step": next_step.replace("--pages", "?pages=")}


class JobFailedError(OdiaOcrError):
    """A document could not be read; carries the code of its own error."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, next_step=problem.next_step)
        self.code = problem.code
