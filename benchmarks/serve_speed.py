"""Pages a second over HTTP against `odia-ocr read`: same pages, same cores, in turns, in one run.

    python benchmarks/serve_speed.py FOLDER|FILE ... [--rounds 5] [--at-once 4] [--preset balanced]

The server is started once, as it is in use; the command's start-up is measured by itself, on a
blank page, and taken off its time. Each page is a request of its own,
`--at-once` of them under way. Ratios count: machines and their load differ.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
from PIL import Image

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
COMMAND = [sys.executable, "-m", "odia_ocr"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-once", type=int, default=4, help="requests under way")
    parser.add_argument("--preset", default="balanced")
    options = parser.parse_args()
    pages = find_pages(options.pages)
    if not pages:
        parser.error(f"no picture in {', '.join(map(str, options.pages))}")
    ratios = []
    with tempfile.TemporaryDirectory(prefix="odia-ocr-speed-") as name:
        blank = Path(name) / "blank.png"
        Image.new("L", (64, 64), 255).save(blank)
        with run_server(Path(name) / "serve") as client:
            ask_all(client, pages[:1], options.preset, 1)  # opens the models
            for _ in range(options.rounds):
                start = measure(lambda: read_all([blank], options.preset))
                command = measure(lambda: read_all(pages, options.preset)) - start
                served = measure(lambda: ask_all(client, pages, options.preset, options.at_once))
                ratios.append(command / served)
                print(
                    f"command {len(pages) / command:.2f} pages/s (start {start:.2f} s off), "
                    f"server {len(pages) / served:.2f} pages/s, ratio {ratios[-1]:.2f}",
                    flush=True,
                )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(
        f"{len(pages)} pages, {options.preset}, {cores} cores, {options.at_once} at once: "
        f"the server gives {statistics.median(ratios):.0%} of the command's pages a second (median)"
    )


def find_pages(places: Sequence[Path]) -> list[Path]:
    """The pictures named, and those of the folders named."""
    found: list[Path] = []
    for place in places:
        found += sorted(place.iterdir()) if place.is_dir() else [place]
    return [path for path in found if path.suffix.lower() in PICTURES]


@contextmanager
def run_server(folder: Path) -> Iterator[httpx2.Client]:
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--folder", str(folder)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    url = json.loads(process.stderr.readline())["url"]
    with ThreadPoolExecutor(1) as beside:
        beside.submit(process.stderr.read)  # or the log would fill its pipe
        try:
            with httpx2.Client(base_url=url, timeout=600) as client:
                yield client
        finally:
            process.terminate()
            process.wait()


def read_all(pages: Sequence[Path], preset: str) -> None:
    """The command on all pages, as one process."""
    subprocess.run(
        [*COMMAND, "read", "--preset", preset, *map(str, pages)],
        check=True,
        capture_output=True,
    )


def ask_all(client: httpx2.Client, pages: Sequence[Path], preset: str, at_once: int) -> None:
    """The server on all pages, a request each."""

    def ask(path: Path) -> None:
        files = {"file": (path.name, path.read_bytes())}
        params = {"format": "txt", "preset": preset}
        client.post("/v1/read", params=params, files=files).raise_for_status()

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(ask, pages))


def measure(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
