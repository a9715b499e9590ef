from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest

from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.defs.automation.ticking import Live, going, tick

SENSOR = "retrain_on_news"


@pytest.fixture
def live(live: Live) -> Live:
    """The catalogue was there before the release's data ended."""
    with psycopg.connect(live.url) as connection:
        connection.execute("update public.videos set created_at = %s", (CUTOFF - timedelta(days=1),))
    return live


def test_it_begins_when_enough_decisions_have_come_since_the_data_of_the_live_release(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """Decisions before the cut-off and in the future are no news; the fifth one begins a run, once."""
    live.decide(9, CUTOFF - timedelta(days=1), first_user=100)
    live.decide(9, datetime.now(UTC) + timedelta(days=1), first_user=200)
    live.decide(4, CUTOFF)
    first = tick(live, SENSOR, instance)
    assert not first.keys
    assert "4 of 5 new decisions and 0 of 3 new videos since 2026-03-01 12:30" in (first.skipped or "")
    live.decide(1, CUTOFF + timedelta(hours=1), first_user=5)
    second = tick(live, SENSOR, instance, first.cursor)
    assert second.keys == [f"news since {CUTOFF.isoformat()}"]
    third = tick(live, SENSOR, instance, second.cursor)
    assert not third.keys
    assert "0 of 5 new decisions" in (third.skipped or "")


def test_new_videos_are_news_too_but_not_inactive_ones(live: Live, instance: dg.DagsterInstance) -> None:
    """Three active videos since the cut-off begin a run."""
    live.add_videos(1, 2, created_at=CUTOFF)
    live.add_videos(3, created_at=CUTOFF, is_active=False)
    assert not tick(live, SENSOR, instance).keys
    live.add_videos(4, created_at=CUTOFF)
    assert tick(live, SENSOR, instance).keys == [f"news since {CUTOFF.isoformat()}"]


def test_a_tick_that_was_cut_off_before_it_could_remember_asks_for_the_same_run(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """Dagster begins no second run for a key it knows."""
    live.decide(5, CUTOFF)
    once, again = (tick(live, SENSOR, instance) for _ in range(2))
    assert once.keys == again.keys
    assert once.keys


def test_after_a_refused_retrain_it_waits_for_as_much_news_again(live: Live, instance: dg.DagsterInstance) -> None:
    """What the retrain had seen is not counted twice, though the same release is live; nor is it after a rollback."""
    live.decide(5, CUTOFF)
    begun = tick(live, SENSOR, instance)
    assert not tick(live, SENSOR, instance, begun.cursor).keys
    live.decide(5, datetime.now(UTC), first_user=100)
    later = tick(live, SENSOR, instance, begun.cursor)
    assert len(later.keys) == 1
    assert later.keys != begun.keys
    rollback(live.target)
    assert not tick(live, SENSOR, instance, later.cursor).keys


def test_after_a_downtime_one_run_makes_up_for_all_of_it(live: Live, instance: dg.DagsterInstance) -> None:
    """However much has come since the last tick, a single run is asked for."""
    quiet = tick(live, SENSOR, instance)
    for hour in range(10):
        live.decide(20, CUTOFF + timedelta(hours=hour), first_user=1000 * (hour + 1))
    assert len(tick(live, SENSOR, instance, quiet.cursor).keys) == 1


def test_while_a_release_is_being_made_nothing_is_begun(live: Live, instance: dg.DagsterInstance) -> None:
    """Whoever began it; the news are counted when it has ended."""
    live.decide(5, CUTOFF)
    run = going(live, instance, "release")
    held = tick(live, SENSOR, instance)
    assert not held.keys
    assert run.run_id in (held.skipped or "")
    instance.report_run_canceled(run)
    assert tick(live, SENSOR, instance, held.cursor).keys


def test_where_the_data_of_a_release_end_is_read_from_storage_where_nothing_is_kept_here(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """A machine that never trained counts from the same moment; without any manifest the reason says what to do."""
    live.decide(5, CUTOFF)
    here = tick(live, SENSOR, instance)
    shutil.rmtree(live.home / "artifacts")
    assert tick(live, SENSOR, instance).keys == here.keys
    shutil.rmtree(live.home.parent / "buckets")
    lost = tick(live, SENSOR, instance)
    assert "neither on this machine nor in storage" in (lost.skipped or "")
    assert not lost.keys


def test_before_the_first_release_it_says_what_to_start(empty: Live, instance: dg.DagsterInstance) -> None:
    """There is no data of a live release to count from."""
    assert "Start the job `release`" in (tick(empty, SENSOR, instance).skipped or "")
