"""No name, identifier, header or option from outside becomes part of a path."""

from __future__ import annotations

import mimetypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from servers import Server

import odia_ocr

PACKAGE = Path(odia_ocr.__file__).parent
SECRET = "nobody-may-read-this"
NAMES = (
    "../outside.txt",
    "../../../../../../etc/passwd",
    "..\\..\\outside.txt",
    "/etc/passwd",
    "//etc/passwd",
    "C:\\Windows\\win.ini",
    "....//....//outside.txt",
    ".",
    "..",
    "a\0b",
    "\0",
    "page.png\0.txt",
    "..\u2215..\u2215outside.txt",  # division slash
    "\uff0e\uff0e\uff0foutside.txt",  # full width
    "\u2024\u2024/outside.txt",  # one dot leader
    "..%2foutside.txt",
    "..%252foutside.txt",
    "%2e%2e%2foutside.txt",
    "..%c0%afoutside.txt",
    "file:///etc/passwd",
    "~/outside.txt",
    "$HOME",
    "CON",
    "a\r\nX-Injected: 1",
    "a\u2028b",
    "x" * 5000,
    "9" * 23,  # no number that a database takes
    "\u202egnp.egap",
)
EVENTS = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.scandir", "os.listdir"}
WRITES = EVENTS - {"open", "os.scandir", "os.listdir"}


class Watch:
    """Paths that were opened, listed or changed while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.read: list[str] = []
        self.written: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, told: tuple[Any, ...]) -> None:
        if not self.on or event not in EVENTS or isinstance(told[0], int):
            return
        writes = event in WRITES or (
            event == "open" and any(letter in str(told[1] or "r") for letter in "wxa+")
        )
        # An open folder, to which a name is relative: the last argument of what changes something.
        folder = told[-1] if event in WRITES and told[-1] >= 0 else None
        for path in told[:2] if event == "os.rename" else told[:1]:
            name = os.fsdecode(path)
            if folder is not None:
                name = str(Path(f"/proc/self/fd/{folder}").readlink() / name)
            (self.written if writes else self.read).append(name)

    @contextmanager
    def watching(self) -> Iterator[None]:
        self.read, self.written, self.on = [], [], True
        try:
            yield
        finally:
            self.on = False


WATCH = Watch()
mimetypes.init()  # or it reads its table when a file is first sent


def is_allowed(path: str, private: Path, *, written: bool) -> bool:
    """Inside the private folder, or for reading: a part of this program and its libraries."""
    place = Path(path).resolve()
    own = (PACKAGE, *(Path(folder).resolve() for folder in sys.path if folder))
    places = (private,) if written else (private, *own, Path(sys.base_prefix))
    return any(place.is_relative_to(each) for each in places)


def assert_kept_inside(private: Path) -> None:
    private = private.resolve()
    assert [p for p in WATCH.written if not is_allowed(p, private, written=True)] == []
    strange = [p for p in WATCH.read if not is_allowed(p, private, written=False)]
    assert [p for p in strange if p not in ("/dev/null", "/dev/urandom")] == []


def snapshot(folder: Path, private: Path) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_relative_to(private)
    }


@pytest.fixture
def around(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The folder around the private one, with something worth stealing; unchanged at the end."""
    (tmp_path / "outside.txt").write_text(SECRET)
    before = snapshot(tmp_path, settings.folder)
    yield tmp_path
    assert snapshot(tmp_path, settings.folder) == before


def test_the_watch_sees(tmp_path: Path) -> None:
    with WATCH.watching():
        (tmp_path / "new").write_text("x")
        (tmp_path / "new").read_text()
    assert str(tmp_path / "new") in WATCH.written
    assert str(tmp_path / "new") in WATCH.read
    assert not is_allowed("/etc/passwd", tmp_path, written=False)
    assert not is_allowed(str(PACKAGE / "new"), tmp_path, written=True)


def test_file_names_are_shown_and_nothing_else(
    stub_server: Server, around: Path, settings: Any, line_png: bytes
) -> None:
    client = stub_server.client
    for name in NAMES:
        for form in ("hocr", "pdf"):
            with WATCH.watching():
                answer = client.post(
                    "/v1/read", params={"format": form}, files={"file": (name, line_png)}
                )
            assert answer.status_code in (200, 400), (name, answer.text)
            assert "x-injected" not in answer.headers
            shown = answer.headers.get("content-disposition", "")
            assert ".." not in shown
            assert "/" not in shown
            assert_kept_inside(settings.folder)
    jobs = [client.post("/v1/jobs", files={"file": (name, line_png)}) for name in NAMES]
    for answer in jobs:
        assert answer.status_code in (202, 400), answer.text
        if answer.status_code == 202:
            job = stub_server.wait(answer.json()["id"])
            assert not set(job["name"]) & set("/\\\0\r\n")
            with WATCH.watching():
                assert client.get(f"/v1/jobs/{job['id']}/result?format=hocr").status_code == 200
                assert client.get(f"/v1/jobs/{job['id']}/training-lines").status_code == 409
                assert client.delete(f"/v1/jobs/{job['id']}").status_code == 200
            assert_kept_inside(settings.folder)
    assert list((settings.folder / "jobs").iterdir()) == []


def test_paths_lead_nowhere(
    stub_server: Server, around: Path, settings: Any, line_png: bytes
) -> None:
    client = stub_server.client
    job = client.post("/v1/jobs", files={"file": ("a.png", line_png)}).json()["id"]
    stub_server.wait(job)
    routes = [
        ("GET", "/v1/jobs/{}"),
        ("DELETE", "/v1/jobs/{}"),
        ("GET", "/v1/jobs/{}/result"),
        ("GET", "/v1/jobs/{}/training-lines"),
        ("GET", "/v1/jobs/{}/pages/1"),
        ("GET", "/v1/jobs/{}/pages/1/picture"),
        ("GET", f"/v1/jobs/{job}/pages/{{}}"),
        ("GET", f"/v1/jobs/{job}/pages/{{}}/picture"),
        ("GET", f"/v1/jobs/{job}/pages/1/lines/{{}}/picture"),
        ("GET", f"/v1/jobs/{job}/pages/1/lines/{{}}/rivals"),
        ("GET", f"/v1/jobs/{job}/pages/1/lines/{{}}/history"),
        ("PUT", f"/v1/jobs/{job}/pages/1/lines/{{}}"),
        ("GET", "/static/{}"),
        ("GET", "/fonts/{}"),
    ]
    change = {"text": "x", "state": "edited", "revision": 0}
    for name in NAMES:
        for method, route in routes:
            for said in {quote(name, safe=""), quote(name, safe="/%.\\")}:
                sent = {"json": change} if method == "PUT" else {}
                with WATCH.watching():
                    answer = client.request(method, route.format(said), **sent)
                at = (method, route, name)
                leads_up = said in (".", "..") or said.startswith((".", "/"))
                assert answer.status_code in (400, 404, 405) or leads_up, at
                assert answer.status_code < 500, at
                assert SECRET not in answer.text, at
                assert "root:" not in answer.text, at
                assert_kept_inside(settings.folder)
    assert client.get(f"/v1/jobs/{job}").json()["state"] == "done"


def test_options_and_headers_lead_nowhere(
    stub_server: Server, around: Path, settings: Any, line_png: bytes
) -> None:
    client = stub_server.client
    files = {"file": ("a.png", line_png)}
    for name in NAMES:
        for option in ("format", "preset", "pages"):
            with WATCH.watching():
                answer = client.post("/v1/read", params={option: name}, files=files)
            assert answer.status_code in (400, 422), (option, name)
            assert SECRET not in answer.text
            assert_kept_inside(settings.folder)
        said = name.encode("utf-8").replace(b"\r\n", b" ").replace(b"\0", b"")
        for header in ("X-Request-ID", "X-Forwarded-Host", "X-Original-URL", "Cookie", "Referer"):
            with WATCH.watching():
                answer = client.post("/v1/read", headers={header: said}, files=files)
            assert answer.status_code == 200, (header, name)
            assert not set(answer.headers["x-request-id"]) & set("/\\ ")
            assert_kept_inside(settings.folder)
