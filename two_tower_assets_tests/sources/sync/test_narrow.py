"""Narrow tables over REST, whose pages come as CSV: equal whatever they hold and however the server writes times."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets_tests.sources.sync.project import ORIGIN, Project, contents, run, written
from two_tower_assets_tests.sources.sync.test_equality import ODD, TEXT, TIMES

UUID = "00000000-0000-4000-8000-000000000000"
NAMES = (
    st.none()
    | TEXT
    | ODD
    | st.sampled_from([f'"\n{UUID},a', f"\n{UUID},", "a\n\\.\nb", "\\.", "a\\\\", "(a,b)", ","])
)
ROWS = st.lists(st.tuples(st.uuids(), NAMES, TIMES), unique_by=lambda row: row[0], min_size=1, max_size=8)
LAST = "ffffffff-ffff-4fff-8fff-ffffffffffff"


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS)
@example(rows=[(UUID, "a", None), (LAST, f"a\n{UUID},b", "2025-01-01 00:00:00.000001+00")])
@example(rows=[(UUID, "a\n\\.\nb", "2025-01-01"), (LAST, "\\", "0044-03-15 12:00:00+00 BC")])
def test_both_ways_give_the_same_bytes(project: Project, copy_url: str, rows: list[tuple[Any, ...]]) -> None:
    """Any text and time of a profile comes out as it went in, over REST as directly."""
    with psycopg.connect(project.url) as connection, connection.cursor() as cursor:
        cursor.execute("delete from profiles")
        cursor.executemany("insert into profiles (user_id, display_name, created_at) values (%s, %s, %s)", rows)
    project.bring("rest", copy_url)
    assert contents(copy_url) == contents(project.url)
    run(copy_url, "delete from profiles")
    project.bring("direct", copy_url)
    assert contents(copy_url) == contents(project.url)


@pytest.mark.parametrize("style", ["SQL, DMY", "German", "Postgres, MDY", "ISO, DMY"])
def test_times_in_another_style_are_not_mistaken(project: Project, copy_url: str, style: str) -> None:
    """A server that writes the day before the month gives the same rows, since it is then asked for JSON."""
    database = psycopg.conninfo.conninfo_to_dict(project.url)["dbname"]
    run(project.url, f"alter role authenticator in database {database} set datestyle = '{style}'")
    run(project.url, "update profiles set created_at = '2025-02-03 04:05:06+00'")
    run(project.url, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'")
    with Copy(copy_url, ORIGIN) as copy, project.source("rest", copy) as source:
        address = source.at("/profiles?select=created_at&limit=1")
        seen = source.ask(lambda: source.http.get(address, headers={"Accept": "text/csv"})).text
    assert ("2025-02-03" in seen) == style.startswith("ISO")
    project.bring("rest", copy_url)
    assert contents(copy_url) == contents(project.url)
    assert written(project.bring("direct", copy_url)) == 0
