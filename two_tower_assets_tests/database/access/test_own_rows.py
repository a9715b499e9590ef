"""One's own rows before and after a release: what changes with a flip, and what the search shows of the registry."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.releases import as_text, release, unit_vectors
from two_tower_assets_tests.database.rows import Connection, acting_as, add_video, column, decide, user_id, video_id


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """As the owner of an empty database: these tests release for themselves."""
    with connect(database, autocommit=True) as opened:
        yield opened


def test_user_sees_and_changes_only_own_rows(connection: Connection) -> None:
    """Decisions and profiles of others are invisible, cannot be changed, and cannot be made in their name."""
    connection.execute("insert into public.profiles (user_id) values (%s), (%s)", (user_id(1), user_id(2)))
    decide(connection, 1, 1, "like", "2024-01-01")
    decide(connection, 2, 1, "like", "2024-01-01")
    with acting_as(connection, "authenticated", user=1):
        assert column(connection, "select user_id::text from public.profiles") == [user_id(1)]
        assert column(connection, "select user_id::text from public.user_video_decisions") == [user_id(1)]
        assert connection.execute("update public.user_video_decisions set decision_type = 'nope'").rowcount == 1
        assert connection.execute("delete from public.user_video_decisions").rowcount == 1
        decide(connection, 1, 2, "like", "2024-01-02")
    with acting_as(connection, "authenticated", user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
        decide(connection, 2, 3, "like", "2024-01-02")
    with acting_as(connection, "authenticated", user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update public.profiles set user_id = %s where user_id = %s", (user_id(3), user_id(1)))
    with acting_as(connection, "authenticated"):
        assert column(connection, "select count(*) from public.user_video_decisions") == [0]


@pytest.mark.parametrize("flips", [0, 1])
def test_user_reads_only_the_own_vector(connection: Connection, flips: int) -> None:
    """Before and after a release, one's own stored vector is readable, and only by reading."""
    if flips:
        release(connection, "v1", None, {video_id(1): unit_vectors(1)[0]})
    with connection.transaction():
        connection.execute("set local role service_role")
        connection.execute(
            "insert into public.user_embeddings (user_id, embedding) values (%(a)s, %(v)s), (%(b)s, %(v)s)",
            {"a": user_id(1), "b": user_id(2), "v": as_text(unit_vectors(1)[0])},
        )
    with acting_as(connection, "authenticated", user=1):
        assert column(connection, "select user_id::text from public.user_embeddings") == [user_id(1)]
    with acting_as(connection, "authenticated", user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from public.user_embeddings")
    with acting_as(connection, "authenticated", user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select * from two_tower.user_embedding_versions")


def test_signed_in_user_is_recommended_videos_but_not_shown_the_registry(connection: Connection) -> None:
    """The search runs as its caller; metrics and the names of those who release stay closed."""
    vectors = {add_video(connection, number): vector for number, vector in enumerate(unit_vectors(5))}
    release(connection, "v1", None, vectors)
    with acting_as(connection, "authenticated", user=1):
        found = connection.execute(
            "select * from public.recommend_videos_ann(%s::extensions.vector, 3)", (as_text(unit_vectors(1)[0]),)
        ).fetchall()
        assert len(found) == 3
        assert column(connection, "select model_version from public.live_release") == ["v1"]
    for closed in ("select metrics from public.model_releases", "select activated_by from public.live_release"):
        with acting_as(connection, "authenticated", user=1), pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(closed)
