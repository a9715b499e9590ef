"""A sync of a real project, over its REST API and over its Postgres."""

from __future__ import annotations

import psycopg
import pytest

from two_tower_assets.errors import DatabaseError, RestError, SourceDataError
from two_tower_assets.local.postgrest import MAX_ROWS
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.run import sync
from two_tower_assets.sources.sync.tables import TABLES
from two_tower_assets_tests.sources.sync.project import (
    DECISIONS,
    ORIGIN,
    USERS,
    Project,
    Way,
    contents,
    meanwhile,
    run,
    written,
)

BOTH = pytest.mark.parametrize("way", ["rest", "direct"])
WAYS: tuple[Way, ...] = ("rest", "direct")

CHANGE = """
delete from user_video_decisions where user_id = md5('u7')::uuid;
delete from videos where id = md5('v5')::uuid;
delete from tag_groups where id = md5('g2')::uuid;
delete from profiles where user_id in (md5('u8')::uuid, md5('u9')::uuid);
update videos set price = 9.90, title = 'new', is_active = false where id = md5('v9')::uuid;
update videos set external_id = null where id in (md5('v11')::uuid, md5('v12')::uuid);
update videos set external_id = 'x-12' where id = md5('v11')::uuid;
update videos set external_id = 'x-11' where id = md5('v12')::uuid;
update user_video_decisions set decision_type = 'changed' where user_id = md5('u20')::uuid;
insert into videos (id, external_id, title, created_at) values (md5('late')::uuid, 'x-5', 'Old time', '2020-01-01');
insert into video_tags values (md5('late')::uuid, md5('t1')::uuid);
insert into user_video_decisions values (md5('u7')::uuid, md5('late')::uuid, 'like', now())
"""


@BOTH
def test_everything_comes_once(project: Project, copy_url: str, way: Way) -> None:
    """The first sync makes all tables byte-equal, the second finds nothing to do."""
    first = project.bring(way, copy_url)
    assert contents(copy_url) == contents(project.url)
    assert first.counts("inserted")["user_video_decisions"] == DECISIONS > MAX_ROWS
    assert not first.unchanged
    again = project.bring(way, copy_url)
    assert written(again) == 0
    assert again.unchanged
    assert again.content_hash == first.content_hash


@BOTH
def test_whatever_happened_since_is_found(project: Project, copy_url: str, way: Way) -> None:
    """Rows deleted, changed in place, swapped, arrived late or with an old time: the copy is byte-equal again."""
    project.bring(way, copy_url)
    project.run(CHANGE)
    report = project.bring(way, copy_url)
    assert contents(copy_url) == contents(project.url)
    assert report.counts("deleted")["profiles"] == 2
    assert report.counts("changed")["user_video_decisions"] > 0
    assert report.counts("inserted")["user_video_decisions"] == 1
    assert not any(table.unsettled for table in report.tables)


def test_one_way_goes_on_where_the_other_was(project: Project, copy_url: str) -> None:
    """A copy brought over REST is recognised directly, row for row, and the other way round."""
    project.bring("rest", copy_url)
    assert written(project.bring("direct", copy_url)) == 0
    project.run(CHANGE)
    project.bring("direct", copy_url)
    assert written(project.bring("rest", copy_url)) == 0


@BOTH
def test_only_little_is_read_again(project: Project, copy_url: str, way: Way) -> None:
    """One decision changed in place is found by reading a small part of the table."""
    project.bring(way, copy_url)
    project.run(
        "update user_video_decisions set decision_type = 'changed' where user_id = md5('u3')::uuid "
        "and video_id = (select min(video_id::text)::uuid from user_video_decisions where user_id = md5('u3')::uuid)"
    )
    project.run("delete from two_tower.sync_tables")
    run(copy_url, "delete from two_tower.sync_tables")
    read: list[int] = []
    with Copy(copy_url, ORIGIN) as copy, project.source(way, copy) as source:
        report = sync(source, copy, progress=lambda done, _: read.append(done))
    assert report.counts("changed")["user_video_decisions"] == 1
    assert sum(read) < DECISIONS / 4


@BOTH
def test_scattered_changes_are_read_together(
    project: Project, copy_url: str, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows changed, gone and new in many ranges that do not touch come in a few requests of several pages each."""
    project.bring(way, copy_url)
    third = "user_id in (select md5('u' || 3 * i)::uuid from generate_series(1, 40) as i)"
    project.run(f"update user_video_decisions set decision_type = 'changed' where {third}")
    project.run("delete from user_video_decisions where user_id = md5('u6')::uuid")
    project.run("insert into user_video_decisions values (md5('u9')::uuid, md5('none')::uuid, 'like', '2020-01-01')")
    monkeypatch.setattr("two_tower_assets.sources.sync.rest_source.PAGE", 100)
    read: list[int] = []
    with Copy(copy_url, ORIGIN) as copy, project.source(way, copy) as source:
        report = sync(source, copy, progress=lambda done, _: read.append(done))
    assert contents(copy_url) == contents(project.url)
    assert report.counts("deleted")["user_video_decisions"] > 0
    assert report.counts("inserted")["user_video_decisions"] == 1
    assert max(read) < 0.7 * DECISIONS


@BOTH
@pytest.mark.parametrize("table", ["user_video_decisions", "videos", "video_tags"])
def test_a_source_that_changes_meanwhile(project: Project, copy_url: str, way: Way, table: str) -> None:
    """Rows that arrive, change and go while a table is read are there after the next sync."""
    with Copy(copy_url, ORIGIN) as copy, project.source(way, copy) as source:
        meanwhile(source, table, lambda: project.run(CHANGE))
        sync(source, copy)
    project.bring(way, copy_url)
    assert contents(copy_url) == contents(project.url)


def test_children_whose_parents_came_too_late_find_them(project: Project, copy_url: str) -> None:
    """A video and its tag that arrive between the two tables' pulls are both there after one sync."""
    born = (
        "insert into videos (id, title) values (md5('new')::uuid, 'new');"
        "insert into video_tags values (md5('new')::uuid, md5('t1')::uuid)"
    )
    with Copy(copy_url, ORIGIN) as copy, project.source("direct", copy) as source:
        columns = source.columns

        def watched(table):  # type: ignore[no-untyped-def]
            if table.name == "video_tags" and born not in done:
                done.append(born)
                project.run(born)
            return columns(table)

        done: list[str] = []
        source.columns = watched  # type: ignore[method-assign]
        report = sync(source, copy)
    assert report.counts("waiting")["video_tags"] == 0
    assert contents(copy_url) == contents(project.url)


@BOTH
def test_pointers_into_nothing_are_left_out_and_counted(project: Project, copy_url: str, way: Way) -> None:
    """A source without foreign keys may have links to videos that it lacks: they are counted, the rest comes."""
    project.run("alter table video_tags drop constraint video_tags_video_id_fkey")
    project.run("insert into video_tags values (md5('nobody')::uuid, md5('t1')::uuid)")
    report = project.bring(way, copy_url)
    assert report.counts("waiting")["video_tags"] == 1
    assert any("video_tags" in note and "point at" in note for note in report.notes())
    assert report.counts("rows")["video_tags"] == report.counts("source_rows")["video_tags"] - 1


@BOTH
def test_dry_run_counts_and_changes_nothing(project: Project, copy_url: str, way: Way) -> None:
    """What a dry run counts is what the sync after it does; the copy and its records stay as they were."""
    empty = contents(copy_url)
    would = project.bring(way, copy_url, keep=False)
    assert contents(copy_url) == empty
    assert would.counts("inserted") == project.bring(way, copy_url).counts("inserted")
    project.run(CHANGE)
    before = contents(copy_url)
    would = project.bring(way, copy_url, keep=False)
    assert contents(copy_url) == before
    done = project.bring(way, copy_url)
    for what in ("inserted", "changed", "deleted", "source_rows"):
        assert would.counts(what) == done.counts(what), what


@BOTH
def test_a_killed_sync_goes_on(project: Project, copy_url: str, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed before the end is not read again, and the copy is whole afterwards."""
    monkeypatch.setattr("two_tower_assets.sources.sync.table_sync._SECONDS_BETWEEN_COMMITS", 0)
    with Copy(copy_url, ORIGIN) as copy, project.source(way, copy) as source:
        meanwhile(source, "user_video_decisions", _die)
        with pytest.raises(KeyboardInterrupt):
            sync(source, copy)
    read: list[int] = []
    with Copy(copy_url, ORIGIN) as copy, project.source(way, copy) as source:
        report = sync(source, copy, progress=lambda done, _: read.append(done))
    assert next(table for table in report.tables if table.name == "user_video_decisions").went_on
    assert contents(copy_url) == contents(project.url)
    assert way == "direct" or DECISIONS - MAX_ROWS in read
    assert DECISIONS not in read


def _die() -> None:
    raise KeyboardInterrupt


def test_staged_rows_that_a_crash_took_are_read_again(
    project: Project, copy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress that the staging table does not bear out is dropped rather than believed."""
    monkeypatch.setattr("two_tower_assets.sources.sync.table_sync._SECONDS_BETWEEN_COMMITS", 0)
    with Copy(copy_url, ORIGIN) as copy, project.source("rest", copy) as source:
        meanwhile(source, "user_video_decisions", _die)
        with pytest.raises(KeyboardInterrupt):
            sync(source, copy)
    run(copy_url, "truncate two_tower.sync_staged_user_video_decisions")
    project.bring("rest", copy_url)
    assert contents(copy_url) == contents(project.url)


@BOTH
def test_nothing_staged_is_left_behind(project: Project, copy_url: str, way: Way) -> None:
    """A sync that wrote, and one that had nothing to do, leave no staging table."""
    for _ in range(2):
        project.bring(way, copy_url)
        with psycopg.connect(copy_url) as connection:
            left = connection.execute(
                "select relname from pg_class where relname like 'sync\\_staged\\_%'"
            ).fetchall()
        assert left == []
        run(project.url, "delete from user_video_decisions where user_id = md5('u7')::uuid")


def test_halves_of_a_large_table_are_the_whole(
    project: Project, copy_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Summed up by two connections at once, its ranges are what one connection says of them."""
    project.bring("direct", copy_url)
    (table,) = (table for table in TABLES if table.name == "user_video_decisions")
    with Copy(copy_url, ORIGIN) as copy:
        ranges = copy.divide(table, 9)
        whole = copy.sums(table, list(table.columns), ranges)
        monkeypatch.setattr("two_tower_assets.sources.sync.copy._ROWS_WORTH_A_CONNECTION", 0)
        assert copy.sums(table, list(table.columns), ranges) == whole
    assert len(whole) == len(ranges) > 3
    assert sum(each.rows for each in whole) == DECISIONS


def test_passing_failures_are_survived(project: Project, copy_url: str) -> None:
    """429 with a pause, 503, a connection cut before and after the answer: the copy is byte-equal all the same."""
    project.front.read_faults += ["pass", "429", "reset", "pass", "503", "cut", "pass", "pass", "cut", "429"] * 2
    project.bring("rest", copy_url)
    assert not project.front.read_faults
    assert contents(copy_url) == contents(project.url)


def test_a_server_that_stays_away_is_told_and_gone_on_with(project: Project, copy_url: str) -> None:
    """A project that keeps failing ends in an error with its remedy; the next sync brings the rest."""
    project.front.read_faults += ["pass"] * 8 + ["429"] * 6
    with pytest.raises(RestError, match="No success in 6 attempts"):
        project.bring("rest", copy_url)
    project.front.read_faults.clear()
    project.bring("rest", copy_url)
    assert contents(copy_url) == contents(project.url)


def test_without_the_function_counts_are_compared(project: Project, copy_url: str) -> None:
    """A source that lacks the function: arrivals and deletions are found, rows changed in place not, as is said."""
    project.run("drop function public.get_sync_ranges; notify pgrst, 'reload schema'")
    while project.key:  # PostgREST reads its schema again in its own time
        report = project.bring("rest", copy_url)
        if report.limits:
            break
    assert "changed in place" in str(report.limits)
    assert "two-tower migrate" in str(report.limits)
    assert contents(copy_url) == contents(project.url)
    project.run("delete from user_video_decisions where user_id = md5('u7')::uuid")
    project.run("update videos set price = 77 where id = md5('v9')::uuid")
    after = project.bring("rest", copy_url)
    assert after.counts("deleted")["user_video_decisions"] > 0
    assert after.counts("changed")["videos"] == 0
    assert written(project.bring("direct", copy_url)) == 1
    assert contents(copy_url) == contents(project.url)


@BOTH
def test_other_columns_are_told(project: Project, copy_url: str, way: Way) -> None:
    """Columns that the source lacks take their default, added ones are not read; both are named, once for all."""
    project.run("alter table videos drop column created_at, drop column safety_level, add column mood text")
    project.run("alter table profiles drop column created_at")
    project.run("drop table video_performers")
    project.run("notify pgrst, 'reload schema'")
    report = _once_seen(project, way, copy_url)
    notes = "\n".join(report.notes())
    for told in ("lacks created_at, safety_level", "mood", "video_performers: the source has no such table"):
        assert told in notes
    with psycopg.connect(copy_url) as connection:
        found = connection.execute("select distinct created_at, safety_level from videos").fetchall()
        assert [(time.isoformat(), level) for time, level in found] == [("1970-01-01T00:00:00+00:00", 0)]
        assert connection.execute("select count(created_at), count(*) from profiles").fetchone() == (0, USERS)
    assert written(project.bring(way, copy_url)) == 0


def _once_seen(project: Project, way: Way, copy_url: str):  # type: ignore[no-untyped-def]
    """Synchronise once PostgREST has read the changed schema."""
    while True:
        with Copy(copy_url, ORIGIN, keep=False) as copy, project.source(way, copy) as source:
            videos, performers = (
                next(table for table in TABLES if table.name == name) for name in ("videos", "video_performers")
            )
            if "mood" in (source.columns(videos) or ()) and source.columns(performers) is None:
                break
    return project.bring(way, copy_url)


@BOTH
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("alter table user_video_decisions rename column decision_type to kind", "required column `decision_type`"),
        ("update profiles set created_at = 'infinity' where user_id = md5('u1')::uuid", "an infinite created_at"),
        (
            """alter table user_video_decisions alter created_at drop not null;
            update user_video_decisions set created_at = null where user_id = md5('u1')::uuid""",
            "no created_at",
        ),
        (
            """alter table videos drop constraint videos_external_id_key;
            update videos set external_id = 'x-1' where id = md5('v2')::uuid""",
            "same value",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(project: Project, copy_url: str, way: Way, change: str, told: str) -> None:
    """A missing required column, infinite or missing times and doubled unique values are refused with their place."""
    project.run(change)
    with pytest.raises(SourceDataError, match=told) as caught:
        project.bring(way, copy_url)
    assert "public." in str(caught.value)


@BOTH
def test_a_database_is_not_copied_onto_itself(project: Project, way: Way) -> None:
    """The very same database is recognised whatever its URL says, and nothing in it changes."""
    before = contents(project.url)
    run(
        project.url, f"insert into two_tower.loads (source, content_hash, row_counts) values ('{ORIGIN}', '', '{{}}')"
    )
    with pytest.raises(SourceDataError, match="very database"):
        project.bring(way, project.url)
    assert contents(project.url) == before


def test_rows_of_another_source_are_not_touched(project: Project, copy_url: str) -> None:
    """A database that holds rows which no sync put there is refused."""
    run(copy_url, "insert into videos (id) values (gen_random_uuid())")
    with pytest.raises(SourceDataError, match="no source put there"):
        project.bring("direct", copy_url)


@BOTH
def test_a_source_that_shows_no_rows_empties_nothing(project: Project, copy_url: str, way: Way) -> None:
    """A key that sees nothing looks like a source that lost everything: it is refused and the copy keeps its rows."""
    project.bring(way, copy_url)
    before = contents(copy_url)
    project.run("delete from user_video_decisions")
    with pytest.raises(SourceDataError, match="no rows that can be seen"):
        project.bring(way, copy_url)
    assert contents(copy_url) == before


def test_two_at_once_are_refused(project: Project, copy_url: str) -> None:
    """A second sync into the same database is told to wait."""
    with Copy(copy_url, ORIGIN), pytest.raises(DatabaseError, match="Another sync"):
        project.bring("direct", copy_url)


@pytest.mark.parametrize("way", WAYS)
def test_no_secret_is_shown(project: Project, copy_url: str, way: Way) -> None:
    """Neither the label nor the repr of a source has a password or a key."""
    with Copy(copy_url, ORIGIN) as copy, project.source(way, copy) as source:
        shown = f"{source!r} {source.label} {source.way}"
    password = psycopg.conninfo.conninfo_to_dict(project.url).get("password")
    assert project.key not in shown
    assert password is None or str(password) not in shown
