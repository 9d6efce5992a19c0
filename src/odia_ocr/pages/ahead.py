"""Several pages are worked on at once: a short queue that keeps the order.

Knows nothing of pages; a task goes in and what was made of it comes out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Task = TypeVar("Task")
Made = TypeVar("Made")

# Pages read at once: each costs the memory of its pixels and of the search for lines.
_MOST_AT_ONCE = 4


def count_workers(threads: int, pages: int) -> int:
    """How many of so many pages are read side by side on so many threads."""
    return max(1, min(threads, pages, _MOST_AT_ONCE))


def work_ahead(
    make: Callable[[Task], Made], tasks: Iterable[Task], *, workers: int
) -> Generator[tuple[Task, Callable[[], Made]], None, None]:
    """Give (task, how to get what `make` made of it) in order.

    Args:
        make: Called once for each task, in another thread when there are workers.
        tasks: In the order wanted; asked for one when a worker may soon want it.
        workers: Threads, and how many results lie ready at most; with fewer than two, each is
            made when asked for.

    Yields:
        The task, and a callable that returns the result or raises what `make` raised. Closed
        early, it waits for what is under way and begins nothing more.
    """
    if workers < 2:
        for task in tasks:
            yield task, partial(make, task)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="page")
    waiting: deque[tuple[Task, Future[Made]]] = deque()
    try:
        for task in tasks:
            waiting.append((task, pool.submit(make, task)))
            if len(waiting) > workers:
                first, future = waiting.popleft()
                yield first, future.result
                del future  # the result is the reader's alone now
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result
            del future
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
