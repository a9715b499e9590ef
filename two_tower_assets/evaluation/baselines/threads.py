"""Linear algebra on one thread: the same digits on any number of cores, and no threads that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread meanwhile.

    Its threads spin while they wait, so that on a busy machine two take several times as long as one; and libraries
    that call it from threads of their own ask for it.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield
