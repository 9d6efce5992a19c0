"""What the server tells about itself: a log of JSON lines, and figures for Prometheus.

Neither ever holds what stands on a page, what a file is called or a key.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_PAGE_SECONDS = (0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64)
_REQUEST_SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 2, 5, 15, 60, 300)


def iso_time(seconds: float) -> str:
    """A time in seconds since 1970, as ISO 8601 in UTC, e.g. 2026-01-31T09:30:00.123Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Telling:
    """A log and figures; one of each for a server.

    Args:
        stream: Where log lines go; default standard error.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)  # memory, processor time, open files
        self._requests = Counter(
            "odia_ocr_requests_total",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "odia_ocr_request_seconds",
            "Seconds until the last byte of an answer.",
            ("route",),
            buckets=_REQUEST_SECONDS,
            registry=self.registry,
        )
        self._pages = Counter(
            "odia_ocr_pages_total",
            "Pages that were worked on.",
            ("preset", "outcome"),
            registry=self.registry,
        )
        self._page_seconds = Histogram(
            "odia_ocr_page_seconds",
            "Seconds to read a page.",
            ("preset",),
            buckets=_PAGE_SECONDS,
            registry=self.registry,
        )
        self.documents = self._gauge("documents", "Documents that wait or are being read.")
        self.pages_waiting = self._gauge("pages_waiting", "Pages not begun.")
        self.pages_busy = self._gauge("pages_busy", "Pages being read.")

    def _gauge(self, name: str, says: str) -> Gauge:
        return Gauge(f"odia_ocr_{name}", says, registry=self.registry)

    def log(self, event: str, fields: Mapping[str, object], *, level: str = "info") -> None:
        """One line of JSON; fields that are None are left out."""
        record: dict[str, object] = {"time": iso_time(time.time()), "level": level, "event": event}
        record.update({name: value for name, value in fields.items() if value is not None})
        line = json.dumps(record, ensure_ascii=False, default=str)
        with self._lock:
            print(line, file=self._stream or sys.stderr, flush=True)

    def log_error(self, event: str, error: BaseException, fields: Mapping[str, object]) -> None:
        """An error that nobody foresaw: its kind and where, not what it says."""
        places = [
            f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        told = {**fields, "error": type(error).__name__, "at": places[-6:]}
        self.log(event, told, level="error")

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is its pattern, never its path."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def count_page(self, preset: str, seconds: float, *, read: bool) -> None:
        """A page was worked on."""
        self._pages.labels(preset, "read" if read else "failed").inc()
        self._page_seconds.labels(preset).observe(seconds)

    def show_figures(self) -> bytes:
        """All figures as Prometheus takes them."""
        return generate_latest(self.registry)


class LogHandler(logging.Handler):
    """Brings the lines of the web server's own log into ours.

    Args:
        telling: Where to.
    """

    def __init__(self, telling: Telling) -> None:
        super().__init__(logging.WARNING)
        self._telling = telling

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one; what it says could quote a request, so an error is told by its kind."""
        if record.exc_info and record.exc_info[1] is not None:
            self._telling.log_error("web-server", record.exc_info[1], {"logger": record.name})
        else:
            fields = {"logger": record.name, "message": record.getMessage()}
            self._telling.log("web-server", fields, level=record.levelname.lower())
