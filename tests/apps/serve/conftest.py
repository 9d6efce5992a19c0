"""Fixtures: small documents, and servers that are stopped at the end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from browsing import CHROMIUM, Tab
from fastapi.testclient import TestClient
from PIL import Image, ImageFilter
from servers import SAMPLE, Server, StubReader, open_with_shipped, running

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server and its client."""
    with running(tmp_path_factory.mktemp("private")) as (_, client):
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        # Containers run as root, where its own sandbox does not start.
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def faint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample page, small and blurred: some of its lines are doubtful."""
    path = tmp_path_factory.mktemp("pictures") / "faint.png"
    page = Image.open(SAMPLE).convert("L")
    page = page.resize((430, 323), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(0.9))
    page.save(path)
    return path


@pytest.fixture
def tab(browser: Any, site: Any) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    tab = Tab(context.new_page(), str(site.base_url))
    yield tab
    context.close()
    assert tab.hosts <= {urlparse(tab.base).netloc, ""}  # blobs have none
    assert tab.complaints == []
