"""Which of two sensors that begin the same work goes first when both look at once.

The daemon evaluates sensors side by side, and a run exists only some moments after the tick that asks for it. Without
an order both would find that nothing is going, and each would begin a run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorTick, InstigatorType, TickStatus

_LONGEST_TICK: Final = timedelta(minutes=5)
"""Older ones were cut off with their daemon."""


def ahead_of(instance: dg.DagsterInstance, sensor: str, others: frozenset[str]) -> str | None:
    """Return the name of a sensor whose tick began before this one's and is not over; its run may not exist yet.

    To be asked before `going`: a tick that has ended meanwhile has left its run there.

    Args:
        instance: keeps the ticks.
        sensor: the one that asks; outside of a tick, as in the UI's try, it is behind every other.
        others: names of sensors that begin the same work.
    """
    ticks = _under_way(instance)
    own = ticks.get(sensor)
    for name in sorted(others & set(ticks)):
        if own is None or ticks[name].tick_id < own.tick_id:
            return name
    return None


def _under_way(instance: dg.DagsterInstance) -> dict[str, InstigatorTick]:
    """The newest tick of each sensor that has begun and not ended."""
    since = (datetime.now(UTC) - _LONGEST_TICK).timestamp()
    found = {}
    for state in instance.all_instigator_state(instigator_type=InstigatorType.SENSOR):
        origin, selector = state.instigator_origin_id, state.selector_id
        for tick in instance.get_ticks(origin, selector, after=since, limit=1, statuses=[TickStatus.STARTED]):
            found[state.instigator_name] = tick
    return found
