"""The value of a ranking that nobody has seen."""

from __future__ import annotations

import numpy as np
import pytest

from two_tower_assets.experiments.off_policy import (
    Foretold,
    Showings,
    as_seen,
    doubly_robust,
    inverse_propensity,
    self_normalised,
)

REWARD = np.array([1.0, 0.0, 1.0, 0.0])
SHOWN = np.array([0.5, 0.5, 0.25, 0.25])
WANTED = np.array([0.25, 0.75, 0.5, 0.0])
FOUR = np.arange(4)


def test_estimates_by_hand() -> None:
    """Weights ½, 1½, 2 and 0: 2½ weighted LIKEs of four showings, or of four weights."""
    seen = Showings(REWARD, SHOWN, WANTED, FOUR)
    assert inverse_propensity(seen).mean == pytest.approx(2.5 / 4)
    assert self_normalised(seen).mean == pytest.approx(2.5 / 4.0)
    assert seen.effective == pytest.approx(4.0**2 / 6.5)
    foretold = Foretold(np.array([0.5, 0.5, 1.0, np.nan]), np.full(4, 0.5))
    corrections = np.array([0.5 * 0.5, -1.5 * 0.5, 0.0, 0.0])
    assert doubly_robust(seen, foretold).mean == pytest.approx(0.5 + corrections.mean())


def test_the_same_ranking_is_worth_what_it_earned() -> None:
    """Weights are 1: the mean reward with its standard error, by all three."""
    seen = Showings(REWARD, SHOWN, SHOWN, FOUR)
    nothing = Foretold(np.zeros(4), np.zeros(4))
    for value in (inverse_propensity(seen), self_normalised(seen), doubly_robust(seen, nothing)):
        assert (value.mean, value.error) == pytest.approx((0.5, REWARD.std(ddof=1) / 2))
    low, high = inverse_propensity(seen).interval(0.9)
    assert (low + high) / 2 == pytest.approx(0.5)


def test_a_user_counts_once_however_many_showings_it_has() -> None:
    """Two users with two showings each have the error of two means, by hand; and of the difference of two values."""
    seen = Showings(np.array([1.0, 1.0, 0.0, 1.0]), np.ones(4), np.ones(4), np.array([0, 0, 1, 1]))
    value = inverse_propensity(seen)
    assert (value.mean, value.error) == pytest.approx((0.75, np.std([1.0, 0.5], ddof=1) / np.sqrt(2)))
    nothing = value.minus(self_normalised(seen))
    assert (nothing.mean, nothing.error) == (0.0, 0.0)


def test_a_prediction_is_brought_to_what_was_seen() -> None:
    """It foretells twice what came of the three that it knows: half of it is left, of the candidate as well."""
    seen = Showings(REWARD, SHOWN, WANTED, FOUR)
    scaled = as_seen(seen, Foretold(np.array([2.0, 1.0, 1.0, np.nan]), np.array([1.0, 0.5, 0.0, 3.0])))
    np.testing.assert_allclose(scaled.shown, [1.0, 0.5, 0.5, np.nan])
    np.testing.assert_allclose(scaled.candidate, [0.5, 0.25, 0.0, 1.5])


def test_self_normalised_stays_within_the_rewards() -> None:
    """However large the weights, which IPS leaves 0…1 with."""
    seen = Showings(np.ones(3), np.full(3, 0.01), np.array([1.0, 0.5, 0.7]), np.arange(3))
    assert self_normalised(seen).mean == pytest.approx(1.0)
    assert inverse_propensity(seen).mean > 50


@pytest.mark.parametrize(
    ("shown", "wanted"), [([0.0], [0.5]), ([1.5], [0.5]), ([0.5], [-0.1]), ([np.nan], [0.5]), ([0.5, 0.5], [0.5])]
)
def test_chances_that_are_none_are_refused(shown: list[float], wanted: list[float]) -> None:
    """What had no chance cannot have been shown."""
    with pytest.raises(ValueError, match=r"chance|lengths"):
        Showings(np.array([1.0]), np.array(shown), np.array(wanted), np.arange(1))
