"""How often quiet weeks raise an alarm, and how soon planted drifts do, in many worlds.

Every look is the one that the asset takes: a window of whole days, a day after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.simulation.drifts import DRIFTS
from two_tower_assets.monitoring.simulation.vectors import collapse_is_found
from two_tower_assets.monitoring.simulation.worlds import WEEKS, World

PATIENCE_DAYS: Final = 28
"""A drift that has not been found by then counts as missed."""
COLLAPSE: Final = "video vectors collapse at a release"

_SETTLED: Final = timedelta(days=14)
"""From the release to where a drift begins."""
_DAY: Final = timedelta(days=1)


@dataclass
class Found:
    """What came of all worlds so far."""

    weeks: list[int] = field(default_factory=list)
    """Quiet weeks of each world."""
    alarms: list[int] = field(default_factory=list)
    """Those of them with an alarm."""
    culprits: dict[str, int] = field(default_factory=dict)
    """Figure to the quiet weeks in which it raised one."""
    delays: dict[str, list[int | None]] = field(default_factory=dict)
    """Drift to the days until it was found in each world; None: it was not."""

    @property
    def rate(self) -> float:
        """Share of the quiet weeks with an alarm."""
        return sum(self.alarms) / max(1, sum(self.weeks))

    @property
    def error(self) -> float:
        """Standard error of the rate; weeks of one world are not independent, worlds are."""
        share = np.array(self.alarms) / np.maximum(np.array(self.weeks), 1)
        smoothed = (sum(self.alarms) + 1) / (sum(self.weeks) + 2)
        least = np.sqrt(smoothed * (1 - smoothed) / max(1, sum(self.weeks)))
        return max(float(share.std(ddof=1) / np.sqrt(len(share))) if len(share) > 1 else 0.0, float(least))

    def holds(self, promised: float) -> bool:
        """Whether quiet weeks raise no more alarms than promised, as far as so many weeks can tell."""
        return self.rate <= promised + 2 * self.error

    def share_found(self, drift: str) -> float:
        """Share of the worlds in which a drift was found."""
        delays = self.delays[drift]
        return sum(delay is not None for delay in delays) / max(1, len(delays))

    def median_delay(self, drift: str) -> float:
        """Median number of days until it was found, infinite when most were not."""
        return float(np.median([np.inf if delay is None else delay for delay in self.delays[drift]]))


def try_worlds(worlds: Iterator[World], *, planted: int) -> Iterator[Found]:
    """Look at worlds one by one; what was found so far is told after each.

    Args:
        worlds: each gives `WEEKS` quiet weeks.
        planted: in so many of the worlds drifts are planted as well.
    """
    found = Found(delays={name: [] for name in (*DRIFTS, COLLAPSE)})
    for number, world in enumerate(worlds):
        _quiet_weeks(world, found)
        if number < planted:
            for name, delay in _delays(world).items():
                found.delays[name].append(delay)
            found.delays[COLLAPSE].append(collapse_is_found(world.observed, number))
        yield found


def _quiet_weeks(world: World, found: Found) -> None:
    begun = 0
    alarmed = 0
    # The first whole window after the release ends a week after it.
    for week in range(1, WEEKS):
        culprits = {
            name
            for day in range(7)
            for name in _drifted(world, world.observed, world.released + timedelta(days=7 * week + day))
        }
        begun += 1
        alarmed += bool(culprits)
        for name in culprits:
            found.culprits[name] = found.culprits.get(name, 0) + 1
    found.weeks.append(begun)
    found.alarms.append(alarmed)


def _delays(world: World) -> Mapping[str, int | None]:
    """Days until each drift is found; those that change nothing here are left out, as where there are no prices."""
    begin = world.released + _SETTLED
    planted = {name: plant(world.observed, begin) for name, plant in DRIFTS.items()}
    return {
        name: _delay(world, drifted, begin) for name, drifted in planted.items() if _differ(drifted, world.observed)
    }


def _delay(world: World, drifted: Observed, begin: datetime) -> int | None:
    days = range(1, PATIENCE_DAYS + 1)
    return next((day for day in days if _drifted(world, drifted, begin + day * _DAY)), None)


def _differ(one: Observed, other: Observed) -> bool:
    return not (one.videos.equals(other.videos) and one.decisions.equals(other.decisions))


def _drifted(world: World, observed: Observed, end: datetime) -> tuple[str, ...]:
    return tuple(reading.name for reading in world.judge.judge(observed, end, "simulated").drifted)
