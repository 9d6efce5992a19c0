"""Run programs and watch what they and their children take: seconds, and resident memory.

Linux only for the memory: it is read from /proc. Knows nothing of pictures or engines.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
MEGABYTE = 1e6


@dataclass
class Watch:
    """What was seen of the processes below this one.

    Attributes:
        seconds: Wall time from beginning to end.
        peak_bytes: Largest sum of resident memory; 0 where there is no /proc.
        samples: (seconds, bytes), one each interval, if they are kept.
    """

    seconds: float = 0.0
    peak_bytes: int = 0
    samples: list[tuple[float, int]] = field(default_factory=list)


@contextmanager
def watch_children(*, interval: float = 0.02, keep: bool = False) -> Iterator[Watch]:
    """Watch all processes that are started within.

    Args:
        interval: Seconds between looks at the memory.
        keep: Keep every look, for a curve.
    """
    seen, ended = Watch(), threading.Event()
    started = time.perf_counter()

    def look() -> None:
        while True:
            resident = measure_children()
            seen.peak_bytes = max(seen.peak_bytes, resident)
            if keep:
                seen.samples.append((time.perf_counter() - started, resident))
            if ended.wait(interval):
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        seen.seconds = time.perf_counter() - started
        ended.set()
        watcher.join()


def measure_children() -> int:
    """Resident bytes of all processes below this one, added up (shared pages count in each)."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    page = os.sysconf("SC_PAGE_SIZE")
    for path in PROC.glob("[0-9]*/stat"):
        try:
            # The name in brackets may hold spaces; what follows it is fixed.
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        pid = int(path.parent.name)
        parents[pid], resident[pid] = int(fields[1]), int(fields[21]) * page
    below = {os.getpid()}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in below} - below
        below |= more
        grown = bool(more)
    return sum(resident[pid] for pid in below if pid != os.getpid() and pid in resident)


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Let processes started within run on so many cores only; this one may use all again inside."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:count]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def name_processor() -> str:
    info = PROC / "cpuinfo"
    if info.exists():
        for line in info.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "unknown"
