"""One job for many files at once, heard of in the calling thread as each one finishes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def as_finished(job: Callable[[Item], Result], items: Sequence[Item], workers: int) -> Iterator[tuple[Item, Result]]:
    """Run the job on every item in threads and yield each with its result as it finishes.

    The first error is raised as soon as it is known, once the jobs begun by then have ended; no other is begun.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="storage") as pool:
        futures = {pool.submit(job, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
