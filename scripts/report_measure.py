"""What the stored reports of `report.py` are, and how each is measured.

Knows sets, engines and the clock; what tables are made of the records is the matter of `report.py`.
"""

from __future__ import annotations

import contextlib
import datetime
import importlib
import os
import platform
import statistics
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
from odia_ocr.evaluate.report import make_record
from odia_ocr.types import Recognizer

OURS = "ctc"
FAST = "ctc-fast"
BEST = "ctc-best"
PRESETS = {"fast": FAST, "balanced": OURS, "best": BEST}
PAGE_PEERS = ("tesseract", "tesseract:ori")
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
