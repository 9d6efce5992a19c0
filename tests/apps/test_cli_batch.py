"""`odia-ocr batch` as scripts call it."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "page.png"
FORMATS = "txt,json,md,hocr,alto,pdf"


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_files_are_those_of_read_and_a_second_run_reads_nothing(odia_ocr, tmp_path):
    odia_ocr("read", SAMPLE, "-o", tmp_path / "read", "--format", FORMATS, "--preset", "fast")
    options = ("-o", "out", "--format", FORMATS, "--preset", "fast", "--workers", 1)
    ended = odia_ocr("batch", SAMPLE, "gone.png", *options)
    assert ended.code == 1
    assert ended.out == ""
    assert "gone.png does not exist" in ended.err
    assert files(tmp_path / "out" / "documents") == files(tmp_path / "read")
    again = odia_ocr("batch", SAMPLE, *options, "--format", "page")
    assert again.code == 0  # what never was there is no document of the batch
    assert "1 document: 1 page read, 0 set aside; 0 documents failed" in again.err
    assert "This run: 0 pages. See" in again.err
    dated = (tmp_path / "out" / "documents" / "page.page.xml").read_text("utf-8")
    assert "<Created>1970-01-01T00:00:00Z</Created>" in dated
    refused = odia_ocr("batch", SAMPLE, "-o", "out")
    assert refused.code == 2
    assert "begun with engine 'ctc-fast', not 'ctc'" in refused.err


def test_addresses_are_fetched_and_not_kept(odia_ocr, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.pipe({"/b/page.png": SAMPLE.read_bytes(), "/b/broken.png": b"no picture"})
    try:
        ended = odia_ocr(
            "batch", "memory://b/", "-o", "out", "--preset", "fast", "--workers", 1, "--tries", 1
        )
    finally:
        memory.rm("/b", recursive=True)
    assert ended.code == 1
    assert not (tmp_path / "out" / ".fetched").exists()
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert (summary["documents"], summary["failed_documents"], summary["pages"]) == (2, 1, 1)
    document = json.loads((tmp_path / "out" / "documents" / "page.json").read_text("utf-8"))
    assert document["source"] == "memory:///b/page.png"


def test_nothing_read_and_wrong_use(odia_ocr, tmp_path):
    assert odia_ocr("batch", "gone.png", "-o", "out", "--workers", 1).code == 3
    unknown = odia_ocr("batch", "x.png", "-o", "o", "--runner", "elsewhere")
    assert unknown.code == 2
    assert "Known: process, ray" in unknown.err
    assert odia_ocr("batch", "x.png", "-o", "o", "--format", "docx").code == 2
    assert odia_ocr("batch", "-", "-o", "out3").code == 2
    (tmp_path / "file").touch()
    assert odia_ocr("batch", "x.png", "-o", "file").code == 2
    assert "Traceback" not in unknown.err


def test_options_of_the_ray_runner(odia_ocr):
    def refuse(*options):
        ended = odia_ocr("batch", "x.png", "-o", "out", *options)
        assert ended.code == 2
        return ended.err

    assert "neither a number from 1" in refuse("--workers", "0")
    assert "neither a number from 1" in refuse("--workers", "4-2", "--runner", "ray")
    assert "--workers MIN-MAX is of --runner ray" in refuse("--workers", "1-2")
    assert "--address is of --runner ray" in refuse("--address", "auto")
    assert "--gpus is of --runner ray" in refuse("--gpus", "0.5")
    assert "Add --workers N" in refuse("--runner", "ray", "--address", "auto")


def test_ctrl_c_says_how_to_go_on(odia_ocr, monkeypatch):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("odia_ocr.apps.batch.plan.run_batch", stop)
    ended = odia_ocr("batch", SAMPLE, "-o", "out")
    assert ended.code == 130
    assert "Stopped. The same command goes on with it." in ended.err
