from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.rerank import price_terms, release_terms, rerank, strongest, terms_of
from two_tower_assets.evaluation.task import Pairs, RankingTask
from two_tower_assets.features.times import MICROSECONDS_A_DAY, MISSING_TIME, microseconds
from two_tower_assets.settings import RerankSettings
from two_tower_assets_tests.features.worlds import START

SETTINGS = RerankSettings()
NOW = microseconds(START)
DAY = MICROSECONDS_A_DAY


def lists(top: list[list[int]], scores: list[list[float]]) -> Ranking:
    """Lists of four candidates to users whose only target is candidate 3, and whose only NOPE is candidate 0."""
    top_UK, score_UK = np.array(top), np.array(scores, dtype=np.float32)
    rank_UC = np.array([[row.index(place) if place in row else -1 for place in range(4)] for row in top])
    none = np.zeros(len(top), dtype=np.float32)
    return Ranking(top_UK, score_UK, rank_UC[:, 3], rank_UC[:, 0], none, none)


def task(users: int) -> RankingTask:
    rows = np.arange(users)
    known = np.ones(users, dtype=np.bool_)
    everyone = rows.astype(np.int32)
    target, nope = Pairs(rows, np.full(users, 3)), Pairs(rows, np.zeros(users, dtype=np.int64))
    return RankingTask(np.arange(4, dtype=np.int32), everyone, np.full(users, NOW), rows, known, target, nope, {})


def test_recency_falls_from_its_weight_by_a_factor_e_in_120_days() -> None:
    """0.3 on the day of release, 0.3 / e after 120 days, 0.1 before the release, nothing without a date."""
    released = np.array([NOW, NOW - 120 * DAY, NOW + DAY, MISSING_TIME])
    assert release_terms(released, NOW, SETTINGS) == pytest.approx([0.3, 0.3 / np.e, 0.1, 0.0])


def test_prices_have_four_terms() -> None:
    """At most 0: 0.02; below 800: 0.03; from 800 to 4000: 0; above: −0.05; unknown: 0."""
    price = np.array([-5.0, 0.0, 0.01, 799.99, 800.0, 4000.0, 4000.01, np.nan])
    assert price_terms(price, SETTINGS).tolist() == [0.02, 0.02, 0.03, 0.03, 0.0, 0.0, -0.05, 0.0]


def test_terms_are_those_of_the_candidates_in_their_order() -> None:
    """Video 1 is no candidate; a null price and a null date add nothing."""
    videos = pl.DataFrame(
        {
            "price": [None, 0.0, 5000.0],
            "product_released_at": pl.Series(
                [None, START, START - timedelta(days=120)], dtype=pl.Datetime("us", "UTC")
            ),
        }
    )
    two = RankingTask(np.array([0, 2], dtype=np.int32), *vars_after_candidates(task(0)))
    assert terms_of(videos, two, NOW, SETTINGS) == pytest.approx([0.0, 0.3 / np.e - 0.05])


def vars_after_candidates(whole: RankingTask) -> list[object]:
    return [getattr(whole, name) for name in list(RankingTask.__dataclass_fields__)[1:]]


def test_the_score_is_three_quarters_of_the_similarity_and_the_terms() -> None:
    """0.75 · 0.9 + 0 = 0.675 falls behind 0.75 · 0.8 + 0.3 = 0.9, and both ranks follow; padding stays last."""
    found = lists([[0, 3, -1]], [[0.9, 0.8, -np.inf]])
    again = rerank(found, task(1), np.array([0.0, 0.0, 0.0, 0.3]), SETTINGS, strength=1.0)
    assert again.top_UK.tolist() == [[3, 0, -1]]
    assert again.score_UK[0, :2].tolist() == pytest.approx([0.9, 0.675])
    assert (again.target_rank_T.tolist(), again.nope_rank_N.tolist()) == ([0], [1])


@given(st.permutations(range(4)), st.lists(st.floats(-0.3, 0.3), min_size=4, max_size=4), st.floats(0, 1))
def test_nothing_enters_a_list_and_nothing_leaves_it(order: list[int], terms: list[float], strength: float) -> None:
    """Re-ranking is a permutation, scores fall, and at strength 0 it changes nothing."""
    found = lists([list(order)], [[0.9, 0.7, 0.5, 0.3]])
    again = rerank(found, task(1), np.array(terms), SETTINGS, strength=strength)
    assert sorted(again.top_UK[0].tolist()) == [0, 1, 2, 3]
    assert (np.diff(again.score_UK[0]) <= 0).all()
    assert again.top_UK[0, again.target_rank_T[0]] == 3
    unmoved = rerank(found, task(1), np.array(terms), SETTINGS, strength=0.0)
    assert unmoved.top_UK.tolist() == [list(order)]


@pytest.mark.parametrize(
    ("similarity", "strength"),
    [
        # The NOPE's term of 0.3 must not outweigh the lead of the target times 0.75.
        (0.49, 1.0),
        (0.61, 0.5),
        (0.89, 0.02),
        (0.8999, 0.0),
    ],
)
def test_the_largest_strength_that_costs_little_is_chosen(similarity: float, strength: float) -> None:
    """A target of 0.9 keeps its first place down to the strength at which 0.75 · lead equals 0.3 · strength."""
    found = lists([[3, 0]], [[0.9, similarity]])
    terms = np.array([0.3, 0.0, 0.0, 0.0])
    chosen = strongest(found, task(1), terms, SETTINGS, lambda ranking: float(ranking.target_rank_T[0] == 0))
    assert chosen == strength


def test_some_cost_is_allowed() -> None:
    """Of a hundred users one may lose the measure at a cost of 1 %, and not two."""
    for losers, expected in ((1, 1.0), (2, 0.0)):
        scores = [[0.9, 0.9 - 1e-5]] * losers + [[0.9, 0.1]] * (100 - losers)
        found = lists([[3, 0]] * 100, scores)
        terms = np.array([0.3, 0.0, 0.0, 0.0])
        measure = strongest(
            found, task(100), terms, SETTINGS, lambda ranking: float((ranking.target_rank_T == 0).mean())
        )
        assert measure == expected
