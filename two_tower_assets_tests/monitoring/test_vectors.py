"""Vectors of releases: sound ones, broken ones, collapsed ones, and neighbourhoods that changed."""

from __future__ import annotations

import numpy as np
import pytest

from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.simulation.vectors import simulated_releases
from two_tower_assets.monitoring.vectors import effective_dimension, examine, neighbour_churn, sample
from two_tower_assets_tests.monitoring.observing import SETTINGS

TURNED = np.array([[1, 0], [0.8, 0.6], [0, 1], [-0.6, 0.8]], np.float32)


def test_directions_in_use_by_hand() -> None:
    """One when all point one way, both when as many point along each, 2² / 2 = 2."""
    assert effective_dimension(np.array([[1, 0], [1, 0]], np.float32)) == pytest.approx(1)
    assert effective_dimension(np.eye(2, dtype=np.float32)) == pytest.approx(2)


def test_churn_by_hand() -> None:
    """Turned all alike nobody has other neighbours; the last one put beside the first has, and so has the first."""
    every = np.arange(4)
    assert neighbour_churn(TURNED, TURNED @ np.array([[0, 1], [-1, 0]], np.float32), every, 1).tolist() == [0] * 4
    moved = TURNED.copy()
    moved[3] = (0.99, -0.14)
    assert neighbour_churn(TURNED, moved, every, 1)[[0, 3]].tolist() == [1, 1]


def test_the_same_videos_are_sampled_for_as_long_as_they_are_there() -> None:
    """A video that comes along may take a place, and moves no other."""
    ids = np.array([f"video {number}" for number in range(100)])
    before = set(ids[sample(ids, 20)])
    more = np.append(ids, "video 100")
    assert len(before & set(more[sample(more, 20)])) >= 19


def test_a_release_that_goes_on_is_sound_and_one_that_collapsed_is_not(observed: Observed) -> None:
    """Noise of another training changes some neighbours; one direction for all is named a collapse."""
    before, again, collapsed = simulated_releases(observed, 0)
    sound = examine(again, before, SETTINGS)
    assert not sound.problems
    assert sound.churn is not None
    assert 0 < sound.churn.mean < 0.9
    assert "collapsed" in " ".join(examine(collapsed, before, SETTINGS).problems)


def test_neighbours_that_are_all_new_are_no_better_than_chance(observed: Observed) -> None:
    """A release whose vectors belong to other videos has lost what the one before knew."""
    before, _, _ = simulated_releases(observed, 0)
    shuffled = np.random.default_rng(0).permutation(list(before))
    mixed = {video: before[other] for video, other in zip(before, shuffled, strict=True)}
    assert "nothing in common" in " ".join(examine(mixed, before, SETTINGS).problems)


@pytest.mark.parametrize("odd", [0.0, np.nan, np.inf, 2.0])
def test_a_vector_that_is_not_of_length_one_is_told(observed: Observed, odd: float) -> None:
    """Zeros, no numbers, infinite or too long ones."""
    before, again, _ = simulated_releases(observed, 0)
    first = next(iter(again))
    broken = {**again, first: np.full(256, odd, np.float32)}
    assert "1 vectors are not of length 1" in examine(broken, before, SETTINGS).problems


def test_nothing_to_compare_with_is_said(observed: Observed) -> None:
    """A first release, one without videos, and one of other videos."""
    before, _, _ = simulated_releases(observed, 0)
    alone = examine(before, None, SETTINGS)
    assert alone.churn is None
    assert not alone.problems
    assert examine({}, before, SETTINGS).reason == "The release has no video vector"
    others = {f"other {video}": vector for video, vector in before.items()}
    assert "Too few videos" in (examine(others, before, SETTINGS).reason or "")
