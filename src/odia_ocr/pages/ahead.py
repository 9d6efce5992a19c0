"""Several pages are worked on at once: a short queue that keeps the order.

Knows nothing of pages; a number goes in and what was made of it comes out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


def work_ahead(
    make: Callable[[int], Made], numbers: Sequence[int], *, workers: int
) -> Generator[tuple[int, Callable[[], Made]], None, None]:
    """Give (number, how to get what `make` made of it) in order.

    Args:
        make: Called once for each number, in another thread when there are workers.
        numbers: In the order wanted.
        workers: Threads, and how many results lie ready at most; with fewer than two, each is
            made when asked for.

    Yields:
        The number, and a callable that returns the result or raises what `make` raised. Closed
        early, it waits for what is under way and begins nothing more.
    """
    if workers < 2 or len(numbers) < 2:
        for number in numbers:
            yield number, lambda number=number: make(number)  # type: ignore[misc]
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="page")
    waiting: deque[tuple[int, Future[Made]]] = deque()
    try:
        for number in numbers:
            waiting.append((number, pool.submit(make, number)))
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
