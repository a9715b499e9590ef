"""Rolling back with its time taken, for the command line and for the job in the UI alike."""

from __future__ import annotations

import time

from two_tower_assets.publishing.release import Flip, rollback


def roll_back(url: str, *, to: str | None, note: str | None) -> tuple[Flip, float]:
    """Make an earlier version live again; return what changed, and the milliseconds from the first packet to the last.

    Connecting and waiting for the writer's lock count: that is how long a person waits. Arguments and errors are
    those of `publishing.release.rollback`.
    """
    started = time.perf_counter()
    flip = rollback(url, to=to, note=note)
    return flip, (time.perf_counter() - started) * 1000
