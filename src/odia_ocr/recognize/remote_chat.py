"""Requests to a server with the OpenAI API, until it answers or patience ends.

Busy servers (429, with their Retry-After), failing ones (5xx), broken connections and time-outs are
tried again, with growing and uneven pauses. Fields that only some servers take are left out after
the first refusal. Knows nothing of pictures and of what answers mean.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from odia_ocr.errors import EngineMissingError, RecognitionError

if TYPE_CHECKING:
    import httpx

_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIELD_REFUSED = frozenset({400, 422})
_NOT_FOUND = 404
_KEY_REFUSED = frozenset({401, 403})
_CONNECT_SECONDS = 10.0
_MOST_SAID = 200  # characters of a server's message that are passed on
# A proxy of the environment is meant for the world outside.
_LOCAL = ("all://127.0.0.1", "all://localhost", "all://[::1]")


class UnreachableError(RecognitionError):
    """A server does not take connections any more."""

    code = "server-unreachable"


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried and how long the pauses are, in seconds.

    Attributes:
        attempts: In all.
        first: Longest pause after the first; it doubles with each further one.
        most: No pause is longer, whatever the server asks for.
    """

    attempts: int = 5
    first: float = 1.0
    most: float = 60.0

    def pause(self, attempt: int, asked: float | None = None) -> float:
        """Seconds to wait after an attempt (from 0); uneven, so that clients do not march in step.

        What the server asked for is kept to, up to `most`.
        """
        if asked is not None:
            return min(max(asked, 0.0), self.most)
        longest = min(self.first * 2.0**attempt, self.most)
        return float(longest * random.uniform(0.5, 1.0))


class ChatServer:
    """A server, by its address; may be asked from several threads.

    Args:
        url: Without /v1.
        key: Sent as bearer token unless empty.
        timeout: Of one request, in seconds.
        patience: With busy and failing servers.

    Raises:
        ImportError: If httpx is not installed.
    """

    def __init__(
        self, url: str, *, key: str = "", timeout: float = 120.0, patience: Patience | None = None
    ) -> None:
        import httpx

        self.url = url
        self._patience = patience or Patience()
        self._timeout = timeout
        self._refused: frozenset[str] = frozenset()  # only ever replaced: threads may share it
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS), pool=None),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            mounts=dict.fromkeys(_LOCAL),
        )

    def list_models(self) -> list[str] | None:
        """The names of its models; None where it has no such list.

        Raises:
            EngineMissingError: If no server answers, or it does not take the key.
        """
        try:
            response = self._send("GET", "/v1/models")
        except RecognitionError as error:
            raise EngineMissingError(
                error.message, next_step="Check the address, and that the server is up."
            ) from error
        try:
            return [str(model["id"]) for model in response.json()["data"]]
        except (ValueError, LookupError, TypeError):
            return None

    def ask(self, request: Mapping[str, Any], extras: Mapping[str, Any]) -> object:
        """Post a chat request and return the JSON of the answer.

        Args:
            request: The body, in fields that every server takes.
            extras: Further fields, sent until the server refuses them.

        Raises:
            RecognitionError: If it refuses the request, or answers no JSON.
            UnreachableError: If it cannot be reached.
            EngineMissingError: If it does not take the key, or has no such model.
        """
        sent = {name: value for name, value in extras.items() if name not in self._refused}
        dropped: set[str] = set()
        while True:
            response = self._send("POST", "/v1/chat/completions", {**request, **sent})
            if response.status_code not in _FIELD_REFUSED or not sent:
                break
            said = response.text
            named = {name for name in sent if re.search(rf"\b{name}\b", said)} or set(sent)
            dropped |= named
            sent = {name: value for name, value in sent.items() if name not in named}
        if response.status_code == _NOT_FOUND:
            listed = ", ".join(self.list_models() or ["none"])
            raise EngineMissingError(
                f"{self.url} has no model {request['model']!r} to chat with: {_quote(response)}",
                next_step=f"Name another behind #; it lists: {listed}.",
            )
        if not response.is_success:
            raise RecognitionError(
                f"{self.url} refused the request ({response.status_code}): {_quote(response)}"
            )
        self._refused |= dropped
        try:
            return response.json()
        except ValueError:
            raise RecognitionError(
                f"{self.url} answered no JSON: {_quote(response)}",
                next_step="Check that the address is that of an OpenAI-compatible server.",
            ) from None

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        """Send until there is an answer that another attempt would not better.

        Raises:
            RecognitionError: When patience ends.
        """
        import httpx

        fault: RecognitionError
        for attempt in range(self._patience.attempts):
            asked = None
            try:
                response = self._http.request(method, f"{self.url}{path}", json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                fault = UnreachableError(f"No server answers at {self.url} ({error}).")
            except httpx.TimeoutException:
                fault = RecognitionError(f"{self.url} took longer than {self._timeout:g} s.")
            except httpx.TransportError as error:
                fault = RecognitionError(f"The connection to {self.url} broke ({error}).")
            else:
                if response.status_code in _KEY_REFUSED:
                    raise EngineMissingError(
                        f"{self.url} refused access ({response.status_code}): {_quote(response)}",
                        next_step="Put the server's key into ODIA_OCR_REMOTE_KEY.",
                    )
                if response.status_code not in _BUSY:
                    return response
                asked = read_retry_after(response.headers.get("Retry-After", ""))
                fault = RecognitionError(
                    f"{self.url} failed ({response.status_code}): {_quote(response)}"
                )
            if attempt + 1 < self._patience.attempts:
                time.sleep(self._patience.pause(attempt, asked))
        raise fault


def read_retry_after(value: str) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date; None of anything else."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _quote(response: httpx.Response) -> str:
    """What a server said, in one line of bearable length."""
    said: object = response.text
    try:
        record = response.json()
        error = record.get("error", record)
        said = error.get("message", said) if isinstance(error, dict) else error
    except (ValueError, AttributeError):
        pass
    return " ".join(str(said).split())[:_MOST_SAID] or "no reason given"
