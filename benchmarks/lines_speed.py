"""Lines a second on one core: our recognizer against Tesseract, in turns, in the same run.

    python benchmarks/lines_speed.py FOLDER [--rounds 3] [--model FILE.onnx]

FOLDER holds pictures of lines; `odia-ocr render lines --split heldout -o FOLDER` makes some.
The ratio is what counts: machines and their load differ.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

from odia_ocr.evaluate.lineset import read_line_set
from odia_ocr.recognize import open_recognizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", help="an .onnx file instead of the shipped model")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    line_set = read_line_set(options.folder)
    lines = [sample.load() for sample in line_set.samples]
    ours = f"ctc:{options.model}" if options.model else "ctc"
    engines = {name: open_recognizer(name, threads=1) for name in (ours, "tesseract")}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for engine in engines.values():
        engine.read(lines[:4])  # first calls set things up
    for _ in range(options.rounds):
        for name, engine in engines.items():
            start = time.perf_counter()
            engine.read(lines)
            seconds[name].append(time.perf_counter() - start)
    for name, times in seconds.items():
        rate = len(lines) / statistics.median(times)
        print(f"{name}: {rate:.1f} lines/s, {1000 / rate:.1f} ms a line")
    ratios = [b / a for a, b in zip(seconds[ours], seconds["tesseract"], strict=True)]
    print(
        f"ratio to Tesseract: {statistics.median(ratios):.1f} (median of {options.rounds} rounds)"
    )


if __name__ == "__main__":
    main()
