"""How long a batch of any size takes on any number of machines, from rates measured on one.

Simulated is the way of a page: its file comes through the storage that all share, a worker reads
it, the one process of the batch (the head) keeps the result. Storage and head serve one page at a
time, in the order of asking; a worker has the next page at hand while it reads one. What some
pages show goes on for all others at the same rate.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

_DEPTH = 2  # pages a worker holds, as in `ray_runner`
_PAGES_A_WORKER = 60  # are simulated, the first third to come into step
_FEWEST_PAGES = 3_000
_MOST_PAGES = 300_000


@dataclass(frozen=True, slots=True)
class Rates:
    """What was measured, or is assumed.

    Attributes:
        page_seconds: Of one worker, a sample of pages.
        head_seconds: The head needs for one page while others are read.
        closing_seconds: The head needs for one page in the end, for the table and the report.
        start_seconds: Until a worker is ready.
        page_bytes: Of a page's file.
        storage: Bytes a second that all machines together get; None for enough.
    """

    page_seconds: Sequence[float]
    head_seconds: float
    closing_seconds: float
    start_seconds: float
    page_bytes: float = 0.0
    storage: float | None = None

    @property
    def fetch_seconds(self) -> float:
        """The storage needs for one page."""
        return 0.0 if self.storage is None else self.page_bytes / self.storage


@dataclass(frozen=True, slots=True)
class Throughput:
    """What a batch settles at.

    Attributes:
        pages_per_second: Of all workers.
        workers: Part of their time that they read, 0..1.
        head: Part of its time that the head is busy, 0..1.
        storage: Part of its time that the storage is busy, 0..1.
    """

    pages_per_second: float
    workers: float
    head: float
    storage: float

    @property
    def limit(self) -> str:
        """What more of would make it faster: "workers", "head" or "storage"."""
        if max(self.head, self.storage) < self.workers:
            return "workers"
        return "head" if self.head >= self.storage else "storage"


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a whole collection takes.

    Attributes:
        hours: From start to end.
        machine_hours: Of all machines together.
        limit: See `Throughput.limit`.
        cost: In the currency of the price; None without one.
    """

    hours: float
    machine_hours: float
    limit: str
    cost: float | None


def simulate(rates: Rates, workers: int, *, seed: int = 0) -> Throughput:
    """Follow the pages of one batch until its speed is known.

    Args:
        rates: What was measured.
        workers: Of the batch.
        seed: Of the order in which page times are drawn.
    """
    pages = min(max(workers * _PAGES_A_WORKER, _FEWEST_PAGES), max(_MOST_PAGES, 3 * workers))
    draw = random.Random(seed)
    took = [draw.choice(rates.page_seconds) for _ in range(pages)]
    storage_free = head_free = 0.0
    answered = [[0.0] * (_DEPTH - 1) for _ in range(workers)]
    # Asking for a page at a time; then, once it is read, for the head.
    events: list[tuple[float, int, int]] = [(0.0, worker, -1) for worker in range(workers)]
    begun = ended = 0
    settled_at, last = pages // 3, 0.0
    settled = reading = 0.0
    while events:
        now, worker, page = heapq.heappop(events)
        if page < 0:
            if begun == pages:
                continue
            storage_free = max(now, storage_free) + rates.fetch_seconds
            heapq.heappush(events, (storage_free + took[begun], worker, begun))
            begun += 1
            continue
        head_free = last = max(now, head_free) + rates.head_seconds
        ended += 1
        if ended == settled_at:
            settled = last
        elif ended > settled_at:
            reading += took[page]
        waits = answered[worker]
        heapq.heappush(events, (max(now, waits.pop(0)), worker, -1))
        waits.append(head_free)
        if begun == pages:  # from here on workers run out of pages
            break
    speed = (ended - settled_at) / (last - settled)
    return Throughput(
        speed,
        workers=reading / (last - settled) / workers,
        head=speed * rates.head_seconds,
        storage=speed * rates.fetch_seconds,
    )


def estimate(
    rates: Rates,
    pages: int,
    *,
    machines: int,
    workers: int,
    batches: int = 1,
    price: float | None = None,
) -> Estimate:
    """What a collection takes.

    Args:
        rates: What was measured.
        pages: Of the collection.
        machines: All alike.
        workers: Of one machine.
        batches: Side by side, each with its share of pages, machines and storage, and its own head.
        price: Of an hour of one machine.
    """
    share = rates.storage and rates.storage / batches
    found = simulate(replace(rates, storage=share), max(1, machines * workers // batches))
    seconds = rates.start_seconds + pages / batches * (
        1 / found.pages_per_second + rates.closing_seconds
    )
    hours = seconds / 3600
    whole = hours * machines
    return Estimate(hours, whole, found.limit, None if price is None else whole * price)


def most_workers(rates: Rates) -> int:
    """How many workers one head keeps busy."""
    mean = sum(rates.page_seconds) / len(rates.page_seconds)
    return max(1, round(mean / max(rates.head_seconds, rates.fetch_seconds, 1e-9)))
