"""Kill `odia-ocr batch` at random moments; what it writes must be that of an undisturbed run.

    python benchmarks/batch_kills.py [--kills 20] [--pages 160] [--seed 20] [--runner process]
        [--preset fast] [--json docs/reports/batch-kills.json]

Each run is killed (SIGKILL) at a seeded random moment: a quarter at any time from its start, the
others while it reads; the last run is left alone. Ends with status 1 if a byte differs.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from batch_pages import batch_command, describe_machine, hash_outputs, make_small_pages, run_whole

_EARLY = 0.25  # of the kills come at any time from the start, the others while pages are read
_START_SECONDS = 3.0
_PAGE_SECONDS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pages", type=int, default=160)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--runner", default="process")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    record = {
        "schema": 1,
        "report": "batch-kills",
        "runner": options.runner,
        "preset": options.preset,
        "seed": options.seed,
        **describe_machine(),
        **kill_and_compare(options),
    }
    told = json.dumps(record, indent=1) + "\n"
    print(told, end="")
    if options.json is not None:
        options.json.write_text(told, encoding="utf-8")
    sys.exit(0 if record["identical"] and record["kills"] == options.kills else 1)


def kill_and_compare(options: argparse.Namespace) -> dict[str, object]:
    """Run once undisturbed and once with kills; gives what came of it."""
    draw = random.Random(options.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="odia-ocr-kills-") as name:
        pages = make_small_pages(Path(name) / "pages", options.pages)
        whole, killed = Path(name) / "whole", Path(name) / "killed"
        settings = {"workers": 2, "runner": options.runner, "preset": options.preset}
        run_whole(batch_command(pages, whole, **settings))
        command = batch_command(pages, killed, **settings)
        progress = []
        for _ in range(options.kills):
            if draw.random() < _EARLY:
                hit = run_and_kill(command, draw.uniform(0, _START_SECONDS))
            else:
                # So that all kills together leave a good part of the pages to the last run.
                more = draw.randint(1, max(1, options.pages // (2 * options.kills)))
                delay = draw.uniform(0, _PAGE_SECONDS)
                hit = run_and_kill(command, delay, after=killed / "documents", more=more)
            if not hit:
                break
            progress.append(count_done(killed))
        run_whole(command)
        return {
            "pages": options.pages,
            "kills": len(progress),
            "pages_done_at_kills": progress,
            "pages_done": count_done(killed),
            "identical": hash_outputs(whole) == hash_outputs(killed),
            "seconds": round(time.monotonic() - began, 1),
        }


def run_and_kill(
    command: list[str], delay: float, *, after: Path | None = None, more: int = 0
) -> bool:
    """Start a batch and kill it; False if it had ended before.

    Args:
        command: Of the batch.
        delay: Seconds from its start, or from when it has written so many documents more.
        after: Folder of the documents.
        more: Documents.
    """
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    if after is not None:
        before = count_files(after)
        # Each has a text and a JSON.
        while count_files(after) < before + 2 * more and process.poll() is None:
            time.sleep(0.005)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True
    return False


def count_files(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def count_done(out: Path) -> int:
    """Pages that the manifest has as done; 0 before there is one."""
    path = out / "manifest.sqlite"
    if not path.exists():
        return 0
    with sqlite3.connect(path) as manifest:
        try:
            (done,) = manifest.execute("SELECT count(*) FROM pages WHERE state='done'").fetchone()
        except sqlite3.OperationalError:  # killed before its tables were made
            done = 0
    manifest.close()
    return int(done)


if __name__ == "__main__":
    main()
