"""Fixtures: small documents, and servers that are stopped at the end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from servers import SAMPLE, Server, StubReader, open_with_shipped

from odia_ocr.apps.serve.application import make_application
from odia_ocr.apps.serve.service import open_service
from odia_ocr.apps.serve.settings import Settings
from odia_ocr.apps.serve.telling import Telling


@pytest.fixture(scope="session")
def line_png() -> bytes:
    """The heading of the sample page."""
    stream = io.BytesIO()
    Image.open(SAMPLE).crop((0, 95, 1000, 225)).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="session")
def blank_tiff() -> Callable[[int], bytes]:
    """A file of so many pages on which nothing stands."""

    def make(pages: int) -> bytes:
        stream = io.BytesIO()
        first, *others = [Image.new("L", (64, 48), 255) for _ in range(pages)]
        first.save(stream, "TIFF", save_all=True, append_images=others)
        return stream.getvalue()

    return make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(folder=tmp_path / "private", workers=1)


StartServer = Callable[..., Server]


@pytest.fixture
def start(settings: Settings) -> Iterator[StartServer]:
    """Start a server; it is stopped at the end."""
    with ExitStack() as running:

        def start(open_with: Any = open_with_shipped, **changes: Any) -> Server:
            log = io.StringIO()
            service = open_service(
                replace(settings, **changes), telling=Telling(log), open_with=open_with
            )
            client = running.enter_context(TestClient(make_application(service)))
            return Server(client, service, log)

        yield start


@pytest.fixture
def stub() -> Iterator[StubReader]:
    reader = StubReader()
    yield reader
    reader.go.set()


@pytest.fixture
def server(start: StartServer) -> Server:
    return start()


@pytest.fixture
def stub_server(start: StartServer, stub: StubReader) -> Server:
    return start(stub.open)
