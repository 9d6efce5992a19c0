"""Whole pages: our command against Tesseract's, same pages, same cores, in turns, in one run.

    python benchmarks/pages_speed.py FOLDER|FILE ... [--rounds 5] [--cores 1 --cores 2]
        [--preset fast] [--model Oriya] [--json docs/reports/pages-speed.json]

Measured as a user meets them, as programs: pages a second with start-up, seconds from the start to
the end of the first page, and the peak memory of all processes together. Tesseract reads a page a
process (`tesseract IMG - --psm 3`); on several cores it may either run as many processes, one
thread each, or one process with as many threads, and the faster way is compared. Ratios count:
machines and their load differ.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from process_tree import MEGABYTE, Watch, name_processor, on_cores, watch_children

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
Program = Callable[[Sequence[Path], int], None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, action="append", help="repeatable; default 1 and 2")
    parser.add_argument("--preset", default="fast", help="of our command")
    parser.add_argument("--model", default="Oriya", help="of Tesseract")
    parser.add_argument("--most", type=int, help="no more than so many pages")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    pages = find_pages(options.pages)[: options.most]
    if not pages:
        parser.error(f"no picture in {', '.join(map(str, options.pages))}")
    if shutil.which("tesseract") is None:
        parser.error("tesseract is not installed: apt install tesseract-ocr-script-orya")
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    wanted = [cores for cores in options.cores or [1, 2] if cores <= have]
    with tempfile.TemporaryDirectory(prefix="odia-ocr-speed-") as name:
        ours = our_program(Path(name) / "ours", options.preset)
        ways = {
            "processes": their_program(options.model, processes=True),
            "threads": their_program(options.model, processes=False),
        }
        record = {
            "schema": 1,
            "report": "pages-speed",
            "date": datetime.date.today().isoformat(),
            "n": len(pages),
            "rounds": options.rounds,
            "preset": options.preset,
            "version": version("odia-ocr"),
            "peer": f"tesseract {tesseract_version()} -l {options.model} --psm 3",
            "processor": name_processor(),
            "load_before": os.getloadavg()[0],
            "runs": [compare(pages, ours, ways, cores, options.rounds) for cores in wanted],
        }
    for run in record["runs"]:
        show(run)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def find_pages(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
        else:
            found.append(path)
    return found


def our_program(out: Path, preset: str) -> Program:
    def read(pages: Sequence[Path], cores: int) -> None:
        command = [sys.executable, "-m", "odia_ocr", "read", *map(str, pages), "-o", str(out)]
        command += ["--format", "txt", "--force", "--preset", preset, "--threads", str(cores)]
        run(command, {"OMP_NUM_THREADS": str(cores)})

    return read


def their_program(model: str, *, processes: bool) -> Program:
    def read(pages: Sequence[Path], cores: int) -> None:
        threads = 1 if processes else cores

        def read_page(page: Path) -> None:
            command = ["tesseract", str(page), "-", "--psm", "3", "-l", model]
            run(command, {"OMP_THREAD_LIMIT": str(threads)})

        with ThreadPoolExecutor(cores if processes else 1) as pool:
            list(pool.map(read_page, pages))

    return read


def run(command: Sequence[str], settings: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode not in (0, 1):  # 1: some page failed, which is no matter of speed
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr.decode()[-500:]}")


def tesseract_version() -> str:
    said = subprocess.run(["tesseract", "--version"], capture_output=True, check=True)
    return (said.stdout or said.stderr).decode().split()[1]


def take(program: Program, pages: Sequence[Path], cores: int) -> Watch:
    with on_cores(cores), watch_children() as seen:
        program(pages, cores)
    return seen


def compare(
    pages: Sequence[Path], ours: Program, ways: dict[str, Program], cores: int, rounds: int
) -> dict[str, Any]:
    """Both programs in turns; who begins changes from round to round."""
    # With one core both of Tesseract's ways are the same.
    programs = {"ours": ours, **(ways if cores > 1 else {"processes": ways["processes"]})}
    whole: dict[str, list[Watch]] = {name: [] for name in programs}
    first: dict[str, list[Watch]] = {name: [] for name in programs}
    for name in programs:
        take(programs[name], pages[:1], cores)  # files into the system's cache
    for i in range(rounds):
        for name in list(programs)[:: -1 if i % 2 else 1]:
            first[name].append(take(programs[name], pages[:1], cores))
            whole[name].append(take(programs[name], pages, cores))
    rates = {name: [len(pages) / seen.seconds for seen in whole[name]] for name in programs}
    best = max((name for name in programs if name != "ours"), key=lambda n: median(rates[n]))
    told = {
        name: {
            "pages_per_second": spread(rates[name]),
            "first_page_seconds": spread([seen.seconds for seen in first[name]]),
            "peak_megabytes": spread([seen.peak_bytes / MEGABYTE for seen in whole[name]]),
        }
        for name in programs
    }
    return {
        "cores": cores,
        "ours": told["ours"],
        "peer": told[best],
        "peer_way": best,
        "peer_ways": {name: told[name] for name in programs if name != "ours"},
        "ratio": spread([a / b for a, b in zip(rates["ours"], rates[best], strict=True)]),
    }


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": median(values), "low": min(values), "high": max(values)}


def show(run: dict[str, Any]) -> None:
    print(f"{run['cores']} core(s); Tesseract as {run['peer_way']}")
    for title, key in (
        ("pages/s", "pages_per_second"),
        ("first page, s", "first_page_seconds"),
        ("peak MB", "peak_megabytes"),
    ):
        cells = [f"{title:>14}"]
        for who in ("ours", "peer"):
            value = run[who][key]
            cells.append(f"{who} {value['median']:.2f} ({value['low']:.2f}-{value['high']:.2f})")
        print("  ".join(cells))
    ratio = run["ratio"]
    print(f"         ratio  {ratio['median']:.2f} ({ratio['low']:.2f}-{ratio['high']:.2f})")


if __name__ == "__main__":
    main()
