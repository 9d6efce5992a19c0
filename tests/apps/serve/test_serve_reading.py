"""Documents go in over HTTP and come out as the command writes them."""

from __future__ import annotations

import errno
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from servers import SAMPLE, Server, StubReader

import odia_ocr
from odia_ocr.apps.serve.settings import Limits
from odia_ocr.errors import ModelMissingError, RecognitionError
from odia_ocr.export.document_json import document_from_json
from odia_ocr.export.formats import FORMATS
from odia_ocr.pages.images import PageLimits


def post(server: Server, *files: tuple[str, bytes], **params: Any) -> Any:
    return server.client.post("/v1/read", files=[("file", file) for file in files], params=params)


def png_of(width: int, height: int, *more: tuple[bytes, bytes]) -> bytes:
    """A picture that says it is so large, and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), *more, (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def test_read_gives_what_the_program_reads(server: Server) -> None:
    content = SAMPLE.read_bytes()
    expected = odia_ocr.read(content, name="page.png")
    text = post(server, ("page.png", content), format="txt")
    assert text.status_code == 200
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.text == expected.text + "\n"
    document = document_from_json(post(server, ("page.png", content)).json())
    assert document.text == expected.text
    assert [len(page.lines) for page in document.pages] == [8]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_the_command_is_given(stub_server: Server, line_png: bytes, name: str):
    answer = post(stub_server, ("page.png", line_png), format=name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == FORMATS[name].media_type
    suffix = FORMATS[name].suffix
    assert answer.headers["content-disposition"] == f'attachment; filename="page{suffix}"'
    if name == "pdf":
        assert answer.content.startswith(b"%PDF-")
    else:
        assert "ପୃଷ୍ଠା" in answer.text


def test_several_files_come_in_order(stub_server: Server, line_png: bytes, blank_tiff: Any) -> None:
    files = [("one.png", line_png), ("two.tif", blank_tiff(2))]
    text = post(stub_server, *files, format="txt")
    assert text.text == "ପୃଷ୍ଠା 1\n\fପୃଷ୍ଠା 1\n\fପୃଷ୍ଠା 2\n"
    documents = post(stub_server, *files).json()["documents"]
    assert [document["source"] for document in documents] == ["one.png", "two.tif"]
    assert [len(document["pages"]) for document in documents] == [1, 2]


def test_several_files_of_other_formats_come_as_a_zip(
    stub_server: Server, line_png: bytes, blank_tiff: Any
) -> None:
    files = [("a.png", line_png), ("a.png", line_png), ("../b.tif", blank_tiff(2))]
    archive = zipfile.ZipFile(io.BytesIO(post(stub_server, *files, format="hocr").content))
    assert archive.namelist() == ["a.hocr", "a-2.hocr", "b.hocr"]
    archive = zipfile.ZipFile(io.BytesIO(post(stub_server, files[2], format="page").content))
    assert archive.namelist() == ["b.page.xml", "b.p0002.page.xml"]
    assert "ପୃଷ୍ଠା 2" in archive.read("b.p0002.page.xml").decode()


def test_wanted_pages_and_preset(stub_server: Server, blank_tiff: Any) -> None:
    tiff = ("book.tif", blank_tiff(5))
    text = post(stub_server, tiff, format="txt", pages="2,4-", preset="fast").text
    assert text == "ପୃଷ୍ଠା 2\n\fପୃଷ୍ଠା 4\n\fପୃଷ୍ଠା 5\n"


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"format": "doc"}, "Unknown format 'doc'"),
        ({"preset": "bestest"}, "Did you mean best"),
        ({"pages": "x"}, "Cannot understand the pages"),
        ({"pages": "9-1"}, "do not make sense"),
        ({"pages": "1" * 5_000}, "Cannot understand the pages"),
        ({"page": "1"}, "Unknown parameter 'page'. Did you mean pages"),
    ],
)
def test_wrong_wishes_are_400(stub_server: Server, line_png: bytes, params: Any, says: str) -> None:
    answer = post(stub_server, ("page.png", line_png), **params)
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message", "next_step"}
    assert says in f"{answer.json()['message']} {answer.json()['next_step']}"


def test_next_steps_name_parameters_and_no_options(stub_server: Server, line_png: bytes) -> None:
    answer = post(stub_server, ("page.png", line_png), pages="7")
    assert (answer.status_code, answer.json()["next_step"]) == (422, "Check ?pages=.")
    assert stub_server.client.get("/v1/jobs?limits=3").status_code == 400


PNG = b"\x89PNG\r\n\x1a\n"
BOMB = zlib.compress(bytes(50_000_000))  # 49 kB


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "picture-unreadable"),
        (b"plain words", 415, "not-a-picture"),
        (b"PK\x03\x04" + bytes(40), 415, "not-a-picture"),
        (b"<html><script>alert(1)</script>", 415, "not-a-picture"),
        (PNG + b"broken", 422, "picture-unreadable"),
        (b"%PDF-1.7 and no more", 422, "picture-unreadable"),
        (png_of(60_000, 60_000), 413, "picture-too-large"),
        (png_of(900, 900), 422, "picture-unreadable"),
        (png_of(9, 9, (b"zTXt", b"a\0\0" + BOMB)), 422, "picture-unreadable"),
    ],
)
def test_what_cannot_be_read_is_refused(
    server: Server, content: bytes, status: int, code: str
) -> None:
    answer = post(server, ("page.png", content))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["next_step"]
    assert not list((server.service.folder.root / "jobs").iterdir())


def test_requests_side_by_side_get_their_own_answers(
    start: Any, stub: StubReader, blank_tiff: Any
) -> None:
    server = start(stub.open, workers=4)
    tiff = ("book.tif", blank_tiff(8))

    def ask(number: int) -> str:
        return post(server, tiff, format="txt", pages=str(number)).text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(ask, range(1, 9)))
    assert texts == [f"ପୃଷ୍ଠା {number}\n" for number in range(1, 9)]
    assert sorted(stub.begun) == list(range(1, 9))


def test_requests_without_a_file_are_400(stub_server: Server, line_png: bytes) -> None:
    client = stub_server.client
    assert client.post("/v1/read").status_code == 400
    raw = client.post("/v1/read", content=line_png, headers={"content-type": "image/png"})
    assert (raw.status_code, "curl -F file=@" in raw.json()["next_step"]) == (400, True)
    assert client.post("/v1/read", files={"files": ("a.png", line_png)}).status_code == 400
    assert client.post("/v1/read", data={"file": "no file"}).status_code == 400
    wrong = client.post("/v1/read", content=b"--x", headers={"content-type": "multipart/form-data"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong-request")
    assert client.get("/v1/read").status_code == 405
    missing = client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not-found")


def test_one_bad_file_leaves_the_others(stub_server: Server, line_png: bytes) -> None:
    files = [("bad.png", b"no picture"), ("good.png", line_png)]
    answer = post(stub_server, *files)
    assert answer.status_code == 200
    assert answer.headers["x-failed-pages"] == "1"
    bad, good = answer.json()["documents"]
    assert [problem["code"] for problem in bad["problems"]] == ["not-a-picture"]
    assert good["pages"][0]["lines"][0]["reading"]["text"] == "ପୃଷ୍ଠା 1"


def test_a_zip_holds_what_could_be_read(stub_server: Server, line_png: bytes) -> None:
    answer = post(stub_server, ("bad.png", b""), ("good.png", line_png), format="pdf")
    assert answer.status_code == 200
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == ["good.pdf"]


def test_only_bad_files_are_an_error(stub_server: Server) -> None:
    answer = post(stub_server, ("a.png", b"no picture"), ("b.png", b""))
    assert (answer.status_code, answer.json()["code"]) == (415, "not-a-picture")


def test_the_body_is_counted_whatever_its_header_says(start: Any, stub: StubReader) -> None:
    server = start(stub.open, limits=Limits(request_bytes=2_000))
    answer = post(server, ("big.png", bytes(3_000)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    def pieces() -> Iterator[bytes]:  # without a length
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(30):
            yield bytes(100)

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = server.client.post("/v1/read", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert "--max-megabytes" in answer.json()["next_step"]


def test_pages_and_pixels_are_limited(start: Any, stub: StubReader, blank_tiff: Any) -> None:
    server = start(stub.open, limits=Limits(pages=3, page=PageLimits(max_pixels=64 * 48)))
    answer = post(server, ("book.tif", blank_tiff(4)))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert post(server, ("book.tif", blank_tiff(4)), pages="1-3").status_code == 200
    answer = post(server, ("wide.png", png_of(65, 48)))
    assert (answer.status_code, answer.json()["code"]) == (413, "picture-too-large")


def test_what_was_read_for_a_request_is_not_kept(stub_server: Server, line_png: bytes) -> None:
    assert post(stub_server, ("page.png", line_png)).status_code == 200
    assert stub_server.service.jobs.list_ids() == set()
    assert not list((stub_server.service.folder.root / "jobs").iterdir())


def test_a_page_that_fails_is_told_and_leaves_the_others(
    stub_server: Server, stub: StubReader, blank_tiff: Any
) -> None:
    reader = stub.read_one

    def read_one(file: Any, options: Any, number: int) -> Any:
        outcome = reader(file, options, number)
        error = RecognitionError("This page is torn.", next_step="Scan it again.")
        return replace(outcome, page=None, error=error) if number == 2 else outcome

    stub.read_one = read_one  # type: ignore[method-assign]
    answer = post(stub_server, ("book.tif", blank_tiff(3)))
    assert answer.status_code == 200
    assert answer.headers["x-failed-pages"] == "1"
    assert [page["number"] for page in answer.json()["pages"]] == [1, 3]
    assert answer.json()["problems"][0]["message"] == "This page is torn."
    answer = post(stub_server, ("book.tif", blank_tiff(3)), pages="2")
    assert (answer.status_code, answer.json()["code"]) == (422, "recognition")


def test_the_servers_own_faults_are_500(stub_server: Server, stub: StubReader, line_png: bytes):
    stub.break_on[1] = ModelMissingError("No model.", next_step="Install it.")
    answer = post(stub_server, ("page.png", line_png))
    assert (answer.status_code, answer.json()["code"]) == (500, "model-missing")
    stub.break_on[1] = RuntimeError("secret words")
    answer = post(stub_server, ("page.png", line_png))
    assert answer.status_code == 500
    assert "secret" not in answer.text + stub_server.log.getvalue()


def test_a_full_disk_is_the_servers_fault(
    stub_server: Server, line_png: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("odia_ocr.apps.serve.private_folder.shutil.copyfileobj", fail)
    for url in ("/v1/read", "/v1/jobs"):
        answer = stub_server.client.post(url, files={"file": ("page.png", line_png)})
        assert (answer.status_code, answer.json()["code"]) == (500, "storage")
        assert "free space" in answer.json()["next_step"]
        assert str(stub_server.service.folder.root) not in answer.text
    assert not list((stub_server.service.folder.root / "jobs").iterdir())
    assert stub_server.service.workers.load().documents == 0


def test_models_are_listed(stub_server: Server) -> None:
    listed = stub_server.client.get("/v1/models").json()
    names = [preset["name"] for preset in listed["presets"]]
    assert names == ["fast", "balanced", "best"]
    assert [preset["name"] for preset in listed["presets"] if preset["default"]] == ["balanced"]
    assert 0 < listed["presets"][1]["measured"]["cer"] < 1


def test_the_description_has_examples_for_what_is_sent(stub_server: Server) -> None:
    described = stub_server.client.get("/openapi.json").json()
    assert {"/v1/read", "/v1/jobs", "/v1/jobs/{job_id}", "/v1/models", "/metrics"} <= set(
        described["paths"]
    )
    read = described["paths"]["/v1/read"]["post"]
    assert {"200", "400", "401", "413", "415", "422", "429"} <= set(read["responses"])
    assert "curl" in read["description"]
    change = described["components"]["schemas"]["LineChange"]
    assert change["examples"]
    assert "http://" not in json.dumps(described.get("servers", {}))
