"""Loading into Postgres: equal tables, recognised repeats, refused strangers."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from two_tower_assets.errors import DatabaseError, SourceDataError
from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import VIDEOS, Snapshot, take_snapshot
from two_tower_assets.sources.tables import SourceTables, validated

ROWS = {"ml-100k": (943, 1682, 100_000), "steam-au-reviews": (22_795, 32_526, 48_498)}
SMALL = SampleSettings(users=60, videos=80, decisions_per_user=12)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def count(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def assert_same(snapshot: Snapshot, tables: SourceTables) -> None:
    """A snapshot holds exactly the source's rows, in the snapshot's columns and order."""
    videos = tables.videos.select(list(VIDEOS)).sort("id")
    assert snapshot.videos().collect().equals(videos)
    profiles = tables.profiles.select("user_id", "created_at").sort("user_id")
    assert snapshot.profiles().collect().equals(profiles)
    decisions = tables.decisions.sort("user_id", "created_at", "video_id")
    assert snapshot.decisions().collect().equals(decisions)


@pytest.mark.parametrize("name", ROWS)
def test_real_data_arrive_completely(database: str, tmp_path: Path, name: str) -> None:
    """A real data set loads and snapshots with the row counts its README states, value for value."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if not root:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    tables = read_folder(Path(root) / name)
    load(database, tables, source=name)
    snapshot = take_snapshot(database, tmp_path)
    assert tuple(snapshot.tables[x].rows for x in ("profiles", "videos", "user_video_decisions")) == ROWS[name]
    assert_same(snapshot, tables)


def test_sample_arrives_completely(database: str, tmp_path: Path) -> None:
    """The sample, with all its odd names and nulls, comes back from Postgres value for value."""
    tables = generate_sample(SMALL)
    report = load(database, tables, source="sample")
    assert not report.skipped
    assert report.row_counts["user_video_decisions"] == tables.decisions.height
    assert_same(take_snapshot(database, tmp_path), tables)
    with psycopg.connect(database) as connection:
        groups = connection.execute(
            "select g.name from tags t join tag_groups g on g.id = t.tag_group_id where t.name = '日本語字幕'"
        ).fetchall()
    assert groups == [("label",)]


def uid(number: int) -> str:
    return str(UUID(int=number))


NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
MOMENT = st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
VIDEO = st.fixed_dictionaries(
    {
        "title": st.none() | NAME,
        "external_id": st.none() | st.sampled_from(["a", "b", "c"]),
        "price": st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        "duration_seconds": st.none() | st.integers(-5, 10**6),
        "product_released_at": st.none() | MOMENT,
        "safety_level": st.integers(0, 3),
        "region_codes": st.lists(st.sampled_from(["JP", "US", 'o"dd', "{}"])),
        "is_active": st.booleans(),
        "tags": st.lists(NAME),
        "performers": st.lists(NAME, max_size=2),
    }
)
DECISION = st.tuples(st.integers(1, 4), st.integers(1, 6), st.sampled_from(["like", "x_nope", "", "odd\n"]), MOMENT)


@st.composite
def sources(draw: st.DrawFn) -> SourceTables:
    numbers = draw(st.sets(st.integers(1, 5), min_size=1))
    videos = [{"id": uid(number), **draw(VIDEO)} for number in sorted(numbers)]
    kinds = {name: kind for name, kind in VIDEOS.items() if name in videos[0]} | {"external_id": pl.String()}
    decisions = [
        {"user_id": uid(user), "video_id": uid(video), "decision_type": kind, "created_at": moment}
        for user, video, kind, moment in draw(st.lists(DECISION, min_size=1, max_size=12))
    ]
    profiles = [{"user_id": uid(n), "created_at": draw(st.none() | MOMENT)} for n in draw(st.sets(st.integers(1, 4)))]
    return validated(
        videos=pl.DataFrame(videos, schema_overrides=kinds),
        decisions=pl.DataFrame(decisions),
        profiles=pl.DataFrame(profiles, schema={"user_id": pl.String, "created_at": pl.Datetime("us", "UTC")}),
        now=NOW,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables=sources())
def test_any_load_over_any_other_gives_the_same_tables(
    database: str, tmp_path_factory: pytest.TempPathFactory, tables: SourceTables
) -> None:
    """Whatever the database held from this source before, a load leaves exactly the new rows."""
    load(database, tables, source="property")
    assert_same(take_snapshot(database, tmp_path_factory.mktemp("snapshots")), tables)


def test_second_load_does_nothing(database: str) -> None:
    """The same content is recognised, in any row order, and nothing is written."""
    tables = generate_sample(SMALL)
    first = load(database, tables, source="sample")
    shuffled = SourceTables(
        videos=tables.videos.reverse(),
        profiles=tables.profiles.reverse(),
        decisions=tables.decisions.reverse(),
        tag_groups=tables.tag_groups.reverse(),
    )
    again = load(database, shuffled, source="sample")
    assert again.skipped
    assert again.changed == {}
    assert again.content_hash == first.content_hash
    assert count(database, "two_tower.loads") == 1


def test_only_differing_rows_are_touched(database: str) -> None:
    """One changed title, one deleted decision and one new profile are three touched rows."""
    tables = generate_sample(SMALL)
    load(database, tables, source="sample")
    changed = SourceTables(
        videos=tables.videos.with_columns(
            title=pl.when(pl.col("id") == tables.videos["id"][0]).then(pl.lit("new")).otherwise(pl.col("title"))
        ),
        profiles=pl.concat([tables.profiles, tables.profiles[:1].with_columns(user_id=pl.lit(uid(5)))]),
        decisions=tables.decisions[1:],
        tag_groups=tables.tag_groups,
    )
    report = load(database, changed, source="sample")
    touched = {name: rows for name, rows in report.changed.items() if rows}
    assert touched == {"videos": 1, "profiles": 1, "user_video_decisions": 1}


def test_external_ids_may_swap(database: str) -> None:
    """Two videos that exchange their external ids are updated although the column is unique at every moment."""
    for ids in (["a", "b"], ["b", "a"]):
        tables = validated(
            videos=pl.DataFrame({"id": [uid(1), uid(2)], "external_id": ids}),
            decisions=pl.DataFrame(
                {"user_id": [uid(7)], "video_id": [uid(1)], "decision_type": ["like"], "created_at": ["2026-01-01"]}
            ),
            now=NOW,
        )
        load(database, tables, source="swap")
    with psycopg.connect(database) as connection:
        rows = connection.execute("select external_id from videos order by id").fetchall()
    assert rows == [("b",), ("a",)]


def test_other_source_is_refused(database: str) -> None:
    """Rows of one source are never replaced by another's; the error names both and nothing is lost."""
    tables = generate_sample(SMALL)
    load(database, tables, source="sample")
    with pytest.raises(SourceDataError, match=r"another source \(sample\); loading folder /x would replace"):
        load(database, generate_sample(SMALL.model_copy(update={"seed": 8})), source="folder /x")
    assert count(database, "user_video_decisions") == tables.decisions.height


def test_rows_of_nobody_are_refused(database: str) -> None:
    """A database with rows that no load put there is refused, with the setting that learns from them."""
    with psycopg.connect(database) as connection:
        connection.execute("insert into profiles (user_id) values (gen_random_uuid())")
    with pytest.raises(SourceDataError, match=r"no source put there.*source\.kind"):
        load(database, generate_sample(SMALL), source="sample")
    assert count(database, "profiles") == 1
    assert count(database, "videos") == 0


def test_failed_load_changes_nothing(database: str) -> None:
    """A load that Postgres refuses half-way leaves the rows and the record of the load before."""
    tables = generate_sample(SMALL)
    load(database, tables, source="sample")
    with psycopg.connect(database) as connection:
        connection.execute("alter table user_video_decisions add check (created_at > '2026-01-01')")
    early = tables.decisions.with_columns(pl.col("created_at") - timedelta(days=3000))
    broken = SourceTables(videos=tables.videos[:5], profiles=tables.profiles, decisions=early)
    with pytest.raises(DatabaseError, match="could not be loaded"):
        load(database, broken, source="sample")
    assert count(database, "videos") == tables.videos.height
    assert count(database, "two_tower.loads") == 1


def test_database_without_migrations(empty_database: str) -> None:
    """A database without the tables is told to migrate."""
    with pytest.raises(DatabaseError, match="two-tower migrate"):
        load(empty_database, generate_sample(SMALL), source="sample")
