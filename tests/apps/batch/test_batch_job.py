"""Batches with real worker processes and a stand-in for reading."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
import stand_ins
from batch_files import done_pages, outputs, put, states, summary
from stand_ins import PAGES, run

from odia_ocr.errors import ModelMissingError, ResourceMissingError, UsageError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "in").mkdir()
    return tmp_path


def test_documents_table_summary_and_report(folder):
    put(folder, "b-10.pdf", "b-2.pdf")
    out = folder / "out"
    assert run(out, [folder / "in"], folder / "log") == 0
    table = pyarrow.parquet.read_table(out / "lines.parquet").to_pylist()
    seen = [(Path(r["document"]).name, r["page"], r["line"]) for r in table]
    assert seen == [
        (name, page, f"p{page:04d}-l{line:03d}")
        for name in ("b-2.pdf", "b-10.pdf")
        for page in range(1, PAGES + 1)
        for line in range(1, 4)
    ]
    assert table[0]["text"] == "ପୃଷ୍ଠା 1 1"
    assert table[0]["confidence"] == pytest.approx(0.15)
    assert table[0]["polygon"][0] == [1.5, 2.0]
    assert sorted(p.name for p in (out / "documents").iterdir()) == [
        "b-10.json",
        "b-10.txt",
        "b-2.json",
        "b-2.txt",
    ]
    document = json.loads((out / "documents" / "b-2.json").read_text("utf-8"))
    assert [page["number"] for page in document["pages"]] == [1, 2, 3, 4]
    assert document["pages"][0]["problems"][0]["code"] == "odd"
    assert summary(out)["confidence"] == [0, 8, 8, 8, 0, 0, 0, 0, 0, 0]
    assert "<svg" in (out / "report.html").read_text("utf-8")


def test_what_crashes_hangs_or_raises_is_set_aside_and_the_rest_goes_on(folder):
    put(folder, "crash.pdf", "hang.pdf", "raise.pdf", "once.pdf", "good.pdf")
    (folder / "in" / "empty.pdf").touch()
    out = folder / "out"
    assert run(out, [folder / "in"], folder / "log", page_seconds=0.5, tries=2) == 1
    found = states(out)
    aside = {page for page, state in found.items() if state == "quarantined"}
    assert aside == {("crash.pdf", 2), ("hang.pdf", 2), ("raise.pdf", 2)}
    assert len(found) == 5 * PAGES
    assert set(found.values()) == {"done", "quarantined"}
    codes = {Path(r["document"]).name: r["code"] for r in summary(out)["review"] if r["page"] == 2}
    assert codes == {
        "crash.pdf": "worker-died",
        "hang.pdf": "page-timeout",
        "raise.pdf": "recognition",
    }
    assert summary(out)["failed_documents"] == 1
    tried = {name: len((folder / "log" / f"{name}-2").read_text()) for name in codes}
    assert set(tried.values()) == {2}
    document = json.loads((out / "documents" / "crash.json").read_text("utf-8"))
    assert [p["page"] for p in document["problems"]] == [2]
    assert len(document["pages"]) == PAGES - 1


def test_what_was_set_aside_is_tried_again_when_asked_for(folder):
    (once,) = put(folder, "once.pdf")
    out = folder / "out"
    assert run(out, [once], folder / "log", tries=1) == 1
    assert run(out, [once], folder / "log", tries=1) == 1
    assert run(out, [once], folder / "log", tries=1, retry=True) == 0
    assert set(states(out).values()) == {"done"}
    assert len((folder / "log" / "once.pdf-1").read_text()) == 1
    assert json.loads((out / "documents" / "once.json").read_text("utf-8"))["problems"] == []


def test_another_format_and_more_documents_cost_no_second_reading(folder):
    first, second = put(folder, "a.pdf", "b.pdf")
    out = folder / "out"
    run(out, [first], folder / "log", workers=1)
    run(out, [first, second], folder / "log", workers=1, formats=("txt", "alto"))
    assert {len(path.read_text()) for path in (folder / "log").iterdir()} == {1}
    assert {"a.txt", "a.json", "a.alto.xml", "b.txt", "b.alto.xml"} == {
        path.name for path in (out / "documents").iterdir()
    }


def test_a_changed_file_is_read_anew(folder):
    (path,) = put(folder, "a.pdf")
    run(folder / "out", [path], folder / "log", workers=1)
    path.write_bytes(b"%PDF-1.4 longer")
    run(folder / "out", [path], folder / "log", workers=1)
    assert len((folder / "log" / "a.pdf-1").read_text()) == 2


def test_other_settings_another_batch_and_foreign_folders_are_refused(folder):
    (path,) = put(folder, "a.pdf")
    with pytest.raises(UsageError, match="other files"):
        run(folder / "in", [path], folder / "log")
    out = folder / "out"
    run(out, [path], folder / "log", workers=1)
    with pytest.raises(UsageError, match="begun with paragraphs"):
        run(out, [path], folder / "log", paragraphs=True)
    holder = sqlite3.connect(out / "manifest.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UsageError, match="in use"):
        run(out, [path], folder / "log")
    holder.close()


@pytest.mark.parametrize(
    ("fault", "error", "told"),
    [
        ("missing", ModelMissingError, "No model"),
        ("dies", ResourceMissingError, "exit status 7. 3 times"),
    ],
)
def test_without_models_the_batch_ends(folder, fault, error, told):
    (path,) = put(folder, "a.pdf")
    with pytest.raises(error, match=told):
        run(folder / "out", [path], folder / "log", workers=1, fault=fault)


def kill_until_done(folder, out, log, seed, kills):
    """Run the batch as a program, killed at `kills` random moments; gives how many hit it."""
    draw = random.Random(seed)
    command = [sys.executable, stand_ins.__file__, str(out), str(log), "2", str(folder / "in")]
    hits = 0
    for _ in range(kills):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        before = done_pages(log)
        until = time.monotonic() + 20
        while done_pages(log) == before and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(draw.uniform(0, 0.15))
        hits += process.poll() is None
        process.kill()
        process.wait()
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    return hits


def check_kills(folder, documents, seed, kills):
    put(folder, *(f"slow-{i}.pdf" for i in range(documents)))
    assert run(folder / "whole", [folder / "in"], folder / "log") == 0
    (folder / "log-killed").mkdir()
    hits = kill_until_done(folder, folder / "killed", folder / "log-killed", seed, kills)
    assert hits
    assert outputs(folder / "killed") == outputs(folder / "whole")
    assert set(states(folder / "killed").values()) == {"done"}
    # Only pages that were under way when it was killed were begun again: at most one a worker.
    assert done_pages(folder / "log-killed") <= documents * PAGES + 2 * hits


def test_a_killed_batch_goes_on_and_ends_the_same(folder):
    check_kills(folder, documents=8, seed=1, kills=1)


@pytest.mark.slow
def test_a_batch_killed_twenty_times_ends_the_same(folder):
    check_kills(folder, documents=120, seed=20, kills=20)
