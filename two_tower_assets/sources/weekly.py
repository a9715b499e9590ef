"""How many decisions of each kind came in each week: what a look at a snapshot begins with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from two_tower_assets.contract import DecisionKind, decision_kind

_COUNTED: Final[tuple[DecisionKind, ...]] = ("like", "nope")


def decisions_by_week(decisions: pl.LazyFrame) -> Mapping[DecisionKind, list[tuple[datetime, int]]]:
    """Return LIKEs and NOPEs of each week from the first decision's to the last's, weeks without any included.

    Args:
        decisions: `created_at` and `decision_type`, as a snapshot has them.
    """
    week = pl.col("created_at").dt.truncate("1w").alias("week")
    counted = decisions.group_by(week, "decision_type").len().collect(engine="streaming")
    if counted.is_empty():
        return {kind: [] for kind in _COUNTED}
    seen: list[datetime] = counted["week"].to_list()
    first, last = min(seen), max(seen)
    weeks = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    found = {kind: dict.fromkeys(weeks, 0) for kind in _COUNTED}
    for week, decision_type, count in counted.iter_rows():
        kind = decision_kind(decision_type)
        if kind in found:
            found[kind][week] += count
    return {kind: list(by_week.items()) for kind, by_week in found.items()}
