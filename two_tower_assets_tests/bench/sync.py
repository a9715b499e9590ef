"""Speed of a sync of one million decisions and 50 000 videos, directly and over REST, whole and incremental."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psycopg

from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.sync.compare import Comparison
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.direct_source import DirectSource
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.rest_source import RestSource
from two_tower_assets.sources.sync.run import sync
from two_tower_assets.sources.sync.tables import TABLES
from two_tower_assets_tests.bench.cost import Cost, measured
from two_tower_assets_tests.bench.report import Line, Moved

DECISIONS, USERS, VIDEOS = 1_000_000, 20_000, 50_000
_BOUND_DIRECT, _BOUND_REST, _BOUND_INCREMENT = 2.0, 1.3, 0.1

_FILL: Final = f"""
insert into profiles (user_id, created_at)
select md5('u' || i)::uuid, '2025-01-01'::timestamptz + i * interval '1 minute' from generate_series(1, {USERS}) as i;
insert into tags (id, name) select md5('t' || i)::uuid, 'Tag ' || i from generate_series(1, 200) as i;
insert into videos (id, external_id, title, description, price, product_released_at, created_at)
select md5('v' || i)::uuid, 'x' || i, 'Video ' || i, repeat('words ', 20), i % 3000,
  '2026-01-01'::timestamptz - i * interval '1 minute', '2026-01-01'::timestamptz - i * interval '1 minute'
from generate_series(1, {VIDEOS}) as i;
insert into video_tags (video_id, tag_id)
select md5('v' || i)::uuid, md5('t' || (1 + (i + k) % 200))::uuid
from generate_series(1, {VIDEOS}) as i, generate_series(1, 3) as k;
"""
_DECIDE: Final = """
insert into user_video_decisions (user_id, video_id, decision_type, created_at)
select
  md5('u' || (1 + i % {users}))::uuid,
  md5('v' || (1 + (i / {users} * 97 + i % {users} * 31) % {videos}))::uuid,
  (array['swipe_like', 'grid_nope', 'like', 'nope'])[1 + i % 4],
  {time}
from generate_series({first}, {last}) as i
"""
_NEWS: Final = """
delete from user_video_decisions where (user_id, video_id) in (
  select user_id, video_id from user_video_decisions tablesample system (1) repeatable (1) limit 100
);
delete from videos where id in (select id from videos order by md5(id::text) limit 20);
update videos set price = price + 1 where id in (select id from videos order by md5('p' || id::text) limit 100);
update user_video_decisions set decision_type = 'nope' where (user_id, video_id) in (
  select user_id, video_id from user_video_decisions tablesample system (1) repeatable (2)
  where decision_type = 'like' limit 100
);
"""


@dataclass(frozen=True)
class _Project:
    postgres: EmbeddedPostgres
    url: str
    server: PostgREST
    keys: ProjectKeys


@dataclass(frozen=True)
class _Synced:
    cost: Cost
    rows: int
    """New, changed and deleted ones."""


def measure() -> Iterator[Line]:
    """Bring everything and then one percent of news with deletions, each way into a fresh copy."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as parts:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        parts.callback(postgres.destroy)
        project = _project(postgres, Path(folder), parts)
        with measured() as copied:
            _copy_through(project)
        whole = {way: _sync(project, way) for way in ("direct", "rest")}
        with measured() as fetched:
            _fetch(project)
        _change(project)
        news = {way: _sync(project, way) for way in ("direct", "rest")}
        looked = {way: _look(project, way) for way in ("direct", "rest")}
    yield _line("whole, direct", whole["direct"], "COPY out and in of the same rows", copied.seconds, _BOUND_DIRECT)
    yield _line("whole, over REST", whole["rest"], "fetching the same pages alone", fetched.seconds, _BOUND_REST)
    for way in ("direct", "rest"):
        one_look = f"one hash of every row, both sides at once: {looked[way]:.2f} s; the whole"
        yield _line(f"1 % news, {way}", news[way], one_look, whole[way].cost.seconds, _BOUND_INCREMENT)


def _line(what: str, synced: _Synced, against: str, floor: float, bound: float) -> Line:
    seconds = synced.cost.seconds
    return Line(
        stage="sync",
        what=f"{what}: {DECISIONS:,} decisions, {VIDEOS:,} videos",
        figure=f"{seconds:.2f} s",
        against=f"{against}: {floor:.2f} s",
        ratio=seconds / floor,
        target=f"<= {bound} x",
        met=seconds / floor <= bound,
        seconds=seconds,
        peak_mib=synced.cost.grown_mib,
        moved=Moved(synced.rows, "rows"),
    )


def _project(postgres: EmbeddedPostgres, folder: Path, parts: ExitStack) -> _Project:
    url = postgres.ensure_database("source")
    migrate(url)
    _run(url, _FILL + _decide("'2026-01-01'::timestamptz + i * interval '10 seconds'", 0, DECISIONS))
    for way in ("floor", "direct", "rest"):
        migrate(postgres.ensure_database(way))
    keys = ProjectKeys(new_secret())
    server = PostgREST(
        folder / "postgrest",
        database_url=authenticator_url(url, keys),
        keys=keys,
        programs=folder / "programs",
    )
    return _Project(postgres, url, parts.enter_context(server), keys)


def _decide(time_of: str, first: int, count: int) -> str:
    return _DECIDE.format(users=USERS, videos=VIDEOS, time=time_of, first=first, last=first + count - 1)


def _change(project: _Project) -> None:
    _run(project.url, _NEWS + _decide("now()", DECISIONS, DECISIONS // 100))


def _run(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())
        connection.execute("vacuum analyze")


def _sync(project: _Project, way: Literal["direct", "rest"]) -> _Synced:
    copy_url = project.postgres.ensure_database(way)
    with measured() as cost, Copy(copy_url, "bench") as copy, _source(project, way, copy) as source:
        report = sync(source, copy)
    _run(copy_url, "")
    return _Synced(cost, sum(sum(report.counts(what).values()) for what in ("inserted", "changed", "deleted")))


def _look(project: _Project, way: Literal["direct", "rest"]) -> float:
    """Compare each table as a whole: what any sync takes that finds rows changed in place without trusting a time."""
    with Copy(project.postgres.ensure_database(way), "bench") as copy, _source(project, way, copy) as source:
        differing: list[Range] = []
        with measured() as cost:
            for table in TABLES:
                with Comparison(source, copy, table, tuple(table.columns)) as found:
                    found.begin(is_fresh=True)
                    found.finish()
                    differing.extend(found.ranges)
    assert not differing
    return cost.seconds


def _source(project: _Project, way: Literal["direct", "rest"], copy: Copy) -> DirectSource | RestSource:
    if way == "direct":
        return DirectSource(project.url, copy.statement)
    return _Rootless(project.server.url, project.keys.service_role)


class _Rootless(RestSource):
    """PostgREST itself, which serves at `/` what a project serves at `/rest/v1`."""

    root = ""


def _copy_through(project: _Project) -> None:
    """Copy the tables as text from one database into the other's indexed tables, by the leanest client there is."""
    copy_url = project.postgres.ensure_database("floor")
    with psycopg.connect(project.url) as source, psycopg.connect(copy_url) as target:
        source.execute("select 1")
        for table in TABLES:
            rows = f"public.{table.name} ({', '.join(table.columns)})"
            with target.cursor() as cursor, cursor.copy(f"copy {rows} from stdin".encode()) as copy:
                for block in copy_out(source, f"copy {rows} to stdout"):
                    copy.write(block)


def _fetch(project: _Project) -> None:
    """Fetch the pages that a whole sync fetches."""
    with _Rootless(project.server.url, project.keys.service_role) as source:
        for table in TABLES:
            for _ in source.pages(table, tuple(table.columns), [Range()], None):
                pass
