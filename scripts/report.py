"""Regenerate docs/reports/*.json and the README's tables from them: `make report DATA=...`.

A report whose data, model or peer is missing here keeps its stored JSON with its date. Every figure
of the tables comes from those files, never from anywhere else. The speed of pages is measured by
`benchmarks/pages_speed.py`, which stores its report beside them.

    python scripts/report.py [--data DATA] [--only NAME]... [--table-only]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from report_measure import (
    BEST,
    OURS,
    PAGE_PEERS,
    PAGE_REPORTS,
    PRESETS,
    REPORT_LIST,
    PageReport,
    Report,
    measure,
    measure_page_report,
)

from odia_ocr.errors import OdiaOcrError
from odia_ocr.evaluate.report import write_report

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "docs" / "reports"
README = ROOT / "README.md"
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"
PRESETS_BEGIN, PRESETS_END = "<!-- presets:begin -->", "<!-- presets:end -->"
PAGES_BEGIN, PAGES_END = "<!-- pages:begin -->", "<!-- pages:end -->"
PRESET_FILE = ROOT / "src" / "odia_ocr" / "apps" / "presets.json"
PAGE_SPEED = "pages-speed"
PRESET_SET = "rendered-pages"
MEGABYTE = 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with real/lines and so on")
    parser.add_argument("--only", action="append", help="measure only this report; repeatable")
    parser.add_argument("--table-only", action="store_true", help="measure nothing")
    options = parser.parse_args()
    known = [report.name for report in (*REPORT_LIST, *PAGE_REPORTS)]
    strange = sorted(set(options.only or []) - set(known))
    if strange:
        parser.error(f"unknown report {', '.join(strange)}; known: {', '.join(known)}")
    insert_tables(README.read_text("utf-8"), {})  # fails now rather than after the measuring
    wanted = [r for r in (*REPORT_LIST, *PAGE_REPORTS) if r.name in (options.only or known)]
    with tempfile.TemporaryDirectory(prefix="odia-ocr-report-") as scratch:
        for report in [] if options.table_only else wanted:
            try:
                take = measure_page_report if isinstance(report, PageReport) else measure
                record = take(report, options.data, Path(scratch))
            except OdiaOcrError as error:
                print(f"{report.name}: kept as stored. {error}", file=sys.stderr)
                continue
            path = REPORTS / f"{report.name}.json"
            write_report(path, json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
            print(f"{report.name}: {path.relative_to(ROOT)}", file=sys.stderr)
    stored = load_reports(REPORTS)
    README.write_text(insert_tables(README.read_text("utf-8"), stored), "utf-8")
    rates = rate_presets(stored[PRESET_SET]) if PRESET_SET in stored else {}
    if set(rates) == set(PRESETS):  # `read --help` tells them
        write_report(PRESET_FILE, json.dumps(rates, indent=1) + "\n")
    print(make_table(stored), make_page_table(stored), sep="\n\n")
    return 0


def load_reports(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))
    }


def make_table(stored: dict[str, dict[str, Any]]) -> str:
    """The README's table, a row for each stored report and for its faces."""
    rows = [
        "| measured on | lines | Tesseract CER / WER | odia-ocr CER / WER |"
        " CER difference (95 %) | date |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for report in REPORT_LIST:
        record = stored.get(report.name)
        if record is None:
            continue
        rows += speed_rows(record) if report.name == "speed" else error_rows(report, record)
    return "\n".join(rows)


def error_rows(report: Report, record: dict[str, Any]) -> list[str]:
    results = {result["engine"]: result for result in record["results"]}
    ours, peer = results[OURS], results[report.peer]
    gap = find_gap(record, report.peer)
    model = f" (`{report.peer.partition(':')[2]}`)" if ":" in report.peer else ""
    better = ours["cer"]["value"] < peer["cer"]["value"]
    own = f"**{pair(ours)}**" if better else pair(ours)
    rows = [
        f"| {report.title} | {ours['n']} | {pair(peer)}{model} | {own} |"
        f" {points(gap)} | {record['date']} |"
    ]
    if BEST in results:
        rows.append(f"| … `--preset best` | {ours['n']} | | {pair(results[BEST])} | | |")
    theirs = {(group["by"], group["group"]): group for group in peer["groups"]}
    for group in ours["groups"]:
        # The one display face has its row under its name already.
        if group["by"] == "family" or group["group"] == "text faces":
            other = theirs[group["by"], group["group"]]
            name = group["group"] if group["by"] == "faces" else f"*{group['group']}*"
            rows.append(f"| … {name} | {group['n']} | {pair(other)} | {pair(group)} | | |")
    return rows


def speed_rows(record: dict[str, Any]) -> list[str]:
    *own, peer = record["results"]
    size = record["model_bytes"] / MEGABYTE
    rows = []
    for ours in own:
        preset = next(name for name, engine in PRESETS.items() if engine == ours["engine"])
        named = "" if preset == "balanced" else f" (`--preset {preset}`)"
        model = f" model {size:.1f} MB" if preset != "best" else " with further models"
        ratio = ours["lines_per_second"] / peer["lines_per_second"]
        rows.append(
            f"| speed on one core, lines/s{named} | {ours['n']} | {peer['lines_per_second']:.0f},"
            f" {pair(peer)} | {ours['lines_per_second']:.0f} ({ratio:.1f}×), {pair(ours)};"
            f"{model} | | {record['date']} |"
        )
    return rows


def find_gap(record: dict[str, Any], peer: str) -> dict[str, float]:
    """The CER of the default engine less that of a peer, on the same pictures."""
    return next(
        pair["cer"] for pair in record["paired"] if (pair["first"], pair["second"]) == (OURS, peer)
    )


def pair(scores: dict[str, Any]) -> str:
    return f"{scores['cer']['value'] * 100:.2f} % / {scores['wer']['value'] * 100:.1f} %"


def points(gap: dict[str, float]) -> str:
    value, low, high = (gap[key] * 100 for key in ("value", "low", "high"))
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f})"


def make_page_table(stored: dict[str, dict[str, Any]]) -> str:
    """The README's table of whole pages; a row for each page or group, and one for each rate."""
    rows = [
        "| whole pages, CER / WER | pages | Tesseract `Oriya` | Tesseract `ori` | odia-ocr |"
        " CER difference to `Oriya` (95 %) | date |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for report in PAGE_REPORTS:
        if report.name in stored:
            rows += page_rows(report, stored[report.name])
    if PAGE_SPEED in stored:
        rows += page_speed_rows(stored[PAGE_SPEED])
    return "\n".join(rows)


def page_rows(report: PageReport, record: dict[str, Any]) -> list[str]:
    results = {result["engine"]: result for result in record["results"]}
    order = [results[name] for name in (*PAGE_PEERS, OURS)]
    gap = find_gap(record, PAGE_PEERS[0])
    one, two, ours = map(pair, order)
    rows = [
        f"| {report.title} | {order[0]['n']} | {one} | {two} | **{ours}** | {points(gap)} |"
        f" {record['date']} |"
    ]
    if report.each:
        by_page = {(page["engine"], page["name"]): page for page in record["pages"]}
        for name in sorted({page["name"] for page in record["pages"]}):
            pages = [by_page[engine, name] for engine in (*PAGE_PEERS, OURS)]
            cells = [f"{percent(page['cer'])} / {page['wer'] * 100:.1f} %" for page in pages]
            rows.append(f"| … *{name}* | | {' | '.join(cells)} | | |")
    else:
        for i, group in enumerate(order[0]["groups"]):
            if group["by"] in ("layout", "condition"):
                cells = [pair(result["groups"][i]) for result in order]
                rows.append(f"| … {group['group']} | {group['n']} | {' | '.join(cells)} | | |")
    for name, metrics in (
        ("median page, CER", ("median_cer",)),
        ("pages with CER over 50 %", ("over_half",)),
        ("CER whatever the order of lines", ("order_free",)),
        ("lines found / right", ("line_recall", "line_precision")),
    ):
        cells = [" / ".join(percent(result[m]["value"]) for m in metrics) for result in order]
        rows.append(f"| … {name} | | {' | '.join(cells)} | | |")
    return rows


def rate_presets(record: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What each preset costs and gives on the rendered pages, one thread, by one run."""
    results = {result["engine"]: result for result in record["results"]}
    peer = results[PAGE_PEERS[0]]["pages_per_second"]
    return {
        preset: {
            "cer": results[engine]["cer"]["value"],
            "median_cer": results[engine]["median_cer"]["value"],
            "wer": results[engine]["wer"]["value"],
            "seconds": 1 / results[engine]["pages_per_second"],
            "ratio": results[engine]["pages_per_second"] / peer,
        }
        for preset, engine in PRESETS.items()
        if engine in results
    }


def make_preset_table(rates: dict[str, dict[str, float]]) -> str:
    """What presets cost and give."""
    rows = [
        "| preset | CER / WER | median page | seconds a page | pages/s, Tesseract = 1 |",
        "|---|---:|---:|---:|---:|",
    ]
    for preset, rate in rates.items():
        rows.append(
            f"| `{preset}` | {percent(rate['cer'])} / {100 * rate['wer']:.1f} % |"
            f" {percent(rate['median_cer'])} | {rate['seconds']:.2f} | {rate['ratio']:.1f} |"
        )
    return "\n".join(rows)


def page_speed_rows(record: dict[str, Any]) -> list[str]:
    """Rows of `benchmarks/pages_speed.py`: medians of its rounds."""
    rows = []
    for run in record["runs"]:
        ours, peer = run["ours"], run["peer"]
        cores = f"{run['cores']} core{'s' if run['cores'] > 1 else ''}, {record['preset']}"
        for title, key, form in (
            ("pages/s", "pages_per_second", "{:.2f}"),
            ("seconds to the first page", "first_page_seconds", "{:.2f}"),
            ("peak memory, MB", "peak_megabytes", "{:.0f}"),
        ):
            one, other = peer[key]["median"], ours[key]["median"]
            more = f" ({run['ratio']['median']:.1f}×)" if key == "pages_per_second" else ""
            better = other > one if key == "pages_per_second" else other < one
            own = f"**{form.format(other)}**" if better else form.format(other)
            rows.append(
                f"| {title}, {cores} | {record['n']} | {form.format(one)} |"
                f" | {own}{more} | | {record['date']} |"
            )
    return rows


def percent(rate: float) -> str:
    return f"{rate * 100:.2f} %"


def insert_tables(text: str, stored: dict[str, dict[str, Any]]) -> str:
    text = insert_table(text, make_table(stored))
    rates = rate_presets(stored[PRESET_SET]) if PRESET_SET in stored else {}
    text = insert_table(text, make_preset_table(rates), PRESETS_BEGIN, PRESETS_END)
    return insert_table(text, make_page_table(stored), PAGES_BEGIN, PAGES_END)


def insert_table(text: str, table: str, begin_mark: str = BEGIN, end_mark: str = END) -> str:
    """Put the table between the markers.

    Raises:
        OdiaOcrError: If the markers are not both there, in order.
    """
    begin, end = text.find(begin_mark), text.find(end_mark)
    if begin < 0 or end < begin:
        raise OdiaOcrError(
            f"README.md has no {begin_mark} ... {end_mark}.", next_step="Put them back."
        )
    return f"{text[: begin + len(begin_mark)]}\n{table}\n{text[end:]}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OdiaOcrError as error:
        sys.exit(str(error))
