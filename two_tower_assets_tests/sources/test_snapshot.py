"""Snapshots: one moment, named by content, whole or absent, with what was left out."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from two_tower_assets.errors import DatabaseError, MissingAssetError, SourceDataError
from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.load import load
from two_tower_assets.sources.requirements import check_source
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import open_snapshot, take_snapshot

DECISIONS = "user_video_decisions"
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def uid(number: int) -> UUID:
    return UUID(int=number)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection to a database with two videos."""
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute("insert into videos (id, created_at) values (%s, null), (%s, now())", [uid(1), uid(2)])
        yield opened


def decide(
    connection: psycopg.Connection[tuple[object, ...]], user: int, video: int, when: object, kind: str | None = "like"
) -> None:
    connection.execute(
        "insert into user_video_decisions values (%s, %s, %s, %s)", [uid(user), uid(video), kind, when]
    )


@pytest.fixture(autouse=True)
def nullable_times(database: str) -> None:
    """Older databases allow nulls where the migrations do not."""
    with psycopg.connect(database, autocommit=True) as opened:
        opened.execute("alter table videos alter created_at drop not null")
        opened.execute("alter table user_video_decisions alter created_at drop not null")
        opened.execute("alter table user_video_decisions alter decision_type drop not null")


def test_cutoff_is_just_after_the_last_decision(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Without a cut-off every decision so far is in, and the cut-off is one microsecond after the last."""
    decide(connection, 7, 2, T0)
    decide(connection, 7, 1, T0)
    decide(connection, 6, 1, T0 + timedelta(days=1), "swipe_nope")
    snapshot = take_snapshot(database, tmp_path)
    assert snapshot.cutoff == T0 + timedelta(days=1, microseconds=1)
    assert snapshot.decisions().collect().rows() == [
        (str(uid(6)), str(uid(1)), "swipe_nope", T0 + timedelta(days=1)),
        (str(uid(7)), str(uid(1)), "like", T0),
        (str(uid(7)), str(uid(2)), "like", T0),
    ]
    assert snapshot.videos().collect()["created_at"][0] is None


def test_given_cutoff_is_exclusive(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """A decision at the cut-off itself is left out and counted, one a microsecond before is in."""
    cutoff = T0 + timedelta(days=1)
    decide(connection, 7, 1, cutoff - timedelta(microseconds=1))
    decide(connection, 7, 2, cutoff)
    facts = take_snapshot(database, tmp_path, cutoff=cutoff).tables[DECISIONS]
    assert (facts.rows, facts.left_out) == (1, {"at or after the cut-off": 1})


def test_unusable_decisions_are_counted(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Decisions without a time, with an infinite one, in the future or without a type are left out by reason."""
    decide(connection, 1, 1, T0)
    decide(connection, 2, 1, None)
    decide(connection, 3, 1, "infinity")
    decide(connection, 4, 1, "-infinity")
    decide(connection, 5, 1, datetime(2999, 1, 1, tzinfo=UTC))
    decide(connection, 6, 1, T0, None)
    snapshot = take_snapshot(database, tmp_path)
    assert snapshot.cutoff == T0 + timedelta(microseconds=1)
    assert snapshot.tables[DECISIONS].rows == 1
    assert snapshot.tables[DECISIONS].left_out == {
        "at or after the cut-off": 1,
        "without a time": 3,
        "without a type": 1,
    }


@pytest.mark.parametrize("rows", [2000, 300_000])
def test_a_column_that_holds_no_types_is_refused_and_nothing_is_left(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path, rows: int
) -> None:
    """A type for each row: the error names the column, also while rows are still to come."""
    connection.execute(
        """
        insert into user_video_decisions
        select lpad(to_hex(i), 32, '0')::uuid, %s, 'type ' || i, now() from generate_series(1, %s) as i
        """,
        [uid(1), rows],
    )
    with pytest.raises(SourceDataError, match="no types of decisions"):
        take_snapshot(database, tmp_path)
    assert not list(tmp_path.iterdir())


def test_unchanged_rows_give_the_same_folder(database: str, tmp_path: Path) -> None:
    """Another physical order of the same rows gives the same folder, untouched; a changed row gives another."""
    load(database, generate_sample(SampleSettings(users=40, videos=50, decisions_per_user=10)), source="sample")
    first = take_snapshot(database, tmp_path)
    stamp = (first.folder / "decisions.parquet").stat().st_mtime_ns
    with psycopg.connect(database, autocommit=True) as connection:
        for table, key in (("videos", "id"), (DECISIONS, "video_id"), ("profiles", "user_id")):
            connection.execute(f"update {table} set {key} = {key} where random() < 0.5".encode())
        connection.execute("vacuum full")
    again = take_snapshot(database, tmp_path)
    assert again == first
    assert (again.folder / "decisions.parquet").stat().st_mtime_ns == stamp
    with psycopg.connect(database) as connection:
        connection.execute("update videos set price = 12345 where id = (select id from videos limit 1)")
    changed = take_snapshot(database, tmp_path)
    assert changed.folder != first.folder
    assert changed.tables[DECISIONS].content_hash == first.tables[DECISIONS].content_hash
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first.folder.name, changed.folder.name])


def test_same_rows_in_another_place_have_the_same_name(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """The folder's name is the content's, which recorded rows pin across library versions."""
    connection.execute("update videos set created_at = null")
    decide(connection, 7, 2, T0, "grid_nope")
    decide(connection, 7, 1, T0)
    names = {take_snapshot(database, tmp_path / place).folder.name for place in ("a", "b")}
    assert names == {"9faaf538d67f0ac8"}


def test_ids_that_share_a_half_stay_apart(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Ids that agree in their first eight bytes are still told apart and sorted."""
    videos = [UUID(int=(5 << 64) + low) for low in (3, 1, 2**63)]
    for video in videos:
        connection.execute("insert into user_video_decisions values (%s, %s, 'like', %s)", [uid(9), video, T0])
    taken = take_snapshot(database, tmp_path).decisions().collect()
    assert taken["video_id"].to_list() == sorted(map(str, videos))


def test_odd_texts_survive(database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path) -> None:
    """Quotes, backslashes, line breaks, control characters and Japanese come through COPY unharmed."""
    odd = 'qu"ote \\ back\nline\ttab \x01\x02 日本 🎬 \\N'
    connection.execute("update videos set title = %s, region_codes = %s where id = %s", [odd, [odd, ""], uid(1)])
    connection.execute(
        "insert into tags (id, name) values (%s, %s), (%s, %s), (%s, null)", [uid(1), odd, uid(2), "Z", uid(3)]
    )
    connection.execute("insert into video_tags select %s, id from tags", [uid(1)])
    decide(connection, 7, 1, T0, odd)
    snapshot = take_snapshot(database, tmp_path)
    video = snapshot.videos().collect().row(0, named=True)
    assert (video["title"], video["region_codes"], video["tags"]) == (odd, [odd, ""], sorted([odd, "Z"]))
    assert snapshot.decisions().collect()["decision_type"].to_list() == [odd]


def test_prices_that_are_not_finite_are_null(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """NaN and infinite prices and times in the database become null; a long decimal stays the nearest float."""
    connection.execute("update videos set price = 'NaN', product_released_at = 'infinity' where id = %s", [uid(1)])
    connection.execute("update videos set price = 0.1 where id = %s", [uid(2)])
    decide(connection, 7, 1, T0)
    videos = take_snapshot(database, tmp_path).videos().collect()
    assert videos["price"].to_list() == [None, 0.1]
    assert videos["product_released_at"].to_list() == [None, None]


def test_nothing_to_learn_from(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """No decision, none before the cut-off, and no video are errors that name the table; no folder is left."""
    with pytest.raises(SourceDataError, match=rf"no decision to learn from \[{DECISIONS}\]"):
        take_snapshot(database, tmp_path)
    decide(connection, 7, 1, T0)
    with pytest.raises(SourceDataError, match="before 2025-01-01"):
        take_snapshot(database, tmp_path, cutoff=datetime(2025, 1, 1, tzinfo=UTC))
    connection.execute("delete from videos")
    with pytest.raises(SourceDataError, match=r"empty \[public\.videos\]"):
        take_snapshot(database, tmp_path)
    with pytest.raises(SourceDataError, match=r"empty \[public\.videos\]"):
        check_source(database)
    assert list(tmp_path.iterdir()) == []


def test_missing_table_and_column(database: str, empty_database: str, tmp_path: Path) -> None:
    """A missing table or column is named, with the command that adds it."""
    with pytest.raises(DatabaseError, match=r"profiles does not exist .*two-tower migrate"):
        take_snapshot(empty_database, tmp_path)
    with psycopg.connect(database) as connection:
        connection.execute("alter table videos drop column safety_level cascade")
    with pytest.raises(DatabaseError, match=r"lacks the column safety_level \[public\.videos\.safety_level\]"):
        check_source(database)


def test_progress_reaches_the_total(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Progress ends at the number of decisions."""
    decide(connection, 7, 1, T0)
    decide(connection, 7, 2, T0)
    seen: list[tuple[int, int]] = []
    take_snapshot(database, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (2, 2)


def test_damaged_snapshot_is_refused(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Opening a snapshot gives what was taken; one without all its files is refused, and taken anew."""
    decide(connection, 7, 1, T0)
    snapshot = take_snapshot(database, tmp_path)
    assert open_snapshot(snapshot.folder) == snapshot
    (snapshot.folder / "videos.parquet").unlink()
    with pytest.raises(MissingAssetError, match=r"lacks videos\.parquet"):
        open_snapshot(snapshot.folder)
    assert take_snapshot(database, tmp_path) == snapshot
    assert open_snapshot(snapshot.folder).videos().collect().height == 2
    shutil.rmtree(snapshot.folder)
    with pytest.raises(MissingAssetError):
        open_snapshot(snapshot.folder)


def test_snapshots_at_once_agree(
    database: str, connection: psycopg.Connection[tuple[object, ...]], tmp_path: Path
) -> None:
    """Several runs that freeze the same rows at once all get the one folder, and leave nothing else."""
    decide(connection, 7, 1, T0)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: take_snapshot(database, tmp_path), range(4)))
    assert taken == [taken[0]] * 4
    assert [path.name for path in tmp_path.iterdir()] == [taken[0].folder.name]


def test_copy_reports_what_postgres_refuses(database: str) -> None:
    """A copy that Postgres refuses at once, or after the first rows, raises its error."""
    with psycopg.connect(database) as opened:
        opened.execute("select 1")
        with pytest.raises(psycopg.errors.UndefinedTable):
            list(copy_out(opened, "copy (select * from nowhere) to stdout"))
        opened.rollback()
        opened.execute("select 1")
        with pytest.raises(psycopg.errors.DivisionByZero):
            list(copy_out(opened, "copy (select 1 / (500 - i) from generate_series(1, 1000) as i) to stdout"))
