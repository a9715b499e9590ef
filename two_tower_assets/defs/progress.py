"""Progress of long work as log lines with an estimate, a few a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from two_tower_assets.progress import Progress
from two_tower_assets.steps import Reached

if TYPE_CHECKING:
    from two_tower_assets.training.trainer import StepReport, Watch

_SECONDS_BETWEEN_LINES = 5.0


class _Log(Protocol):
    def info(self, msg: str, /) -> None: ...


def log_fit(log: _Log, what: str) -> Watch:
    """Return a watch that logs the loss, the rate and the time left, and what validation gave."""
    started = last = time.monotonic()

    def report(step: StepReport) -> None:
        nonlocal started, last
        now = time.monotonic()
        if step.step == 1:
            started = last = now
        if step.validation is None and now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        left = (step.total - step.step) * (now - started) / step.step
        measured = "" if step.validation is None else f", validation {step.validation:.4f}"
        log.info(
            f"{what}: step {step.step} of at most {step.total}, loss {step.loss:.3f}{measured}, "
            f"{step.examples_per_second:,.0f} examples/s, {left:.0f} s left"
        )

    return report


def log_progress(log: _Log, what: str) -> Progress:
    """Return a progress callable that logs done, total, rate and time left at most every five seconds."""
    started = last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if not done or now - last < _SECONDS_BETWEEN_LINES:
            return
        last = now
        rate = done / (now - started)
        log.info(
            f"{what}: {done:,} of {total:,} ({done / total:.0%}), {rate:,.0f}/s, {(total - done) / rate:.0f} s left"
        )

    return report


def log_steps(log: _Log) -> Reached:
    """Return a callable that logs each step as it is done."""
    return log.info
