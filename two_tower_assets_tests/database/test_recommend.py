"""`recommend_videos_ann` against exact search, under every filter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.database.releases import activate, as_text, release, stage, unit_vectors, verify
from two_tower_assets_tests.database.rows import Connection, tag_id, value, video_id

VIDEOS = 6000


@dataclass(frozen=True)
class Catalogue:
    """6000 videos whose properties follow from their number, live as v1; read-only for the tests."""

    connection: Connection
    vectors: np.ndarray
    banned: str
    rare: str

    def search(self, query: np.ndarray, **arguments: Any) -> list[tuple[int, float, float]]:
        """Call the RPC and give the videos by number."""
        names = ", ".join(f"{name} => %({name})s{_cast(name)}" for name in arguments)
        rows = self.connection.execute(
            f"""select video_id::text, distance, similarity
                from public.recommend_videos_ann(%(query)s::extensions.vector{", " if names else ""}{names})""",
            {"query": as_text(query), **arguments},
        )
        return [(int(video[-12:], 16), distance, similarity) for video, distance, similarity in rows]

    def exact(self, query: np.ndarray, numbers: list[int], limit: int) -> list[int]:
        """The nearest of the given videos, by brute force."""
        similarity = self.vectors[numbers] @ query
        return [numbers[index] for index in np.argsort(-similarity, kind="stable")[:limit]]


def _cast(name: str) -> str:
    return {"p_banned_tag_ids": "::uuid[]", "p_exclude_video_ids": "::uuid[]"}.get(name, "")


@pytest.fixture(scope="module")
def catalogue(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[Catalogue]:
    with connect(cluster.url(), autocommit=True) as server:
        server.execute(f"create database recommend template {migrated_template}")
    with connect(cluster.url("recommend"), autocommit=True) as connection:
        vectors = unit_vectors(VIDEOS)
        connection.execute(
            f"""insert into public.videos (id, is_active, safety_level, region_codes, product_released_at)
                select ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
                       n % 10 <> 9,
                       case when n % 100 = 1 then -1 when n % 10 = 2 then 5 else n % 2 end,
                       case when n % 100 = 3 then '{{JP}}' when n % 2 = 1 then '{{US,CA}}' else '{{}}' end::text[],
                       case when n % 100 = 4 then timestamptz '2020-01-01' when n % 10 = 5 then null
                            else timestamptz '2026-01-01' end
                from generate_series(0, {VIDEOS - 1}) as n"""
        )
        banned, rare = tag_id(connection, "banned"), tag_id(connection, "rare")
        connection.execute(
            "insert into public.video_tags select id, %s from public.videos where id <> all (%s::uuid[])",
            (banned, [video_id(n) for n in range(0, VIDEOS, 100)]),
        )
        connection.execute(
            "insert into public.video_tags select id, %s from public.videos where id = any (%s::uuid[])",
            (rare, [video_id(n) for n in range(0, VIDEOS, 2)]),
        )
        release(connection, "v1", None, {video_id(n): vectors[n] for n in range(VIDEOS)})
        connection.execute("analyze")
        yield Catalogue(connection, vectors, banned, rare)
    with connect(cluster.url(), autocommit=True) as server:
        server.execute("drop database recommend")


def _active(number: int) -> bool:
    return number % 10 != 9


def _safety(number: int) -> int:
    return -1 if number % 100 == 1 else 5 if number % 10 == 2 else number % 2


def _regions(number: int) -> set[str]:
    return {"JP"} if number % 100 == 3 else {"US", "CA"} if number % 2 else set()


def _released_before_2026(number: int) -> bool:
    return number % 100 == 4 or number % 10 == 5


FILTERS: dict[str, tuple[dict[str, Any], Any]] = {
    "nothing but the defaults": ({}, lambda n: _safety(n) <= 1),
    "no safety level": ({"p_max_safety_level": None}, lambda _: True),
    "a safety level that 1 % have": ({"p_max_safety_level": -1}, lambda n: _safety(n) <= -1),
    "a safety level that nobody has": ({"p_max_safety_level": -2}, lambda _: False),
    "one region": ({"p_allowed_regions": ["JP"]}, lambda n: _safety(n) <= 1 and _regions(n) in ({"JP"}, set())),
    "several regions": (
        {"p_allowed_regions": ["CA", "FR", None]},
        lambda n: _safety(n) <= 1 and _regions(n) != {"JP"},
    ),
    "no region": ({"p_allowed_regions": []}, lambda n: _safety(n) <= 1),
    "released before": (
        {"p_released_before": "2026-01-01 00:00+00"},
        lambda n: _safety(n) <= 1 and _released_before_2026(n),
    ),
    "half excluded": (
        {"p_exclude_video_ids": [None, *(video_id(n) for n in range(0, VIDEOS, 2))]},
        lambda n: _safety(n) <= 1 and n % 2 == 1,
    ),
    "99 % excluded": (
        {"p_exclude_video_ids": [video_id(n) for n in range(VIDEOS) if n % 100 != 7]},
        lambda n: n % 100 == 7,
    ),
    "nothing excluded": ({"p_exclude_video_ids": []}, lambda n: _safety(n) <= 1),
}
BANS = {"banned": lambda n: n % 100 == 0, "rare": lambda n: _safety(n) <= 1 and n % 2 == 1}


@pytest.mark.parametrize("limit", [1, 20, 500])
@pytest.mark.parametrize("name", FILTERS)
def test_exactly_the_asked_number_of_admissible_videos(catalogue: Catalogue, name: str, limit: int) -> None:
    """As many rows as asked whenever so many qualify, all admissible, all different, nearest first."""
    arguments, admits = FILTERS[name]
    _check(catalogue, arguments, [n for n in range(VIDEOS) if _active(n) and admits(n)], limit)


@pytest.mark.parametrize("limit", [20, 500])
@pytest.mark.parametrize("tag", BANS)
def test_banned_tags_leave_exactly_the_asked_number(catalogue: Catalogue, tag: str, limit: int) -> None:
    """The same with a tag banned that 99 % or half of the videos carry."""
    arguments = {"p_banned_tag_ids": [catalogue.banned if tag == "banned" else catalogue.rare, None]}
    _check(catalogue, arguments, [n for n in range(VIDEOS) if _active(n) and BANS[tag](n)], limit)


def _check(catalogue: Catalogue, arguments: dict[str, Any], admissible: list[int], limit: int) -> None:
    query = unit_vectors(1, seed=1)[0]
    found = catalogue.search(query, p_limit=limit, **arguments)
    numbers = [number for number, _, _ in found]
    assert len(found) == len(set(numbers)) == min(limit, len(admissible))
    assert set(numbers) <= set(admissible)
    distances = [distance for _, distance, _ in found]
    assert distances == sorted(distances)
    exact = catalogue.exact(query, admissible, limit)
    assert len(set(numbers) & set(exact)) >= 0.9 * len(exact)


def test_all_filters_at_once(catalogue: Catalogue) -> None:
    """Filters are joined by and."""
    arguments = {
        "p_max_safety_level": 0,
        "p_allowed_regions": ["JP"],
        "p_released_before": "2026-01-01 00:00+00",
        "p_exclude_video_ids": [video_id(104)],
        "p_banned_tag_ids": [],
    }
    admissible = [n for n in range(VIDEOS) if n % 100 == 4 and n != 104]
    _check(catalogue, arguments, admissible, 500)
    _check(catalogue, {**arguments, "p_banned_tag_ids": [catalogue.banned]}, [], 500)


def test_distance_is_cosine_distance(catalogue: Catalogue) -> None:
    """Also for a query that is not of unit length."""
    query = unit_vectors(1, seed=2)[0]
    for scale in (1.0, 17.0):
        for number, distance, similarity in catalogue.search(query * scale, p_limit=10):
            cosine = float(catalogue.vectors[number] @ query)
            assert distance == pytest.approx(1 - cosine, abs=1e-6)
            assert similarity == pytest.approx(cosine, abs=1e-6)
            assert similarity == 1 - distance


def test_recall_without_filters(catalogue: Catalogue) -> None:
    """The index finds what exact search finds."""
    queries = unit_vectors(20, seed=3)
    admissible = [n for n in range(VIDEOS) if _active(n) and _safety(n) <= 1]
    hits = sum(
        len({n for n, _, _ in catalogue.search(query, p_limit=50)} & set(catalogue.exact(query, admissible, 50)))
        for query in queries
    )
    assert hits >= 0.98 * 50 * len(queries)


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-1, 1), (500, 500), (10000, 500), (None, 50)])
def test_limit_is_clamped(catalogue: Catalogue, asked: int | None, given: int) -> None:
    """A limit lies in 1…500; null is the default."""
    assert len(catalogue.search(unit_vectors(1)[0], p_limit=asked)) == given


def test_search_uses_the_index(catalogue: Catalogue) -> None:
    """Postgres counts a scan of the HNSW index for a plain search."""
    scans = "select idx_scan from pg_stat_user_indexes where indexrelname = 'video_embeddings_v1_hnsw'"
    catalogue.connection.execute("select pg_stat_force_next_flush()")
    before = value(catalogue.connection, scans)
    catalogue.search(unit_vectors(1)[0])
    catalogue.connection.execute("select pg_stat_force_next_flush()")
    assert value(catalogue.connection, scans) == before + 1


def test_settings_do_not_leak(catalogue: Catalogue) -> None:
    """Whether the search succeeds or fails, the session's own settings of pgvector are as before."""
    connection = catalogue.connection
    connection.execute("set hnsw.ef_search = 77")
    with connection.transaction():
        catalogue.search(unit_vectors(1)[0], p_limit=500)
        assert value(connection, "show hnsw.ef_search") == "77"
        assert value(connection, "show hnsw.iterative_scan") == "off"
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        catalogue.search(np.ones(3))
    assert value(connection, "show hnsw.ef_search") == "77"
    connection.execute("reset hnsw.ef_search")


@pytest.mark.parametrize("bad", [np.ones(255), np.ones(768), np.zeros(256)])
def test_impossible_query_is_one_clear_error(catalogue: Catalogue, bad: np.ndarray) -> None:
    """A wrong dimension and the zero vector are refused with a hint."""
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="p_embedding has") as caught:
        catalogue.search(bad)
    assert "256" in (caught.value.diag.message_hint or "")


def test_null_query_is_one_clear_error(catalogue: Catalogue) -> None:
    """Null is no vector."""
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no dimensions"):
        catalogue.connection.execute("select * from public.recommend_videos_ann(null)")


def test_vector_of_another_version_is_refused(catalogue: Catalogue) -> None:
    """The live version may be named; any other is an error with HTTP status 409, never an answer."""
    query = unit_vectors(1)[0]
    assert catalogue.search(query, p_model_version="v1") == catalogue.search(query)
    with pytest.raises(psycopg.Error, match="of version v0, the live release is v1") as caught:
        catalogue.search(query, p_model_version="v0")
    assert caught.value.sqlstate == "PT409"


def test_nothing_is_recommended_before_the_first_release(database: str) -> None:
    """Without a live release there is one clear error with HTTP status 503 and the next step."""
    with connect(database, autocommit=True) as connection:
        empty = Catalogue(connection, np.empty((0, 256)), "", "")
        with pytest.raises(psycopg.Error, match="No release is live") as caught:
            empty.search(unit_vectors(1)[0])
    assert caught.value.sqlstate == "PT503"
    assert "Publish" in (caught.value.diag.message_hint or "")


def test_a_vector_without_its_video_is_left_out(database: str) -> None:
    """Vectors of videos that were deleted since are never recommended."""
    with connect(database, autocommit=True) as connection:
        connection.execute("insert into public.videos (id) values (%s)", (video_id(1),))
        vectors = unit_vectors(3)
        release(connection, "v1", None, {video_id(n): vectors[n] for n in range(3)})
        assert [n for n, _, _ in Catalogue(connection, vectors, "", "").search(vectors[0])] == [1]


def test_search_in_an_older_transaction_keeps_its_version(database: str) -> None:
    """A transaction that began before a flip goes on with the version it saw, by name and by vectors."""
    vectors = unit_vectors(4)
    with connect(database, autocommit=True) as writer, connect(database) as reader:
        writer.execute("insert into public.videos (id) values (%s), (%s)", (video_id(0), video_id(1)))
        release(writer, "v1", None, {video_id(0): vectors[0], video_id(1): vectors[1]})
        stage(writer, "v2", {video_id(0): vectors[2], video_id(1): vectors[3]})
        verify(writer, "v2")
        reader.execute("set transaction isolation level repeatable read")
        catalogue = Catalogue(reader, vectors, "", "")
        before = catalogue.search(vectors[0], p_model_version="v1")
        activate(writer, "v2", "v1")
        assert catalogue.search(vectors[0], p_model_version="v1") == before
        reader.rollback()
        with pytest.raises(psycopg.Error, match="the live release is v2"):
            catalogue.search(vectors[0], p_model_version="v1")
