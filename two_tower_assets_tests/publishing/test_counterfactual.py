"""A release's chances of lists that the real function made: Deno, PostgREST and the files of two versions."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import polars as pl
import psycopg
import pytest
from click.testing import CliRunner, Result

from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.cli import main
from two_tower_assets.contract import Files
from two_tower_assets.environment import ListSettings
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.counterfactual.places import By
from two_tower_assets.experiments.definition import RankingChanges
from two_tower_assets.features.times import MICROSECONDS_A_DAY, MISSING_TIME
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets.publishing.counterfactual.chances import Asked, release_chances
from two_tower_assets.publishing.counterfactual.ranking import Ranking
from two_tower_assets.publishing.target import Target
from two_tower_assets.settings import RerankSettings
from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.publishing.recommending import PATIENCE_SECONDS, ask, recommending
from two_tower_assets_tests.publishing.releasing import NEW, OLD, VIDEOS, release, rows, stage_only

USERS = [uuid.UUID(int=0xC0DE_0000 + number) for number in range(130)]
LISTS = ListSettings(explore_share=0.3)


@pytest.fixture
def recommend(
    artifacts: Path, postgrest: PostgREST, project_keys: ProjectKeys, tmp_path: Path
) -> Iterator[httpx.Client]:
    """`ai-recommend-v5`, which gives every third place away."""
    variables = {"EXPLORE_SHARE": str(LISTS.explore_share), "MODEL_REFRESH_SECONDS": "0.2"}
    with recommending(artifacts, postgrest, project_keys, tmp_path, **variables) as client:
        yield client


@pytest.fixture
def served(target: Target, artifacts: Path, recommend: httpx.Client) -> Target:
    """OLD live and NEW staged; every user with three LIKEs was served two lists by OLD, two days ago."""
    release(target, artifacts / OLD)
    stage_only(target, artifacts / NEW)
    _describe_videos(target.url)
    _like(target.url)
    _ask_twice(recommend)
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
    """Move all that has a time by whole days, so that hours of the day stay, as if nobody had done anything since."""
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        for table, column in (
            ("public.served_lists", "served_at"),
            ("public.videos", "created_at"),
            ("public.videos", "product_released_at"),
            ("public.user_video_decisions", "created_at"),
            ("two_tower.user_embedding_versions", "updated_at"),
        ):
            connection.execute(f"update {table} set {column} = {column} - interval '2 days'".encode())


def _decide_later(url: str) -> None:
    """Everybody likes what stood first in the first list, or not, and the stored vectors are renewed."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into public.user_video_decisions"
            " select distinct on (user_id, video_ids[1]) user_id, video_ids[1],"
            " case when user_id::text < %s then 'like' else 'nope' end, served_at + interval '1 hour'"
            " from public.served_lists order by user_id, video_ids[1], served_at",
            [str(USERS[80])],
        )
        connection.execute("update two_tower.user_embedding_versions set updated_at = now()")


def weights(target: Target, artifacts: Path, by: By, version: str = OLD, **changes: float) -> pl.DataFrame:
    """Rows of chances with their weights, a row a place."""
    asked = Asked(version, RankingChanges.model_validate(changes), timedelta(hours=24), most=1000, by=by)
    with psycopg.connect(target.url) as connection:
        found = release_chances(connection, target.buckets, artifacts, LISTS, asked, at=datetime.now(UTC))
    return found.with_columns(weight=pl.col("chance") / pl.col("shown"))


def test_the_release_that_served_has_the_chances_it_served_with(served: Target, artifacts: Path) -> None:
    """By place and by list every weight is 1, and nearly every one is where vectors have to be computed anew.

    Only near ties may then fall the other way: the function's arithmetic and onnxruntime's differ by rounding.
    """
    for by in ("place", "list"):
        found = weights(served, artifacts, by)
        assert found.height == 2 * len(USERS) * 10
        np.testing.assert_allclose(found["weight"].to_numpy(), 1, rtol=1e-9)
    _decide_later(served.url)
    found = weights(served, artifacts, "place")
    assert found.height == 2 * len(USERS) * 10
    assert (np.abs(found["weight"].to_numpy() - 1) < 1e-9).mean() > 0.99


def test_other_rankings_of_what_was_served(
    served: Target, artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer places given away by hand and at the command line; another model is refused; so is what is mistyped."""
    _decide_later(served.url)
    fewer = weights(served, artifacts, "place", explore_share=0.15)
    firsts = fewer.group_by("list_id", maintain_order=True).first()["weight"].round(6).unique()
    assert set(firsts.to_list()) == {round(0.85 / 0.7, 6), 0.5}
    assert fewer["predicted"].is_between(0, 1).all()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TWO_TOWER_STORAGE_URL", str(tmp_path / "buckets"))
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", served.url)
    monkeypatch.setenv("EXPLORE_SHARE", str(LISTS.explore_share))
    same = json.loads(_said("--release", "live", "--json"))
    assert same["effective_users"] == pytest.approx(same["users"], rel=0.01)
    estimates = [same[name]["mean"] for name in ("candidate", "inverse_propensity", "doubly_robust")]
    assert estimates == pytest.approx([same["logged"]["mean"]] * 3, rel=0.05)
    text = _said("--ranking", "explore_share=0.15")
    for words in ("as served", "weighed (IPS)", "self-normalised", "doubly robust", "and its place alone"):
        assert words in text
    assert "wherever in the list" in _said("--ranking", "explore_share=0.2", "--by", "list")
    for words, refusal in (
        (("--release", NEW), "too little of the candidate|never shown with any chance"),
        (("--release", "20200101T000000Z-fffffff"), "is unknown"),
        (("--ranking", "colour=1"), "colour"),
        (("--ranking", "explore_share=0.9"), "explore_share = 0.9"),
        (("--ranking", "candidates"), "not of the form"),
        ((), "Either a file of chances"),
    ):
        answer = _value(*words)
        assert answer.exit_code == 1
        assert re.search(refusal, answer.output.replace("\n", " "))
        assert "Traceback" not in answer.output


def test_a_ranking_is_the_releases_but_for_what_is_changed(old: Path) -> None:
    """Its own weights and strength, or the contract's where it says nothing; changes win over both."""
    meta = ModelMeta.read(old / Files.MODEL_META)
    assert Ranking.of(meta, LISTS, RankingChanges()) == Ranking(LISTS, RerankSettings(), strength=0.1)
    silent = meta.model_copy(update={"serving": None})
    assert Ranking.of(silent, LISTS, RankingChanges()).strength == 1
    changes = RankingChanges.model_validate({"candidates": 99, "rerank": {"strength": 0.5, "free": 0.25}})
    changed = Ranking.of(meta, LISTS, changes)
    assert changed == Ranking(replace(LISTS, candidates=99), RerankSettings(free=0.25), strength=0.5)


def test_scores_are_those_of_the_function_by_hand(old: Path) -> None:
    """Released now, in a day, and without a date; free, without a price, and dear: at the full strength."""
    changes = RankingChanges.model_validate({"rerank": {"strength": 1}})
    ranking = Ranking.of(ModelMeta.read(old / Files.MODEL_META), LISTS, changes)
    released_at = np.array([0, MICROSECONDS_A_DAY, MISSING_TIME])
    found = ranking.scores(np.full(3, 0.2), released_at, np.array([0.0, np.nan, 4001.0]), now=0)
    np.testing.assert_allclose(found, [0.6 + 0.3 + 0.02, 0.6 + 0.1, 0.6 - 0.05])


def test_a_database_without_such_lists_is_refused(target: Target, artifacts: Path) -> None:
    """Nothing was served, or nothing long enough ago."""
    release(target, artifacts / OLD)
    with pytest.raises(ExperimentError, match="No list of a user with LIKEs"):
        weights(target, artifacts, "place")


def _value(*words: str) -> Result:
    return CliRunner().invoke(main, ["experiment", "value", *words])


def _said(*words: str) -> str:
    answer = _value(*words)
    assert answer.exit_code == 0, answer.output
    return answer.stdout
