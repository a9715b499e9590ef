from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import dagster as dg
import psycopg

from two_tower_assets.experiments.registry import ramp
from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.database.rows import user_id
from two_tower_assets_tests.defs.automation.ticking import EXPERIMENT, Live, going, tick
from two_tower_assets_tests.publishing.releasing import NEW, OLD, rows

SENSOR = "refresh_users_who_decided"
JOB = "refresh_user_vectors"
OLD_USERS = "two_tower.user_embeddings_20260301t120000z_0123456"


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


def with_vector_of_arm(live: Live) -> set[str]:
    return {
        user for (user,) in rows(live.url, f"select user_id::text from {OLD_USERS} where updated_at > %s", CUTOFF)
    }


def arms(live: Live, *users: int) -> dict[str, set[str]]:
    """Users by the arm that the database puts them into."""
    found: dict[str, set[str]] = {}
    for user in users:
        ((arm,),) = rows(live.url, "select two_tower.experiment_arm(%s, %s)", EXPERIMENT, user_id(user))
        found.setdefault(arm, set()).add(user_id(user))
    return found


def test_a_version_that_an_experiment_serves_is_renewed_for_its_users(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """Those of the arm alone, by whom both versions know; nobody before the start, and nobody after the stop."""
    live.decide(20, ago(minutes=5), first_user=7001)
    begun = tick(live, SENSOR, instance)
    refresh(live, instance)
    assert not with_vector_of_arm(live)
    live.begin_experiment()
    started = tick(live, SENSOR, instance, begun.cursor)
    assert len(started.keys) == 1
    assert OLD in str(started.keys[0])
    refresh(live, instance)
    assigned = arms(live, *range(7001, 7021))
    assert with_vector_of_arm(live) == assigned["former"]
    assert assigned["control"]
    done = tick(live, SENSOR, instance, started.cursor)
    assert f"{NEW} or {OLD} does not know" in (done.skipped or "")
    live.stop_experiment()
    live.decide(20, ago(seconds=1), first_user=7101)
    assert len(tick(live, SENSOR, instance, done.cursor).keys) == 1
    refresh(live, instance)
    assert with_vector_of_arm(live) == assigned["former"]
    assert {user_id(7101), user_id(7120)} <= with_vector(live)


def test_who_a_ramp_brings_is_renewed_though_they_decided_long_ago(live: Live, instance: dg.DagsterInstance) -> None:
    """The cursor of an arm is of those whom it is shown to; with more of them it begins anew."""
    live.decide(20, ago(days=2), first_user=7001)
    live.begin_experiment("0.1")
    first = tick(live, SENSOR, instance)
    refresh(live, instance)
    done = tick(live, SENSOR, instance, first.cursor)
    assert not done.keys
    few = with_vector_of_arm(live)
    with psycopg.connect(live.url) as connection:
        ramp(connection, EXPERIMENT, Decimal(1))
    assert len(tick(live, SENSOR, instance, done.cursor).keys) == 1
    refresh(live, instance)
    assert few < with_vector_of_arm(live) == arms(live, *range(7001, 7021))["former"]


def test_soon_after_a_release_each_user_who_decides_begins_a_run(live: Live, instance: dg.DagsterInstance) -> None:
    """Its vectors end minutes ago, so that ticks look back to the same moment; they ask under different keys."""
    with psycopg.connect(live.url) as connection:
        connection.execute("update public.model_releases set users_as_of = now() - interval '10 minutes'")
    live.decide(1, ago(minutes=5), first_user=7001)
    first = tick(live, SENSOR, instance)
    refresh(live, instance)
    live.decide(1, ago(seconds=1), first_user=7002)
    second = tick(live, SENSOR, instance, first.cursor)
    assert len(first.keys) == len(second.keys) == 1
    assert first.keys != second.keys
    assert tick(live, SENSOR, instance, first.cursor).keys == second.keys


def test_one_run_at_a_time(live: Live, instance: dg.DagsterInstance) -> None:
    """While one renews, none is begun, and nothing is forgotten."""
    live.decide(1, ago(minutes=5), first_user=7001)
    run = going(live, instance, JOB)
    held = tick(live, SENSOR, instance)
    assert run.run_id in (held.skipped or "")
    instance.report_run_canceled(run)
    assert tick(live, SENSOR, instance, held.cursor).keys
