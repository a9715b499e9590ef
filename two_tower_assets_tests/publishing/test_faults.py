"""Publishing is killed, and readers read while it flips. `make publishing-harness` prints the same at length."""

from __future__ import annotations

import pytest

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.publishing.harness.flips import flip_under_readers
from two_tower_assets_tests.publishing.harness.kills import kill_at_every_step, kill_at_moments, steps_of
from two_tower_assets_tests.publishing.harness.readers import Expected
from two_tower_assets_tests.publishing.harness.world import OLDER, World, make_world
from two_tower_assets_tests.publishing.releasing import NEW, OLD

STAGES = ("uploaded", "verified", "copied", "indexed", "staged", "before the flip", "flipped", "current", "retired")


@pytest.fixture(scope="module")
def world(cluster: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(cluster, migrated_template, tmp_path_factory.mktemp("world"))


def test_killed_at_any_step_readers_see_one_whole_release_and_the_next_run_completes(world: World) -> None:
    """Old before the flip, new after it; and no lock, table, session or half-written file stays behind."""
    steps = steps_of(world)
    assert all(any(step.startswith(stage) for step in steps) for stage in STAGES), steps
    kills = list(kill_at_every_step(world, len(steps)))
    assert len(kills) == len(steps) >= 30
    assert {kill.live for kill in kills} == {OLD, NEW}


def test_killed_at_any_moment_between_steps_the_same_holds(world: World) -> None:
    """Also in the middle of a statement, an upload or a commit."""
    kills = list(kill_at_moments(world, [0.07 * number for number in range(1, 9)]))
    assert len(kills) == 8
    assert {kill.live for kill in kills} <= {OLD, NEW}


def test_a_hundred_flips_under_readers_tear_no_answer(world: World) -> None:
    """View, search, users and files: every answer is one version's, whole, and none is an error."""
    expected = {version: Expected(world.version(version)) for version in (OLDER, OLD)}
    with world.attempt() as (target, _):
        seen = flip_under_readers(target, expected, flips=100)
    assert seen.torn == []
    assert seen.versions == {OLDER, OLD}
    assert seen.answers > 100
