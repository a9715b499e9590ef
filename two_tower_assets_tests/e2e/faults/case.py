"""One fault: how it is made, which answers are right, and what was seen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from two_tower_assets_tests.e2e.faults.world import World

Happen = Callable[[World], Sequence[httpx.Response]]
RECOVERY_SECONDS = 20.0


@dataclass(frozen=True)
class Case:
    """A fault and what it may lead to."""

    name: str
    """As a person would say it."""
    happen: Happen
    """Make it happen, call the functions meanwhile, and undo it."""
    answers: frozenset[str]
    """The answers that may be seen, as `said` puts them."""


@dataclass(frozen=True)
class Seen:
    """What a fault led to."""

    answers: Counter[str]
    seconds: float
    """The slowest answer."""
    stays_up: bool
    """Whether the processes run that were running."""
    good_after: bool
    """Whether both functions give good answers of the live version afterwards, within `RECOVERY_SECONDS`."""


def look(case: Case, world: World) -> Seen:
    """Let a fault happen and look at its answers and at what is left."""
    answers = case.happen(world)
    return Seen(
        answers=Counter(map(said, answers)),
        seconds=max(answer.elapsed.total_seconds() for answer in answers),
        stays_up=all(function.is_up for function in world.functions),
        good_after=_recovers(world),
    )


def said(answer: httpx.Response) -> str:
    """Status and code of an answer; of a good one, whether it says that the live version was refused."""
    if answer.status_code == httpx.codes.OK:
        return "200 of the last good release" if "x-refused-version" in answer.headers else "200"
    return f"{answer.status_code} {answer.json()['code']}"


def _recovers(world: World) -> bool:
    until = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < until:
        if all(said(answer) == "200" for answer in world.ask()):
            return True
        time.sleep(0.1)
    return False
