"""Pages of the user batch RPC at both ends of a large table, and the filtered search against exact search."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.bench.report import Line
from two_tower_assets_tests.database.rows import Connection, value

USERS = 100_000
DECISIONS_AT_THE_ENDS = 100
DECISIONS_BETWEEN = 10
PAGE = 1000
VIDEOS = 5_000
REPETITIONS = 5

CATALOGUE = f"""
insert into public.videos (id, price)
select ('11111111-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n from generate_series(0, {VIDEOS - 1}) as n;
insert into public.tags (name) select 'tag ' || n from generate_series(1, 500) as n;
insert into public.video_tags
select v.id, t.id
from (select id, row_number() over () as n from public.videos) as v
join (select id, row_number() over () - 1 as n from public.tags) as t
  on t.n in (v.n % 500, (v.n * 7 + 1) % 500, (v.n * 13 + 2) % 500);
"""

# Ten million decisions would take minutes to write. A page reads its own users' decisions and one index entry of
# each user; so the users of the first and last pages have a hundred decisions each and those between fewer.
DECISIONS = f"""
insert into public.user_video_decisions
select ('00000000-0000-4000-8000-' || lpad(to_hex(u), 12, '0'))::uuid,
       ('11111111-0000-4000-8000-' || lpad(to_hex((u * 31 + d * 17) % {VIDEOS}), 12, '0'))::uuid,
       case when d % 2 = 0 then 'like' else 'nope' end,
       timestamptz '2024-01-01' + d * interval '1 hour'
from generate_series(1, {USERS}) as u
cross join lateral generate_series(
  1, case when u <= {PAGE} or u > {USERS - PAGE} then {DECISIONS_AT_THE_ENDS} else {DECISIONS_BETWEEN} end
) as d;
"""


def measure() -> Iterator[Line]:
    """Fill a throw-away cluster and time the first and the last page, and the last page by offset beside it."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        postgres.start()
        try:
            url = postgres.ensure_database("bench")
            migrate(url)
            with connect(url, autocommit=True) as connection:
                _fill(connection)
                yield from _pages(connection)
        finally:
            postgres.destroy()


def _fill(connection: Connection) -> None:
    connection.execute(CATALOGUE)
    connection.execute(DECISIONS)
    connection.execute("vacuum analyze")


def _pages(connection: Connection) -> Iterator[Line]:
    last_after = f"00000000-0000-4000-8000-{USERS - PAGE:012x}"
    first, last = _alternating(
        lambda: _page(connection, "p_after => null"), lambda: _page(connection, f"p_after => '{last_after}'")
    )
    decisions = value(connection, "select count(*) from public.user_video_decisions")
    yield Line(
        stage="database",
        what=f"last page of {PAGE} users x {DECISIONS_AT_THE_ENDS} decisions ({USERS} users, {decisions} decisions)",
        figure=f"{last:.3f} s",
        against=f"first page {first:.3f} s",
        ratio=last / first,
        target="0.8…1.2 x",
        met=0.8 <= last / first <= 1.2,
    )
    (by_offset,) = _alternating(lambda: _page(connection, f"p_offset => {USERS - PAGE}"))
    yield Line(
        stage="database",
        what="the same last page by key",
        figure=f"{last:.3f} s",
        against=f"by offset {by_offset:.3f} s",
        ratio=by_offset / last,
        target=">= 1.0 x",
        met=by_offset >= last,
    )


def _page(connection: Connection, arguments: str) -> None:
    rows = connection.execute(
        f"select user_id, payload::text from public.get_user_embedding_feature_batch(p_limit => {PAGE}, {arguments})"
    ).fetchall()
    assert len(rows) == PAGE


def _alternating(*works: Callable[[], None]) -> list[float]:
    """Median seconds of each, run in turns, so that whatever else the machine does touches all alike."""
    times: list[list[float]] = [[] for _ in works]
    for repetition in range(REPETITIONS + 1):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if repetition:
                taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]
