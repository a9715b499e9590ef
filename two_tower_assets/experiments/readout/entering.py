"""Who entered when, day by day, and whether as planned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from two_tower_assets.experiments.readout.figures import DayOfEntries
from two_tower_assets.experiments.readout.plan import Plan
from two_tower_assets.experiments.readout.rows import Entry
from two_tower_assets.experiments.sample_ratio import mismatch

_GROUPS: Final = 20
"""Of users of the smallest arm, for what is measured a group."""


def days_of(entries: Sequence[Entry], names: Sequence[str], until: datetime) -> list[DayOfEntries]:
    """Every day from the first entry to the look, with what had come by its end."""
    if not entries:
        return []
    first, last = min(entry.day for entry in entries), max(entry.day for entry in entries)
    last = max(last, until.astimezone(UTC).date())
    users, lists = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    by_day: dict[date, list[Entry]] = {}
    for entry in entries:
        by_day.setdefault(entry.day, []).append(entry)
    found = []
    for place in range((last - first).days + 1):
        day = first + timedelta(days=place)
        for entry in by_day.get(day, ()):
            if entry.arm in users:
                users[entry.arm] += entry.users
                lists[entry.arm] += entry.lists
        found.append(DayOfEntries(day=day, users=dict(users), lists=dict(lists)))
    return found


def smallest_mismatch(counts: Sequence[Sequence[int]], shares: Sequence[float]) -> float | None:
    """The smallest p-value of all days' ends; None with nobody in."""
    looks = [mismatch([int(count) for count in day], shares) for day in counts if sum(day)]
    return min(looks, default=None)


def group_size(plan: Plan, entries: Sequence[Entry]) -> int:
    """Users in a group, so that the smallest arm has `_GROUPS`; 0 where it has not so many users."""
    entered = [sum(entry.users for entry in entries if entry.arm == arm.name) for arm in plan.arms]
    return min(entered) // _GROUPS
