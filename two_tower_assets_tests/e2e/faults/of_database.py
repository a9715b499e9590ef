"""Faults of PostgREST and the database behind it, and flips in the middle of a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import httpx

from two_tower_assets_tests.e2e.faults.case import Case, Happen
from two_tower_assets_tests.e2e.faults.world import World, post
from two_tower_assets_tests.e2e.stack.people import FAN
from two_tower_assets_tests.publishing.releasing import NEW, OLD
from two_tower_assets_tests.storage.fault_proxy import Fault, Kind

CROWD = 200
_REST = "/rest/"


def _while(kind: Kind, ask: Callable[[World], Sequence[httpx.Response]] = World.ask) -> Happen:
    def happen(world: World) -> Sequence[httpx.Response]:
        with world.broken(kind, _REST):
            return ask(world)

    return happen


def _down_at_start(world: World) -> Sequence[httpx.Response]:
    with world.fresh() as fresh, fresh.broken("reset", _REST):
        return fresh.ask()


def _flip_meanwhile(world: World) -> Sequence[httpx.Response]:
    answers = []
    for function in world.functions:
        name = "user_embedding_state" if function.name == "embed-user" else "recommend_for_user"
        fault = Fault(
            "meanwhile", 1, lambda _method, path, name=name: path.endswith(name), meanwhile=lambda: world.flip(OLD)
        )
        world.proxy.faults[:] = [fault]
        answers.append(post(function.url, world.as_server, {"user_id": FAN}))
        assert answers[-1].json()["modelVersion"] == OLD
        world.proxy.faults.clear()
        world.flip(NEW)
    return answers


_AWAY = frozenset({"503 database_unavailable"})

CASES = (
    Case("PostgREST down", _while("reset"), _AWAY),
    Case("PostgREST down, at a cold start", _down_at_start, _AWAY),
    Case("PostgREST silent", _while("silence"), _AWAY),
    Case(
        f"PostgREST silent, {CROWD} callers at once",
        _while("silence", partial(World.crowd, count=CROWD)),
        _AWAY | {"503 overloaded"},
    ),
    Case("an HTML page from PostgREST", _while("html page"), _AWAY),
    Case("a flip in the middle of a request", _flip_meanwhile, frozenset({"200"})),
)
