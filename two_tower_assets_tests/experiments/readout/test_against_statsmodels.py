"""The arithmetic of a readout beside statsmodels', which knows nothing of it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import statsmodels.api as sm

from two_tower_assets.experiments.lift import Lift, lift
from two_tower_assets.experiments.readout.metrics import moments
from two_tower_assets.experiments.readout.plan import Plan, PlannedArm
from two_tower_assets.experiments.readout.users import FIGURES, Sums, Users

DAYS = np.array(["2026-10-01", "2026-10-02"], "datetime64[D]")


def world(seed: int, users: int = 3000, effect: float = 0.1) -> tuple[np.ndarray, Users]:
    """Whether each user is in the arm, and what they did; who does more likes more of it, too."""
    random = np.random.default_rng(seed)
    in_arm, rate = random.random(users) < 0.4, random.gamma(1.0, 1.0, users)
    taste = np.clip(0.3 + 0.15 * rate + random.normal(0, 0.1, users), 0.02, 0.98)
    decisions, before = random.poisson(5 * rate), random.poisson(9 * rate)
    likes = random.binomial(decisions, np.clip(taste * (1 + effect * in_arm), 0, 1))
    columns = (likes, decisions, random.binomial(before, taste), before)
    names = np.where(in_arm, "candidate", "control")
    return in_arm, Users(names, random.choice(DAYS, users), np.ones(users), *(each.astype(float) for each in columns))


def found(users: Users, metric: str) -> Lift:
    """The lift at the last look."""
    control, arm = (Sums.of(users.of(name), DAYS) for name in ("control", "candidate"))
    return lift(*(moments(metric, side, control + arm).at(-1) for side in (control, arm)))


@pytest.mark.parametrize("metric", ["likes_per_user", "decisions_per_user"])
def test_cuped_is_the_analysis_of_covariance(metric: str) -> None:
    """Least squares of the outcome on the arm and the past, with errors of unequal variance (HC2)."""
    in_arm, users = world(1)
    outcome, past = (getattr(users, metric.replace("_per_user", end)) for end in ("", "_before"))
    design = np.column_stack([np.ones(len(outcome)), in_arm, past - past.mean()])
    fit = sm.OLS(outcome, design).fit(cov_type="HC2")
    ours = found(users, metric)
    assert float(ours.difference) == pytest.approx(fit.params[1], abs=0.02 * fit.bse[1])
    assert float(np.sqrt(ours.variance)) == pytest.approx(fit.bse[1], rel=0.01)


def test_the_like_rate_is_as_uncertain_as_users_and_not_decisions_are() -> None:
    """A regression over single decisions with errors clustered by user, without CUPED."""
    in_arm, users = world(2)
    flat = Users(users.arm, users.day, users.users, users.likes, users.decisions, *np.zeros((2, len(in_arm))))
    user = np.repeat(np.arange(len(in_arm)), users.decisions.astype(int))
    liked = np.concatenate(
        [np.arange(total) < likes for likes, total in zip(users.likes, users.decisions.astype(int), strict=True)]
    ).astype(float)
    design = np.column_stack([np.ones(len(user)), in_arm[user]])
    fit = sm.OLS(liked, design).fit(cov_type="cluster", cov_kwds={"groups": user})
    ours = found(flat, "like_rate")
    assert float(ours.difference) == pytest.approx(fit.params[1])
    assert float(np.sqrt(ours.variance)) == pytest.approx(fit.bse[1], rel=0.01)
    naive = sm.OLS(liked, design).fit().bse[1]
    assert float(np.sqrt(ours.variance)) > 1.2 * naive


def test_a_past_like_rate_takes_noise_off() -> None:
    """The linearised rate before is an honest covariate: the lift moves within its error, and the error shrinks."""
    in_arm, users = world(3)
    flat = Users(users.arm, users.day, users.users, users.likes, users.decisions, *np.zeros((2, len(in_arm))))
    plain, adjusted = found(flat, "like_rate"), found(users, "like_rate")
    assert float(adjusted.variance) < float(plain.variance)
    assert abs(float(adjusted.difference - plain.difference)) < 2 * float(np.sqrt(plain.variance))


@pytest.mark.parametrize("metric", ["likes_per_user", "decisions_per_user", "like_rate"])
def test_equal_arms_are_called_different_as_often_as_promised(metric: str) -> None:
    """1,000 worlds without an effect: the planned look's interval misses zero in 5 % ± 2 of them."""
    misses = 0
    for seed in range(1000):
        low, high = found(world(5000 + seed, users=400, effect=0.0)[1], metric).fixed()
        misses += not low <= 0 <= high
    assert 0.03 < misses / 1000 < 0.07


def test_rows_of_users_who_are_alike_are_the_users() -> None:
    """Users one by one, and the same counted where they are alike, have the same sums at every look."""
    _, users = world(4)
    keys = np.stack([users.day.astype(int), *(getattr(users, name) for name in FIGURES)], axis=1)
    alike, counts = np.unique(keys, axis=0, return_counts=True)
    rows = Users(
        np.full(len(alike), "all"),
        alike[:, 0].astype(int).astype("datetime64[D]"),
        counts.astype(float),
        *alike.T[1:],
    )
    one, other = Sums.of(users, DAYS), Sums.of(rows, DAYS)
    for name in ("users", "first", "second", "active"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))


def test_arms_and_their_planned_users() -> None:
    """Three arms of 2,000 users at 50, 30 and 20 %: 1,600 and 1,400 in two of them, each at 97.5 % confidence."""
    arms = (PlannedArm("control", 0.5), PlannedArm("a", 0.3), PlannedArm("b", 0.2))
    day = timedelta(days=1)
    plan = Plan("x", "arms", "running", "like_rate", (), day, day, 2000, arms, None, None)
    assert [plan.planned_of(arm) for arm in arms[1:]] == [1600, 1400]
    assert plan.confidence == pytest.approx(0.975)
