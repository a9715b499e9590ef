"""Speed of a snapshot of one million decisions, against `COPY … TO STDOUT` of the same rows."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.snapshot import take_snapshot
from two_tower_assets_tests.bench.cost import in_turns
from two_tower_assets_tests.bench.report import Line, Moved

DECISIONS, USERS, VIDEOS = 1_000_000, 20_000, 5_000
_REPETITIONS = 5
_BOUND = 1.5

# The strides are coprime to the number of videos, so no user meets a video twice.
_FILL = f"""
insert into videos (id, title, price)
select md5('v' || i)::uuid, 'Video ' || i, i % 3000 from generate_series(1, {VIDEOS}) as i;
insert into profiles (user_id) select md5('u' || i)::uuid from generate_series(1, {USERS}) as i;
insert into user_video_decisions (user_id, video_id, decision_type, created_at)
select
  md5('u' || (1 + i % {USERS}))::uuid,
  md5('v' || (1 + (i / {USERS} * 97 + i % {USERS} * 31) % {VIDEOS}))::uuid,
  (array['swipe_like', 'grid_nope', 'like', 'nope'])[1 + i % 4],
  '2026-01-01'::timestamptz + (i * 7919::bigint % 15000000) * interval '1 second'
from generate_series(0, {DECISIONS - 1}) as i;
vacuum analyze;
"""


def measure() -> Iterator[Line]:
    """Take snapshots into fresh folders, and copy the same tables, in turns; the best of each counts."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            yield _snapshot_line(_filled(postgres), Path(folder))
        finally:
            postgres.destroy()


def _filled(postgres: EmbeddedPostgres) -> str:
    url = postgres.ensure_database("bench")
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _FILL.split(";")[:-1]:
            connection.execute(statement.encode())
    return url


def _snapshot_line(url: str, folder: Path) -> Line:
    turn = itertools.count()
    copy, snapshot = in_turns(
        lambda: _copy_out(url),
        lambda: take_snapshot(url, folder / f"snapshots-{next(turn)}"),
        turns=_REPETITIONS,
    )
    best, floor = snapshot.seconds, copy.seconds
    return Line(
        stage="sources",
        what=f"snapshot of {DECISIONS:,} decisions: read, sort, hash, write parquet",
        figure=f"{best:.2f} s ({DECISIONS / best / 1e6:.2f} M rows/s)",
        against=f"COPY … TO STDOUT of the same rows: {floor:.2f} s",
        ratio=best / floor,
        target=f"<= {_BOUND} x",
        met=best / floor <= _BOUND,
        seconds=best,
        peak_mib=snapshot.grown_mib,
        moved=Moved(DECISIONS, "rows"),
    )


def _copy_out(url: str) -> None:
    """Read what a snapshot reads as plain text, by the leanest client there is, and drop it."""
    with psycopg.connect(url) as connection:
        connection.execute("select 1")
        for rows in (
            "profiles (user_id, created_at)",
            "videos (id, title, maker, price, duration_seconds, product_released_at, is_active)",
            "user_video_decisions (user_id, video_id, decision_type, created_at)",
        ):
            for _ in copy_out(connection, f"copy {rows} to stdout"):
                pass
