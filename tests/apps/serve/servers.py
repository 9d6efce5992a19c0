"""Servers in this process: with the shipped models, or with a reader that waits to be let go."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from odia_ocr.apps.serve.service import Service
from odia_ocr.pipeline import PageOptions, PageOutcome, Reader, open_reader
from odia_ocr.types import Hypothesis, Line, Page, Reading, Symbol

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "page.png"

PATIENCE = 60.0  # seconds

open_shipped = cache(open_reader)  # models are opened once for all tests


def open_with_shipped(engine: str, threads: int) -> Reader:
    return open_shipped(engine, threads=1)


@dataclass
class StubReader:
    """Reads every page as one line of its number, once it may.

    Attributes:
        go: Cleared, it makes each page wait.
        begun: Numbers of pages that were begun, in order.
        break_on: What to raise on which page.
    """

    go: threading.Event = field(default_factory=threading.Event)
    begun: list[int] = field(default_factory=list)
    break_on: dict[int, Exception] = field(default_factory=dict)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    recognizer: Any = field(default_factory=lambda: SimpleNamespace(name="stub"))
    corrector: Any = field(default_factory=lambda: SimpleNamespace(review=0.9))
    reopen: None = None

    def __post_init__(self) -> None:
        self.go.set()

    def read_one(self, file: Any, options: PageOptions, number: int) -> PageOutcome:
        self.begun.append(number)
        self.started.release()
        assert self.go.wait(20)
        if number in self.break_on:
            raise self.break_on[number]
        return PageOutcome(number, page_of(file.source, number))

    def open(self, engine: str, threads: int) -> Any:
        return self


def page_of(source: str, number: int) -> Page:
    """A page of one line, "ପୃଷ୍ଠା N", with a rival of its first letter."""
    symbols = (Symbol("ପ", -0.1, (0.0, 5.0), (("ଫ", -2.0), ("ଷ", -30.0))), Symbol("ୃଷ୍ଠା", -0.2))
    symbols = (*symbols, Symbol(f" {number}", -0.1, (40.0, 50.0)))
    hyp = Hypothesis(symbols, -0.4)
    reading = Reading(hyp.text, 0.4, hypothesis=hyp)
    line = Line("l1", ((2.0, 2.0), (60.0, 2.0), (60.0, 20.0), (2.0, 20.0)), reading=reading)
    return Page(source, number, (64, 48), lines=(line,))


@dataclass
class Server:
    """A running application, the service behind it and its log."""

    client: TestClient
    service: Service
    log: io.StringIO

    def wait(self, job_id: str) -> dict[str, Any]:
        """The job when it has ended."""
        opened = self.service.workers._open.get(job_id)
        if opened is not None:
            opened.ended.result(20)
        return self.client.get(f"/v1/jobs/{job_id}").json()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], httpx2.Client]]:
    """A server process, and a client that calls it."""
    command = [sys.executable, "-m", "odia_ocr", "serve", "--port", "0", "--folder", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        told = json.loads(process.stderr.readline())
        assert told["event"] == "listening", told
        rest = threading.Thread(target=process.stderr.read, daemon=True)
        rest.start()
        with httpx2.Client(base_url=told["url"], timeout=PATIENCE) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()
        rest.join()
        process.stderr.close()


def wait_for(look: Callable[[], Any]) -> Any:
    """What `look` gives once it is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if seen := look():
            return seen
        time.sleep(0.02)
    raise AssertionError("waited in vain")
