"""Migrating a populated database of the older shape: nothing is lost, nothing is ambiguous afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.database.queries import sql_folder
from two_tower_assets_tests.database.releases import as_text, release, unit_vectors
from two_tower_assets_tests.database.rows import Connection, acting_as, column, user_id, user_payload, value, video_id

LEGACY_TABLES = """
create schema if not exists extensions;
create extension vector with schema {vector_schema};
create table public.profiles (user_id uuid primary key, display_name text);
create table public.videos (
  id uuid primary key, title text not null, price int, product_released_at timestamptz, safety_level int,
  region_codes text[], is_active boolean
);
create table public.tags (id uuid primary key, name text not null);
create table public.video_tags (video_id uuid references public.videos (id), tag_id uuid references public.tags (id));
create table public.user_video_decisions (
  user_id uuid, video_id uuid, decision_type text, created_at timestamptz default now(), note text
);
create table public.video_embeddings (
  video_id uuid primary key references public.videos (id), embedding {vector_schema}.vector(768)
);
create table public.user_embeddings (
  user_id uuid primary key, embedding {vector_schema}.vector({user_dim}), updated_at timestamptz default now()
);
"""

LEGACY_ACCESS = """
alter table public.videos enable row level security;
create policy everybody_reads on public.videos for select to anon using (is_active);
create policy app_reads on public.video_embeddings for select to anon using (true);
grant select on public.videos, public.tags to anon;
grant select, insert on public.user_video_decisions to authenticated;
"""

LEGACY_FUNCTIONS = """
create function public.get_user_embedding_features(user_id uuid) returns json
  language sql as 'select ''{}''::json';
create function public.get_user_embedding_feature_batch("limit" int default 100, "offset" int default 0)
  returns setof json language sql as 'select ''{}''::json';
create function public.get_user_embedding_feature_batch(p_limit int, p_offset int, p_after uuid default null)
  returns setof json language sql as 'select ''{}''::json';
create function public.get_item_embedding_feature_batch("limit" int, "offset" int)
  returns table (video_id uuid, payload jsonb) language sql as 'select null::uuid, null::jsonb';
create function public.get_item_embedding_features(video_id uuid) returns jsonb
  language sql as 'select ''{}''::jsonb';
create function public.recommend_videos_ann(p_embedding {vector_schema}.vector, p_limit int default 20)
  returns table (video_id uuid, distance float8) language sql as 'select null::uuid, 0::float8';
create function public.somebody_elses(id uuid) returns uuid language sql as 'select id';
"""

LEGACY_ROWS = """
insert into public.profiles select gen_random_uuid(), 'name ' || n from generate_series(1, 40) as n;
insert into public.videos
  select ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'title ' || n, n * 100, now(),
    case when n % 2 = 0 then 0 end, case when n % 3 = 0 then '{JP}'::text[] end, case when n % 5 > 0 then true end
  from generate_series(1, 60) as n;
insert into public.tags select gen_random_uuid(), 'tag ' || n from generate_series(1, 5) as n;
insert into public.video_tags select v.id, t.id from public.videos as v, public.tags as t;
insert into public.user_video_decisions
  select ('00000000-0000-4000-8000-' || lpad(to_hex(u), 12, '0'))::uuid, v.id, 'like', '2024-01-01', 'kept'
  from generate_series(1, 30) as u, public.videos as v;
insert into public.video_embeddings
  select id, ('[1' || repeat(',0', 767) || ']')::{vector_schema}.vector from public.videos;
insert into public.user_embeddings (user_id, embedding)
  select user_id, ('[1' || repeat(',0', {user_dim} - 1) || ']')::{vector_schema}.vector from public.profiles;
"""

KEPT = {
    "public.profiles": "public.profiles",
    "public.videos": "public.videos",
    "public.tags": "public.tags",
    "public.video_tags": "public.video_tags",
    "public.user_video_decisions": "public.user_video_decisions",
    "public.video_embeddings": "two_tower.legacy_video_embeddings",
    "public.user_embeddings": "two_tower.legacy_user_embeddings",
}
BEFORE = "select jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text) from {} as t"


def _rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    return value(connection, BEFORE.format(table))


@pytest.fixture(params=[("public", 768), ("extensions", 256)], ids=lambda pair: f"{pair[0]}-{pair[1]}")
def legacy(request: pytest.FixtureRequest, empty_database: str) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """A migrated database of the older shape, and every row that was in it before."""
    vector_schema, user_dim = request.param
    names = {"{vector_schema}": vector_schema, "{user_dim}": str(user_dim)}
    with connect(empty_database, autocommit=True) as connection:
        for path in sorted((sql_folder() / "local").glob("*.sql")):
            connection.execute(path.read_text(encoding="utf-8"))
        for text in (LEGACY_TABLES, LEGACY_ACCESS, LEGACY_FUNCTIONS, LEGACY_ROWS):
            for name, replacement in names.items():
                text = text.replace(name, replacement)  # noqa: PLW2901 - the same text, filled in
            connection.execute(text)
        before = {table: _rows(connection, table) for table in KEPT}
    migrate(empty_database)
    return empty_database, before


def test_no_row_and_no_value_is_lost(legacy: tuple[str, dict[str, list[dict[str, Any]]]]) -> None:
    """Every row of every table is still there with every value it had; vectors of the older shape lie beside."""
    url, before = legacy
    with connect(url) as connection:
        for old, new in KEPT.items():
            after = _rows(connection, new)
            assert len(after) == len(before[old]) > 0
            kept = before[old][0].keys()
            values = sorted(str({key: row[key] for key in kept}) for row in after)
            assert values == sorted(str(row) for row in before[old])


def test_migrating_again_changes_nothing(legacy: tuple[str, dict[str, list[dict[str, Any]]]]) -> None:
    """The second run has nothing to do and moves nothing."""
    url, before = legacy
    assert migrate(url) == ()
    with connect(url) as connection:
        assert {old: len(_rows(connection, new)) for old, new in KEPT.items()} == {
            old: len(rows) for old, rows in before.items()
        }


def test_missing_columns_are_added_without_inventing_values(
    legacy: tuple[str, dict[str, list[dict[str, Any]]]],
) -> None:
    """Tables have all columns of the contract; nobody's account gets an age."""
    url, _ = legacy
    with connect(url) as connection:
        assert set(column(connection, "select created_at from public.profiles")) == {None}
        assert set(column(connection, "select external_id from public.videos")) == {None}
        connection.execute("select tag_group_id from public.tags")


def test_one_function_of_each_name_is_left(legacy: tuple[str, dict[str, list[dict[str, Any]]]]) -> None:
    """No overload remains that PostgREST could not tell apart; functions of others stay."""
    url, _ = legacy
    with connect(url) as connection:
        counts = dict(
            connection.execute(
                """select proname::text, count(*) from pg_proc
                   where pronamespace = 'public'::regnamespace
                     and (proname ~ '_embedding_feature|recommend_videos|get_live' or proname = 'somebody_elses')
                   group by 1"""
            ).fetchall()
        )
    assert counts == dict.fromkeys(
        [
            "get_user_embedding_features",
            "get_user_embedding_feature_batch",
            "get_item_embedding_features",
            "get_item_embedding_feature_batch",
            "recommend_videos_ann",
            "get_live_release",
            "somebody_elses",
        ],
        1,
    )


def test_older_tables_keep_their_doors_and_gain_ours(
    legacy: tuple[str, dict[str, list[dict[str, Any]]]],
) -> None:
    """Existing policies, grants and row-level security stay; what the contract needs is added."""
    url, _ = legacy
    with connect(url) as connection:
        with acting_as(connection, "anon"):
            assert value(connection, "select count(*) from public.videos") == 48
            assert value(connection, "select count(*) from public.tags") == 5
        policies = column(
            connection, "select polname::text from pg_policy where polrelid = 'public.videos'::regclass"
        )
        assert sorted(policies) == ["everybody_reads", "two_tower_read"]
        security = "select relrowsecurity from pg_class where oid = %s::regclass"
        assert value(connection, security, "public.videos") is True
        assert value(connection, security, "public.user_video_decisions") is False
        assert value(connection, security, "public.performers") is True


def test_functions_work_on_the_older_rows(legacy: tuple[str, dict[str, list[dict[str, Any]]]]) -> None:
    """Payloads read columns of older types and nulls; a release goes live and answers."""
    url, _ = legacy
    with connect(url, autocommit=True) as connection:
        payload = user_payload(connection, 1)
        assert payload["decision_stats"]["like_count"] == 60
        assert payload["price_stats"] == {"mean": 3050, "median": 3050}
        assert len(payload["tags"]) == 300
        items = dict(
            connection.execute(
                "select video_id::text, payload from public.get_item_embedding_feature_batch()"
            ).fetchall()
        )
        assert len(items) == 48
        assert items[video_id(1)]["safety_level"] == 0
        assert items[video_id(1)]["region_codes"] == []
        assert items[video_id(3)]["region_codes"] == ["JP"]
        vectors = {video_id(number): vector for number, vector in enumerate(unit_vectors(60), start=1)}
        release(connection, "v1", None, vectors)
        found = column(
            connection,
            "select video_id from public.recommend_videos_ann(%s, 100)",
            as_text(vectors[video_id(1)]),
        )
        assert str(found[0]) == video_id(1)
        assert len(found) == 48
        connection.execute(
            """insert into public.user_video_decisions (user_id, video_id, decision_type) values (%s, %s, 'nope')
               on conflict (user_id, video_id) do update set decision_type = excluded.decision_type""",
            (user_id(1), video_id(1)),
        )
        assert user_payload(connection, 1)["decision_stats"]["nope_count"] == 1
