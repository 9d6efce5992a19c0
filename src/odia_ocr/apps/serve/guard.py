"""What every request passes: identifier, origin, key, size; and what is told of it afterwards.

Nothing that a request says about itself is believed: identifiers are checked for their form, sizes
are counted, and neither path nor body is logged.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from fastapi import HTTPException

from odia_ocr.apps.serve.failures import (
    InternalError,
    RefusalError,
    TooLargeError,
    WrongKeyError,
    WrongOriginError,
    status_of,
    tell_failure,
)
from odia_ocr.apps.serve.private_folder import make_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from odia_ocr.apps.serve.settings import Settings
    from odia_ocr.apps.serve.telling import Telling

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
_LOCKED = ("/v1/", "/metrics")  # what needs the key
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; font-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Middleware around the whole application.

    Args:
        app: What is guarded.
        settings: Key, names and sizes.
        telling: Where requests are logged and counted.
    """

    def __init__(self, app: ASGIApp, settings: Settings, telling: Telling) -> None:
        self._app = app
        self._settings = settings
        self._telling = telling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = _read_headers(scope["headers"])
        request_id = headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = make_id()
        call = _Call(scope, send, request_id)
        try:
            self._check(scope, headers)
            await self._app(scope, self._count_bytes(receive), call.send)
        except RefusalError as refusal:
            await call.refuse(refusal)
        except Exception as error:
            self._telling.log_error("request-lost", error, {"request_id": request_id})
            await call.refuse(own_fault())
        finally:
            self._tell(scope, call)

    def _check(self, scope: Scope, headers: dict[str, str]) -> None:
        """Raise a refusal before the body is looked at."""
        hosts = self._settings.hosts
        if hosts and _host_name(headers.get("host", "")) not in hosts:
            raise WrongOriginError(
                "This server is not called by that name.",
                next_step=f"Use one of: {', '.join(sorted(hosts))}.",
            )
        origin = headers.get("origin", "")
        strange = origin and origin.partition("://")[2] != headers.get("host")
        if strange and scope["method"] not in _SAFE_METHODS:
            raise WrongOriginError(
                "Pages of other sites may not send anything here.",
                next_step="Use the server's own page, or a program.",
            )
        key = self._settings.api_key
        if key and scope["path"].startswith(_LOCKED) and not _holds_key(headers, key):
            raise WrongKeyError(
                "The API key is missing or wrong.",
                next_step="Send the header 'Authorization: Bearer KEY'.",
            )
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._settings.limits.request_bytes:
            raise too_large(self._settings)

    def _count_bytes(self, receive: Receive) -> Receive:
        """Receive as before, and stop where the body grows too large, whatever its header said."""
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._settings.limits.request_bytes:
                # The framework passes this one class through while it reads a body.
                raise HTTPException(413)
            return message

        return receive_counted

    def _tell(self, scope: Scope, call: _Call) -> None:
        route = getattr(scope.get("route"), "path", "none")
        # Any word may be sent as a method, and each would be a series of its own.
        method = scope["method"] if scope["method"] in _METHODS else "other"
        seconds = time.monotonic() - call.began
        self._telling.count_request(method, route, call.status, seconds)
        self._telling.log(
            "request",
            {
                "request_id": call.request_id,
                "method": method,
                "route": route,
                "status": call.status,
                "code": call.code,
                "bytes": call.sent,
                "seconds": round(seconds, 4),
            },
        )


class _Call:
    """One request under way: what was answered so far."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self.began = time.monotonic()
        self.status = 0  # none yet
        self.code: str | None = None
        self.sent = 0
        self._send = send
        self._path = scope["path"]
        scope.setdefault("state", {})["request_id"] = request_id

    async def send(self, message: Message) -> None:
        """Pass an answer on, with the headers that all have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # Texts stay in no cache; scripts are asked for anew, which costs a look at their date.
            cache = "no-store" if self._path.startswith(_LOCKED) else "no-cache"
            own = {**_HEADERS, "cache-control": cache, "x-request-id": self.request_id}
            names = {name for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(
                    (name.encode(), value.encode())
                    for name, value in own.items()
                    if name.encode() not in names
                ),
            ]
        self.sent += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, refusal: RefusalError) -> None:
        """Answer with an error, where nothing has been answered yet."""
        if self.status:
            return
        self.code = refusal.code
        body = json.dumps(tell_failure(refusal.code, refusal.message, refusal.next_step)).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        if isinstance(refusal, WrongKeyError):
            headers.append((b"www-authenticate", b"Bearer"))
        status = status_of(refusal.code)
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def too_large(settings: Settings) -> TooLargeError:
    """What is told of a body that has too many bytes."""
    most = settings.limits.request_bytes / 1e6
    return TooLargeError(
        f"The request has more than {most:g} MB.",
        next_step="Send fewer files at a time, or start with more --max-megabytes.",
    )


def own_fault() -> InternalError:
    """What is told of an error that nobody foresaw."""
    return InternalError(
        "The server made a mistake.",
        next_step="Try again; if it stays, report it with the header X-Request-ID.",
    )


def _read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; of one that came twice, the first."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _host_name(host: str) -> str:
    """The name in a Host header, without its port: "[::1]:8000" gives "[::1]"."""
    return re.sub(r":\d+$", "", host).lower()


def _holds_key(headers: dict[str, str], key: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        given = headers.get("x-api-key", "")
    return hmac.compare_digest(given.strip().encode("latin-1", "replace"), key.encode())
