"""Measure what the simulation of large batches needs: page times, the head, Ray's share of it.

    python benchmarks/batch_rates.py [--pages 96] [--preset fast] [--tasks 2000] [--rounds 3]
        [--manifest OUT/manifest.sqlite] [--json docs/reports/batch-rates.json]

Page times come from the manifest of a batch: of one that is run here, or of yours. The head is the
one process of a batch: it is run with results that are there at once, so what it takes is its own.
The least of the rounds counts: what else runs on the machine can only make them longer.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections import deque
from pathlib import Path

from batch_pages import batch_command, describe_machine, make_small_pages, run_whole

from odia_ocr.apps.batch.catalogue import Source
from odia_ocr.apps.batch.job import DOCUMENTS, BatchJob
from odia_ocr.apps.batch.lines_table import LINES, write_lines
from odia_ocr.apps.batch.manifest import Manifest
from odia_ocr.apps.batch.progress import BatchProgress
from odia_ocr.apps.batch.ray_runner import RayRunner
from odia_ocr.apps.batch.report import write_report
from odia_ocr.apps.batch.runner import Counted, Made, PageRead, Result, Task
from odia_ocr.apps.batch.summary import sum_up
from odia_ocr.apps.sinks import FolderSink
from odia_ocr.export.formats import FORMATS

_QUANTILES = 40
_PAGES_A_DOCUMENT = 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=96)
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--tasks", type=int, default=2000, help="handed out to measure the head")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--manifest", type=Path, help="of a batch of yours")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    record = {"schema": 1, "report": "batch-rates", **describe_machine()}
    with tempfile.TemporaryDirectory(prefix="odia-ocr-rates-") as name:
        scratch = Path(name)
        manifest = options.manifest
        if manifest is None:
            pages = make_small_pages(scratch / "pages", options.pages)
            out = scratch / "out"
            run_whole(batch_command(pages, out, workers=1, runner="process", preset=options.preset))
            manifest = out / "manifest.sqlite"
            record["preset"] = options.preset
        record |= read_manifest(manifest)
        packed = read_result(manifest)
        heads = [
            run_head(scratch / f"head-{number}", packed, options.tasks)
            for number in range(options.rounds)
        ]
        record["head"] = {
            "pages": options.tasks,
            "seconds_per_page": min(reading for reading, _ in heads),
            "closing_seconds_per_page": min(closing for _, closing in heads),
        }
    record["ray"] = run_ray(options.tasks, options.rounds)
    told = json.dumps(record, indent=1) + "\n"
    print(told, end="")
    if options.json is not None:
        options.json.write_text(told, encoding="utf-8")


def read_manifest(path: Path) -> dict[str, object]:
    """Times of pages as quantiles, and the bytes of their files where those are named there."""
    with sqlite3.connect(path) as manifest:
        seconds = [
            row[0] for row in manifest.execute("SELECT seconds FROM pages WHERE state = 'done'")
        ]
        stamps = [row[0] for row in manifest.execute("SELECT stamp FROM documents")]
    manifest.close()
    sizes = [int(stamp.split(":")[0]) for stamp in stamps if ":" in stamp]
    return {
        "pages": len(seconds),
        "page_seconds": {
            "mean": statistics.fmean(seconds),
            "quantiles": statistics.quantiles(seconds, n=_QUANTILES + 1),
        },
        "page_bytes": sum(sizes) / len(seconds),
    }


def read_result(path: Path) -> bytes:
    """The result of middle length of a batch."""
    with sqlite3.connect(path) as manifest:
        results = [
            row[0] for row in manifest.execute("SELECT result FROM pages WHERE state = 'done'")
        ]
    manifest.close()
    return sorted(results, key=len)[len(results) // 2]


class InstantRunner:
    """A runner that has done each task as soon as it is handed in."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._tasks: deque[Task] = deque()

    def __enter__(self) -> InstantRunner:
        return self

    def __exit__(self, *exception: object) -> None:
        self._tasks.clear()

    @property
    def has_room(self) -> bool:
        return not self._tasks

    @property
    def is_busy(self) -> bool:
        return bool(self._tasks)

    def submit(self, task: Task) -> None:
        self._tasks.append(task)

    def wait(self) -> list[Result]:
        task = self._tasks.popleft()
        made = Counted(tuple(range(1, _PAGES_A_DOCUMENT + 1)))
        return [Result(task, made if task.number is None else PageRead(self._packed), 0.0)]


def run_head(folder: Path, packed: bytes, pages: int) -> tuple[float, float]:
    """Seconds a page of the head: while pages are read, and for the table and report at the end."""
    folder.mkdir()
    documents = folder.with_name(folder.name + "-in")
    documents.mkdir()
    paths = [documents / f"{index:05d}.pdf" for index in range(pages // _PAGES_A_DOCUMENT)]
    for path in paths:
        path.write_bytes(b"%PDF-")
    with Manifest(folder, {}) as manifest:
        manifest.add(Source(str(path), path.stem, "1") for path in paths)
        sink = FolderSink(
            folder / DOCUMENTS,
            [FORMATS["txt"], FORMATS["json"]],
            overlay=False,
            force=False,
            paragraphs=False,
            dated=False,
        )
        job = BatchJob(folder, manifest, InstantRunner(packed), sink, 1, BatchProgress())
        began = time.perf_counter()
        job.run()
        whole = time.perf_counter() - began
        began = time.perf_counter()
        write_lines(manifest, folder / LINES)
        write_report(sum_up(manifest), folder)
        closing = time.perf_counter() - began
    count = len(paths) * _PAGES_A_DOCUMENT
    return (whole - closing) / count, closing / count


def open_nothing() -> object:
    """Opens work that does nothing."""

    def do(task: Task) -> Made:
        return Counted(())

    return do


def run_ray(tasks: int, rounds: int) -> dict[str, object]:
    """What the head spends on handing a task to an actor and hearing of it, by its own clock."""
    found = []
    with RayRunner(open_nothing, fewest=2, most=2, page_seconds=60.0) as runner:
        drive(runner, 50)
        for _ in range(rounds):
            began = time.process_time()
            drive(runner, tasks)
            found.append((time.process_time() - began) / tasks)
    return {"tasks": tasks, "seconds_per_task": min(found)}


def drive(runner: RayRunner, tasks: int) -> None:
    left = iter(range(1, tasks + 1))
    while True:
        while runner.has_room and (number := next(left, None)) is not None:
            runner.submit(Task(1, "nothing", Path("nothing"), number))
        if not runner.is_busy:
            return
        runner.wait()


if __name__ == "__main__":
    main()
