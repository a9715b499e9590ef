"""Rolling back with its time taken, for the command line and for the job in the UI alike."""

from __future__ import annotations

import time
from dataclasses import dataclass

from two_tower_assets.publishing.flip import Flip, rollback
from two_tower_assets.publishing.target import Target


@dataclass(frozen=True)
class TimedFlip:
    """A rollback, and how long it took."""

    flip: Flip
    milliseconds: float
    """From before connecting until it is done, waiting for another writer included: how long a person waits."""

    def __str__(self) -> str:
        before = f" (before: {self.flip.previous})" if self.flip.changed else " already"
        return f"live: {self.flip.model_version}{before}, {self.milliseconds:.0f} ms"


def roll_back(target: Target, *, to: str | None, note: str | None) -> TimedFlip:
    """Make an earlier version live again; arguments and errors are those of `publishing.flip.rollback`."""
    started = time.perf_counter()
    flip = rollback(target, to=to, note=note)
    return TimedFlip(flip, (time.perf_counter() - started) * 1000)
