"""The day after a night, measured when it is over: on the next snapshot, by the files of the versions asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from two_tower_assets.artifacts.released_model import ReleasedModel
from two_tower_assets.defs.inputs import snapshot_of
from two_tower_assets.defs.site import Site
from two_tower_assets.evaluation.nightly.next_day import day_values, next_day_task, popular_score
from two_tower_assets.evaluation.nightly.records import POPULAR, Day
from two_tower_assets.features.history import History
from two_tower_assets.features.times import microseconds
from two_tower_assets.training.data import catalogue_of


def measure_day(site: Site, morning: datetime, end: datetime, versions: Mapping[str, str]) -> Day:
    """Ask versions, and popularity, about a day.

    Args:
        site: its latest snapshot holds the day, and its artifacts the versions.
        morning: begin of the day; nothing later is known of the catalogue.
        end: its end.
        versions: method to version.
    """
    snapshot = snapshot_of(site, site.store.load("sources/videos"))
    history = History.from_snapshot(snapshot)
    begin, until = microseconds(morning), microseconds(end)
    task = next_day_task(history, catalogue_of(snapshot, history, morning), begin, until)
    scores = {
        method: ReleasedModel.open(site.home.artifacts / version).scores(snapshot, history, task)
        for method, version in versions.items()
    }
    scores[POPULAR] = popular_score(history, begin, task)
    values = {method: day_values(history, task, score) for method, score in scores.items()}
    on_day = (history.time >= begin) & (history.time < until)
    return Day(
        morning=morning,
        deciding=len(np.unique(history.user[on_day])),
        users=len(task.users),
        likes=len(task.targets),
        versions=versions,
        values={
            method: {metric: tuple(value_U.tolist()) for metric, value_U in columns.items()}
            for method, columns in values.items()
        },
    )
