from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from two_tower_assets.evaluation.gate_audiences import AUDIENCES, Audience, generated_hits
from two_tower_assets.evaluation.gate_populations import (
    COPIES,
    Change,
    PairedHits,
    equal,
    lower_in_the_list,
    population,
    worse_everywhere,
    worse_for_some,
)
from two_tower_assets.evaluation.gate_simulation import EQUAL, Simulation, simulate
from two_tower_assets.evaluation.metrics.hits import Hits
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.report import NDCG, RECALL
from two_tower_assets.settings import GateSettings

ROW = np.array([0, 0, 0, 1, 2, 2])
PAIR = PairedHits(
    Hits(ROW, np.array([0, 5, 150, -1, 9, 3]), users=3), Hits(ROW, np.array([2, -1, 150, 0, 12, -1]), users=3)
)


@st.composite
def pairs(draw: st.DrawFn) -> PairedHits:
    """Two models' ranks of one to four targets of each of a few users, the first of them found by both."""
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    row = np.repeat(np.arange(len(counts)), counts)
    ranks = st.permutations([0, 3, 9, 10, 199, -1, -1]).map(lambda drawn: drawn[:4])
    models = []
    for _ in range(2):
        rank = np.concatenate([draw(ranks)[:count] for count in counts])
        rank[0] = 1
        models.append(Hits(row, rank, len(counts)))
    return PairedHits(*models)


@given(pairs(), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_what_is_true_of_a_population_is_exact(pair: PairedHits, seed: int) -> None:
    """Whatever the two models found: equal means a ratio of 1 and worse one of 0.95, in each metric that is meant."""
    expected = {
        equal: (1, 1),
        worse_everywhere: (0.95, 0.95),
        worse_for_some: (0.95, 0.95),
        lower_in_the_list: (1, 0.95),
    }
    for change, (recall, ndcg) in expected.items():
        truth = population(pair, change, seed=seed).true_ratio
        assert truth == {RECALL: pytest.approx(recall, rel=1e-9), NDCG: pytest.approx(ndcg, rel=1e-9)}


def test_every_user_stands_in_a_population_in_both_orders_and_in_every_copy() -> None:
    """Three users, two orders: 6 in an equal population, and 20 times as many where hits are lost."""
    same, worse = population(PAIR, equal), population(PAIR, worse_everywhere)
    assert (same.users, worse.users) == (6, 6 * COPIES)
    first, second = recall_at(PAIR.champion, 200), recall_at(PAIR.challenger, 200)
    assert np.array_equal(same.champion[RECALL], np.concatenate([first, second]))
    assert np.array_equal(same.challenger[RECALL], np.concatenate([second, first]))
    assert (worse.challenger[RECALL] <= np.repeat([second, first], COPIES, axis=0).reshape(-1)).all()


@pytest.mark.parametrize("change", [worse_everywhere, worse_for_some])
def test_each_hit_is_lost_in_one_copy_of_twenty(change: Change) -> None:
    """Five of the six targets are found; each of these is missing once, and what was not found stays so."""
    copies = list(change(PAIR.champion, np.random.default_rng(1)))
    kept = np.array([copy.rank >= 0 for copy in copies])
    assert kept.sum(axis=0).tolist() == [19, 19, 19, 0, 19, 19]


@pytest.mark.parametrize("audience", AUDIENCES, ids=lambda audience: audience.name)
def test_generated_lists_are_lists_of_two_models_that_find_as_much(audience: Audience) -> None:
    """No two targets of a user share a rank; both models find as much (two standard errors), but not the same."""
    pair = generated_hits(audience, users=3000)
    for hits in (pair.champion, pair.challenger):
        found = hits.rank >= 0
        places = hits.row[found] * 200 + hits.rank[found]
        assert len(np.unique(places)) == len(places)
        assert ndcg_at(hits, 10).max() <= 1
    difference = recall_at(pair.challenger, 200) - recall_at(pair.champion, 200)
    assert abs(difference.mean()) < 2 * difference.std() / np.sqrt(len(difference))
    assert difference.std() > 0.1


def errors(simulation: Simulation, users: int) -> dict[str, float]:
    return {passes.challenger: passes.erred(users).share for passes in simulation.challengers}


@pytest.mark.parametrize("audience", AUDIENCES, ids=lambda audience: audience.name)
def test_at_500_users_the_gate_errs_in_at_most_a_tenth_of_all_cases(audience: Audience) -> None:
    """It refuses an equal model, and passes one that is 5 % worse for all or for some, at most that often."""
    found = errors(simulate(audience.name, generated_hits(audience), sizes=(500,), replications=2000), 500)
    assert found[EQUAL] <= 0.10
    assert found["worse, all users alike"] <= 0.10
    assert found["worse, some users lose all"] <= 0.10


def test_few_users_cost_refusals_and_many_users_make_the_gate_sharp() -> None:
    """From 50 to 2000 users an equal model is refused less and less often, and a worse one passes less often."""
    simulation = simulate("many", generated_hits(AUDIENCES[0]), sizes=(50, 200, 2000), replications=300)
    for name in (EQUAL, "worse, some users lose all"):
        shares = [errors(simulation, users)[name] for users in (50, 200, 2000)]
        assert shares == sorted(shares, reverse=True)
        assert shares[-1] < shares[0]


def test_a_copy_of_the_champion_always_passes_and_the_margin_decides_about_the_rest() -> None:
    """Equal lists leave no doubt; with a margin of 99 % recall stops nobody, with 0.1 % nearly everybody."""
    copy = simulate("copy", PairedHits(PAIR.champion, PAIR.champion), sizes=(50,), replications=50)
    assert errors(copy, 50)[EQUAL] == 0
    pair = generated_hits(AUDIENCES[1])
    lax, strict = (
        errors(simulate("", pair, sizes=(200,), replications=200, gate=GateSettings(margin=margin)), 200)
        for margin in (0.99, 0.001)
    )
    assert lax[EQUAL] < 0.06
    assert strict[EQUAL] > 0.8


def test_a_simulation_repeats_and_reads_back() -> None:
    """The same seed gives the same counts, another seed others, and the document is JSON."""
    pair = generated_hits(AUDIENCES[1], users=500)
    first, again, other = (simulate("x", pair, sizes=(50,), replications=100, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert Simulation.model_validate_json(first.model_dump_json()) == first
