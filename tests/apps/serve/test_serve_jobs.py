"""Jobs: begun, watched, cancelled, forgotten, and taken up again after a restart."""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from typing import Any

import pytest
from servers import Server, StubReader

import odia_ocr
from odia_ocr.apps.serve.database import Database
from odia_ocr.apps.serve.jobs import JobState, JobStore, KeptPage
from odia_ocr.apps.serve.private_folder import open_folder
from odia_ocr.apps.serve.service import ReadingWish
from odia_ocr.apps.serve.settings import Limits, Settings
from odia_ocr.errors import DataError, ModelMissingError, UsageError


def begin(server: Server, content: bytes, name: str = "book.tif", **params: Any) -> Any:
    answer = server.client.post("/v1/jobs", files={"file": (name, content)}, params=params)
    assert answer.status_code == 202, answer.text
    return answer.json()


def result(server: Server, job: Any, **params: Any) -> Any:
    return server.client.get(f"/v1/jobs/{job['id']}/result", params=params)


def test_a_job_goes_from_queued_to_done(
    stub_server: Server, stub: StubReader, blank_tiff: Any
) -> None:
    stub.go.clear()
    job = begin(stub_server, blank_tiff(3))
    assert job["state"] == "queued"
    assert job["page_numbers"] == [1, 2, 3]
    assert stub.started.acquire(timeout=20)
    url = f"/v1/jobs/{job['id']}"
    running = stub_server.client.get(url).json()
    assert (running["state"], running["progress"]) == ("running", 0.0)
    early = result(stub_server, job)
    assert (early.status_code, early.json()["code"]) == (409, "conflict")
    stub.go.set()
    done = stub_server.wait(job["id"])
    assert (done["state"], done["progress"]) == ("done", 1.0)
    assert done["pages"] == {"wanted": 3, "read": 3, "failed": 0}
    assert done["created"] <= done["started"] <= done["finished"] < done["expires"]
    assert result(stub_server, job, format="txt").text == "ପୃଷ୍ଠା 1\n\fପୃଷ୍ଠା 2\n\fପୃଷ୍ଠା 3\n"
    assert result(stub_server, job, format="pdf").content.startswith(b"%PDF-")
    assert result(stub_server, job, format="doc").status_code == 400
    listed = stub_server.client.get("/v1/jobs").json()["jobs"]
    assert [one["id"] for one in listed] == [job["id"]]


def test_unknown_jobs_are_404(stub_server: Server) -> None:
    client = stub_server.client
    for name in ("0" * 32, "nothing", "..%2f..%2fetc%2fpasswd", "%00", "'; DROP TABLE jobs; --"):
        answers = [client.get(f"/v1/jobs/{name}"), client.delete(f"/v1/jobs/{name}")]
        answers.append(client.get(f"/v1/jobs/{name}/result"))
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["code"] for answer in answers} == {"not-found"}


def test_a_job_can_be_cancelled_while_it_runs(
    stub_server: Server, stub: StubReader, blank_tiff: Any
) -> None:
    stub.go.clear()
    job = begin(stub_server, blank_tiff(50))
    assert stub.started.acquire(timeout=20)
    cancelled = stub_server.client.delete(f"/v1/jobs/{job['id']}").json()
    assert cancelled["state"] == "cancelled"
    other = begin(stub_server, blank_tiff(1))
    stub.go.set()
    assert stub_server.wait(other["id"])["state"] == "done"
    assert stub.begun == [1, 1]
    shown = stub_server.client.get(f"/v1/jobs/{job['id']}").json()
    assert (shown["state"], shown["pages"]["read"]) == ("cancelled", 0)
    refused = result(stub_server, job)
    assert refused.status_code == 409
    assert "again" in refused.json()["next_step"]  # not: wait until it is done
    assert not (stub_server.service.folder.root / "jobs" / job["id"]).exists()


def test_a_server_that_ends_reads_what_requests_wait_for_and_leaves_jobs(
    stub_server: Server, stub: StubReader, blank_tiff: Any
) -> None:
    stub.go.clear()
    job = begin(stub_server, blank_tiff(50))
    assert stub.started.acquire(timeout=20)
    service = stub_server.service
    wish = ReadingWish.of("balanced", None)
    waited_for = service.take_in("a.tif", io.BytesIO(blank_tiff(3)), wish, passing=True)
    service.prepare_stop()
    late = begin(stub_server, blank_tiff(2))
    stub.go.set()
    waited_for.ended.result(20)
    service.workers.stop()
    shown = {one["id"]: one for one in stub_server.client.get("/v1/jobs").json()["jobs"]}
    assert shown[job["id"]]["pages"]["read"] <= 2  # what was under way
    assert shown[late["id"]]["pages"]["read"] == 0
    assert service.find_job(waited_for.job.id).state is JobState.DONE


def test_pages_of_a_cancelled_job_have_no_pictures(
    start: Any, stub: StubReader, blank_tiff: Any
) -> None:
    server = start(stub.open)
    read_one = stub.read_one

    def wait_at_the_second(file: Any, options: Any, number: int) -> Any:
        if number == 2:
            stub.go.clear()
        return read_one(file, options, number)

    stub.read_one = wait_at_the_second  # type: ignore[method-assign]
    job = begin(server, blank_tiff(3))
    for _ in range(2):
        assert stub.started.acquire(timeout=20)
    url = f"/v1/jobs/{job['id']}"
    assert server.client.delete(url).json()["pages"]["read"] == 1
    stub.go.set()
    page = f"{url}/pages/1"
    change = {"text": "ପୃଷ୍ଠା", "revision": 0, "state": "accepted"}
    assert server.client.put(f"{page}/lines/l1", json=change).status_code == 200
    for path in (f"{page}/picture", f"{page}/lines/l1/picture", f"{url}/training-lines"):
        answer = server.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found"), path
        assert str(server.service.folder.root) not in answer.text


def test_an_ended_job_is_removed(stub_server: Server, blank_tiff: Any) -> None:
    job = begin(stub_server, blank_tiff(1))
    stub_server.wait(job["id"])
    assert stub_server.client.delete(f"/v1/jobs/{job['id']}").status_code == 200
    assert stub_server.client.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert not list((stub_server.service.folder.root / "jobs").iterdir())


def test_a_full_queue_says_when_to_come_again(
    start: Any, stub: StubReader, blank_tiff: Any
) -> None:
    server = start(stub.open, limits=Limits(waiting=2))
    stub.go.clear()
    jobs = [begin(server, blank_tiff(2)) for _ in range(2)]
    for url in ("/v1/jobs", "/v1/read"):
        answer = server.client.post(url, files={"file": ("a.tif", blank_tiff(1))})
        assert (answer.status_code, answer.json()["code"]) == (429, "queue-full")
        assert 1 <= int(answer.headers["retry-after"]) <= 600
    assert len(list((server.service.folder.root / "jobs").iterdir())) == 2
    stub.go.set()
    assert [server.wait(job["id"])["state"] for job in jobs] == ["done", "done"]
    assert server.client.post("/v1/read", files={"file": ("a.tif", blank_tiff(1))}).is_success


def test_a_book_does_not_hold_up_others(
    stub_server: Server, stub: StubReader, blank_tiff: Any
) -> None:
    stub.go.clear()
    begin(stub_server, blank_tiff(9))
    assert stub.started.acquire(timeout=20)
    small = begin(stub_server, blank_tiff(1))
    stub.go.set()
    stub_server.wait(small["id"])
    assert stub.begun[:3] == [1, 2, 1]


def test_a_job_that_fails_says_why_and_others_go_on(
    stub_server: Server, stub: StubReader, blank_tiff: Any
) -> None:
    stub.break_on[2] = ModelMissingError("No model here.", next_step="Install it.")
    bad, good = begin(stub_server, blank_tiff(3)), begin(stub_server, blank_tiff(1))
    failed = stub_server.wait(bad["id"])
    assert failed["state"] == "failed"
    assert failed["error"] == {
        "code": "model-missing",
        "message": "No model here.",
        "next_step": "Install it.",
    }
    assert stub_server.wait(good["id"])["state"] == "done"
    assert result(stub_server, bad).status_code == 500
    assert result(stub_server, good, format="txt").text == "ପୃଷ୍ଠା 1\n"


def test_a_job_has_its_time(start: Any, stub: StubReader, blank_tiff: Any) -> None:
    server = start(stub.open, limits=Limits(seconds=0.05))
    stub.go.clear()
    job = begin(server, blank_tiff(3))
    assert stub.started.acquire(timeout=20)
    time.sleep(0.06)
    stub.go.set()
    failed = server.wait(job["id"])
    assert (failed["state"], failed["error"]["code"]) == ("failed", "took-too-long")
    assert stub.begun == [1]
    assert result(server, job).status_code == 422


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\win.ini", "win.ini"),
        ("a\x00b\x1b[31m.png", "ab[31m.png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("x" * 5_000 + ".png", "x" * 120),
        ("ଓଡ଼ିଆ ବହି.pdf", "ଓଡ଼ିଆ ବହି.pdf"),
        ("<img src=x onerror=alert(1)>.png", "<img src=x onerror=alert(1)>.png"),
        ("/", "document"),
    ],
)
def test_hostile_names_only_show(
    stub_server: Server, blank_tiff: Any, name: str, shown: str
) -> None:
    taken = stub_server.service.take_in(
        name, io.BytesIO(blank_tiff(1)), ReadingWish(), passing=False
    )
    stub_server.wait(taken.job.id)
    assert taken.job.name == shown
    answer = result(stub_server, {"id": taken.job.id}, format="hocr")
    offered = re.fullmatch(
        r'attachment; filename="([A-Za-z0-9._-]+)\.hocr"', answer.headers["content-disposition"]
    )
    assert offered is not None
    assert ".." not in offered[1]
    assert "<img" not in answer.text
    root = stub_server.service.folder.root
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    kept = [path for path in files if not path.startswith("jobs.sqlite3")]
    assert kept == [f"jobs/{taken.job.id}/document"]
    assert root.stat().st_mode & 0o077 == 0


def test_a_restart_loses_no_page_and_reads_none_twice(
    start: Any, settings: Settings, blank_tiff: Any
) -> None:
    before = StubReader()
    first = start(before.open)
    before.go.clear()
    job = begin(first, blank_tiff(4))
    waiting = begin(first, blank_tiff(1))
    assert before.started.acquire(timeout=20)
    # The server is asked to end while page 1 is read.
    first.service.workers._stopping = True
    before.go.set()
    first.service.stop()
    assert before.begun == [1]
    after = StubReader()
    second = start(after.open)
    assert second.wait(job["id"])["state"] == "done"
    assert second.wait(waiting["id"])["state"] == "done"
    assert sorted(after.begun) == [1, 2, 3, 4]  # 1 is the other job's
    assert result(second, job, format="txt").text.count("ପୃଷ୍ଠା") == 4
    listed = second.client.get("/v1/jobs").json()["jobs"]
    assert len(listed) == 2


def test_a_document_that_ends_the_server_again_and_again_is_given_up(
    start: Any, stub: StubReader, settings: Settings, blank_tiff: Any
) -> None:
    first = start(stub.open)
    stub.go.clear()
    job = begin(first, blank_tiff(2))
    assert stub.started.acquire(timeout=20)
    for _ in range(2):  # begun anew, as after a crash
        first.service.jobs.begin(job["id"], None)
    first.service.database.close()  # nothing more of it is kept
    stub.go.set()
    second = start(StubReader().open)
    failed = second.wait(job["id"])
    assert (failed["state"], failed["error"]["code"]) == ("failed", "gave-up")


def test_what_a_request_waited_for_goes_with_the_server(
    start: Any, stub: StubReader, blank_tiff: Any
) -> None:
    first = start(stub.open)
    stub.go.clear()
    first.service.take_in("a.tif", io.BytesIO(blank_tiff(1)), ReadingWish(), passing=True)
    stray = first.service.folder.root / "jobs" / ("ab" * 16)
    stray.mkdir()
    assert stub.started.acquire(timeout=20)
    stub.go.set()
    first.service.stop()
    second = start(StubReader().open)
    assert second.service.jobs.list_ids() == set()
    assert not list((second.service.folder.root / "jobs").iterdir())


def test_old_jobs_are_forgotten(stub_server: Server, blank_tiff: Any) -> None:
    job = begin(stub_server, blank_tiff(1))
    stub_server.wait(job["id"])
    stub_server.service.forget_expired()
    assert stub_server.client.get(f"/v1/jobs/{job['id']}").status_code == 200
    with stub_server.service.database.change() as connection:
        connection.execute("UPDATE jobs SET touched = touched - 8 * 86400")
    stub_server.service.forget_expired()
    assert stub_server.client.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert not list((stub_server.service.folder.root / "jobs").iterdir())


def test_one_folder_has_one_server(stub_server: Server, settings: Settings) -> None:
    with pytest.raises(UsageError, match="Another server works in"):
        Database(settings.folder / "jobs.sqlite3")


def test_a_strange_database_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(b"not a database, but long enough to be looked at" * 50)
    with pytest.raises(DataError, match="no database of this version"):
        Database(path)
    path.unlink()
    database = Database(path)
    with database.change() as connection:
        connection.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(DataError, match="its version is 99"):
        Database(path)


def test_a_page_is_kept_whole(stub_server: Server, blank_tiff: Any, line_png: bytes) -> None:
    page = odia_ocr.read(line_png).pages[0]
    assert page.text == "ଛାପା ପୃଷ୍ଠାରୁ ଲେଖା"
    store = JobStore(stub_server.service.database)
    job = begin(stub_server, blank_tiff(1))
    stub_server.wait(job["id"])
    again = replace(
        stub_server.service.find_job(job["id"]), id="f" * 32, numbers=(1, 2), state=JobState.QUEUED
    )
    store.add(again)
    store.keep_page(again, KeptPage(1, page))
    store.keep_page(again, KeptPage(1, replace(page, lines=())))  # a page counts once
    kept = store.find_page(again.id, 1)
    assert kept is not None
    assert kept.page is not None
    assert [line.text for line in kept.page.lines] == [line.text for line in page.lines]
    hyps = [line.reading.hypothesis for line in kept.page.lines if line.reading]
    assert hyps == [line.reading.hypothesis for line in page.lines if line.reading]
    assert store.list_missing(again) == [2]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Any) -> None:
    (tmp_path / "theirs").mkdir(mode=0o755)
    (tmp_path / "theirs" / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="holds other files"):
        open_folder(tmp_path / "theirs")
    assert (tmp_path / "theirs").stat().st_mode & 0o777 == 0o755
    with pytest.raises(UsageError, match="is no folder"):
        open_folder(tmp_path / "theirs" / "letter.txt")


def test_what_may_have_ended_the_server_is_read_first_and_alone(
    start: Any, stub: StubReader, blank_tiff: Any
) -> None:
    first = start(stub.open)
    stub.go.clear()
    innocent = begin(first, blank_tiff(2))
    suspect = begin(first, blank_tiff(3))
    assert stub.started.acquire(timeout=20)
    store = first.service.jobs
    store.begin(suspect["id"], None)
    store.begin(suspect["id"], None)  # twice under way when the server ended, the other one once
    first.service.database.close()
    stub.go.set()
    after = StubReader()
    after.go.clear()
    second = start(after.open, workers=2)
    assert after.started.acquire(timeout=20)
    load = second.service.workers.load()
    assert (load.busy, load.waiting) == (1, 4)
    assert second.client.get(f"/v1/jobs/{suspect['id']}").json()["state"] == "running"
    assert not after.started.acquire(timeout=0.2)  # the second thread keeps away
    after.go.set()
    for job, pages in ((suspect, 3), (innocent, 2)):
        assert second.wait(job["id"])["pages"] == {"wanted": pages, "read": pages, "failed": 0}
