"""How many threads baselines take: linear algebra on one, so that the digits are the same on any number of cores."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

import torch
from threadpoolctl import threadpool_limits

from two_tower_assets.training.worker_pool import worker_pool

_Result = TypeVar("_Result")


class _Limit:
    """A limit that holds as long as anybody is inside: what BLAS is told is told to the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limits: threadpool_limits | None = None

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limits = threadpool_limits(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._limits is not None:
                self._limits.restore_original_limits()


_LIMIT: Final = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread meanwhile, in all threads of the process.

    Its threads spin while they wait, so that on a busy machine two take several times as long as one; and libraries
    that call it from threads of their own ask for it.
    """
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


def side_by_side(works: Sequence[Callable[[], _Result]]) -> list[_Result]:
    """Do independent works at once, each on one thread, as many as torch may use threads; results in their order.

    Most of a baseline's fit runs on one thread whatever it is given.

    Raises:
        Exception: what the first work that failed raised, when the others are done.
    """
    threads = min(torch.get_num_threads(), len(works))
    if threads < 2:
        return [work() for work in works]
    with one_blas_thread(), worker_pool(threads, "fits", threads_each=1) as pool:
        running = [pool.submit(work) for work in works]
    return [done.result() for done in running]
