"""Who is in an experiment and in which arm: the same in every language, uniform, independent, and for ever."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from two_tower_assets.database.connection import connect
from two_tower_assets.experiments.assignment import TRAFFIC_SALT, arm_of, is_in, point_of
from two_tower_assets_tests.database.rows import Connection, value
from two_tower_assets_tests.experiments.vectors import ASSIGNMENT, TEAM_DRAFT, assignments, drafts

USERS = [uuid.UUID(int=number) for number in range(40_000)]
"""Ids that differ in their last bits alone, as ids made one after the other do."""

WEIGHTS = st.lists(st.integers(1, 100), min_size=2, max_size=6).map(lambda parts: [one / sum(parts) for one in parts])


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        yield opened


def test_users_are_where_they_were_promised_to_be() -> None:
    """The vectors that are kept are what this code gives, to the last bit; so nobody has ever changed arms."""
    assert json.loads(ASSIGNMENT.read_text(encoding="utf-8")) == assignments()
    assert json.loads(TEAM_DRAFT.read_text(encoding="utf-8")) == drafts()


def test_postgres_gives_the_same_points(connection: Connection) -> None:
    """Equal as float64, whatever letters the salt has."""
    for vector in json.loads(ASSIGNMENT.read_text(encoding="utf-8")):
        asked = (vector["salt"], vector["user_id"])
        assert value(connection, "select two_tower.experiment_point(%s, %s)", *asked) == vector["point"]


def test_postgres_gives_the_same_arms(connection: Connection) -> None:
    """For every salt and every set of weights of the shared vectors, and null outside the traffic."""
    vectors = [one for one in json.loads(ASSIGNMENT.read_text(encoding="utf-8")) if one["arms"]]
    names: dict[tuple[str, tuple[float, ...]], str] = {}
    for vector in vectors:
        inside = is_in((0.0, 0.5), uuid.UUID(vector["user_id"]))
        for arm in vector["arms"]:
            key = (vector["salt"], tuple(arm["weights"]))
            if key not in names:
                names[key] = f"e{len(names)}"
                add_experiment(connection, names[key], *key)
            found = value(connection, "select two_tower.experiment_arm(%s, %s)", names[key], vector["user_id"])
            assert found == (f"a{arm['place']}" if inside else None)
    assert len(names) == 3 * 4


def add_experiment(connection: Connection, name: str, salt: str, weights: Sequence[float]) -> None:
    """A stopped experiment with half of the traffic."""
    connection.execute(
        """insert into public.experiments (name, salt, primary_metric, planned_users)
           values (%s, %s, 'like_rate', 200)""",
        (name, salt),
    )
    for place, weight in enumerate(weights):
        connection.execute(
            "insert into public.experiment_arms (experiment, arm, place, weight) values (%s, %s, %s, %s)",
            (name, f"a{place}", place, weight),
        )
    connection.execute(
        """update public.experiments
           set state = 'stopped', traffic = '[0,0.5)', started_at = now(), stopped_at = now() where name = %s""",
        (name,),
    )


@pytest.mark.parametrize("salt", [TRAFFIC_SALT, "a", "b"])
def test_points_are_uniform(salt: str) -> None:
    """Also of ids that are nearly the same (Kolmogorov–Smirnov, p above 0.001 with these fixed users)."""
    points = [point_of(salt, user) for user in USERS]
    assert min(points) >= 0
    assert max(points) < 1
    assert stats.kstest(points, "uniform").pvalue > 0.001


def test_experiments_are_independent_of_each_other_and_of_the_traffic() -> None:
    """Arms of one experiment say nothing of another's, nor does who is in at all (χ², p above 0.001)."""
    places = {salt: [arm_of(salt, (0.5, 0.3, 0.2), user) for user in USERS] for salt in (TRAFFIC_SALT, "a", "b")}
    for one, other in ((TRAFFIC_SALT, "a"), (TRAFFIC_SALT, "b"), ("a", "b")):
        table = np.zeros((3, 3))
        np.add.at(table, (places[one], places[other]), 1)
        assert stats.chi2_contingency(table).pvalue > 0.001


def test_arms_get_their_weights() -> None:
    """As many users as planned (χ², p above 0.001)."""
    weights = (0.5, 0.3, 0.2)
    counts = np.bincount([arm_of("a", weights, user) for user in USERS], minlength=3)
    assert stats.chisquare(counts, np.array(weights) * len(USERS)).pvalue > 0.001


@given(st.uuids(), st.text(min_size=1, max_size=20), WEIGHTS)
def test_everybody_has_exactly_one_arm(user: uuid.UUID, salt: str, weights: list[float]) -> None:
    """Also where rounding leaves the sum of the weights a little below 1; the same whenever it is asked."""
    place = arm_of(salt, weights, user)
    assert 0 <= place < len(weights)
    assert sum(weights[:place]) - 1e-9 <= point_of(salt, user) < sum(weights[: place + 1]) + 1e-9
    assert arm_of(salt, weights, uuid.UUID(str(user).upper())) == place


@given(st.uuids(), st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 0.5))
def test_a_ramp_only_adds_users(user: uuid.UUID, start: float, share: float, more: float) -> None:
    """Who is in stays in; the arm does not depend on the traffic at all."""
    if is_in((start, start + share), user):
        assert is_in((start, start + share + more), user)


@given(st.uuids(), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_slices_that_do_not_overlap_share_no_user(user: uuid.UUID, one: float, two: float, three: float) -> None:
    """One experiment's end is the next one's beginning, and nobody is in both."""
    low, middle, high = sorted((one, two, three))
    assert not (is_in((low, middle), user) and is_in((middle, high), user))
