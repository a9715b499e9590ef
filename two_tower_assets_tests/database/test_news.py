"""What the sensors ask every minute reads what is new, and not what is old."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.database.rows import Connection, value

NOW = datetime.now(UTC)
HOUR_AGO = NOW - timedelta(hours=1)
VERSION = "20260301T120000Z-0123456"
PAGES_OF_A_FEW_ROWS = 60
"""An index's height and some rows, for each of the few index scans; the tables have thousands."""
OF_A_FEW_ROWS = {"experiments", "experiment_arms"}

FILL = """
insert into public.videos (id, created_at)
select gen_random_uuid(), now() - n * interval '1 hour' from generate_series(1, 8000) as n;
insert into public.user_video_decisions
select gen_random_uuid(), gen_random_uuid(), 'like', now() - n * interval '5 minutes'
from generate_series(1, 100000) as n;
insert into two_tower.video_embeddings_unreleased (video_id, embedding)
select id, array_fill(0.0625::real, array[256])::extensions.vector from public.videos;
"""
ASKED = {
    "news_since": {"since": HOUR_AGO, "most_decisions": 10_000, "most_videos": 500},
    "users_with_stale_vector": {"model_version": VERSION, "since": HOUR_AGO, "until": NOW, "most": 1},
    "users_of_arms_with_stale_vector": {"model_version": VERSION, "since": HOUR_AGO, "until": NOW, "most": 1},
    "videos_without_vector": {"most": 1001},
}


@pytest.fixture(scope="module")
def grown(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """A database with a year of decisions and videos, all of which have a vector."""
    name = "news_of_a_year"
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(f"create database {name} template {migrated_template}")
        with psycopg.connect(cluster.url(name), autocommit=True) as other:
            # Vacuum takes no commit for sure that is not on disk, and marks its pages as visible to all only then.
            other.execute("set synchronous_commit = on")
            other.execute(FILL)
            other.execute("vacuum analyze")
        yield cluster.url(name)
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def connection(grown: str) -> Iterator[Connection]:
    with connect(grown, autocommit=True) as connection:
        yield connection


def plan_of(connection: Connection, name: str) -> dict[str, Any]:
    """The plan of a named query, with what it did."""
    statement = query(name).replace("{vectors}", "public.video_embeddings")
    explain = f"explain (analyze, buffers, timing off, format json) {statement}"
    row = connection.execute(explain, ASKED[name]).fetchone()
    assert row is not None
    plan: dict[str, Any] = row[0][0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


@pytest.mark.parametrize("name", ["news_since", "users_with_stale_vector", "users_of_arms_with_stale_vector"])
def test_what_is_old_is_not_read(connection: Connection, name: str) -> None:
    """Neither a table nor a whole index: a few pages, wherever a hundred thousand rows lie."""
    plan = plan_of(connection, name)
    read = {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
    assert read <= OF_A_FEW_ROWS
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < PAGES_OF_A_FEW_ROWS


def test_a_count_stops_at_its_limit(connection: Connection) -> None:
    """Asked for all of a year, no more rows are read than would begin a retrain."""
    asked = {"since": NOW - timedelta(days=365), "most_decisions": 50, "most_videos": 20}
    row = connection.execute(query("news_since"), asked).fetchone()
    assert row is not None
    assert row[1:] == (50, 20)


def test_missing_vectors_are_found_without_reading_vectors(connection: Connection) -> None:
    """Two indexes are walked side by side; of the table with the vectors not a page is read."""
    plan = plan_of(connection, "videos_without_vector")
    kinds = {node.get("Relation Name"): node["Node Type"] for node in nodes(plan) if "Relation Name" in node}
    assert kinds == {"videos": "Index Only Scan", "video_embeddings_unreleased": "Index Only Scan"}
    table_pages = value(connection, "select pg_relation_size('two_tower.video_embeddings_unreleased') / 8192")
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < table_pages / 5
