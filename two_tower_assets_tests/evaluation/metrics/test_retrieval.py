from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.retrieval import hit_rate_at, ndcg_at, recall_at, reciprocal_rank
from two_tower_assets_tests.evaluation.metrics.lists import Lists, hits_in, lists

# of 4, 1, 2 and 0 relevant videos: at ranks 1 and 3; at rank 4; none found; nothing to find
HITS = Hits(np.array([0, 0, 0, 0, 1, 2, 2]), np.array([2, 0, -1, -1, 3, -1, -1]), 4)
NAN = pytest.approx(math.nan, nan_ok=True)

METRICS = [
    lambda hits: recall_at(hits, 3),
    lambda hits: ndcg_at(hits, 3),
    lambda hits: hit_rate_at(hits, 3),
    reciprocal_rank,
]


def test_recall_is_the_share_of_relevant_videos_found() -> None:
    """In the first three 2 of 4, 0 of 1 and 0 of 2; in the first four also the sole one of user 1."""
    assert recall_at(HITS, 3).tolist() == [0.5, 0.0, 0.0, NAN]
    assert recall_at(HITS, 4).tolist() == [0.5, 1.0, 0.0, NAN]


def test_ndcg_discounts_by_the_logarithm_of_the_rank() -> None:
    """Hits at ranks 1 and 3 of 4 relevant: (1 + 1/2) / (1 + 1/log₂3 + 1/2); a sole hit at rank 4: 1/log₂5."""
    ideal = 1 + 1 / math.log2(3) + 0.5
    assert ndcg_at(HITS, 3).tolist() == [pytest.approx(1.5 / ideal), 0, 0, NAN]
    assert ndcg_at(HITS, 4)[1] == pytest.approx(1 / math.log2(5))


def test_a_perfect_list_has_ndcg_one_even_when_shorter_than_k() -> None:
    """All relevant first gives 1, where lists end before k and where k ends before the relevant videos."""
    assert ndcg_at(Hits(np.array([0, 0]), np.array([0, 1]), 1), 10).tolist() == pytest.approx([1.0])
    assert ndcg_at(Hits(np.zeros(5, dtype=np.int64), np.array([1, 0, -1, -1, -1]), 1), 2).tolist() == [1.0]


def test_the_hit_rate_asks_for_any_relevant_video() -> None:
    """User 0 has two in the first three, user 1 none until the fourth place, user 2 none at all."""
    assert hit_rate_at(HITS, 3).tolist() == [1.0, 0.0, 0.0, NAN]
    assert hit_rate_at(HITS, 4).tolist() == [1.0, 1.0, 0.0, NAN]


def test_the_reciprocal_rank_is_that_of_the_first_relevant_video() -> None:
    """Ranks 1 and 4, one list without a hit, one user with nothing to find."""
    assert reciprocal_rank(HITS).tolist() == [1.0, 0.25, 0.0, NAN]


def test_without_users_there_is_nothing() -> None:
    """An empty group gives empty arrays, not an error."""
    nobody = Hits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 0)
    assert [len(metric(nobody)) for metric in METRICS] == [0, 0, 0, 0]


@given(lists(), st.integers(1, 12))
def test_recall_and_hit_rate_never_fall_as_lists_grow(drawn: Lists, k: int) -> None:
    """One more place can only find more."""
    for metric in (recall_at, hit_rate_at):
        shorter, longer = metric(drawn.hits, k), metric(drawn.hits, k + 1)
        assert ((shorter <= longer) | np.isnan(longer)).all()


@given(lists(), st.integers(1, 12))
def test_every_figure_lies_between_0_and_1_for_exactly_the_users_with_targets(drawn: Lists, k: int) -> None:
    """Users without a relevant video are NaN, all others a share."""
    asked = np.array([len(videos) > 0 for videos in drawn.relevant])
    for value in (recall_at(drawn.hits, k), ndcg_at(drawn.hits, k), reciprocal_rank(drawn.hits)):
        assert (np.isnan(value) == ~asked).all()
        assert ((value[asked] >= 0) & (value[asked] <= 1 + 1e-12)).all()


@given(lists(), st.randoms(use_true_random=False))
def test_a_user_s_figures_do_not_depend_on_who_else_is_there(drawn: Lists, random: Random) -> None:
    """Permuting the users permutes the figures."""
    order = list(range(len(drawn.relevant)))
    random.shuffle(order)
    permuted = hits_in(drawn.top_UK[order], [drawn.relevant[user] for user in order])
    for metric in METRICS:
        np.testing.assert_array_equal(metric(permuted), metric(drawn.hits)[order])
