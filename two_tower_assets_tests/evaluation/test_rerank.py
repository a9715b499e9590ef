from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from two_tower_assets.evaluation.ranking import Ranking, reordered
from two_tower_assets.evaluation.rerank import price_terms, release_terms, rerank, strongest, terms_of
from two_tower_assets.evaluation.task import Pairs, RankingTask
from two_tower_assets.features.times import MICROSECONDS_A_DAY, MISSING_TIME, microseconds
from two_tower_assets.settings import RerankSettings

SETTINGS = RerankSettings()
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_recency_term_is_the_contracts() -> None:
    """Today 0.3, after 120 days 0.3 / e, tomorrow 0.1, without a date nothing."""
    now = microseconds(NOW)
    released = np.array([now, now - 120 * MICROSECONDS_A_DAY, now + MICROSECONDS_A_DAY, MISSING_TIME])
    assert release_terms(released, now, SETTINGS).tolist() == pytest.approx([0.3, 0.3 / math.e, 0.1, 0.0])


def test_the_price_term_is_the_contracts() -> None:
    """At most 0: 0.02; below 800: 0.03; above 4000: −0.05; between, and without a price: 0."""
    prices = np.array([-1.0, 0.0, 799.0, 800.0, 4000.0, 4001.0, np.nan])
    assert price_terms(prices, SETTINGS).tolist() == [0.02, 0.02, 0.03, 0, 0, -0.05, 0]


def lists() -> tuple[RankingTask, Ranking]:
    """One user, three candidates of similarities 0.9, 0.8, 0.7; the last is liked."""
    none = np.empty(0, dtype=np.int64)
    task = RankingTask(
        candidates=np.array([4, 5, 6], dtype=np.int32),
        users=np.array([0], dtype=np.int32),
        moment=np.array([0]),
        state_end=np.array([1]),
        has_history=np.array([True]),
        targets=Pairs(np.array([0]), np.array([2])),
        nopes=Pairs(none, none),
        left_out={},
    )
    similarity = np.array([[0.9, 0.8, 0.7]], dtype=np.float32)
    ranking = Ranking(
        np.array([[0, 1, 2]]), similarity, np.array([2]), none, similarity[0, 2:], np.empty(0, dtype=np.float32)
    )
    return task, ranking


@pytest.mark.parametrize(("strength", "order"), [(0.0, [0, 1, 2]), (0.3, [0, 2, 1]), (1.0, [2, 0, 1])])
def test_terms_count_by_their_strength(strength: float, order: list[int]) -> None:
    """0.75 · similarity is 0.675, 0.6, 0.525; the third has a term of 0.3 more than the others."""
    task, ranking = lists()
    found = rerank(ranking, task, np.array([0.0, 0.0, 0.3]), SETTINGS, strength=strength)
    assert found.top_UK.tolist() == [order]
    scores = [0.675, 0.6, 0.525 + 0.3 * strength]
    assert found.score_UK[0].tolist() == pytest.approx([scores[place] for place in order])
    assert found.target_rank_T.tolist() == [order.index(2)]


def test_the_largest_strength_that_costs_little_is_taken() -> None:
    """Without terms all of it; else as much as leaves the first in its place; none where no choice does."""
    task, ranking = lists()
    terms = np.array([0.0, 0.0, 0.3])

    def first_stays(found: Ranking) -> np.ndarray:
        return np.array([float(found.top_UK[0, 0] == 0)])

    assert strongest(ranking, task, np.zeros(3), SETTINGS, first_stays) == 1.0
    # 0.525 + 0.3 · strength overtakes 0.675 at 0.5.
    assert strongest(ranking, task, terms, SETTINGS, first_stays) == 0.5
    greedy = SETTINGS.model_copy(update={"strengths": (1.0,)})
    assert strongest(ranking, task, terms, greedy, first_stays) == 0.0


@pytest.mark.parametrize(("largest_cost", "strength"), [(0.1, 1.0), (0.09, 0.3), (0.02, 0.3), (0.01, 0.0)])
def test_a_strength_may_cost_its_share_and_no_more(largest_cost: float, strength: float) -> None:
    """Strength 0.3 costs 2 % and 1.0 costs 10 % of what the plain list measures; the bound itself is allowed."""
    task, ranking = lists()
    costs = {"largest_cost": largest_cost, "largest_risk": 1.0}
    settings = SETTINGS.model_copy(update={"strengths": (0.3, 1.0), **costs})
    measured = {(0, 1, 2): 1.0, (0, 2, 1): 0.98, (2, 0, 1): 0.9}

    def measure(found: Ranking) -> np.ndarray:
        return np.array([measured[tuple(found.top_UK[0].tolist())]])

    assert strongest(ranking, task, np.array([0.0, 0.0, 0.3]), settings, measure) == strength


@pytest.mark.parametrize(("largest_risk", "strength"), [(0.66, 1.0), (0.65, 0.0)])
def test_a_strength_that_looks_free_by_luck_is_not_taken(largest_risk: float, strength: float) -> None:
    """By hand: 4 users lose 0.8, 0, −0.4, −0.4; mean 0, s 0.5657, and 1.645 · s / √4 is 0.465 of a mean of 0.709."""
    task, ranking = lists()
    settings = SETTINGS.model_copy(update={"strengths": (1.0,), "largest_cost": 0.0, "largest_risk": largest_risk})
    plain = np.array([0.9, 0.709, 0.6135, 0.6135, np.nan])

    def measure(found: Ranking) -> np.ndarray:
        return plain if found is ranking else plain - np.array([0.8, 0.0, -0.4, -0.4, 0.0])

    assert strongest(ranking, task, np.zeros(3), settings, measure) == strength


def test_padding_stays_last_and_what_was_not_found_stays_so() -> None:
    """A list of two: the place after its end has the best term of all, and the target beyond it no rank."""
    task, _ = lists()
    none, no_score = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    score_UK = np.array([[0.9, 0.8, -np.inf]], dtype=np.float32)
    short = Ranking(np.array([[0, 1, -1]]), score_UK, np.array([-1]), none, np.array([0.7], np.float32), no_score)
    found = rerank(short, task, np.array([0.0, 0.3, 9.0]), SETTINGS, strength=1.0)
    assert found.top_UK.tolist() == [[1, 0, -1]]
    assert found.target_rank_T.tolist() == [-1]
    ranked = reordered(short, task, np.array([[1.0, 2.0, 3.0]], dtype=np.float32))
    assert ranked.top_UK.tolist() == [[1, 0, -1]]
    assert ranked.score_UK.tolist() == [[2.0, 1.0, -np.inf]]


def test_terms_follow_the_candidates() -> None:
    """Videos 4, 5, 6 of the snapshot: released now at 500, without anything, and long ago at 5000."""
    task, _ = lists()
    videos = pl.DataFrame(
        {
            "product_released_at": [None] * 4 + [NOW, None, NOW - timedelta(days=36_500)],
            "price": [None] * 4 + [500.0, None, 5000.0],
        },
        schema={"product_released_at": pl.Datetime("us", "UTC"), "price": pl.Float64},
    )
    assert terms_of(videos, task, microseconds(NOW), SETTINGS).tolist() == pytest.approx([0.33, 0.0, -0.05])
