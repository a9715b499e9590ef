from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from two_tower_assets.evaluation.gate_audiences import AUDIENCES, Audience, audience_hits, describe
from two_tower_assets.evaluation.gate_populations import (
    COPIES,
    LOSS,
    Change,
    PairedHits,
    equal,
    lower_in_the_list,
    population,
    worse_everywhere,
    worse_for_some,
)
from two_tower_assets.evaluation.gate_simulation import passing, simulate
from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at
from two_tower_assets.evaluation.report import NDCG, RECALL
from two_tower_assets.settings import GateSettings


@pytest.mark.parametrize("audience", AUDIENCES, ids=lambda audience: audience.name)
def test_the_truth_of_a_population_is_exact(audience: Audience) -> None:
    """Equal models are equal to the last digits, worse ones lose 5 % of recall and of NDCG, whoever is asked."""
    pair = audience_hits(audience, 500)
    same, partly, worse = (
        population(pair, change).true_ratio for change in (equal, worse_for_some, worse_everywhere)
    )
    assert same == pytest.approx({RECALL: 1.0, NDCG: 1.0}, abs=1e-12)
    assert partly == pytest.approx({RECALL: 1 - LOSS, NDCG: 1 - LOSS}, abs=1e-12)
    assert worse == pytest.approx({RECALL: 1 - LOSS, NDCG: 1 - LOSS}, abs=1e-12)


@pytest.mark.parametrize("change", [worse_everywhere, worse_for_some])
def test_each_hit_is_lost_in_one_copy_of_twenty(change: Change) -> None:
    """Three of four targets are found; each of these is missing once, and what was not found stays so."""
    hits = Hits(np.array([0, 0, 1, 2]), np.array([3, -1, 0, 150]), users=3)
    kept = np.array([copy.rank >= 0 for copy in change(hits, np.random.default_rng(1))])
    assert kept.sum(axis=0).tolist() == [COPIES - 1, 0, COPIES - 1, COPIES - 1]


@pytest.mark.parametrize("audience", AUDIENCES, ids=lambda audience: audience.name)
def test_made_up_lists_are_lists(audience: Audience) -> None:
    """No two targets of a user share a rank, so that NDCG is at most 1."""
    pair = audience_hits(audience, 3000)
    for hits in (pair.champion, pair.challenger):
        found = hits.rank >= 0
        places = hits.row[found] * 200 + hits.rank[found]
        assert len(np.unique(places)) == len(places)
        assert ndcg_at(hits, 10).max() <= 1 + 1e-12


def test_a_copy_of_the_champion_always_passes() -> None:
    """Where there is no difference there is no doubt, however few are asked."""
    champion = audience_hits(AUDIENCES[1], 500).champion
    assert passing(population(PairedHits(champion, champion), equal), 20, 50, 0.05, seed=0) == 1.0


def test_hits_moved_down_cost_ndcg_alone() -> None:
    """Recall@200 stays, NDCG@10 falls by 5 %."""
    ratio = population(audience_hits(AUDIENCES[0], 500), lower_in_the_list).true_ratio
    assert ratio == pytest.approx({RECALL: 1.0, NDCG: 1 - LOSS}, abs=1e-12)


@pytest.mark.parametrize(
    ("audience", "measured"),
    [(AUDIENCES[0], (10.3, 0.167, 0.736, 0.188, 0.517)), (AUDIENCES[1], (1.284, 0.218, 0.632, 0.276, 0.785))],
    ids=["sessions", "sparse"],
)
def test_made_up_users_are_like_the_measured_ones(audience: Audience, measured: tuple[float, ...]) -> None:
    """Targets and recalls within a tenth, and differences of recall no narrower than real ones."""
    found = describe(audience_hits(audience, 20_000))
    targets, recall_10, recall_200, recall_difference, ndcg_difference = measured
    assert found["targets"] == pytest.approx(targets, rel=0.1)
    assert found["recall@10"] == pytest.approx(recall_10, rel=0.1)
    assert found["recall@200"] == pytest.approx(recall_200, rel=0.1)
    assert found["recall difference"] >= recall_difference
    assert found["ndcg difference"] == pytest.approx(ndcg_difference, rel=0.1)


def test_the_gate_is_wrong_in_at_most_a_tenth_of_all_cases_at_500_users() -> None:
    """A truly 5 % worse model passes, and a truly equal one is refused, in at most 10 %: both audiences."""
    for rates in simulate(GateSettings().margin, sizes=(500,), replications=2000):
        assert rates.passes_worse <= 0.10, rates
        assert rates.passes_worse_for_some <= 0.10, rates
        assert rates.refuses_equal <= 0.10, rates


def test_lists_that_differ_more_are_paid_for_with_refusals_too() -> None:
    """Differences twice as wide as a second seed's: more equal models are refused, and no more bad ones pass."""
    wide = replace(AUDIENCES[1], of_model=2 * AUDIENCES[1].of_model)
    assert describe(audience_hits(wide, 20_000))["recall difference"] > 0.5
    (rates,) = simulate(GateSettings().margin, sizes=(500,), replications=2000, audiences=(wide,))
    assert rates.refuses_equal > 0.15
    assert max(rates.passes_worse, rates.passes_worse_for_some) <= 0.12


def test_few_users_are_paid_for_with_refusals_and_not_with_bad_models() -> None:
    """At 100 users an equal model is refused more often than a worse one passes."""
    for rates in simulate(GateSettings().margin, sizes=(100,), replications=1000):
        assert rates.passes_worse <= 0.13, rates
        assert rates.refuses_equal > rates.passes_worse, rates
        assert 0 < rates.error_of(rates.refuses_equal) < 0.02
        assert np.isfinite(rates.passes_worse)
