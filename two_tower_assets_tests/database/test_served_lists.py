"""The log of served lists: whole rows, each once, never changed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.rows import Connection, acting_as, column, user_id, video_id


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        yield opened


def log(connection: Connection, **changes: Any) -> None:
    """Insert a list of two places as PostgREST does for the functions."""
    row = {
        "list_id": uuid.UUID(int=1),
        "user_id": user_id(1),
        "model_version": "v1",
        "arm": "default",
        "first_position": 0,
        "video_ids": [uuid.UUID(video_id(1)), uuid.UUID(video_id(2))],
        "scores": [0.5, -0.25],
        "sources": ["model", "explore"],
        "propensities": [0.98, 0.0002],
        **changes,
    }
    with connection.transaction():
        connection.execute("set local role service_role")
        connection.execute(
            sql.SQL("insert into public.served_lists ({}) values ({}) on conflict (list_id) do nothing").format(
                sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row))
            ),
            row,
        )


def test_a_list_is_kept_once(connection: Connection) -> None:
    """The same list sent again is the same row."""
    log(connection)
    log(connection)
    assert column(connection, "select video_ids[2]::text from public.served_lists") == [video_id(2)]


@pytest.mark.parametrize(
    "changes",
    [
        {"scores": [0.5]},
        {"sources": ["model"]},
        {"propensities": [1.0]},
        {"video_ids": []},
        {"sources": ["model", "advertisement"]},
        {"propensities": [0.5, 0.0]},
        {"propensities": [0.5, 1.1]},
        {"propensities": [0.5, None]},
        {"scores": [None, 0.5]},
        {"sources": ["model", None]},
        {"first_position": -1},
    ],
)
def test_a_list_that_cannot_be_learned_from_is_refused(connection: Connection, changes: dict[str, Any]) -> None:
    """Arrays of other lengths, unknown sources, chances that are none."""
    with pytest.raises(psycopg.errors.IntegrityError):
        log(connection, **changes)


def test_the_log_only_grows(connection: Connection) -> None:
    """Not even its owner changes a row."""
    log(connection)
    for change in (
        "update public.served_lists set arm = 'x'",
        "delete from public.served_lists",
        "truncate public.served_lists",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only grows"):
            connection.execute(change)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_nobody_else_reads_or_writes(connection: Connection, role: str) -> None:
    """A user does not even see what was served to them."""
    log(connection)
    for statement in ("select * from public.served_lists", "insert into public.served_lists (list_id) values (null)"):
        with acting_as(connection, role, user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_an_interleaved_list_says_whose_pick_each_place_is(connection: Connection) -> None:
    """One team a place, of an experiment, and no other word."""
    log(connection, experiment="e", arm="interleaved", teams=["control", "arm"])
    assert column(connection, "select teams from public.served_lists") == [["control", "arm"]]
    for changes in (
        {"experiment": None, "teams": ["control", "arm"]},
        {"experiment": "e", "teams": ["control"]},
        {"experiment": "e", "teams": ["control", None]},
        {"experiment": "e", "teams": ["control", "nobody"]},
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            log(connection, list_id=uuid.UUID(int=2), **changes)
