"""What the simulation says of the readout, with fewer experiments than the command has."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from two_tower_assets.experiments.lift import variance_share
from two_tower_assets.experiments.simulation.logged import logged_lists
from two_tower_assets.experiments.simulation.made import made_lists
from two_tower_assets.experiments.simulation.rankers import two_rankings
from two_tower_assets.experiments.simulation.real_users import real_users
from two_tower_assets.experiments.simulation.two_arms import false_alarms, two_arms
from two_tower_assets.experiments.simulation.worlds import LikesWorld
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.tables import SourceTables


def test_the_worlds_truth_is_what_it_says() -> None:
    """Mean, effect, correlation and deviation of drawn people are those that the world promises."""
    world = LikesWorld(days=4, users_a_day=20_000, effect=0.2)
    control, arm = world.run(1, np.random.default_rng(0))
    control, arm = control.running().at(-1), arm.running().at(-1)
    assert float(control.mean[0]) == pytest.approx(world.after, rel=0.03)
    assert float(arm.mean[0] / control.mean[0]) == pytest.approx(1.2, rel=0.04)
    correlation = control.covariance / np.sqrt(control.variance * control.variance_before)
    assert float(correlation[0]) == pytest.approx(world.correlation, abs=0.01)
    whole = (control.variance + arm.variance) / 2
    left = float((variance_share(control, arm) * whole)[0])
    assert np.sqrt(left) == pytest.approx(world.deviation, rel=0.03)


@pytest.mark.timeout(120)
def test_every_promise_holds() -> None:
    """False alarms, power, CUPED, the alarm over sizes, interleaving and lists never shown."""
    told = [*two_arms(1000, None), *two_rankings(250), *logged_lists(200)]
    assert len(told) == 18
    assert [answer.question for answer in told if not answer.held] == []


@pytest.mark.timeout(120)
def test_lists_made_anew_are_worth_what_they_would_have_earned() -> None:
    """By place and by list, each estimate has the truth within its interval as often as it says."""
    told = list(made_lists(1000))
    assert len(told) == 6
    assert [answer.question for answer in told if not answer.held] == []


def test_real_users_are_halved_by_their_own_time() -> None:
    """Of four decisions the later two are the outcome; a single decision has no past."""
    decisions = pl.DataFrame(
        {
            "user_id": ["a", "a", "a", "a", "b", "c", "c"],
            "video_id": ["1", "2", "3", "4", "1", "1", "2"],
            "decision_type": ["like", "nope", "swipe_like", "like", "like", "like", "like"],
            "created_at": pl.Series([1, 2, 3, 4, 1, 1, 2]).cast(pl.Datetime("us", "UTC")),
        }
    )
    users = real_users(SourceTables(videos=pl.DataFrame(), profiles=pl.DataFrame(), decisions=decisions))
    assert users.outcome_U.tolist() == [2.0, 1.0, 1.0]
    assert users.before_U.tolist() == [1.0, 1.0, 1.0]


def test_real_users_raise_no_false_alarms() -> None:
    """ml-100k's users, dealt into two equal arms."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if root is None:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    users = real_users(read_folder(Path(root) / "ml-100k"))
    told = list(false_alarms(users, "real people", experiments=2000))
    assert [answer.question for answer in told if not answer.held] == []
