"""The sensors that begin a retrain, and what keeps each from beginning one that another has begun."""

from __future__ import annotations

from typing import Final

import dagster as dg

from two_tower_assets.defs.automation.going import release_going
from two_tower_assets.defs.automation.precedence import ahead_of

NEWS: Final = "retrain_on_news"
DRIFT: Final = "retrain_on_drift"


def others_at_it(instance: dg.DagsterInstance, sensor: str) -> str | None:
    """Say why a sensor begins no retrain now: one is queued or going, or another sensor may be about to begin one."""
    if other := ahead_of(instance, sensor, frozenset({NEWS, DRIFT}) - {sensor}):
        return f"The sensor {other} is looking, and may be about to begin a retrain."
    if going := release_going(instance):
        return f"Run {going} is making a release."
    return None
