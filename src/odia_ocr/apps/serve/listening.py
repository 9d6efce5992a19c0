"""The server on its socket, from its start to the last answer."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn

from odia_ocr.apps.messages import say
from odia_ocr.apps.serve.application import make_application
from odia_ocr.apps.serve.service import Service, open_service
from odia_ocr.apps.serve.settings import Settings
from odia_ocr.apps.serve.telling import LogHandler, Telling
from odia_ocr.errors import OutputError, UsageError
from odia_ocr.runtime import settle_memory

_BACKLOG = 1024
_LONGEST_FAREWELL = 600  # seconds for requests under way when the server is asked to end


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any that is free.

    Raises:
        UsageError: If it cannot be had.
    """
    try:
        place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(place[4][:2], family=place[0], backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}.",
            next_step="Give another --port or --host.",
        ) from None


def own_names(host: str) -> frozenset[str]:
    """Under which names a server on this machine alone may be called; empty for others."""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    shown = f"[{host}]" if ":" in host else host
    return frozenset({"localhost", "127.0.0.1", "[::1]", shown}) if local else frozenset()


class _Server(uvicorn.Server):
    """Tells that it was asked to end, and keeps jobs from holding up the requests that wait."""

    def __init__(self, config: uvicorn.Config, service: Service, telling: Telling) -> None:
        super().__init__(config)
        self._service, self._telling = service, telling

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called in the midst of anything, locks held and logs half written included."""
        if not self.should_exit:
            threading.Thread(target=self._prepare, daemon=True).start()
        super().handle_exit(sig, frame)

    def _prepare(self) -> None:
        self._service.prepare_stop()
        self._telling.log("ending", {})


def serve_forever(settings: Settings, taken: socket.socket) -> None:
    """Serve until asked to end (SIGINT, SIGTERM); requests under way are finished.

    Raises:
        OdiaOcrError: If the server cannot start.
    """
    settle_memory()
    telling = Telling()
    service = open_service(settings, telling=telling)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [LogHandler(telling)], False
    config = uvicorn.Config(
        make_application(service),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LONGEST_FAREWELL,
    )
    address, port = taken.getsockname()[:2]
    url = f"http://{f'[{address}]' if ':' in address else address}:{port}"
    telling.log("listening", {"url": url, "key": settings.api_key is not None})
    if sys.stderr.isatty():
        say(f"{url} is the review page, {url}/docs the API; Ctrl-C ends.")
    server = _Server(config, service, telling)
    for number in (signal.SIGINT, signal.SIGTERM):
        # It raises them once more at its own end, which is no reason to end otherwise than well.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[taken])
    if not server.started:
        raise OutputError("The server could not start.", next_step="The log says why.")
    telling.log("ended", {})
