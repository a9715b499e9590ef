"""An arm beside the control, at each day's end: the lift, its always-valid bounds, and what could be seen.

Letters: D looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.interleaving import preference_of
from two_tower_assets.experiments.lift import Lift, lift, variance_share
from two_tower_assets.experiments.moments import Moments, Numbers
from two_tower_assets.experiments.power import POWER, detectable
from two_tower_assets.experiments.readout.figures import Comparison, Look
from two_tower_assets.experiments.readout.metrics import DEEDS, OF_LISTS, OF_USERS, PREFERENCE, moments
from two_tower_assets.experiments.readout.plan import Plan, PlannedArm
from two_tower_assets.experiments.readout.rows import Credits, Shown
from two_tower_assets.experiments.readout.users import FIGURES, Sums, Users, day_of
from two_tower_assets.experiments.sequences import margin

Days = NDArray[np.datetime64]

FEWEST_ACTIVE: Final = 30
"""Users who did anything at all, in both arms: bounds of fewer are not to be trusted."""
_FEWEST_GROUPS: Final = 2
_NO_VARIANCE: Final = 1e-15
"""What is below is rounding where all users are alike."""


def compare_users(plan: Plan, users: Users) -> list[Comparison]:
    """Compare every arm with the control, in every metric of users."""
    looks = users.looks()
    control = Sums.of(users.of(plan.control.name), looks)
    return [
        _compared(plan, arm, metric, (control, Sums.of(users.of(arm.name), looks)), looks)
        for arm in plan.arms[1:]
        for metric in OF_USERS
    ]


def compare_credits(plan: Plan, given: Credits) -> Comparison:
    """Compare an interleaving's arm with its control: both were shown to everybody."""
    looks = np.arange(given.day.min(), given.day.max() + 1) if len(given.day) else given.day
    place = (given.day - looks[0]).astype(int) if len(looks) else np.zeros(0, int)

    def running(each_C: Numbers) -> Numbers:
        return np.cumsum(np.bincount(place, given.users * each_C, minlength=len(looks)))

    difference = given.arm - given.control
    one, none = np.ones_like(difference), np.zeros(len(looks))
    sums = Moments(running(one), running(difference), none, running(difference**2), none, none)
    active = running((given.arm + given.control > 0).astype(np.float64))
    control = running(given.control)[-1] / sums.users[-1] if len(looks) else None
    found = _Found(preference_of(sums), active, looks, control)
    return _comparison(plan, plan.arms[1], PREFERENCE, found)


def compare_shown(plan: Plan, shown: Shown) -> list[Comparison]:
    """Compare what groups of users were shown; nothing where an arm has fewer than two groups.

    The width is that of an always-valid bound over the users in the groups, at this look alone: groups of more users
    cover more, so that looks are not of one thing.
    """
    found = []
    for arm in plan.arms[1:]:
        for metric in OF_LISTS:
            values = getattr(shown, metric)
            control, own = values[plan.control.name], values[arm.name]
            if min(len(control), len(own)) < _FEWEST_GROUPS:
                continue
            users = float((len(control) + len(own)) * shown.group_size)
            variance = own.var(ddof=1) / len(own) + control.var(ddof=1) / len(control)
            one = Lift(*(np.array([each]) for each in (own.mean() - control.mean(), variance, users)))
            measured = _Found(one, one.users, None, control=float(control.mean()))
            found.append(_comparison(plan, arm, metric, measured))
    return found


def mean_interval(one: Moments, planned_users: float, confidence: float) -> Interval | None:
    """An arm's own figure at the last look, with bounds that hold at all looks."""
    if not one.users.size or not one.users[-1]:
        return None
    variance = np.where(one.variance > _NO_VARIANCE, one.variance, np.nan)
    width = np.sqrt(variance) * margin(one.users, planned_users, 1 - confidence)
    return interval(float(one.mean[-1]), float(one.mean[-1] - width[-1]), float(one.mean[-1] + width[-1]))


def interval(mean: float, low: float, high: float) -> Interval | None:
    """None where there is no figure, no ends where they are infinite or unknown."""
    if not math.isfinite(mean):
        return None
    known = math.isfinite(low) and math.isfinite(high)
    return Interval(mean=mean, low=low if known else None, high=high if known else None)


@dataclass(frozen=True)
class _Found:
    """What is known at each look."""

    lift: Lift
    active: Numbers
    """[D] users who did anything that counts."""
    looks: Days | None
    """[D]; None where there is but one, now."""
    control: float | None = None
    """The control's figure now."""
    variance_left: float = math.nan


def _compared(plan: Plan, arm: PlannedArm, metric: str, sides: tuple[Sums, Sums], looks: Days) -> Comparison:
    both = sides[0] + sides[1]
    control, own = (moments(metric, side, both) for side in sides)
    active = both.active[:, FIGURES.index(DEEDS[metric])]
    found = lift(control, own)
    if not len(looks):
        return _comparison(plan, arm, metric, _Found(found, active, looks))
    with np.errstate(invalid="ignore", divide="ignore"):
        left = float(variance_share(control, own)[-1])
    return _comparison(plan, arm, metric, _Found(found, active, looks, float(control.mean[-1]), left))


def _comparison(plan: Plan, arm: PlannedArm, metric: str, found: _Found) -> Comparison:
    planned, confidence = plan.planned_of(arm), plan.confidence
    sure = (found.active >= FEWEST_ACTIVE) & (found.lift.variance > _NO_VARIANCE)
    lift = replace(found.lift, variance=np.where(sure, found.lift.variance, np.nan))
    low, high = lift.always_valid(planned, confidence)
    each = [interval(*map(float, ends)) for ends in zip(lift.difference, low, high, strict=True)]
    difference = each[-1] if each else None
    users = float(lift.users[-1]) if each else 0.0
    now, then = _detectable(lift, planned, confidence) if difference and difference.low is not None else (None, None)
    looks = zip(found.looks, lift.users, each, strict=True) if found.looks is not None else ()
    return Comparison(
        arm=arm.name,
        metric=metric,
        users=int(users),
        planned=planned,
        active=int(found.active[-1]) if each else 0,
        confidence=confidence,
        difference=difference,
        relative=_relative(difference, found.control),
        variance_left=found.variance_left if math.isfinite(found.variance_left) else None,
        detectable_now=now,
        detectable_planned=then,
        looks=tuple(Look(day=day_of(day), users=int(count), difference=one) for day, count, one in looks),
    )


def _relative(difference: Interval | None, control: float | None) -> Interval | None:
    """As a share of the control's figure, which is taken as it is: so both say the same of 0."""
    if difference is None or not control or not math.isfinite(control):
        return None
    ends = (None if end is None else end / control for end in (difference.low, difference.high))
    return Interval(mean=difference.mean / control, **dict(zip(("low", "high"), ends, strict=True)))


def _detectable(lift: Lift, planned: float, confidence: float) -> tuple[float, float]:
    """Smallest true difference seen with a chance of `POWER`: by the users there are, and by those planned."""
    users, error = float(lift.users[-1]), math.sqrt(float(lift.variance[-1]))
    alpha = 1 - confidence
    width = error * math.sqrt(users) * float(margin(np.asarray(users), planned, alpha))
    now = width + NormalDist().inv_cdf(POWER) * error
    # The deviation of a user as if the arms were of equal size.
    return now, detectable(max(planned, users), error * math.sqrt(users) / 2, confidence=confidence)
