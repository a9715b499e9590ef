"""An A/B test from its draft to the flip, as its team runs it: commands, and people who call the real functions."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from two_tower_assets.experiments.assignment import arm_of
from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.e2e.stack.home import Released
from two_tower_assets_tests.e2e.stack.running import Caller, Up, server, two_tower
from two_tower_assets_tests.publishing.releasing import NEW, OLD

NAME: Final = "former-model"
ARMS: Final = ("control", "former")
VERSIONS: Final = {"control": NEW, "former": OLD}
TASTE: Final = {"control": 0.3, "former": 0.7}
"""Chance that somebody likes what they are shown."""
PEOPLE: Final = 220
DECIDED: Final = 6
"""Of each list."""
CALLERS: Final = 4


@pytest.fixture
def people(released: Released) -> Iterator[list[UUID]]:
    """So many users with a taste of their own; afterwards the later version is live again."""
    users = [UUID(int=0xAB00_0000 + number) for number in range(PEOPLE)]
    with psycopg.connect(released.database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.profiles (user_id, created_at) values (%s, now() - interval '9 days')",
            [(user,) for user in users],
        )
        cursor.executemany(
            "insert into public.user_video_decisions (user_id, video_id, decision_type, created_at)"
            " values (%s, %s, 'like', now() - interval '8 days')",
            [(user, video_id((7 * place + liked) % 280)) for place, user in enumerate(users) for liked in range(3)],
        )
    yield users
    two_tower(released.home.root, "experiment", "stop", NAME)
    rollback(released.target, to=NEW)


def experiment(released: Released, *words: str) -> str:
    """What a command that succeeds prints."""
    finished = two_tower(released.home.root, "experiment", *words)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def refused(released: Released, *words: str) -> str:
    """What a command says that does not succeed."""
    finished = two_tower(released.home.root, "experiment", *words)
    assert finished.returncode == 1, finished.stdout
    return finished.stderr


def test_two_hundred_people_decide_which_release_is_better(up: Up, released: Released, people: list[UUID]) -> None:
    """Both releases serve, each its own people; what these like decides the readout, and the readout the promotion.

    Time is moved, not waited for: nobody counts before the hours that an exposure has.
    """
    arms = [word for arm, version in VERSIONS.items() for word in ("--arm", f"{arm}={version}")]
    experiment(released, "create", NAME, *arms, "--users", str(PEOPLE - 10), "--attribution-hours", "1")
    experiment(released, "start", NAME, "--share", "1")
    caller = server(up)
    first, *others = people
    served = Counter([_served_once_heard(caller, first)])
    with ThreadPoolExecutor(CALLERS) as pool:
        served.update(pool.map(lambda user: _served(caller, user), others))
    expected = Counter(ARMS[arm_of(NAME, (0.5, 0.5), user)] for user in people)
    assert served == Counter({(arm, VERSIONS[arm]): count for arm, count in expected.items()})
    assert _said(released)["verdicts"][0]["decision"] == "not yet"

    _decide(released, people)
    said = _said(released)
    (verdict,) = said["verdicts"]
    assert (verdict["arm"], verdict["decision"], verdict["promotable"]) == ("former", "better", True)
    assert {arm["arm"]: arm["counted"] for arm in said["arms"]} == dict(expected)
    rates = {arm["arm"]: arm["metrics"]["like_rate"]["mean"] for arm in said["arms"]}
    assert rates == {arm: pytest.approx(taste, abs=0.1) for arm, taste in TASTE.items()}

    assert "Stop it first" in refused(released, "promote", NAME, "--arm", "former")
    experiment(released, "stop", NAME)
    assert _served(caller, people[0]) == (None, NEW)
    assert f"live: {OLD} (before: {NEW})" in experiment(released, "promote", NAME, "--arm", "former")
    assert _served(caller, people[0]) == (None, OLD)


def _served_once_heard(caller: Caller, user: UUID) -> tuple[str | None, str]:
    """The functions look for news five times a second; until then everybody gets the live release."""
    until = time.monotonic() + 30
    while (served := _served(caller, user))[0] is None:
        assert time.monotonic() < until, "not within 30 s"
        time.sleep(0.05)
    return served


def _served(caller: Caller, user: UUID) -> tuple[str | None, str]:
    """Ask for a list; return the arm that it is said to be of, and its model version."""
    answer = caller.call("ai-recommend-v5", str(user), limit=10)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["items"]) == 10
    return answer.headers.get("x-arm"), answer.json()["modelVersion"]


def _said(released: Released) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(experiment(released, "readout", NAME, "--json"))
    return found


def _decide(released: Released, people: list[UUID]) -> None:
    """Put what was served two hours back, and let everybody decide a minute after they saw it."""
    chance = random.Random(0)
    with psycopg.connect(released.database) as connection:
        # Rows that only grow are moved by nobody but whoever plays with time.
        connection.execute("set session_replication_role = replica")
        connection.execute("update public.experiments set started_at = started_at - interval '2 hours'")
        lists = connection.execute(
            "update public.served_lists set served_at = served_at - interval '2 hours' where experiment = %s"
            " returning user_id, arm, served_at, video_ids",
            [NAME],
        ).fetchall()
        assert {user for user, *_ in lists} == set(people)
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into public.user_video_decisions (user_id, video_id, decision_type, created_at)"
                " values (%s, %s, %s, %s + interval '1 minute')",
                [
                    (user, video, "like" if chance.random() < TASTE[arm] else "nope", served_at)
                    for user, arm, served_at, videos in sorted(lists)
                    for video in videos[:DECIDED]
                ],
            )
