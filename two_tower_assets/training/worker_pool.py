"""Threads that share the cores that torch was given. What they work on is not known here."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def worker_pool(workers: int, name: str, *, threads_each: int) -> Iterator[ThreadPoolExecutor]:
    """Make a pool of threads in each of which torch takes `threads_each`; wait for all at the end.

    Args:
        workers: how many threads there are.
        name: prefix of their names.
        threads_each: how many cores each may use for one operation.
    """
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(workers, name, torch.set_num_threads, (threads_each,)) as pool:
            yield pool
    finally:
        # Each thread has its own number, and the last one that was set is that of threads yet to come.
        torch.set_num_threads(before)
