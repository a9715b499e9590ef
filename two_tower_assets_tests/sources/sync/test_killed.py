"""A sync whose process is killed outright, at many points, and the sync after it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from typing import Any

import psycopg
import pytest

from two_tower_assets_tests.sources.sync.project import Project, Way, contents

WAYS = pytest.mark.parametrize("way", ["rest", "direct"])

POINTS = [
    "insert into two_tower.sync_origin",
    "create unlogged table",
    "update two_tower.sync_ranges",
    "truncate",
    "drop constraint user_video_decisions_pkey",
    "drop index two_tower_decisions_by_time",
    'insert into public."user_video_decisions"',
    "CREATE INDEX two_tower_decisions_by_user_time",
    "add constraint user_video_decisions_pkey",
    "insert into two_tower.sync_tables",
    "drop constraint video_tags_video_id_fkey",
    "add constraint video_tags_tag_id_fkey",
    "insert into two_tower.loads",
]
"""Texts of statements after which a first sync is killed, in the order in which it comes to them."""

SCHEMA = """
select pg_get_constraintdef(c.oid), c.conname, c.convalidated
from pg_constraint as c where c.connamespace = 'public'::regnamespace
union all
select pg_get_indexdef(i.indexrelid), i.indexrelid::regclass::text, i.indisvalid and i.indisready
from pg_index as i join pg_class as c on c.oid = i.indrelid where c.relnamespace = 'public'::regnamespace
union all
select format('%s.%s', a.attrelid::regclass, a.attname), 'not null', a.attnotnull
from pg_attribute as a join pg_class as c on c.oid = a.attrelid
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0
order by 1, 2, 3
"""


@WAYS
def test_killed_at_every_point_it_goes_on_and_completes(project: Project, copy_url: str, way: Way) -> None:
    """Killed after each kind of statement in turn, the next sync makes all tables, keys and indexes whole."""
    schema = _ask(copy_url, SCHEMA)
    for point in POINTS:
        child = _child(project, way, copy_url, point)
        assert child.stdout is not None
        assert child.stdout.readline() == "reached\n", point
        _kill(child, copy_url)
        assert _ask(copy_url, SCHEMA) == schema, point
        rows = _ask(copy_url, "select count(*) from user_video_decisions")
        assert rows[0][0] in (0, _ask(project.url, "select count(*) from user_video_decisions")[0][0]), point
    project.bring(way, copy_url)
    assert contents(copy_url) == contents(project.url)
    assert _ask(copy_url, SCHEMA) == schema


@WAYS
def test_killed_whenever_it_goes_on_and_completes(project: Project, copy_url: str, way: Way) -> None:
    """Killed at moments of no choice while it works, the next sync makes all tables, keys and indexes whole."""
    schema = _ask(copy_url, SCHEMA)
    moments = random.Random(7)
    for _ in range(6):
        child = _child(project, way, copy_url, "no such statement")
        _wait(copy_url, "exists")
        time.sleep(moments.uniform(0, 0.6))
        _kill(child, copy_url)
        assert _ask(copy_url, SCHEMA) == schema
    project.bring(way, copy_url)
    assert contents(copy_url) == contents(project.url)
    assert _ask(copy_url, SCHEMA) == schema


def _child(project: Project, way: Way, copy_url: str, point: str) -> subprocess.Popen[str]:
    source = project.front.url if way == "rest" else project.url
    module = "two_tower_assets_tests.sources.sync.dying"
    return subprocess.Popen(
        [sys.executable, "-m", module, way, copy_url, source, project.key, point], stdout=subprocess.PIPE, text=True
    )


def _kill(child: subprocess.Popen[str], copy_url: str) -> None:
    """Kill the process, and wait until Postgres has rolled back what its sessions were at."""
    child.kill()
    child.communicate()
    _wait(copy_url, "not exists")


def _wait(copy_url: str, for_what: str) -> None:
    sessions = "select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    deadline = time.monotonic() + 60
    while _ask(copy_url, f"select {for_what} ({sessions})") != [(True,)]:
        assert time.monotonic() < deadline, for_what
        time.sleep(0.02)


def _ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()
