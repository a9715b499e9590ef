"""Works side by side: what comes back, and what is put back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from two_tower_assets.evaluation.baselines.threads import one_blas_thread, side_by_side


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def blas_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.usefixtures("two_threads")
def test_works_run_at_once_on_a_thread_each_and_answer_in_their_order() -> None:
    """Each waits for the other, so one after another would never end; within, torch and BLAS have one thread."""
    both = threading.Barrier(2, timeout=60)

    def work(name: str) -> tuple[str, int, set[int]]:
        both.wait()
        return name, torch.get_num_threads(), blas_threads()

    assert side_by_side([lambda: work("a"), lambda: work("b")]) == [("a", 1, {1}), ("b", 1, {1})]


@pytest.mark.usefixtures("two_threads")
def test_afterwards_threads_are_as_many_as_before() -> None:
    """Here, and in threads that are started later."""
    outside = blas_threads()
    side_by_side([lambda: None, lambda: None])
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert (torch.get_num_threads(), later, blas_threads()) == (2, [2], outside)


@pytest.mark.usefixtures("two_threads")
def test_what_the_first_work_raised_is_raised_when_all_are_done() -> None:
    """The error is not lost, and nothing runs on behind the back of whoever asked."""
    done: list[str] = []

    def fails() -> None:
        raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"):
        side_by_side([fails, lambda: done.append("the second")])
    assert done == ["the second"]


def test_the_limit_holds_until_the_last_one_leaves() -> None:
    """BLAS is told once for the process, so whoever leaves first must not lift it for the other."""
    outside = blas_threads()
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert blas_threads() == {1}
    second.__exit__(None, None, None)
    assert blas_threads() == outside
