"""A server with the OpenAI chat API on loopback, which answers as a test wishes."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

WORDS = ("ଓଡ଼ିଆ", "ଭାଷା", "ଶିକ୍ଷା", "କଟକ", "ପୁରୀ", "ସତ୍ୟ", "ମାତୃଭୂମି", "ଗୋଟିଏ")


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; `record` becomes JSON unless `raw` is given."""

    record: Any = None
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    broken: bool = False


Answerer = Callable[[dict[str, Any]], Reply]


class ChatApi:
    """What the server does and what it was asked."""

    def __init__(self, answer: Answerer, *, models: tuple[str, ...] | None, key: str) -> None:
        self.answer = answer
        self.models = models
        self.key = key
        self.requests: list[dict[str, Any]] = []
        self.closing = threading.Event()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.url = ""

    def get(self) -> Reply:
        if self.models is None:
            return Reply({"error": {"message": "no such path"}}, 404)
        return Reply({"object": "list", "data": [{"id": name} for name in self.models]})

    def post(self, body: dict[str, Any]) -> Reply:
        with self._lock:
            self.requests.append(body)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self.answer(body)
        finally:
            with self._lock:
                self._at_once -= 1


@contextmanager
def serve_chat(
    answer: Answerer | None = None,
    *,
    models: tuple[str, ...] | None = ("odia",),
    key: str = "",
) -> Iterator[ChatApi]:
    """A running server; closed at the end, whoever still waits for it."""
    api = ChatApi(answer or read_by_digest, models=models, key=key)
    connections: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._put(api.get() if self.path == "/v1/models" else Reply({}, 404))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            path = self.path == "/v1/chat/completions"
            self._put(api.post(body) if path else Reply({}, 404))

        def _put(self, reply: Reply) -> None:
            if api.key and self.headers.get("Authorization") != f"Bearer {api.key}":
                reply = Reply({"error": {"message": "Unauthorized"}}, 401)
            if reply.broken:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            data = reply.raw if reply.raw is not None else json.dumps(reply.record).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that gave up are part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        api.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
        for connection in connections:  # clients keep theirs open for the next request
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def see_picture(body: dict[str, Any]) -> np.ndarray:
    """The pixels that a request carries."""
    (message,) = body["messages"]
    (url,) = (part["image_url"]["url"] for part in message["content"] if "image_url" in part)
    assert url.startswith("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def read_by_digest(body: dict[str, Any]) -> Reply:
    """An Odia text that depends on the picture alone."""
    pixels = see_picture(body)
    digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
    return say(" ".join(WORDS[byte % len(WORDS)] for byte in digest[: 1 + digest[0] % 3]))


def say(*texts: str, finish: str = "stop", logprobs: Any = None) -> Reply:
    """A chat completion with a choice for each text."""
    return Reply(
        {
            "object": "chat.completion",
            "choices": [
                {
                    "index": i,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": finish,
                    "logprobs": logprobs,
                }
                for i, text in enumerate(texts)
            ],
        }
    )


def score(*tokens: tuple[bytes, float]) -> dict[str, Any]:
    """Log-probabilities as servers write them."""
    return {
        "content": [
            {"token": data.decode("utf-8", "replace"), "bytes": list(data), "logprob": logp}
            for data, logp in tokens
        ]
    }
