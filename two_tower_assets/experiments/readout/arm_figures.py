"""An arm's own figures, beside nobody else's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.moments import Moments, Numbers
from two_tower_assets.experiments.readout.comparing import mean_interval
from two_tower_assets.experiments.readout.figures import ArmFigures
from two_tower_assets.experiments.readout.metrics import OF_LISTS, OF_USERS, moments
from two_tower_assets.experiments.readout.plan import Plan, PlannedArm
from two_tower_assets.experiments.readout.rows import Entry, Shown
from two_tower_assets.experiments.readout.users import Sums, Users


def figures_of(arm: PlannedArm, entries: Sequence[Entry], counted: int, metrics: dict[str, Interval]) -> ArmFigures:
    """Count an arm's users, lists and places."""
    own = [entry for entry in entries if entry.arm == arm.name]
    return ArmFigures(
        arm=arm.name,
        share=arm.share,
        entered=sum(entry.users for entry in own),
        counted=counted,
        lists=sum(entry.lists for entry in own),
        places=sum(entry.places for entry in own),
        metrics=metrics,
    )


def of_users(plan: Plan, arm: PlannedArm, users: Users) -> dict[str, Interval]:
    """Mean and bounds in each metric of users that can be said."""
    looks = users.looks()
    sums = Sums.of(users.of(arm.name), looks)
    found = {
        metric: mean_interval(moments(metric, sums, sums), plan.planned_users * arm.share, plan.confidence)
        for metric in OF_USERS
    }
    return {metric: each for metric, each in found.items() if each is not None}


def of_lists(arm: PlannedArm, shown: Shown | None) -> dict[str, Interval]:
    """Mean over groups of users in each metric of lists; nothing without groups."""
    values = {metric: getattr(shown, metric)[arm.name] for metric in OF_LISTS} if shown else {}
    return {metric: Interval.point(float(each.mean())) for metric, each in values.items() if len(each)}


def of_credits(plan: Plan, users: Numbers, likes: Numbers) -> dict[str, Interval]:
    """LIKEs that users gave to one ranking's picks: rows of `users` who gave `likes` each."""
    count, total = users.sum(keepdims=True), (users * likes).sum(keepdims=True)
    none = np.zeros(1)
    sums = Moments(count, total, none, (users * likes**2).sum(keepdims=True), none, none)
    found = mean_interval(sums, plan.planned_users, plan.confidence)
    return {} if found is None else {"likes_per_user": found}
