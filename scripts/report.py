"""Regenerate docs/reports/*.json and the README's tables from them: `make report DATA=...`.

A report whose data, model or peer is missing here keeps its stored JSON with its date. Every figure
of the tables comes from those files, never from anywhere else. The speed of pages is measured by
`benchmarks/pages_speed.py`, which stores its report beside them.

    python scripts/report.py [--data DATA] [--only NAME]... [--table-only]
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from odia_ocr.errors import OdiaOcrError
from odia_ocr.evaluate.lineset import GroupLabel, LineSet, read_line_set
from odia_ocr.evaluate.measure import measure_lines
from odia_ocr.evaluate.page_measure import PageEngine, measure_pages
from odia_ocr.evaluate.page_report import make_page_record
from odia_ocr.evaluate.page_set import read_page_set
from odia_ocr.evaluate.report import make_record, write_report
from odia_ocr.types import Recognizer

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "docs" / "reports"
README = ROOT / "README.md"
BEGIN, END = "<!-- table:begin -->", "<!-- table:end -->"
PRESETS_BEGIN, PRESETS_END = "<!-- presets:begin -->", "<!-- presets:end -->"
PAGES_BEGIN, PAGES_END = "<!-- pages:begin -->", "<!-- pages:end -->"
OURS = "ctc"
FAST = "ctc-fast"
BEST = "ctc-best"
PRESETS = {"fast": FAST, "balanced": OURS, "best": BEST}
PRESET_FILE = ROOT / "src" / "odia_ocr" / "apps" / "presets.json"
PAGE_PEERS = ("tesseract", "tesseract:ori")
PAGE_SPEED = "pages-speed"
PRESET_SET = "rendered-pages"
MEGABYTE = 1e6
ROUNDS = 5  # of timing


@dataclass(frozen=True, slots=True)
class Report:
    """One stored report.

    Attributes:
        name: File name in docs/reports, without ending.
        title: What the table calls it.
        peer: The engine it is compared with.
        find: Gives the set's folder; a FileMissingError keeps the stored report.
        label: Name of the set in the report, e.g. "real/lines".
        lines: Measure no more than so many lines, spread over the set; None measures all.
        one_core: Hold the whole run to one processor core.
    """

    name: str
    title: str
    peer: str
    find: Callable[[Path | None, Path], Path]
    label: str
    lines: int | None = None
    one_core: bool = False


@dataclass(frozen=True, slots=True)
class PageReport:
    """One stored report of whole pages.

    Attributes:
        name: File name in docs/reports, without ending.
        title: What the table calls it.
        find: Gives the set's folder.
        label: Name of the set in the report, e.g. "real/pages".
        each: Whether the table has a row for each page; else for each layout and condition.
    """

    name: str
    title: str
    find: Callable[[Path | None, Path], Path]
    label: str
    each: bool


def real_set(part: str) -> Callable[[Path | None, Path], Path]:
    def find(data: Path | None, scratch: Path) -> Path:
        if data is None:
            raise OdiaOcrError("No --data folder was given.")
        return data / "real" / part

    return find


def rendered_set(name: str) -> Callable[[Path | None, Path], Path]:
    def find(data: Path | None, scratch: Path) -> Path:
        from odia_ocr.data.reporting import make_reporting_set

        folder = scratch / name
        return folder if folder.exists() else make_reporting_set(name, folder)

    return find


def rendered_pages(data: Path | None, scratch: Path) -> Path:
    folder = scratch / "pages"
    if folder.exists():
        return folder
    try:
        reporting = importlib.import_module("odia_ocr.data.page_reporting")
        make: Callable[[Path], Path] = reporting.make_reporting_pages
    except (ImportError, AttributeError) as error:
        raise OdiaOcrError(f"The reporting set of pages cannot be rendered ({error}).") from None
    return make(folder)


REPORT_LIST = (
    Report("real-lines", "44 real line crops", "tesseract", real_set("lines"), "real/lines"),
    Report("clean", "rendered, clean", "tesseract", rendered_set("clean"), "rendered/clean"),
    Report(
        "degraded", "rendered, degraded", "tesseract", rendered_set("degraded"), "rendered/degraded"
    ),
    Report(
        "latin",
        "Latin words and numbers in Odia lines",
        "tesseract:Oriya+eng",
        rendered_set("latin"),
        "rendered/latin",
    ),
    Report(
        "handwritten",
        "handwritten words (not supported)",
        "tesseract",
        real_set("words-handwritten"),
        "real/words-handwritten",
    ),
    Report(
        "speed",
        "speed on one core",
        "tesseract",
        rendered_set("clean"),
        "rendered/clean",
        lines=120,
        one_core=True,
    ),
)


PAGE_REPORTS = (
    PageReport("real-pages", "real pages", real_set("pages"), "real/pages", each=True),
    PageReport("rendered-pages", "rendered pages", rendered_pages, "rendered/pages", each=False),
)


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
            write_report(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
            print(f"{report.name}: {path.relative_to(ROOT)}", file=sys.stderr)
    stored = load_reports(REPORTS)
    README.write_text(insert_tables(README.read_text("utf-8"), stored), "utf-8")
    rates = rate_presets(stored[PRESET_SET]) if PRESET_SET in stored else {}
    if set(rates) == set(PRESETS):  # `read --help` tells them
        write_report(PRESET_FILE, json.dumps(rates, indent=1) + "\n")
    print(make_table(stored), make_page_table(stored), sep="\n\n")
    return 0


def measure(report: Report, data: Path | None, scratch: Path) -> dict[str, Any]:
    """Measure one report and return its JSON; texts stay out of it."""
    from odia_ocr.recognize import open_recognizer
    from odia_ocr.runtime import find_weights

    line_set = read_line_set(report.find(data, scratch))
    line_set = replace(label_kinds(line_set), folder=Path(report.label))
    if report.lines is not None:
        step = max(1, len(line_set.samples) // report.lines)
        line_set = replace(line_set, samples=line_set.samples[::step][: report.lines])
    with one_core() if report.one_core else contextlib.nullcontext():
        names = (OURS, *([FAST] if report.one_core else []), BEST, report.peer)
        engines = {name: open_recognizer(name, threads=1) for name in names}
        for recognizer in engines.values():
            recognizer.read([line_set.samples[0].load()])  # the first call also sets up
        record = make_record(measure_lines(line_set, engines), texts=False)
        if report.one_core:
            time_in_turns(line_set, engines, record["results"])
    peer = open_recognizer(report.peer)
    return {
        **record,
        "report": report.name,
        "date": datetime.date.today().isoformat(),
        "peer_version": getattr(getattr(peer, "program", None), "version", ""),
        "model_bytes": find_weights(OURS).stat().st_size,
        "processor": name_processor(),
    }


def time_in_turns(
    line_set: LineSet, engines: dict[str, Recognizer], results: list[dict[str, Any]]
) -> None:
    """Replace what one pass took by the median of several in turns: other work slows all alike."""
    lines = [sample.load() for sample in line_set.samples]
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        rounds.append({})
        for name, recognizer in engines.items():
            start = time.perf_counter()
            recognizer.read(lines)
            rounds[-1][name] = time.perf_counter() - start
    for result in results:
        seconds = statistics.median(taken[result["engine"]] for taken in rounds)
        result |= {"seconds": seconds, "lines_per_second": len(lines) / seconds, "rounds": ROUNDS}


def measure_page_report(report: PageReport, data: Path | None, scratch: Path) -> dict[str, Any]:
    """Measure one report of pages and return its JSON; texts stay out of it."""
    from odia_ocr.pipeline import open_reader

    page_set = read_page_set(report.find(data, scratch))
    readers = {name: open_reader(name, threads=1) for name in (*PRESETS.values(), *PAGE_PEERS)}
    for reader in readers.values():
        reader.read_page(page_set.samples[0].load())  # the first call also sets up
    evaluation = measure_pages(
        replace(page_set, folder=Path(report.label)),
        {name: PageEngine(name, reader.read_page) for name, reader in readers.items()},
    )
    peer = readers[PAGE_PEERS[0]].page_reader
    return {
        **make_page_record(evaluation, texts=False),
        "report": report.name,
        "date": datetime.date.today().isoformat(),
        "peer_version": getattr(getattr(peer, "program", None), "version", ""),
        "processor": name_processor(),
    }


def label_kinds(line_set: LineSet) -> LineSet:
    """Add the label "faces": display faces apart, text and serif faces together."""
    samples = []
    for sample in line_set.samples:
        kinds = [label.group for label in sample.labels if label.by == "kind"]
        more = tuple(
            GroupLabel("faces", "display face" if kind == "display" else "text faces")
            for kind in kinds
        )
        samples.append(replace(sample, labels=sample.labels + more))
    return replace(line_set, samples=tuple(samples))


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Hold this process and those it starts to one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def name_processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


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
