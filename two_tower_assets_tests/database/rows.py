"""Rows for the database tests, written one by one, and the roles that ask for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

Connection = psycopg.Connection[TupleRow]


def user_id(number: int) -> str:
    """A user's id that sorts by its number."""
    return f"00000000-0000-4000-8000-{number:012x}"


def video_id(number: int) -> str:
    """A video's id that sorts by its number."""
    return f"11111111-0000-4000-8000-{number:012x}"


def add_video(
    connection: Connection, number: int, *, tags: Sequence[str] = (), performers: Sequence[str] = (), **columns: Any
) -> str:
    """Insert a video with its tags and performers (made when new) and return its id."""
    values = {"id": video_id(number), **columns}
    connection.execute(
        sql.SQL("insert into public.videos ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join(map(sql.Placeholder, values))
        ),
        values,
    )
    for name in tags:
        _link(connection, video_id(number), name, table="tags", column="tag_id")
    for name in performers:
        _link(connection, video_id(number), name, table="performers", column="performer_id")
    return video_id(number)


def tag_id(connection: Connection, name: str) -> str:
    """The id of the tag of that name, made when new."""
    return _named(connection, name, table="tags")


def decide(connection: Connection, user: int, video: int, decision_type: str, at: str) -> None:
    """Insert a decision; `at` is an ISO time."""
    connection.execute(
        "insert into public.user_video_decisions values (%s, %s, %s, %s)",
        (user_id(user), video_id(video), decision_type, at),
    )


def user_payload(connection: Connection, user: int, as_of: str = "infinity") -> dict[str, Any]:
    """The payload of one user, by the single RPC."""
    return value(connection, "select public.get_user_embedding_features(%s, %s)", user_id(user), as_of)


def value(connection: Connection, statement: str, *parameters: Any) -> Any:
    """The only value of the only row."""
    row = connection.execute(statement, parameters or None).fetchone()
    assert row is not None
    return row[0]


def column(connection: Connection, statement: str, *parameters: Any) -> list[Any]:
    """The first value of every row."""
    return [row[0] for row in connection.execute(statement, parameters or None)]


@contextmanager
def acting_as(connection: Connection, role: str, user: int | None = None) -> Iterator[None]:
    """Be `role` for one transaction, as PostgREST is: with the claims of a signed-in user, if one is given."""
    claims = {"role": role, **({"sub": user_id(user)} if user is not None else {})}
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
        yield


def _link(connection: Connection, video: str, name: str, *, table: str, column: str) -> None:
    connection.execute(
        sql.SQL("insert into public.{} (video_id, {}) values (%s, %s)").format(
            sql.Identifier(f"video_{table}"), sql.Identifier(column)
        ),
        (video, _named(connection, name, table=table)),
    )


def _named(connection: Connection, name: str, *, table: str) -> str:
    relation = sql.Identifier(table)
    row = connection.execute(sql.SQL("select id::text from public.{} where name = %s").format(relation), (name,))
    found = row.fetchone()
    if found is None:
        statement = sql.SQL("insert into public.{} (name) values (%s) returning id::text").format(relation)
        found = connection.execute(statement, (name,)).fetchone()
    assert found is not None
    return str(found[0])
