"""A model hub on loopback: enough of it to make, fill, look at and download repositories."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_loopback"
OWNER = "me"
_PATH = re.compile(r"/api/(models|spaces)/([^/]+/[^/?]+)(?:/(\w+)/([^/?]+))?")
_FILE = re.compile(r"/(spaces/)?([^/]+/[^/]+)/resolve/[^/]+/(.+)")


@dataclass
class Repo:
    """A repository: who sees it, its files and the messages of its commits."""

    private: bool = False
    sdk: str | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


@dataclass
class Answer:
    """An HTTP answer with a record as JSON, or with bytes."""

    record: Any = None
    status: int = 200
    data: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


NOT_FOUND = Answer({"error": "Repository not found"}, 404, headers={"X-Error-Code": "RepoNotFound"})


class ModelHub:
    """What the hub holds: repositories by "models/OWNER/NAME" and "spaces/OWNER/NAME"."""

    def __init__(self) -> None:
        self.url = ""
        self.repos: dict[str, Repo] = {}
        self.refusal: Answer | None = None  # of whatever would write

    def post(self, path: str, body: bytes) -> Answer:
        if path == "/api/validate-yaml":
            return Answer({"errors": [], "warnings": []})
        if self.refusal is not None:
            return self.refusal
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        found = _PATH.match(path)
        repo = self.repos.get(f"{found[1]}/{found[2]}") if found else None
        if found is None or repo is None:
            return NOT_FOUND
        if found[3] == "preupload":
            plain = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            files = json.loads(body)["files"]
            return Answer({"files": [{"path": file["path"], **plain} for file in files]})
        for row in map(json.loads, body.decode().splitlines()):
            if row["key"] == "header":
                repo.commits.append(row["value"]["summary"])
            elif row["key"] == "file":
                repo.files[row["value"]["path"]] = base64.b64decode(row["value"]["content"])
        oid = _digest(body)
        return Answer(
            {"success": True, "commitOid": oid, "commitUrl": f"{self.url}/{found[2]}/commit/{oid}"}
        )

    def get(self, path: str) -> Answer:
        if path == "/api/whoami-v2":
            return Answer({"name": OWNER, "type": "user", "auth": {"type": "access_token"}})
        if found := _FILE.match(path):
            repo = self.repos.get(f"{'spaces' if found[1] else 'models'}/{found[2]}")
            if repo is None or found[3] not in repo.files:
                return NOT_FOUND
            data = repo.files[found[3]]
            tags = {"ETag": f'"{_digest(data)}"', "X-Repo-Commit": "0" * 40}
            return Answer(data=data, headers=tags)
        found = _PATH.match(path)
        repo = self.repos.get(f"{found[1]}/{found[2]}") if found else None
        if found is None or repo is None:
            return NOT_FOUND
        files = [{"rfilename": name} for name in repo.files]
        facts = {"id": found[2], "private": repo.private, "siblings": files, "sha": "0" * 40}
        return Answer({**facts, "tags": [], "downloads": 0, "likes": 0})

    def _create(self, order: dict[str, Any]) -> Answer:
        kind = f"{order.get('type') or 'model'}s"
        name = f"{order.get('organization') or OWNER}/{order['name']}"
        if f"{kind}/{name}" in self.repos:
            return Answer({"error": "You already created this repo"}, 409)
        private = bool(order.get("private")) or order.get("visibility") == "private"
        self.repos[f"{kind}/{name}"] = Repo(private, order.get("sdk"))
        place = f"spaces/{name}" if kind == "spaces" else name
        return Answer({"url": f"{self.url}/{place}", "id": name, "name": name})


@contextmanager
def serve_hub() -> Iterator[ModelHub]:
    """A running hub, closed at the end."""
    hub = ModelHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._put(hub.get(self.path))

        do_HEAD = do_GET

        def do_POST(self) -> None:
            self._put(hub.post(self.path, self._take()))

        def _take(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def _put(self, answer: Answer) -> None:
            if self.headers.get("Authorization") not in (None, f"Bearer {TOKEN}"):
                answer = Answer({"error": "Invalid credentials in Authorization header"}, 401)
            data = json.dumps(answer.record).encode() if answer.data is None else answer.data
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _digest(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()
