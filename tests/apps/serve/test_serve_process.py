"""The command as a process: killed, asked to end, started wrongly."""

from __future__ import annotations

import io
import os
import signal
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from servers import PATIENCE, SAMPLE, running, wait_for

import odia_ocr


def book(pages: int) -> bytes:
    stream = io.BytesIO()
    page = Image.open(SAMPLE)
    page.save(stream, "TIFF", save_all=True, append_images=[page] * (pages - 1))
    return stream.getvalue()


def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    content = book(4)
    folder = tmp_path / "private"
    with running(folder) as (process, client):
        files = {"file": ("book.tif", content)}
        job = client.post("/v1/jobs", files=files).json()
        waiting = client.post("/v1/jobs", files={"file": ("page.png", SAMPLE.read_bytes())}).json()
        url = f"/v1/jobs/{job['id']}"
        wait_for(lambda: client.get(url).json()["pages"]["read"])
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with running(folder) as (_, client):
        listed = client.get("/v1/jobs").json()["jobs"]
        assert {one["id"] for one in listed} == {job["id"], waiting["id"]}
        assert next(one for one in listed if one["id"] == job["id"])["pages"]["read"] >= 1
        for one in (job, waiting):
            ended = wait_for(
                lambda one=one: (
                    found
                    if (found := client.get(f"/v1/jobs/{one['id']}").json())["finished"]
                    else None
                )
            )
            assert ended["state"] == "done", ended
        assert client.get(url).json()["pages"] == {"wanted": 4, "read": 4, "failed": 0}
        text = client.get(f"{url}/result", params={"format": "txt"}).text
        expected = odia_ocr.read(SAMPLE).text + "\n"
        assert text.split("\f") == [expected] * 4


@pytest.mark.slow
def test_sigterm_finishes_what_is_asked_for(tmp_path: Path) -> None:
    answers: list[httpx2.Response] = []
    with running(tmp_path / "private") as (process, client):
        wait_for(lambda: client.get("/readyz").status_code == 200)

        def ask() -> None:
            files = {"file": ("book.tif", book(3))}
            answers.append(client.post("/v1/read?format=txt", files=files))

        asking = threading.Thread(target=ask)
        asking.start()
        with httpx2.Client(base_url=client.base_url) as other:
            wait_for(lambda: "odia_ocr_pages_busy 0.0" not in other.get("/metrics").text)
        process.terminate()
        asking.join(PATIENCE)
        assert process.wait(PATIENCE) == 0
    assert answers[0].status_code == 200
    assert answers[0].text.count("\f") == 2


def test_wrong_starts_end_with_a_next_step(odia_ocr: Any, monkeypatch: Any, tmp_path: Path) -> None:
    ended = odia_ocr("serve", "--folder", tmp_path / "a", "--host", "no.such.host.invalid")
    assert ended.code == 2
    assert "Cannot listen" in ended.err
    ended = odia_ocr("serve", "--api-key-file", tmp_path / "missing")
    assert (ended.code, "Check --api-key-file" in ended.err) == (2, True)
    assert "Errno" not in ended.err
    (tmp_path / "file").write_text("")
    ended = odia_ocr("serve", "--port", "0", "--folder", tmp_path / "file")
    assert ended.code == 2
    assert "is no folder. Give --folder" in ended.err
    monkeypatch.setattr("odia_ocr.apps.serve_command.find_spec", lambda name: None)
    ended = odia_ocr("serve")
    assert ended.code == 3
    assert "pip install 'odia-ocr[serve]'" in ended.err
