"""Chains of steps that several threads take side by side.

A step's products are small, and each of torch's functions waits for the slowest core: on two cores a fit of one step
after another takes two thirds of the time that it takes on one, and two chains of steps take half. So each thread
works on one core by itself, on whichever chain is furthest behind. Who computes something does not change it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

import torch

from two_tower_assets.training.worker_pool import worker_pool

_Drawn = TypeVar("_Drawn")

_AHEAD: Final = 3
"""Most steps whose inputs are kept."""


def in_step(
    chains: Sequence[Callable[[int, _Drawn], float]], draw: Callable[[int], _Drawn], steps: range
) -> Iterator[float]:
    """Let every chain take all steps, in their order; yields the sum of what they return, step by step.

    Args:
        chains: given a step's number and its inputs; no two depend on one another.
        draw: makes the inputs of a step.
        steps: consecutive numbers.

    Raises:
        Exception: what a chain or a draw raised.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(chains) + 1)
    board = _Board(chains, draw, steps)
    with worker_pool(workers, "steps", threads_each=threads // workers) as pool:
        for _ in range(workers):
            pool.submit(board.work)
        try:
            yield from map(board.wait_for, steps)
        finally:
            board.stop()


class _Board(Generic[_Drawn]):
    """Who may do what next; its methods may be called by any thread."""

    def __init__(
        self, chains: Sequence[Callable[[int, _Drawn], float]], draw: Callable[[int], _Drawn], steps: range
    ) -> None:
        self._chains, self._draw, self._steps = chains, draw, steps
        self._changed = threading.Condition()
        self._next = [steps.start] * len(chains)
        self._idle = [True] * len(chains)
        self._next_drawn, self._drawing = steps.start, False
        self._drawn: dict[int, _Drawn] = {}
        self._found: dict[int, list[float]] = {}
        self._stopped = False
        self._failure: BaseException | None = None

    def work(self) -> None:
        """Do what is next until nothing is left."""
        while (job := self._claimed()) is not None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - raised where the steps are waited for
                self._fail(error)

    def wait_for(self, step: int) -> float:
        """Return the sum of a step when all chains have taken it."""
        with self._changed:
            self._changed.wait_for(lambda: self._failure is not None or self._is_done(step))
            if self._failure is not None:
                raise self._failure
            return sum(self._found.pop(step))

    def stop(self) -> None:
        """Let workers end after what they are doing."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _claimed(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._stopped:
                ready = filter(self._is_ready, range(len(self._chains)))
                chain = min(ready, key=self._next.__getitem__, default=None)
                if self._wants_inputs(chain):
                    self._drawing = True
                    return self._draw_next
                if chain is not None:
                    self._idle[chain] = False
                    return lambda: self._take(chain)
                if min(self._next) >= self._steps.stop:
                    return None
                self._changed.wait()
            return None

    def _is_ready(self, chain: int) -> bool:
        return self._idle[chain] and self._next[chain] in self._drawn

    def _wants_inputs(self, chain: int | None) -> bool:
        """Whether a step is to be drawn before a chain goes on: so many are there that nobody will wait for it."""
        at = self._next_drawn
        if self._drawing or at >= self._steps.stop or at - min(self._next) >= _AHEAD:
            return False
        return chain is None or at <= self._next[chain] + 1

    def _draw_next(self) -> None:
        step = self._next_drawn
        drawn = self._draw(step)
        with self._changed:
            self._drawn[step], self._found[step] = drawn, [0.0] * len(self._chains)
            self._next_drawn, self._drawing = step + 1, False
            self._changed.notify_all()

    def _take(self, chain: int) -> None:
        step = self._next[chain]
        found = self._chains[chain](step, self._drawn[step])
        with self._changed:
            self._found[step][chain] = found
            self._next[chain], self._idle[chain] = step + 1, True
            if self._is_done(step):
                del self._drawn[step]
            self._changed.notify_all()

    def _is_done(self, step: int) -> bool:
        return min(self._next) > step

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or error
            self._stopped = True
            self._changed.notify_all()
