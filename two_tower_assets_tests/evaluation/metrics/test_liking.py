from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.liking import auc, nope_rate_at, purity_at

NAN = pytest.approx(math.nan, nan_ok=True)
NOBODY = np.empty(0, dtype=np.int64)

LIKES = Hits(np.array([0, 0, 1]), np.array([0, 1, 7]), 3)
NOPES = Hits(np.array([0, 2, 2]), np.array([3, 2, -1]), 3)

Scored = list[tuple[int, int, bool]]
"""User, score, whether liked; few scores, so that ties are common."""
SCORED = st.lists(st.tuples(st.integers(0, 3), st.integers(-3, 3), st.booleans()), max_size=40)


def auc_of(scored: Scored, *, sign: int = 1) -> NDArray[np.float64]:
    rows = [np.array([user for user, _, liked in scored if liked == kind], dtype=np.int64) for kind in (True, False)]
    scores = [np.array([sign * score for _, score, liked in scored if liked == kind]) for kind in (True, False)]
    return auc(rows[0], scores[0].astype(np.float32), rows[1], scores[1].astype(np.float32), 4)


def test_purity_is_pooled_over_all_hits() -> None:
    """The first five places hit 2 LIKEs and 1 NOPE of user 0, 1 NOPE of user 2, nothing of user 1: 2 of 4."""
    liked_U, hit_U = purity_at(LIKES, NOPES, 5)
    assert (liked_U.tolist(), hit_U.tolist()) == ([2, 0, 0], [3, 0, 1])
    assert liked_U.sum() / hit_U.sum() == 0.5


def test_the_nope_rate_is_a_share_of_the_places_for_every_user() -> None:
    """One NOPE in four places for users 0 and 2; user 1 has no NOPE, and so none was shown."""
    assert nope_rate_at(NOPES, 4).tolist() == [0.25, 0, 0.25]
    assert nope_rate_at(NOPES, 3).tolist() == [0, 0, pytest.approx(1 / 3)]


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    """User 0: LIKEs 3 and 1 against NOPEs 2 and 1 win 2½ of 4 pairs; user 1 has no NOPE, user 2 no LIKE."""
    scored = [(0, 3, True), (0, 1, True), (0, 2, False), (0, 1, False), (1, 1, True), (2, 1, False)]
    assert auc_of(scored).tolist() == [2.5 / 4, NAN, NAN, NAN]


def test_scores_that_are_all_equal_say_nothing() -> None:
    """Every pair is a tie, so AUC is one half, however many there are of each kind."""
    assert auc_of([(1, 2, True)] * 3 + [(1, 2, False)] * 5)[1] == 0.5


def test_auc_needs_decisions() -> None:
    """Without any, every user is NaN; a NaN score is a mistake of the caller."""
    assert auc(NOBODY, np.empty(0), NOBODY, np.empty(0), 2).tolist() == [NAN, NAN]
    with pytest.raises(AssertionError):
        auc(np.array([0]), np.array([np.nan]), np.array([0]), np.array([1.0]), 1)


@given(SCORED)
def test_auc_equals_counting_every_pair(scored: Scored) -> None:
    """For each user, over all pairs of a LIKE and a NOPE: 1 for the right order, ½ for a tie."""
    for user, value in enumerate(auc_of(scored)):
        liked = [score for who, score, liked in scored if who == user and liked]
        noped = [score for who, score, liked in scored if who == user and not liked]
        pairs = [(like > nope) + (like == nope) / 2 for like in liked for nope in noped]
        assert value == (pytest.approx(sum(pairs) / len(pairs)) if pairs else NAN)


@given(SCORED)
def test_negated_scores_turn_auc_around(scored: Scored) -> None:
    """AUC of −score is 1 − AUC of score."""
    np.testing.assert_allclose(auc_of(scored, sign=-1), 1 - auc_of(scored), atol=1e-12)
