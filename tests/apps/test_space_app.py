"""The page of a Space: what it answers, and the whole folder started and used over HTTP."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from odia_ocr.apps.publish.hub import UploadFile
from odia_ocr.apps.publish.model_folder import ModelFolder
from odia_ocr.apps.publish.space import list_space_files, write_space
from odia_ocr.apps.publish.space_app import read_picture
from odia_ocr.errors import OutputError, PictureError
from odia_ocr.pipeline import open_reader, read
from odia_ocr.runtime import find_weights

SAMPLE = Path(__file__).parents[2] / "samples" / "page.png"
START_SECONDS = 120.0  # a few on a quiet machine


def test_a_picture_becomes_text_and_remarks(tmp_path: Path) -> None:
    reader = open_reader("ctc-fast", threads=1)
    text, remark = read_picture(str(SAMPLE), reader)
    assert text == read(SAMPLE, reader=reader).text
    assert remark.endswith(" lines.")
    assert read_picture(None, reader) == ("", "Choose a picture first.")
    blank = tmp_path / "blank.png"
    Image.fromarray(np.full((300, 300), 255, np.uint8)).save(blank)
    text, remark = read_picture(str(blank), reader)
    assert text == ""
    assert "No text was found on this page." in remark
    blank.write_bytes(b"no picture")
    with pytest.raises(PictureError, match="The picture"):
        read_picture(str(blank), reader)


def test_a_space_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        write_space([UploadFile("app.py", b"")], tmp_path / "file")


@pytest.mark.skipif(find_spec("gradio") is None, reason="gradio is not installed")
def test_the_folder_starts_and_reads(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(find_weights("ctc").read_bytes())
    model = ModelFolder(folder, "onnx", ("model.onnx",), ())
    space = tmp_path / "space"
    write_space(list_space_files(model, "me/odia", licence=None), space)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(tmp_path / "uploads"),
        "HF_HUB_OFFLINE": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
    log = (tmp_path / "log").open("w+")
    running = subprocess.Popen(
        [sys.executable, space / "app.py"], env=env, cwd=tmp_path, stdout=log, stderr=log
    )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS, trust_env=False
        ) as client:
            _wait_for(client, running, log)
            with SAMPLE.open("rb") as picture:
                (path,) = client.post("/gradio_api/upload", files={"files": picture}).json()
            given = {"path": path, "meta": {"_type": "gradio.FileData"}}
            asked = client.post("/gradio_api/call/read", json={"data": [given]}).json()
            answer = client.get(f"/gradio_api/call/read/{asked['event_id']}").text
    finally:
        running.terminate()
        running.wait(START_SECONDS)
        log.close()
    event, data = answer.strip().splitlines()[-2:]
    assert event == "event: complete"
    text, remark = json.loads(data.removeprefix("data: "))
    assert text == read(SAMPLE, threads=1).text
    assert remark.endswith(" lines.")


def _wait_for(client: httpx.Client, running: subprocess.Popen, log) -> None:
    """Until the page answers.

    Raises:
        AssertionError: With what it said, if it ended or takes too long.
    """
    until = time.monotonic() + START_SECONDS
    while running.poll() is None and time.monotonic() < until:
        try:
            if client.get("/gradio_api/info").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    log.seek(0)
    pytest.fail(f"the page did not start: {log.read()}")
