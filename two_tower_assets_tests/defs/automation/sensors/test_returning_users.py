from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.database.rows import user_id
from two_tower_assets_tests.defs.automation.ticking import Live, going, tick
from two_tower_assets_tests.publishing.releasing import NEW, rows

SENSOR = "refresh_users_who_decided"
JOB = "refresh_user_vectors"


def refresh(live: Live, instance: dg.DagsterInstance) -> None:
    assert live.definitions.resolve_job_def(JOB).execute_in_process(instance=instance).success


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def with_vector(live: Live) -> set[str]:
    return {user for (user,) in rows(live.url, "select user_id::text from public.user_embeddings")}


def test_a_decision_begins_one_run_that_renews_the_vector(live: Live, instance: dg.DagsterInstance) -> None:
    """Nothing to do, then one run; when it has run, nothing to do again. The asset shows how many."""
    quiet = tick(live, SENSOR, instance)
    assert f"version {NEW} does not know" in (quiet.skipped or "")
    live.decide(2, ago(minutes=1), first_user=7001)
    begun = tick(live, SENSOR, instance, quiet.cursor)
    assert len(begun.keys) == 1
    refresh(live, instance)
    assert {user_id(7001), user_id(7002)} <= with_vector(live)
    assert not tick(live, SENSOR, instance, begun.cursor).keys
    (record,) = instance.fetch_observations(dg.AssetKey(["publishing", "user_embeddings"]), limit=2).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["users_renewed"].value == 2


def test_after_a_downtime_one_run_makes_up_for_all_of_it(live: Live, instance: dg.DagsterInstance) -> None:
    """Everybody who decided meanwhile is renewed by it."""
    quiet = tick(live, SENSOR, instance)
    for day in range(1, 6):
        live.decide(3, ago(days=day), first_user=7000 + 10 * day)
    live.decide(1, ago(minutes=5), first_user=8000)
    assert len(tick(live, SENSOR, instance, quiet.cursor).keys) == 1
    refresh(live, instance)
    assert {user_id(7000 + 10 * day + user) for day in range(1, 6) for user in range(3)} <= with_vector(live)


def test_a_run_that_failed_is_begun_again(live: Live, instance: dg.DagsterInstance) -> None:
    """As long as the vector stays stale, each tick asks under another key."""
    live.decide(1, ago(minutes=5), first_user=7001)
    first = tick(live, SENSOR, instance)
    second = tick(live, SENSOR, instance, first.cursor)
    assert len(first.keys) == len(second.keys) == 1
    assert first.keys != second.keys


def test_after_a_flip_it_begins_where_the_prepared_vectors_end(live: Live, instance: dg.DagsterInstance) -> None:
    """The version that is live after a rollback has its own vectors, and its own stale users."""
    live.decide(1, ago(minutes=5), first_user=7001)
    begun = tick(live, SENSOR, instance)
    refresh(live, instance)
    assert not tick(live, SENSOR, instance, begun.cursor).keys
    rollback(live.target)
    assert len(tick(live, SENSOR, instance, begun.cursor).keys) == 1
    refresh(live, instance)
    assert user_id(7001) in with_vector(live)


def test_one_run_at_a_time(live: Live, instance: dg.DagsterInstance) -> None:
    """While one renews, none is begun, and nothing is forgotten."""
    live.decide(1, ago(minutes=5), first_user=7001)
    run = going(live, instance, JOB)
    held = tick(live, SENSOR, instance)
    assert run.run_id in (held.skipped or "")
    instance.report_run_canceled(run)
    assert tick(live, SENSOR, instance, held.cursor).keys
