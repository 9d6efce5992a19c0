"""Pages a second of `odia-ocr batch`: two workers against one, and Ray against processes.

    python benchmarks/batch_speed.py [--rounds 3] [--pages 1000] [--scaling-pages 300]
        [--preset balanced] [--json docs/reports/batch-speed.json]

Small pages, the same for all, in turns; times are those of the whole command, with its start and
its end. Ratios count: machines and their load differ. What both runners write must be the same.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from batch_pages import batch_command, describe_machine, hash_outputs, make_small_pages, run_whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pages", type=int, default=1000, help="of Ray against processes")
    parser.add_argument("--scaling-pages", type=int, default=300, help="of two against one")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    record = {"schema": 1, "report": "batch-speed", "preset": options.preset, **describe_machine()}
    with tempfile.TemporaryDirectory(prefix="odia-ocr-batch-") as name:
        scratch = Path(name)
        few = make_small_pages(scratch / "few", options.scaling_pages)
        many = make_small_pages(scratch / "many", options.pages)
        record["two_workers"] = compare(
            few,
            scratch,
            {"one": (1, "process"), "two": (2, "process")},
            options,
            ratio="one / two",
        )
        record["ray"] = compare(
            many,
            scratch,
            {"process": (2, "process"), "ray": (2, "ray")},
            options,
            ratio="ray / process",
        )
    if options.json is not None:
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def compare(
    pages: Path,
    scratch: Path,
    ways: dict[str, tuple[int, str]],
    options: argparse.Namespace,
    *,
    ratio: str,
) -> dict[str, Any]:
    """Run all ways in each round; gives their seconds and the ratio of two of them.

    Args:
        pages: Folder of pictures.
        scratch: Where outputs go.
        ways: Name to workers and runner.
        options: Of the command line.
        ratio: Which two, "upper / lower".
    """
    rounds = []
    written: set[str] = set()
    for number in range(options.rounds):
        seconds = {}
        order = list(ways.items())
        for way, (workers, runner) in order if number % 2 == 0 else reversed(order):
            out = scratch / f"{pages.name}-{way}-{number}"
            command = batch_command(
                pages, out, workers=workers, runner=runner, preset=options.preset
            )
            seconds[way] = run_whole(command)
            written.add(hash_outputs(out))
        rounds.append({"seconds": seconds, "load": round(os.getloadavg()[0], 2)})
        print(pages.name, rounds[-1], flush=True)
    upper, lower = ratio.split(" / ")
    ratios = [each["seconds"][upper] / each["seconds"][lower] for each in rounds]
    found = {
        "pages": sum(1 for _ in pages.iterdir()),
        "rounds": rounds,
        "ratio": ratio,
        "median": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "same_outputs": len(written) == 1,
    }
    print(f"{ratio}: {found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})", flush=True)
    return found


if __name__ == "__main__":
    main()
