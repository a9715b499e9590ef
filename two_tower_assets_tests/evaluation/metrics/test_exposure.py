from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.metrics.exposure import (
    coverage_at,
    exposures_at,
    gini_of_exposure,
    listed_mean,
    novelty,
    popularity_lift,
)
from two_tower_assets_tests.evaluation.metrics.lists import Lists, lists

NAN = pytest.approx(math.nan, nan_ok=True)
TOP = np.array([[0, 1, 7], [1, 3, 8], [3, -1, -1], [-1, -1, -1]])
NOTHING = np.empty((0, 3), dtype=np.int64)


def test_coverage_counts_each_shown_candidate_once_and_no_padding() -> None:
    """Candidates 0, 1, 3 of ten are shown in the first two places."""
    assert coverage_at(TOP, 10, 2) == pytest.approx(0.3)
    assert coverage_at(NOTHING, 10, 2) == 0
    assert coverage_at(NOTHING, 0, 2) == NAN


def test_exposures_count_lists() -> None:
    """Candidates 1 and 3 stand in two lists, 0 in one."""
    assert exposures_at(TOP, 5, 2).tolist() == [1, 2, 0, 2, 0]


def test_gini_counts_candidates_that_are_never_shown() -> None:
    """Exposures 0, 0, 1, 2, 2 of five: (−4·0 − 2·0 + 0·1 + 2·2 + 4·2) / (5 · 5)."""
    assert gini_of_exposure(TOP, 5, 2) == pytest.approx(12 / 25)


def test_gini_is_0_when_all_share_and_nears_1_when_one_takes_all() -> None:
    """Four videos shown once each; one of four shown to everybody: 1 − 1/4; nothing shown: unknown."""
    assert gini_of_exposure(np.array([[0, 1], [2, 3]]), 4, 2) == 0
    assert gini_of_exposure(np.array([[2], [2], [2]]), 4, 1) == 0.75
    assert gini_of_exposure(np.array([[2], [2]]), 10_000, 1) == pytest.approx(1, abs=2e-4)
    assert gini_of_exposure(NOTHING, 4, 1) == NAN


def test_novelty_is_the_mean_self_information_in_bits() -> None:
    """Videos known with probability ½, ¼ and ⅛ are 1, 2 and 3 bits new; an empty list is unknown."""
    probability = np.array([1 / 2, 1 / 4, 1, 1 / 8])
    assert novelty(np.array([[0, 1, 2], [3, -1, -1], [-1, -1, -1]]), probability, 2).tolist() == [1.5, 3, NAN]
    with pytest.raises(AssertionError):
        novelty(np.array([[0]]), np.array([0.0]), 1)


def test_popularity_lift_compares_what_is_shown_with_what_was_liked() -> None:
    """Shown 0.6 and 0.3 on average, liked 0.4 and 0.2: 0.45 / 0.3 − 1, the third user having liked nothing."""
    popularity = np.array([0.8, 0.4, 0.3, 0.1])
    top = np.array([[0, 1, 3], [2, -1, -1], [0, 1, 2], [-1, -1, -1]])
    assert listed_mean(top, popularity, 2).tolist() == [pytest.approx(0.6), 0.3, pytest.approx(0.6), NAN]
    assert popularity_lift(top, popularity, np.array([0.4, 0.2, np.nan, 0.9]), 2) == pytest.approx(0.5)


def test_popularity_lift_is_unknown_without_anything_to_compare_with() -> None:
    """Nobody liked anything, or only videos that nobody else knows."""
    assert popularity_lift(TOP, np.ones(10), np.full(4, np.nan), 2) == NAN
    assert popularity_lift(TOP, np.ones(10), np.zeros(4), 2) == NAN


@given(lists(), st.integers(1, 12))
def test_gini_is_half_the_relative_mean_difference_and_within_its_bounds(drawn: Lists, k: int) -> None:
    """Σ |eᵢ − eⱼ| over all pairs, divided by 2 C Σ e; between 0 and 1 − 1/C."""
    exposure = exposures_at(drawn.top_UK, drawn.candidates, k).astype(float)
    gini = gini_of_exposure(drawn.top_UK, drawn.candidates, k)
    if exposure.sum() == 0:
        assert math.isnan(gini)
        return
    differences = np.abs(exposure[:, None] - exposure[None, :]).sum()
    assert gini == pytest.approx(differences / (2 * drawn.candidates * exposure.sum()))
    assert -1e-12 <= gini <= 1 - 1 / drawn.candidates + 1e-12


@given(lists(), st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_order_of_users_and_the_names_of_candidates_do_not_matter(drawn: Lists, k: int, random: Random) -> None:
    """Coverage and Gini are those of the multiset of lists."""
    order, names = list(range(len(drawn.top_UK))), list(range(drawn.candidates))
    random.shuffle(order)
    random.shuffle(names)
    renamed = np.array([*names, -1])[drawn.top_UK[order]]
    for metric in (coverage_at, gini_of_exposure):
        np.testing.assert_equal(metric(renamed, drawn.candidates, k), metric(drawn.top_UK, drawn.candidates, k))


@given(lists(), st.integers(1, 12))
def test_showing_what_is_liked_as_often_lifts_nothing(drawn: Lists, k: int) -> None:
    """Where each user's LIKEs are as popular as their list, the lift is 0."""
    popularity = np.linspace(0.1, 1, drawn.candidates)
    shown = listed_mean(drawn.top_UK, popularity, k)
    lift = popularity_lift(drawn.top_UK, popularity, shown, k)
    assert lift == (0 if np.isfinite(shown).any() else NAN)
