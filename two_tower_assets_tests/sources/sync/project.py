"""The rows of a small project, both ways of reading it, and what tests ask of both sides."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import psycopg

from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.direct_source import DirectSource
from two_tower_assets.sources.sync.report import SyncReport
from two_tower_assets.sources.sync.rest_source import RestSource
from two_tower_assets.sources.sync.run import sync
from two_tower_assets.sources.sync.source import Source
from two_tower_assets.sources.sync.tables import TABLES
from two_tower_assets_tests.publishing.gateway import Gateway

Way = Literal["rest", "direct"]
ORIGIN = "supabase project of the tests"
VIDEOS, USERS, DECISIONS = 300, 120, 2600

_ROWS = f"""
insert into profiles (user_id, display_name, created_at)
select md5('u' || i)::uuid, 'User ' || i, '2025-01-01'::timestamptz + i * interval '1 hour 1 microsecond'
from generate_series(1, {USERS}) as i;
insert into tag_groups (id, name) select md5('g' || i)::uuid, 'Group ' || i from generate_series(1, 3) as i;
insert into tags (id, name, tag_group_id)
select md5('t' || i)::uuid, 'Tag ' || i, case when i % 4 > 0 then md5('g' || i % 4)::uuid end
from generate_series(1, 20) as i;
insert into performers (id, name) select md5('p' || i)::uuid, 'Performer ' || i from generate_series(1, 15) as i;
insert into videos (id, external_id, title, description, price, duration_seconds, product_released_at, image_urls,
  created_at, region_codes)
select md5('v' || i)::uuid, 'x-' || i, 'Video ' || i, case when i % 3 > 0 then 'a, "b" \\ c' || chr(10) || i end,
  case when i % 5 > 0 then i * 1.50 end, i * 60, '2025-06-01'::timestamptz - i * interval '1 day',
  case when i % 7 > 0 then array['a"b', 'c,d', ''] end, '2025-06-01'::timestamptz + i * interval '1 minute',
  case when i % 2 = 0 then array['JP', 'US'] else '{{}}' end
from generate_series(1, {VIDEOS}) as i;
insert into video_tags (video_id, tag_id)
select distinct md5('v' || i)::uuid, md5('t' || (1 + i * k % 20))::uuid
from generate_series(1, {VIDEOS}) as i, generate_series(1, 3) as k;
insert into video_performers (video_id, performer_id)
select md5('v' || i)::uuid, md5('p' || (1 + i % 15))::uuid from generate_series(1, {VIDEOS}) as i;
insert into user_video_decisions (user_id, video_id, decision_type, created_at)
select md5('u' || (1 + i % {USERS}))::uuid, md5('v' || (1 + (i / {USERS} * 97 + i % {USERS} * 31) % {VIDEOS}))::uuid,
  (array['swipe_like', 'grid_nope', 'like', 'nope'])[1 + i % 4], '2026-01-01'::timestamptz + i * interval '61 seconds'
from generate_series(0, {DECISIONS - 1}) as i;
analyze
"""


@dataclass
class Project:
    """A project, read either way."""

    url: str
    """Of its Postgres, as its owner."""
    front: Gateway
    key: str

    def bring(self, way: Way, copy_url: str, *, keep: bool = True) -> SyncReport:
        """Synchronise once."""
        with Copy(copy_url, ORIGIN, keep=keep) as copy, self.source(way, copy) as source:
            return sync(source, copy)

    def source(self, way: Way, copy: Copy) -> RestSource | DirectSource:
        """Open the project one way."""
        if way == "rest":
            return RestSource(self.front.url, self.key)
        return DirectSource(self.url, copy.statement)

    def run(self, statement: str) -> None:
        """Change the project."""
        run(self.url, statement)


def fill(url: str) -> None:
    """Insert the rows."""
    for statement in _ROWS.split(";\n"):
        run(url, statement)


def run(url: str, statement: str) -> None:
    """Run one statement and commit."""
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def contents(url: str) -> dict[str, str]:
    """SHA-256 of the COPY output of each table, ordered by key."""
    found = {}
    with psycopg.connect(url) as connection:
        connection.execute("set timezone = 'UTC'")
        for table in TABLES:
            statement = (
                f"copy (select {', '.join(table.columns)} from public.{table.name} order by "
                f"{', '.join(table.key)}) to stdout"
            )
            found[table.name] = hashlib.sha256(b"".join(copy_out(connection, statement))).hexdigest()
    return found


def written(report: SyncReport) -> int:
    """Rows inserted, changed and deleted."""
    return sum(sum(report.counts(what).values()) for what in ("inserted", "changed", "deleted"))


def meanwhile(source: Source, at: str, act: Callable[[], object]) -> None:
    """Let something happen at the source after the first page of a table was read, once."""
    pages, done = source.pages, []

    def watched(table, columns, ranges, after):  # type: ignore[no-untyped-def]
        for page in pages(table, columns, ranges, after):
            yield page
            if table.name == at and not done:
                done.append(act())

    source.pages = watched  # type: ignore[method-assign]
