"""What a list that was served says of another ranking, place by place."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from two_tower_assets.experiments.counterfactual.diversity import NO_MAKER, diversified, likeness
from two_tower_assets.experiments.counterfactual.places import Candidates, Foreseen, Served, places
from two_tower_assets.experiments.counterfactual.standing import Making, as_logged, standing

Toy = tuple[float, int, str]
"""Score, maker and tags of a candidate."""


def logged(made: Making, explored: tuple[bool, ...]) -> np.ndarray:
    """Chances that the function logs, given the places before; 0 where a place cannot be so."""
    chances, given_away = [], 0
    for away in explored:
        left = made.others - given_away
        share = made.share if left > 0 else 0.0
        chances.append((share / left if left > 0 else 0.0) if away else 1 - share)
        given_away += away
    return np.array(chances)


@given(length=st.integers(1, 4), others=st.integers(0, 4), share=st.sampled_from([0.0, 0.125, 0.5]))
def test_chances_are_those_of_all_lists_that_may_be_made(length: int, others: int, share: float) -> None:
    """Each list by its own probability: which chosen one stands where, and one of the others, all alike."""
    made = Making(length, others, share)
    expected_JK, other_K = np.zeros((length, length)), np.zeros(length)
    for explored in itertools.product([False, True], repeat=length):
        ways = np.where(explored, others - np.cumsum(explored) + np.array(explored), 1.0)
        probability = float((logged(made, explored) * ways).prod())
        chosen = 0
        for place, away in enumerate(explored):
            if away:
                other_K[place] += probability / max(others, 1)
            else:
                expected_JK[chosen, place] += probability
                chosen += 1
    found = standing(made)
    np.testing.assert_allclose(found.chosen_JK, expected_JK, atol=1e-12)
    np.testing.assert_allclose(found.other_K, other_K, atol=1e-12)
    np.testing.assert_allclose(found.chosen_JK.sum(axis=0) + others * found.other_K, 1)


def test_the_chances_of_three_places_by_hand() -> None:
    """Two chosen, two others and a quarter of the places given away, as the functions' own test has them."""
    found = standing(Making(2, 2, 0.25))
    np.testing.assert_allclose(found.chosen_JK, [[0.75, 0.25 * 0.75], [0.0, 0.75 * 0.75]])
    np.testing.assert_allclose(found.other_K, [0.125, 0.75 * 0.125 + 0.125 * 0.25])
    anywhere = found.anywhere()
    np.testing.assert_allclose(anywhere.chosen_JK[:, 0], [0.9375, 0.5625])
    np.testing.assert_allclose(anywhere.other_K, [0.25, 0.25])


@given(
    explored=st.lists(st.booleans(), min_size=1, max_size=6),
    others=st.integers(1, 8),
    share=st.sampled_from([0.02, 0.3, 0.5]),
)
def test_how_a_list_was_made_is_read_from_its_log(explored: list[bool], others: int, share: float) -> None:
    """From chances given the places before to those over all lists; whatever the log does not say does not matter."""
    made = Making(len(explored), others, share)
    chance_K = logged(made, tuple(explored))
    assume(chance_K.all())
    found = as_logged(np.array(explored), chance_K)
    if not any(explored):
        assume(others >= len(explored))
        np.testing.assert_allclose(standing(found).chosen_JK, standing(made).chosen_JK)
    elif len(explored) == 1:
        np.testing.assert_allclose(standing(found).other_K, standing(made).other_K)
    else:
        assert (found.others, found.share) == (others, pytest.approx(share))


SERVED = Served(["a", "x", "b"], np.array([False, True, False]), np.array([0.8, 0.1, 0.8]))
"""Two others, of which one stands at the second place; a fifth of the places was given away."""


def test_the_same_ranking_has_the_same_chances() -> None:
    """By place and by list, and it is foretold what stands there in the mean."""
    same = Candidates(["a", "b", "c"], ["x", "y"], 0.2)
    for by in ("place", "list"):
        found = places(SERVED, same, Foreseen(np.array([0.5, 0.25, 0.25]), 0.5), by)
        np.testing.assert_allclose(found.wanted_K, found.shown_K)
    found = places(SERVED, same, Foreseen(np.array([1.0, 0.0, 0.0]), 0.0), "place")
    np.testing.assert_allclose(found.expected_K, standing(Making(3, 2, 0.2)).chosen_JK[0])
    found = places(SERVED, same, Foreseen(np.ones(3), 2.0), "list")
    np.testing.assert_allclose(found.expected_K, 1)


def test_another_rankings_chances_by_hand() -> None:
    """It shows x, a and b and gives nothing away: certain in the list, and at their places or never."""
    other = Candidates(["x", "a", "b"], ["c", "y"], 0.0)
    nothing = Foreseen(np.zeros(3), 0.0)
    by_place = places(SERVED, other, nothing, "place")
    np.testing.assert_allclose(by_place.wanted_K, [0, 0, 1])
    np.testing.assert_allclose(by_place.shown_K[:2], [0.8, 0.1])
    by_list = places(SERVED, other, nothing, "list")
    np.testing.assert_allclose(by_list.wanted_K, [1, 1, 1])
    np.testing.assert_allclose(by_list.shown_K[1], standing(Making(3, 2, 0.2)).other_K.sum())


def test_a_ranking_with_too_few_candidates_leaves_places_empty() -> None:
    """Of one candidate and three places, two stay empty."""
    found = places(SERVED, Candidates(["a"], [], 0.2), Foreseen(np.array([0.5]), 0.0), "place")
    np.testing.assert_allclose(found.wanted_K, [1, 0, 0])
    np.testing.assert_allclose(found.expected_K, [0.5, 0, 0])


def chosen(toys: list[Toy], length: int, diversity_lambda: float) -> str:
    """Names of a list."""
    tags = sorted({tag for _, _, each in toys for tag in each})
    tagged_CT = np.array([[tag in each for tag in tags] for _, _, each in toys], np.bool_).reshape(len(toys), -1)
    alike_CC = likeness(np.array([maker for _, maker, _ in toys]), tagged_CT)
    found = diversified(np.array([score for score, _, _ in toys]), alike_CC, length, diversity_lambda)
    return "".join("abcd"[place] for place in found)


def test_lists_are_diversified_as_the_functions_own_test_says() -> None:
    """The same toys with the same answers as `list_test.ts` has."""
    same = [(1.0, 0, ""), (3.0, 0, ""), (2.0, 0, ""), (2.0, 0, "")]
    assert chosen(same, 3, 1) == "bcd"
    toys = [(1.0, 0, "xy"), (0.9, 0, "xy"), (0.8, 1, "xz"), (0.0, NO_MAKER, "")]
    assert chosen(toys, 4, 0.85) == "acbd"
    assert chosen(toys, 4, 0.9) == "abcd"
    assert chosen(toys, 2, 0) == "ad"
    assert chosen([(1.0, NO_MAKER, ""), (0.9, NO_MAKER, ""), (0.899, 0, "x")], 3, 0.5) == "abc"
    assert chosen([(2.0, 0, ""), (2.0, 0, ""), (2.0, 1, "")], 3, 0.5) == "acb"
