"""`read` and `evaluate` with `--engine remote:URL`, end to end."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat_server import ChatApi, Reply, say, score, see_picture, serve_chat
from odia_ocr.data.lines import make_renderer
from odia_ocr.recognize import open_recognizer
from odia_ocr.types import Candidates, LineImage

SAMPLE = Path(__file__).parents[2] / "samples" / "page.png"


@pytest.fixture
def model() -> Iterator[ChatApi]:
    """A server whose model is the small recognizer of this package."""
    recognizer = open_recognizer("ctc-fast", threads=1)

    def answer(body) -> Reply:
        (cands,) = recognizer.read([LineImage("l", see_picture(body))])
        assert isinstance(cands, Candidates)
        tokens = [(symbol.text.encode(), symbol.logp) for symbol in cands.best.symbols]
        return say(cands.best.text, logprobs=score(*tokens))

    with serve_chat(answer) as api:
        yield api


def write_lines(folder: Path, count: int) -> Path:
    from PIL import Image

    folder.mkdir()
    renderer = make_renderer(split="heldout", seed=5, clean=True)
    for i in range(count):
        line = renderer.render(i)
        Image.fromarray(line.pixels).save(folder / f"{i}.png")
        (folder / f"{i}.gt.txt").write_text(line.text, encoding="utf-8")
    return folder


def test_a_page_is_read_with_places_and_scores(
    odia_ocr: Callable, model: ChatApi, tmp_path: Path
) -> None:
    ended = odia_ocr(
        "read", SAMPLE, "--engine", f"remote:{model.url}?height=0#odia", "-o", tmp_path / "out"
    )
    assert (ended.code, ended.err) == (0, "")
    (page,) = json.loads((tmp_path / "out" / "page.json").read_text("utf-8"))["pages"]
    assert "text: remote:odia" in page["steps"]
    assert len(page["lines"]) > 5
    reading = page["lines"][0]["reading"]
    assert reading["confidence"] is None  # nothing was fitted for this model
    assert reading["cluster_confidence"]
    asked = len(model.requests)
    text = odia_ocr("read", SAMPLE, "--engine", f"remote:{model.url}?height=0").out
    plain = odia_ocr("read", SAMPLE, "--engine", "ctc-fast").out
    assert text == plain
    assert len(model.requests) == 2 * asked


def test_lines_are_evaluated_beside_another_engine(
    odia_ocr: Callable, model: ChatApi, tmp_path: Path
) -> None:
    lines = write_lines(tmp_path / "lines", 4)
    engines = ["--engine", f"remote:{model.url}?height=0", "--engine", "ctc-fast"]
    ended = odia_ocr("evaluate", lines, *engines, "--json", tmp_path / "scores.json")
    assert ended.code == 0, ended.err
    one, other = json.loads((tmp_path / "scores.json").read_text("utf-8"))["results"]
    assert one["model"] == "remote:odia"
    assert one["cer"] == other["cer"]


def test_a_line_that_fails_is_named_and_the_rest_is_read(
    odia_ocr: Callable, model: ChatApi
) -> None:
    read, turn = model.answer, iter([Reply({"choices": []})])
    model.answer = lambda body: next(turn, None) or read(body)
    ended = odia_ocr("read", SAMPLE, "--engine", f"remote:{model.url}?height=0&concurrent=1")
    assert ended.code == 1
    assert "line p0001-l001: The server's answer is no chat completion" in ended.err
    assert len(ended.out.splitlines()) > 5


def test_no_server_ends_the_command_at_once(odia_ocr: Callable, monkeypatch) -> None:
    from odia_ocr.recognize import remote_chat

    monkeypatch.setattr(remote_chat.time, "sleep", lambda seconds: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        ended = odia_ocr("read", SAMPLE, "--engine", f"remote:{url}")
    assert (ended.code, ended.out) == (3, "")
    assert f"No server answers at {url}" in ended.err
    assert odia_ocr("read", SAMPLE, "--engine", "remote").code == 2
