"""Each fault has its clear status, the functions stay up, and the last good release goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from two_tower_assets.contract import GOLDEN_TOLERANCE
from two_tower_assets_tests.e2e.faults.case import Case, look
from two_tower_assets_tests.e2e.faults.cases import CASES
from two_tower_assets_tests.e2e.faults.deployed import NAMES
from two_tower_assets_tests.e2e.faults.round_trips import Trips, count_trips
from two_tower_assets_tests.e2e.faults.world import World, world
from two_tower_assets_tests.e2e.stack.home import Released
from two_tower_assets_tests.e2e.stack.running import Up
from two_tower_assets_tests.seen import SEEN


@pytest.fixture(scope="module")
def deployment(released: Released, up: Up, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The deployed functions over the stack."""
    with world(released, up, tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fault(case: Case, deployment: World, record_property: Callable[[str, str], None]) -> None:
    """Every answer is one of those declared, no process ends, and both functions are good again afterwards."""
    seen = look(case, deployment)
    record_property(SEEN, f"fault: {case.name}: {', '.join(sorted(seen.answers))}")
    assert set(seen.answers) <= case.answers
    assert seen.stays_up
    assert seen.good_after


@pytest.mark.parametrize("function", NAMES)
def test_an_answer_asks_the_database_once_or_twice(
    function: str, deployment: World, record_property: Callable[[str, str], None]
) -> None:
    """Once where the user's vector is fresh, twice where it has to be made."""
    trips = count_trips(deployment, function)
    record_property(SEEN, f"database calls an answer of {function}: fresh vector {trips.fresh}, stale {trips.stale}")
    assert trips == Trips(stale=2, fresh=1)


def test_a_cold_start_replays_the_golden_vectors(
    deployment: World, record_property: Callable[[str, str], None]
) -> None:
    """The deployed function says how many cases it replayed before it served, and the largest differences."""
    for function in deployment.functions:
        deployment.ask()
        loaded = function.events("release_loaded")[0]
        assert loaded["golden_cases"] >= 8
        features, embedding = loaded["largest_feature_difference"], loaded["largest_embedding_difference"]
        note = f"golden replay, {function.name} at its start: features {features:.1e}, embedding {embedding:.1e}"
        record_property(SEEN, note)
        assert max(features, embedding) <= GOLDEN_TOLERANCE
