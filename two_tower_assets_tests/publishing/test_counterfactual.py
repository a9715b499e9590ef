"""A release's chances of lists that the real function made: Deno, PostgREST and the files of two versions."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import psycopg
import pytest

from two_tower_assets.environment import ListSettings
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.counterfactual.places import By
from two_tower_assets.experiments.definition import RankingChanges
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets.publishing.counterfactual.chances import Asked, release_chances
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.publishing.recommending import PATIENCE_SECONDS, ask, recommending
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, release, rows, stage_only

USERS = [uuid.UUID(int=0xC0DE_0000 + number) for number in range(130)]
LISTS = ListSettings(explore_share=0.3)


@pytest.fixture
def served(
    target: Target,
    old: Path,
    new: Path,
    artifacts: Path,
    postgrest: PostgREST,
    project_keys: ProjectKeys,
    tmp_path: Path,
) -> Target:
    """OLD live and NEW staged; every user with three LIKEs was served two lists by OLD, a day and a half ago."""
    release(target, old)
    stage_only(target, new)
    _describe_videos(target.url)
    _like(target.url)
    variables = {"EXPLORE_SHARE": str(LISTS.explore_share)}
    with recommending(artifacts, postgrest, project_keys, tmp_path, **variables) as client:
        _ask_twice(client)
        _wait_for_lists(target.url, 2 * len(USERS))
    _put_back(target.url)
    return target


def _describe_videos(url: str) -> None:
    """Makers, tags, prices and dates, so that each part of the score and of the likeness counts."""
    random = np.random.default_rng(1)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.tags (id, name) values (%s, %s)", [(_tag(n), f"t{n}") for n in range(8)]
        )
        for number in range(VIDEOS):
            cursor.execute(
                "update public.videos set maker = %s, price = %s, product_released_at = now() - %s where id = %s",
                (
                    None if number % 7 == 0 else f"maker {number % 5}",
                    [None, 0, 500, 2000, 5000][number % 5],
                    timedelta(days=float(random.integers(-3, 400)), seconds=float(random.random())),
                    video_id(number),
                ),
            )
            cursor.executemany(
                "insert into public.video_tags values (%s, %s)",
                [(video_id(number), _tag(int(tag))) for tag in random.choice(8, number % 4, replace=False)],
            )


def _tag(number: int) -> str:
    return str(uuid.UUID(int=0x7A60_0000 + number))


def _like(url: str) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.user_video_decisions values (%s, %s, %s, now() - interval '8 days')",
            [
                (user, video_id((11 * place + liked) % VIDEOS), "nope" if liked == 3 else "like")
                for place, user in enumerate(USERS)
                for liked in range(4)
            ],
        )


def _ask_twice(client: httpx.Client) -> None:
    """The first list is of a fresh vector, the second of the stored one."""
    for user in USERS:
        assert [ask(client, user).json()["embeddingSource"] for _ in range(2)] == ["fresh", "cache"]


def _wait_for_lists(url: str, count: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while rows(url, "select count(*) from public.served_lists") != [(count,)]:
        assert time.monotonic() < until
        time.sleep(0.02)


def _put_back(url: str) -> None:
    """Move all that has a time by 36 hours, as if nobody had done anything since."""
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        for table, column in (
            ("public.served_lists", "served_at"),
            ("public.videos", "created_at"),
            ("public.videos", "product_released_at"),
            ("public.user_video_decisions", "created_at"),
            ("two_tower.user_embedding_versions", "updated_at"),
        ):
            connection.execute(f"update {table} set {column} = {column} - interval '36 hours'".encode())


def chances(target: Target, artifacts: Path, version: str, by: By, changes: RankingChanges) -> pl.DataFrame:
    asked = Asked(version, changes, attribution=timedelta(hours=24), most=1000, by=by)
    with psycopg.connect(target.url) as connection:
        return release_chances(connection, target.buckets, artifacts, LISTS, asked, at=datetime.now(UTC))


def test_the_release_that_served_has_the_chances_it_served_with(served: Target, artifacts: Path) -> None:
    """By place and by list every weight is 1."""
    for by in ("place", "list"):
        found = chances(served, artifacts, OLD, by, RankingChanges())
        weights = (found["chance"] / found["shown"]).to_numpy()
        print(by, len(weights), np.abs(weights - 1).max(), (np.abs(weights - 1) > 1e-9).sum())
    assert 0
