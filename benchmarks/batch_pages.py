"""Batches to measure: small pages, and the command run on them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

COMMAND = [sys.executable, "-m", "odia_ocr", "batch"]
MANIFEST_FILES = ("manifest.sqlite", "manifest.sqlite-wal")
_DISTINCT = 24


def make_small_pages(folder: Path, count: int) -> Path:
    """Write COUNT pictures of a few lines, 24 different ones in turn; gives the folder."""
    from odia_ocr.data.page_folder import write_pages
    from odia_ocr.data.page_render import make_page_renderer, render_pages

    drawn = folder.with_name(folder.name + "-drawn")
    layouts = ("notice", "poem", "quote")
    renderer = make_page_renderer(split="heldout", seed=3, clean=True, layouts=layouts)
    write_pages(render_pages(renderer, _DISTINCT), drawn)
    pictures = sorted(drawn.glob("*.png"))
    folder.mkdir()
    for index in range(count):
        shutil.copyfile(pictures[index % len(pictures)], folder / f"page-{index:05d}.png")
    shutil.rmtree(drawn)
    return folder


def batch_command(pages: Path, out: Path, *, workers: int, runner: str, preset: str) -> list[str]:
    """The command line of a batch."""
    options = ["--workers", str(workers), "--runner", runner, "--preset", preset]
    return [*COMMAND, str(pages), "-o", str(out), *options]


def run_whole(command: list[str]) -> float:
    """Seconds a command takes from start to end; it must succeed."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def hash_outputs(out: Path) -> str:
    """One hash of the names and bytes of all that a batch wrote, but the manifest."""
    whole = hashlib.sha256()
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.name not in MANIFEST_FILES:
            whole.update(f"{path.relative_to(out)}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def describe_machine() -> dict[str, object]:
    """What figures of speed depend on."""
    from importlib.metadata import version

    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "version": version("odia-ocr"),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
