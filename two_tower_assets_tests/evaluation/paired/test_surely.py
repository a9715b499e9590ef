"""What a comparison claims, with p-values by hand."""

from __future__ import annotations

import numpy as np

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.paired.records import Group
from two_tower_assets.evaluation.paired.surely import FALSE_CLAIMS, FEWEST_USERS, claimed_lines, claims

METRIC = "recall@50"


def group(name: str, z: float, users: int = 100) -> Group:
    """A group whose difference is so many standard errors of 0.01 from nothing."""
    difference = Interval(mean=0.01 * z, low=0.01 * (z - 1.959964), high=0.01 * (z + 1.959964))
    return Group(name=name, users=users, before={}, after={}, difference={METRIC: difference}, better=0.5, worse=0.5)


def claimed(*groups: Group) -> list[str]:
    """Names of the groups of which something is claimed."""
    return [claim.group.name for claim in claims(groups)]


def test_what_one_figure_would_claim_three_do_not() -> None:
    """Z = 2.2 has p = 0.028: below 5 %, above a third of it; z = 2.5 has p = 0.012, below a third."""
    assert claimed(group("a", 2.2)) == ["a"]
    assert claimed(group("a", 2.2), group("b", 0), group("c", 0.5)) == []
    assert claimed(group("a", -2.5), group("b", 0), group("c", 0.5)) == ["a"]


def test_after_a_claim_the_rest_shares_the_level() -> None:
    """Z = 2.3 has p = 0.021, which is below 5 % / 2 once one of two others is claimed, and not below 5 % / 3."""
    assert claimed(group("a", 2.3), group("b", 9), group("c", 0)) == ["a", "b"]
    assert claimed(group("a", 2.3), group("b", 1), group("c", 0)) == []


def test_of_few_users_nothing_is_claimed() -> None:
    """However large the difference, and it costs the others nothing."""
    few = group("few", 50, users=FEWEST_USERS - 1)
    assert claimed(few, group("a", 2.2)) == ["a"]
    assert list(claimed_lines([few])) == ["No difference can be told from chance."]


def test_equal_models_are_claimed_to_differ_no_oftener_than_promised() -> None:
    """Ten figures of equal models, 2000 times: within three standard errors of the level."""
    random = np.random.default_rng(0)
    worlds = random.normal(size=(2000, 10)).tolist()
    wrong = np.mean([bool(claimed(*(group(str(place), z) for place, z in enumerate(world)))) for world in worlds])
    assert abs(wrong - FALSE_CLAIMS) < 3 * (FALSE_CLAIMS * (1 - FALSE_CLAIMS) / 2000) ** 0.5
