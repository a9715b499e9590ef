"""Whatever rows a source has, both ways give byte-equal tables."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.sources.sync.project import Project, contents, run, written

# What Postgres cannot store, no source has: the NUL character and lone surrogates.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
ODD = st.sampled_from(["", " ", "\\N", "\\", '"', "null", "NULL", "{}", '{"id":"', "a\tb\r\nc", "\u2028", "😀"])
WORDS = st.none() | TEXT | ODD
NUMBERS = st.none() | st.decimals(allow_nan=False, allow_infinity=False) | st.just(Decimal("NaN"))
HUGE = st.sampled_from([Decimal("9" * 60 + "." + "9" * 40), Decimal("-0.00"), Decimal("1e-30"), Decimal(100)])
TIMES = st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
LISTS = st.none() | st.lists(TEXT | ODD, max_size=3)
ROW = st.tuples(st.uuids(), WORDS, NUMBERS | HUGE, TIMES, LISTS)
ROWS = st.lists(ROW, unique_by=lambda row: row[0], min_size=1, max_size=8)

_INSERT = "insert into videos (id, title, price, published_at, image_urls) values (%s, %s, %s, %s, %s)"


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=ROWS)
def test_both_ways_give_the_same_bytes(
    project: Project, copy_url: str, cluster: EmbeddedPostgres, rows: list[tuple[Any, ...]]
) -> None:
    """Any text, number, time and list comes out as it went in, over REST as directly, whatever the time zone."""
    with psycopg.connect(project.url) as connection, connection.cursor() as cursor:
        cursor.execute("alter role authenticator set timezone = 'Asia/Kathmandu'")
        cursor.execute("delete from videos")
        cursor.executemany(_INSERT, rows)
    project.bring("rest", copy_url)
    over_rest = contents(copy_url)
    assert over_rest == contents(project.url)
    assert written(project.bring("direct", copy_url)) == 0
    run(copy_url, "delete from videos")
    project.bring("direct", copy_url)
    assert contents(copy_url) == over_rest
    run(cluster.url(), "alter role authenticator reset timezone")
