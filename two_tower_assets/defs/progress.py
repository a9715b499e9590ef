"""Progress of long work as log lines with an estimate, a few a minute."""

from __future__ import annotations

import time
from typing import Protocol

from two_tower_assets.progress import Progress

_SECONDS_BETWEEN_LINES = 5.0


class _Log(Protocol):
    def info(self, msg: str, /) -> None: ...


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
