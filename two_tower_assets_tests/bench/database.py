"""Pages of the user batch RPC at both ends of ten million decisions, and the video search against exact search."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.bench.cost import Cost, in_turns
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.database.releases import as_text, release, unit_vectors
from two_tower_assets_tests.database.rows import Connection, video_id

USERS = 100_000
DECISIONS = 100
PAGE = 1000
VIDEOS = 20_000
REPETITIONS = 7

FILL_CATALOGUE = f"""
insert into public.videos (id, price)
select ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n from generate_series(0, {VIDEOS - 1}) as n;
insert into public.tags (name) select 'tag ' || n from generate_series(1, 500) as n;
insert into public.video_tags
select v.id, t.id
from (select id, row_number() over () as n from public.videos) as v
join (select id, row_number() over () - 1 as n from public.tags) as t
  on t.n in (v.n % 500, (v.n * 7 + 1) % 500, (v.n * 13 + 2) % 500);
"""

FILL_DECISIONS = f"""
insert into public.user_video_decisions
select ('00000000-0000-4000-8000-' || lpad(to_hex(u), 12, '0'))::uuid,
       ('11111111-0000-4000-8000-' || lpad(to_hex((u * 31 + d * 17) % {VIDEOS}), 12, '0'))::uuid,
       case when d % 2 = 0 then 'like' else 'nope' end,
       timestamptz '2024-01-01' + d * interval '1 hour'
from generate_series(1, {USERS}) as u
cross join generate_series(1, {DECISIONS}) as d;
"""


# The zero hides the order from the index.
EXACT_SEARCH = """
select e.video_id
from public.video_embeddings as e
join public.videos as v on v.id = e.video_id
where v.is_active and v.safety_level <= 1
order by (e.embedding <=> %s::extensions.vector) + 0
limit 50
"""


def measure() -> Iterator[Line]:
    """Fill a throw-away cluster (about 3 GB on disk for a minute) and time pages and searches in it."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        postgres.start()
        try:
            url = postgres.ensure_database("bench")
            migrate(url)
            with connect(url, autocommit=True) as connection:
                _fill(connection)
                yield from _pages(connection)
                yield _search(connection)
        finally:
            postgres.destroy()


def _fill(connection: Connection) -> None:
    connection.execute(FILL_CATALOGUE)
    connection.execute(FILL_DECISIONS)
    connection.execute("vacuum analyze")


def _pages(connection: Connection) -> Iterator[Line]:
    last_after = f"00000000-0000-4000-8000-{USERS - PAGE:012x}"
    first_page, last_page = _alternating(
        connection,
        lambda: _page(connection, "p_after => null"),
        lambda: _page(connection, f"p_after => '{last_after}'"),
    )
    first, last = first_page.seconds, last_page.seconds
    yield Line(
        stage="database",
        what=f"last page of {PAGE} users x {DECISIONS} decisions, of {USERS} users",
        figure=f"{last:.3f} s",
        against=f"first page {first:.3f} s",
        ratio=last / first,
        target="0.8…1.2 x",
        met=0.8 <= last / first <= 1.2,
        seconds=last,
        peak_mib=last_page.grown_mib,
        moved=Moved(PAGE * DECISIONS, "rows"),
    )
    (offset,) = _alternating(connection, lambda: _page(connection, f"p_offset => {USERS - PAGE}"))
    by_offset = offset.seconds
    yield Line(
        stage="database",
        what="the same last page by key",
        figure=f"{last:.3f} s",
        against=f"by offset {by_offset:.3f} s",
        ratio=by_offset / last,
        target=">= 1.0 x",
        met=by_offset >= last,
        seconds=last,
        peak_mib=last_page.grown_mib,
        moved=Moved(PAGE * DECISIONS, "rows"),
    )


def _search(connection: Connection) -> Line:
    vectors = unit_vectors(VIDEOS)
    release(connection, "bench", None, {video_id(number): vector for number, vector in enumerate(vectors)})
    connection.execute("analyze")
    query = as_text(unit_vectors(1, seed=1)[0])
    search, scan = _alternating(
        connection,
        lambda: _answer(connection, "select video_id from public.recommend_videos_ann(%s, 50)", query),
        lambda: _answer(connection, EXACT_SEARCH, query),
    )
    by_index, exact = search.seconds, scan.seconds
    return Line(
        stage="database",
        what=f"recommend_videos_ann, 50 of {VIDEOS} videos",
        figure=f"{by_index * 1000:.1f} ms",
        against=f"exact search {exact * 1000:.1f} ms",
        ratio=by_index / exact,
        target="<= 1.0 x",
        met=by_index <= exact,
        seconds=by_index,
        peak_mib=search.grown_mib,
        moved=None,
    )


def _answer(connection: Connection, statement: str, query: str) -> None:
    assert len(connection.execute(statement, (query,)).fetchall()) == 50


def _page(connection: Connection, arguments: str) -> None:
    rows = connection.execute(
        f"select user_id, payload::text from public.get_user_embedding_feature_batch(p_limit => {PAGE}, {arguments})"
    ).fetchall()
    assert len(rows) == PAGE


def _alternating(connection: Connection, *works: Callable[[], None]) -> list[Cost]:
    """Median seconds of each, and the memory of the session that answers."""
    process = connection.info.backend_pid
    return in_turns(*works, turns=REPETITIONS, warm_up=1, of=statistics.median, process=process)
