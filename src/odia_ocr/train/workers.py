"""Numbered chunks of training data from worker processes, in an order that does not depend on them.

Chunk c is always made the same way, and worker w of n makes the chunks c with c % n == w, so a run
continues the very same stream at any chunk and with any number of workers. Knows nothing of what a
chunk holds. No torch here: workers draw, nothing else.
"""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from odia_ocr.errors import RecognitionError

Chunk = TypeVar("Chunk")
MakeChunk = Callable[[int], Chunk]


def _hand_over(out: Any, made: tuple[int, Any]) -> bool:
    """Put a chunk into the queue; False when the trainer is gone."""
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        try:
            out.put(made, timeout=5)
            return True
        except queue.Full:
            continue
    out.cancel_join_thread()
    return False


def _work(
    open_maker: Callable[[], MakeChunk[Any]], first: int, step: int, out: Any, failed: Any
) -> None:
    try:
        make = open_maker()
        chunk = first
        while _hand_over(out, (chunk, make(chunk))):
            chunk += step
    except KeyboardInterrupt:
        pass
    except Exception as error:
        failed.put(f"{type(error).__name__}: {error}")
        raise


def make_in_processes(
    open_maker: Callable[[], MakeChunk[Chunk]], *, workers: int = 1, first: int = 0
) -> Iterator[tuple[int, Chunk]]:
    """Yield (number, chunk) from chunk `first` on, forever.

    Args:
        open_maker: Called once in each process; returns the function that makes a chunk of its
            number. Must pickle.
        workers: Processes.
        first: Number of the first chunk.

    Raises:
        RecognitionError: If a worker process failed; the message holds its error.
    """
    context = multiprocessing.get_context("spawn")
    queues = [context.Queue(maxsize=2) for _ in range(workers)]
    failed = context.Queue()
    processes = [
        context.Process(
            target=_work, args=(open_maker, first + w, workers, queues[w], failed), daemon=True
        )
        for w in range(workers)
    ]
    for process in processes:
        process.start()
    chunk = first
    try:
        while True:
            source = (chunk - first) % workers
            while True:
                try:
                    number, made = queues[source].get(timeout=5)
                    break
                except queue.Empty:
                    if not processes[source].is_alive():
                        reason = failed.get(timeout=2) if not failed.empty() else "it was killed"
                        raise RecognitionError(
                            f"A rendering worker stopped: {reason}.",
                            next_step="Mend the cause and start again with --resume.",
                        ) from None
            yield number, made
            chunk += 1
    finally:
        for process in processes:
            process.terminate()
