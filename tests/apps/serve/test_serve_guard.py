"""What every request passes, and what is told of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from servers import Server, StubReader

from odia_ocr.apps.serve.listening import listen, own_names
from odia_ocr.apps.serve.settings import find_api_key
from odia_ocr.errors import ConfigError, UsageError

KEY = "a-key-of-thirty-two-characters-x"


@pytest.fixture
def locked(start: Any, stub: StubReader) -> Server:
    return start(stub.open, api_key=KEY)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": "Bearer \xff\xfe"},
        {"X-API-Key": KEY[:-1]},
    ],
)
def test_the_key_is_asked_for(locked: Server, line_png: bytes, headers: dict[str, str]) -> None:
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, url in (("GET", "/v1/jobs"), ("POST", "/v1/read"), ("GET", "/metrics")):
        answer = locked.client.request(method, url, headers=sent)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert KEY not in locked.log.getvalue()


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}])
def test_the_key_opens(locked: Server, line_png: bytes, headers: dict[str, str]) -> None:
    files = {"file": ("a.png", line_png)}
    assert locked.client.post("/v1/read", files=files, headers=headers).status_code == 200
    assert locked.client.get("/metrics", headers=headers).status_code == 200


def test_health_and_the_empty_page_need_no_key(locked: Server) -> None:
    for url in ("/healthz", "/", "/docs", "/static/review.js", "/fonts/NotoSansOriya-Bold.ttf"):
        assert locked.client.get(url).status_code == 200, url


def test_ready_means_that_models_are_open(start: Any, stub: StubReader) -> None:
    def broken(engine: str, threads: int) -> Any:
        raise UsageError("no models")

    server = start(broken)
    answer = server.client.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-ready")
    server.service.workers._open_with = stub.open
    server.service.workers.warm("balanced")
    assert server.client.get("/readyz").json() == {"status": "ready"}


def test_requests_are_named(stub_server: Server) -> None:
    client = stub_server.client
    named = client.get("/healthz", headers={"X-Request-ID": "my-request.7"})
    assert named.headers["x-request-id"] == "my-request.7"
    for bad in ("x" * 65, 'a"b', "a b", ""):
        answer = client.get("/healthz", headers={"X-Request-ID": bad})
        assert len(answer.headers["x-request-id"]) == 32
    assert '"my-request.7"' in stub_server.log.getvalue()


def test_the_log_is_json_without_contents_and_names(stub_server: Server, line_png: bytes) -> None:
    files = {"file": ("private-name.png", line_png)}
    stub_server.client.post("/v1/jobs", files=files)
    answer = stub_server.client.post("/v1/read?format=txt", files=files)
    assert "ପୃଷ୍ଠା" in answer.text
    stub_server.client.get("/private-path")
    rows = [json.loads(row) for row in stub_server.log.getvalue().splitlines()]
    requests = [row for row in rows if row["event"] == "request"]
    assert [(row["route"], row["status"]) for row in requests] == [
        ("/v1/jobs", 202),
        ("/v1/read", 200),
        ("none", 404),
    ]
    assert requests[1]["request_id"] == answer.headers["x-request-id"]
    assert "private" not in stub_server.log.getvalue()
    assert "ପୃଷ୍ଠା" not in json.dumps(rows, ensure_ascii=False)


def test_figures_are_counted(stub_server: Server, line_png: bytes) -> None:
    stub_server.client.post("/v1/read", files={"file": ("a.png", line_png)})
    figures = stub_server.client.get("/metrics").text
    assert 'odia_ocr_pages_total{outcome="read",preset="balanced"} 1.0' in figures
    assert 'odia_ocr_requests_total{method="POST",route="/v1/read",status="200"} 1.0' in figures
    assert "odia_ocr_pages_waiting 0.0" in figures
    assert re.search(r"^process_resident_memory_bytes [1-9]", figures, re.MULTILINE)


def test_words_sent_as_methods_make_no_series(stub_server: Server) -> None:
    for number in range(3):
        assert stub_server.client.request(f"WORD{number}", "/v1/jobs").status_code == 405
    figures = stub_server.client.get("/metrics").text
    assert 'method="other",route="/v1/jobs",status="405"} 3.0' in figures
    assert "WORD" not in figures + stub_server.log.getvalue()


def test_other_sites_may_not_send(stub_server: Server, line_png: bytes) -> None:
    files = {"file": ("a.png", line_png)}
    for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
        answer = stub_server.client.post("/v1/read", files=files, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong-origin")
    own = {"Origin": "http://testserver"}
    assert stub_server.client.post("/v1/read", files=files, headers=own).status_code == 200


def test_a_local_server_answers_to_its_own_names_only(start: Any, stub: StubReader) -> None:
    server = start(stub.open, hosts=own_names("127.0.0.1"))
    for host in ("evil.example", "localhost.evil.example", ""):
        answer = server.client.get("/v1/jobs", headers={"Host": host})
        assert answer.status_code == 403
    for host in ("localhost:8000", "127.0.0.1", "[::1]:9"):
        assert server.client.get("/v1/jobs", headers={"Host": host}).status_code == 200
    assert own_names("0.0.0.0") == own_names("example.org") == frozenset()


def test_pages_load_nothing_from_elsewhere(stub_server: Server) -> None:
    answer = stub_server.client.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy.replace("https://", "http")
    assert answer.headers["x-content-type-options"] == "nosniff"
    for path in ("/static/../service.py", "/static/%2e%2e/service.py", "/fonts/..%2f..%2fx"):
        assert stub_server.client.get(path).status_code == 404


def test_keys_are_found(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ODIA_OCR_API_KEY", raising=False)
    assert find_api_key(None) is None
    monkeypatch.setenv("ODIA_OCR_API_KEY", f" {KEY}\n")
    assert find_api_key(None) == KEY
    path = tmp_path / "key"
    for bad in ("short", "two words which are long", "ଓଡ଼ିଆ ଅକ୍ଷରରେ ଲେଖା ଚାବି"):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(ConfigError, match="16 or more"):
            find_api_key(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        find_api_key(tmp_path / "missing")


def test_a_port_in_use_is_told() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(UsageError, match="Cannot listen on"):
        listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(UsageError, match="Cannot listen on"):
        listen("no.such.host.invalid", 1)
