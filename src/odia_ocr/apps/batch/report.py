"""The summary of a batch as files: `summary.json` for programs, `report.html` for people."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from odia_ocr.apps.batch.summary import BINS, Review, Summary
from odia_ocr.apps.sinks import replace_file
from odia_ocr.evaluate.html_parts import draw_bars, frame_document, make_table

SUMMARY = "summary.json"
REPORT = "report.html"
_MOST = 1000  # rows of the table of what to look at; the JSON has all

_BIN_NAMES = tuple(f"{100 * i // BINS}–{100 * (i + 1) // BINS} %" for i in range(BINS))


def write_report(summary: Summary, folder: Path) -> None:
    """Write both files.

    Raises:
        OutputError: If one cannot be written.
    """
    told = json.dumps(summary.to_json(), ensure_ascii=False, indent=2) + "\n"
    _write(folder / SUMMARY, told)
    _write(folder / REPORT, make_report(summary))


def make_report(summary: Summary) -> str:
    """The report as one HTML document."""
    read = summary.pages - summary.quarantined_pages
    rows = [
        ["Documents", str(summary.documents)],
        ["could not be opened", str(summary.failed_documents)],
        ["Pages read", str(read)],
        ["Pages quarantined", str(summary.quarantined_pages)],
        ["Lines", str(summary.lines)],
        ["could not be read", str(summary.unread_lines)],
    ]
    parts = [
        "<h1>Batch</h1>",
        "<p>What was read is in <code>documents/</code>, all lines in"
        " <code>lines.parquet</code>.</p>",
        make_table(["", "Number"], rows),
        _show_confidence(summary),
        _show_review(summary.review),
    ]
    return frame_document("Odia OCR: batch", parts)


def _show_confidence(summary: Summary) -> str:
    if not any(summary.confidence):
        return ""
    label = "Number of lines by the probability that the whole line is right, in percent"
    aside = ""
    if summary.uncalibrated_lines:
        aside = f"<p>{summary.uncalibrated_lines} lines carry no probability.</p>"
    return (
        f"<h2>How sure the lines are</h2><p>{label}.</p>"
        f"{draw_bars(summary.confidence, _BIN_NAMES, label)}{aside}"
    )


def _show_review(review: list[Review]) -> str:
    if not review:
        return "<h2>To look at</h2><p>Nothing: every page was read, none with doubt.</p>"
    rows = [
        [
            escape(entry.document),
            "" if entry.page is None else str(entry.page),
            escape(entry.code),
            f"{escape(entry.message)}<small>{escape(entry.next_step)}</small>",
        ]
        for entry in review[:_MOST]
    ]
    aside = ""
    if len(review) > _MOST:
        aside = f"<p>The first {_MOST} of {len(review)}; <code>{SUMMARY}</code> has all.</p>"
    table = make_table(["Document", "Page", "Code", "What"], rows, texts=4)
    return f"<h2>To look at</h2>{aside}{table}"


def _write(path: Path, text: str) -> None:
    with replace_file(path) as stream:
        stream.write(text.encode("utf-8", "replace"))
