"""How often an answer asks the database."""

from __future__ import annotations

from dataclasses import dataclass

from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.e2e.faults.deployed import NAMES
from two_tower_assets_tests.e2e.faults.world import World, post
from two_tower_assets_tests.e2e.stack.people import WRITER, decide

NOT_OF_AN_ANSWER = ("get_serving", "served_lists", "refresh_popularity")
"""Looked up every so often for all callers, or written after the answer."""
_FIRST_UNDECIDED = 210


@dataclass(frozen=True)
class Trips:
    """Calls to the database within one answer."""

    stale: int
    """Where the user's vector has to be made first."""
    fresh: int


def count_trips(world: World, function: str) -> Trips:
    """Ask twice for a user who has just decided."""
    world.ask()  # so that the model is loaded
    decide(world.released.database, WRITER, video_id(_FIRST_UNDECIDED + NAMES.index(function)), "like")
    return Trips(_calls(world, function), _calls(world, function))


def _calls(world: World, name: str) -> int:
    [function] = [one for one in world.functions if one.name == name]
    before = len(world.proxy.asked)
    assert post(function.url, world.as_server, {"user_id": WRITER}).is_success
    paths = [path.partition("?")[0] for _, path in world.proxy.asked[before:]]
    return len([path for path in paths if path.rpartition("/")[2] not in NOT_OF_AN_ANSWER])
