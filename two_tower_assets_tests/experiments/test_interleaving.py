"""Two rankings as one list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.experiments.interleaving import preference, team_draft

RANKINGS = st.lists(st.integers(0, 15), unique=True, max_size=12)


def coins(*heads: bool) -> object:
    """Coins that fall as told."""
    return iter(heads).__next__


def test_rounds_by_hand() -> None:
    """The arm begins the first round and the control the second; what is picked already is passed over."""
    shown = team_draft("abcd", "bcxy", 4, coins(True, False))
    assert [(place.video, place.team) for place in shown] == [
        ("b", "arm"),
        ("a", "control"),
        ("c", "control"),
        ("x", "arm"),
    ]


@given(RANKINGS, RANKINGS, st.integers(0, 12), st.randoms(use_true_random=False))
def test_what_every_list_holds(control: list[int], arm: list[int], length: int, random: object) -> None:
    """No video twice, as many as asked while there are any, and never two more of one team while both have some."""
    shown = team_draft(control, arm, length, lambda: random.random() < 0.5)
    videos = [place.video for place in shown]
    assert len(videos) == len(set(videos)) == min(length, len({*control, *arm}))
    for place in shown:
        assert place.video in (arm if place.team == "arm" else control)
    teams = [place.team for place in shown]
    if len(set(control) - set(arm)) >= length and len(set(arm) - set(control)) >= length:
        assert abs(teams.count("arm") - teams.count("control")) <= 1


@given(RANKINGS, st.integers(1, 12), st.randoms(use_true_random=False))
def test_one_ranking_against_itself_is_itself(ranking: list[int], length: int, random: object) -> None:
    """Whoever picks, the best that is left is the same."""
    shown = team_draft(ranking, ranking, length, lambda: random.random() < 0.5)
    assert [place.video for place in shown] == ranking[:length]


def test_preference_by_hand() -> None:
    """Differences 1, 0 and 2: mean 1, variance 1 of three."""
    found = preference(np.array([1.0, 2.0, 0.0]), np.array([2.0, 2.0, 2.0]))
    assert (float(found.difference), float(found.users)) == (1.0, 3.0)
    assert float(found.variance) == pytest.approx(1 / 3)


def test_one_user_prefers_nothing_for_sure() -> None:
    """No variance is known."""
    assert np.isnan(preference(np.array([0.0]), np.array([1.0])).variance)
