"""Who may call what and see what: the state of grants, row-level security and policies, asked of Postgres itself."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets_tests.database.releases import as_text, release, unit_vectors
from two_tower_assets_tests.database.rows import (
    Connection,
    acting_as,
    add_video,
    column,
    decide,
    user_id,
    value,
    video_id,
)

ROLES = ("anon", "authenticated", "service_role")
EVERYBODY = ("public", *ROLES)
READ = {"select"}
WRITE = {"select", "insert", "update", "delete"}

FUNCTIONS = {
    "get_user_embedding_features(uuid, timestamptz)": {"authenticated", "service_role"},
    "get_user_embedding_feature_batch(int, int, uuid, timestamptz)": {"service_role"},
    "get_item_embedding_features(uuid)": {"authenticated", "service_role"},
    "get_item_embedding_feature_batch(int, int, uuid, boolean)": {"service_role"},
    "recommend_videos_ann(extensions.vector, int, uuid[], int, text[], uuid[], timestamptz, text)": {
        "authenticated",
        "service_role",
    },
    "get_live_release()": {"service_role"},
    "refresh_popularity(float8, interval)": {"service_role"},
    "popular_videos(int, uuid[], int, text[], uuid[], timestamptz, uuid)": {"authenticated", "service_role"},
    "user_embedding_state(uuid, text, boolean, boolean)": {"service_role"},
    "store_user_embedding(uuid, text, extensions.vector, timestamptz, boolean)": {"service_role"},
    "recommend_for_user(uuid, text, int, uuid[], int, text[], uuid[], boolean, extensions.vector, timestamptz, "
    "float8, boolean)": {"service_role"},
}
RELATIONS = {
    **{
        name: {"authenticated": READ, "service_role": WRITE}
        for name in ("videos", "tag_groups", "tags", "video_tags", "performers", "video_performers")
    },
    "profiles": {"authenticated": WRITE - {"delete"}, "service_role": WRITE},
    "user_video_decisions": {"authenticated": WRITE, "service_role": WRITE},
    "video_embeddings": {"service_role": WRITE},
    "user_embeddings": {"authenticated": READ, "service_role": WRITE},
    "model_releases": {"service_role": READ},
    "live_release": {"service_role": READ},
    "release_log": {"service_role": READ},
    "served_lists": {"service_role": READ | {"insert"}},
}
OWNER_ONLY = {
    "activate_release",
    "create_video_embeddings",
    "drop_release_vectors",
    "index_video_embeddings",
    "require_complete",
    "show_version",
    "make_embedding_tables",
    "drop_embedding_tables",
    "drop_overloads",
    "close_new_table",
    "require_key",
    "touch",
    "refuse_change",
    "version_suffix",
}


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, autocommit=True) as opened:
        yield opened


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_may_be_called_by_exactly_these_roles(connection: Connection, function: str) -> None:
    """The grants on each public function are those of the contract."""
    holders = {
        role
        for role in EVERYBODY
        if value(connection, "select has_function_privilege(%s, %s, 'execute')", role, f"public.{function}")
    }
    assert holders == FUNCTIONS[function]


def test_no_other_public_function_was_made(connection: Connection) -> None:
    """Schema public holds the contract's functions, one of each name, and nothing else of ours."""
    names = column(
        connection,
        """select p.proname::text from pg_proc p where p.pronamespace = 'public'::regnamespace
           and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')""",
    )
    assert sorted(names) == sorted(function.split("(")[0] for function in FUNCTIONS)


@pytest.mark.parametrize("relation", RELATIONS)
def test_table_may_be_used_by_exactly_these_roles(connection: Connection, relation: str) -> None:
    """The grants on each public table and view are those of the contract, TRUNCATE and the like included."""
    privileges = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
    state = {
        role: {
            privilege
            for privilege in privileges
            if value(connection, "select has_table_privilege(%s, %s, %s)", role, f"public.{relation}", privilege)
        }
        for role in EVERYBODY
    }
    assert state == {role: RELATIONS[relation].get(role, set()) for role in EVERYBODY}


def test_no_public_table_was_forgotten(connection: Connection) -> None:
    """Every table and view in schema public stands in the matrix."""
    names = column(
        connection,
        """select relname::text from pg_class
           where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')""",
    )
    assert set(names) == set(RELATIONS)


def test_every_public_table_has_row_level_security(connection: Connection) -> None:
    """Tables have it enabled, views let their caller's through."""
    assert not column(
        connection,
        """select relname from pg_class
           where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relrowsecurity""",
    )
    assert not column(
        connection,
        """select relname from pg_class
           where relnamespace = 'public'::regnamespace and relkind = 'v'
             and not coalesce(reloptions::text[] @> array['security_invoker=true'], false)""",
    )


def test_no_function_runs_as_its_owner(connection: Connection) -> None:
    """All functions are security invoker, and their names cannot be captured through search_path."""
    rows = connection.execute(
        """select p.oid::regprocedure::text, p.prosecdef, p.proconfig::text, p.prosqlbody is not null
           from pg_proc p
           where p.pronamespace in ('public'::regnamespace, 'two_tower'::regnamespace)
             and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"""
    ).fetchall()
    assert rows
    for name, definer, config, parsed in rows:
        assert not definer, name
        assert parsed or "search_path=" in (config or ""), name


def test_internal_functions_of_releases_are_the_owners_alone(connection: Connection) -> None:
    """No client role can prepare, flip or drop a release."""
    rows = connection.execute(
        """select p.proname::text, r.role
           from pg_proc p cross join unnest(%s::text[]) as r (role)
           where p.pronamespace = 'two_tower'::regnamespace and has_function_privilege(r.role, p.oid, 'execute')""",
        (list(EVERYBODY),),
    ).fetchall()
    assert not {name for name, _ in rows} & OWNER_ONLY
    assert not {name for name, role in rows if role in {"public", "anon"}}
    existing = set(
        column(connection, "select proname::text from pg_proc where pronamespace = 'two_tower'::regnamespace")
    )
    assert existing >= OWNER_ONLY


def test_anon_reaches_nothing(connection: Connection) -> None:
    """A caller without a user gets no answer from any function or table."""
    calls = [
        f"select * from public.get_user_embedding_features('{user_id(1)}')",
        "select * from public.get_user_embedding_feature_batch()",
        f"select * from public.get_item_embedding_features('{video_id(1)}')",
        "select * from public.get_item_embedding_feature_batch()",
        f"select * from public.recommend_videos_ann('{as_text(unit_vectors(1)[0])}'::extensions.vector)",
        "select * from public.get_live_release()",
        *(f"select * from public.{relation}" for relation in RELATIONS),
    ]
    for call in calls:
        with acting_as(connection, "anon"), pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(call)


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
