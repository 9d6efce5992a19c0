"""Latency and throughput of the server on the loopback device, alone and under load.

    python benchmarks/serve_load.py FOLDER|FILE ... [--requests 40] [--seconds 240]

Each page is a request of its own. First one request is under way, then four; the command `read`
reads the same pages before and after, its start-up (measured on a blank page) taken off. It stops
after `--requests` answers or `--seconds` seconds at each concurrency, whichever comes first. Other
work on the machine blurs the figures, so the load average is kept with them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopback import Served, run_server
from PIL import Image
from process_tree import name_processor
from serve_speed import find_pages, measure, read_all

ROOT = Path(__file__).resolve().parents[1]
CONCURRENCIES = (1, 4)


@dataclass(frozen=True)
class Run:
    """Answers at one concurrency.

    Attributes:
        at_once: Requests under way.
        times: Seconds from request to last byte by number of the request, of those answered well.
        failed: Answers that were no success.
        seconds: From the first request to the last answer.
    """

    at_once: int
    times: Mapping[int, float]
    failed: int
    seconds: float

    @property
    def latencies(self) -> list[float]:
        """Seconds of the requests that were answered well, in no certain order."""
        return list(self.times.values())

    @property
    def rate(self) -> float:
        """Pages a second."""
        return len(self.latencies) / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--requests", type=int, default=40, help="at each concurrency")
    parser.add_argument("--seconds", type=float, default=240.0, help="longest, at each concurrency")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--json", type=Path, default=ROOT / "docs/reports/serve-load.json")
    options = parser.parse_args()
    pages = find_pages(options.pages)
    if not pages:
        parser.error(f"no picture in {', '.join(map(str, options.pages))}")
    sent = list(itertools.islice(itertools.cycle(pages), options.requests))
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="odia-ocr-load-") as name:
        blank = Path(name) / "blank.png"
        Image.new("L", (64, 64), 255).save(blank)
        with run_server(Path(name) / "serve") as served:
            send_all(served, pages[:1], options.preset, 1, options.seconds)  # opens the models
            before = time_command(sent, blank, options.preset)
            runs = [
                send_all(served, sent, options.preset, at_once, options.seconds)
                for at_once in CONCURRENCIES
            ]
            after = time_command(sent, blank, options.preset)
    command_rate = 2 * len(sent) / (before + after)
    report = {
        "schema": 1,
        "pages": len(pages),
        "requests": options.requests,
        "preset": options.preset,
        "processor": name_processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_average_before": round(load_before, 2),
        "load_average_after": round(os.getloadavg()[0], 2),
        "command_pages_per_second": [round(len(sent) / took, 4) for took in (before, after)],
        "runs": [describe(run) for run in runs],
        "share_of_command": round(runs[-1].rate / command_rate, 4),
        "p95_over_idle_median": round(
            percentile(runs[-1].latencies, 95) / statistics.median(runs[0].latencies), 4
        ),
        "over_idle_same_page": describe_ratios(*runs),
    }
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


def time_command(pages: Sequence[Path], blank: Path, preset: str) -> float:
    """Seconds that the command takes for the pages once it has started."""
    start = measure(lambda: read_all([blank], preset))
    return measure(lambda: read_all(pages, preset)) - start


def send_all(
    served: Served, pages: Sequence[Path], preset: str, at_once: int, longest: float
) -> Run:
    """Send pages, so many at once, until all are answered or the time is over."""
    contents = {path: path.read_bytes() for path in set(pages)}
    times: dict[int, float] = {}
    failed = 0
    counting = threading.Lock()
    began = time.perf_counter()

    def ask(number: int, path: Path) -> None:
        nonlocal failed
        asked = time.perf_counter()
        if asked - began > longest:
            return
        files = {"file": (path.name, contents[path])}
        params = {"format": "txt", "preset": preset}
        answer = served.client.post("/v1/read", params=params, files=files)
        seconds = time.perf_counter() - asked
        with counting:
            if answer.status_code == 200:
                times[number] = seconds
            else:
                failed += 1

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(ask, range(len(pages)), pages))
    return Run(at_once, times, failed, time.perf_counter() - began)


def describe_ratios(idle: Run, loaded: Run) -> dict[str, float]:
    """How many times longer a page took under load than the same page alone."""
    ratios = [loaded.times[i] / idle.times[i] for i in idle.times if i in loaded.times]
    return {f"p{share}": round(percentile(ratios, share), 4) for share in (50, 90, 95)}


def describe(run: Run) -> dict[str, Any]:
    """A run's figures; latencies in seconds."""
    return {
        "at_once": run.at_once,
        "answered": len(run.latencies),
        "failed": run.failed,
        "pages_per_second": round(run.rate, 4),
        "latency": {
            f"p{share}": round(percentile(run.latencies, share), 4) for share in (50, 90, 95, 99)
        },
    }


def percentile(values: Sequence[float], share: int) -> float:
    """The smallest value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


if __name__ == "__main__":
    main()
