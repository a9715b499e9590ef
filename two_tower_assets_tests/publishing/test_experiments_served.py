"""Experiments served by the real function: Deno, PostgREST and the files of two versions, from start to stop."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.experiments import registry
from two_tower_assets.experiments.assignment import arm_of, is_in
from two_tower_assets.experiments.definition import Experiment, define
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets.publishing.deployed_release import NEW_USER, DeployedRelease, NotLookedAt
from two_tower_assets.publishing.function_calls import AI_RECOMMEND, Functions
from two_tower_assets.publishing.rest_project import RestProject
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.publishing.gateway import gateway
from two_tower_assets_tests.publishing.recommending import PATIENCE_SECONDS, ask, recommending
from two_tower_assets_tests.publishing.releasing import NEW, OLD, release, rows, stage_only

USERS = [uuid.UUID(int=0x5EED_0000 + number) for number in range(40)]
ARMS = ("control", "challenger")
VERSIONS = {"control": OLD, "challenger": NEW}


@pytest.fixture
def prepared(target: Target, old: Path, new: Path) -> Target:
    """OLD live, and NEW ready beside it."""
    release(target, old)
    stage_only(target, new)
    return target


@pytest.fixture
def recommend(
    artifacts: Path, postgrest: PostgREST, project_keys: ProjectKeys, tmp_path: Path
) -> Iterator[httpx.Client]:
    """`ai-recommend-v5`; it looks for news once in five minutes."""
    with recommending(artifacts, postgrest, project_keys, tmp_path, MODEL_REFRESH_SECONDS="300") as client:
        yield client


def planned(**changes: Any) -> Experiment:
    arms = [
        {"name": "control", "weight": 0.5},
        {"name": "challenger", "weight": 0.5, "model_version": NEW},
    ]
    return define(
        **{
            "name": "new-model", "salt": "s", "arms": arms, "primary_metric": "like_rate", "planned_users": 1000,
            **changes,
        }
    )  # fmt: skip


def run(target: Target, experiment: Experiment, share: str) -> None:
    with connect(target.url, autocommit=True) as connection:
        registry.create(connection, experiment)
        registry.start(connection, experiment.name, Decimal(share))


def stop(target: Target) -> None:
    with connect(target.url, autocommit=True) as connection:
        registry.stop(connection, "new-model")


def exposures(target: Target, lists: int) -> list[tuple[Any, ...]]:
    """The rows of `served_lists`, once there are so many."""
    statement = "select user_id, arm, experiment, model_version, teams from public.served_lists"
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if len(found := rows(target.url, statement)) >= lists:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{len(found)} of {lists} lists were written down")


def test_two_releases_serve_at_once_until_the_stop(recommend: httpx.Client, prepared: Target) -> None:
    """Each user by the arm that Python and SQL say, with its vectors, logged as its exposure; then by OLD again.

    The stop is heard by the very next request, although the function looks for news once in five minutes.
    """
    run(prepared, planned(), "0.6")
    served: Counter[str | None] = Counter()
    for user in USERS:
        answer = ask(recommend, user)
        inside = is_in((0.0, 0.6), user)
        arm = ARMS[arm_of("s", (0.5, 0.5), user)] if inside else None
        version = VERSIONS[arm] if arm else OLD
        headers = [answer.headers.get(name) for name in ("x-experiment", "x-arm", "x-model-version")]
        assert headers == ["new-model" if arm else None, arm, version]
        assert answer.json()["modelVersion"] == version
        assert len(answer.json()["items"]) == 10
        ((in_sql,),) = rows(prepared.url, "select two_tower.experiment_arm('new-model', %s)", user)
        assert in_sql == arm
        ((kept,),) = rows(
            prepared.url,
            "select array_agg(model_version) from two_tower.user_embedding_versions where user_id = %s",
            user,
        )
        assert kept == [version]
        served[arm] += 1
    assert min(served[arm] for arm in (None, *ARMS)) >= 5
    logged = exposures(prepared, len(USERS))
    assert Counter(arm for _, arm, experiment, _, _ in logged if experiment) == {arm: served[arm] for arm in ARMS}
    assert {(arm, version) for _, arm, experiment, version, _ in logged if experiment} == set(VERSIONS.items())

    stop(prepared)
    for user in USERS:
        answer = ask(recommend, user)
        assert (answer.headers["x-model-version"], answer.headers.get("x-experiment")) == (OLD, None)
    assert (
        len([row for row in exposures(prepared, 2 * len(USERS)) if row[2]])
        == served["control"] + served["challenger"]
    )


def test_looking_at_a_deployment_leaves_users_of_experiments_alone(
    recommend: httpx.Client, prepared: Target, postgrest: PostgREST, project_keys: ProjectKeys, tmp_path: Path
) -> None:
    """Where nobody is outside, it is said why nothing was looked at; else somebody outside is asked for."""
    with psycopg.connect(prepared.url) as connection:
        connection.cursor().executemany(
            """insert into public.user_video_decisions
               select %s, id, 'like', now() from public.videos order by id limit %s""",
            [(user, 1 + number) for number, user in enumerate(USERS)],
        )
    run(prepared, planned(), "1")
    url, key = str(recommend.base_url).removesuffix("/ai-recommend-v5/"), project_keys.service_role
    with gateway(postgrest.url) as project, RestProject(project.url, key) as rest, Functions(url, key) as functions:
        look = DeployedRelease(rest, functions, url, tmp_path)
        look.live_in_postgres()
        assert look.user == NEW_USER
        with pytest.raises(NotLookedAt, match="experiment new-model has all users"):
            look.answers(AI_RECOMMEND)
        stop(prepared)
        run(prepared, planned(name="other"), "0.9")
        look = DeployedRelease(rest, functions, url, tmp_path)
        look.live_in_postgres()
        outside = [str(user) for user in USERS if not is_in((0.0, 0.9), user)]
        assert look.answers(AI_RECOMMEND) == f"{OLD}, for {outside[-1]}"


def test_an_interleaved_list_has_both_releases_picks(recommend: httpx.Client, prepared: Target) -> None:
    """Everybody in it sees both; the log says whose pick each place is, and both versions keep a vector."""
    run(prepared, planned(kind="interleaving", primary_metric="preference"), "1")
    for user in USERS[:5]:
        answer = ask(recommend, user)
        assert answer.headers["x-arm"] == "interleaved"
        assert len({item["video"]["id"] for item in answer.json()["items"]}) == 10
    for user, arm, experiment, version, teams in exposures(prepared, 5):
        assert (arm, experiment, version) == ("interleaved", "new-model", OLD)
        assert Counter(teams) == {"control": 5, "arm": 5}
        kept = rows(
            prepared.url,
            "select model_version from two_tower.user_embedding_versions where user_id = %s order by 1",
            user,
        )
        assert kept == [(OLD,), (NEW,)]
