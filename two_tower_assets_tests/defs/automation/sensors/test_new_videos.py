from __future__ import annotations

import json
from datetime import datetime, timedelta

import dagster as dg

from two_tower_assets.publishing.flip import rollback
from two_tower_assets_tests.defs.automation.ticking import Live, going, tick
from two_tower_assets_tests.publishing.releasing import NEW, OLD, rows

SENSOR = "embed_new_videos_when_missing"
JOB = "embed_new_videos"


def embed(live: Live, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return live.definitions.resolve_job_def(JOB).execute_in_process(instance=instance, raise_on_error=False)


def with_vector(live: Live) -> list[str]:
    return [video for (video,) in rows(live.url, "select video_id::text from public.video_embeddings")]


def test_a_new_video_begins_one_run_that_makes_it_recommendable(live: Live, instance: dg.DagsterInstance) -> None:
    """Nothing to do, then one run; when it has run, nothing to do again. The asset shows what was added."""
    assert f"has a vector of version {NEW}" in (tick(live, SENSOR, instance).skipped or "")
    (video,) = live.add_videos(1, tags=["tag 1"])
    begun = tick(live, SENSOR, instance)
    assert len(begun.keys) == 1
    assert embed(live, instance).success
    assert video in with_vector(live)
    assert not tick(live, SENSOR, instance, begun.cursor).keys
    key = dg.AssetKey(["publishing", "video_embeddings_table"])
    (record,) = instance.fetch_observations(key, limit=2).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["videos_added"].value == 1


def test_the_same_gap_begins_one_run_until_it_is_given_up_on(live: Live, instance: dg.DagsterInstance) -> None:
    """A run that did not close it is waited for, then repeated under another key; another gap begins at once."""
    live.add_videos(1)
    begun = tick(live, SENSOR, instance)
    waiting = tick(live, SENSOR, instance, begun.cursor)
    assert not waiting.keys
    assert "did not give them a vector" in (waiting.skipped or "")
    kept = json.loads(begun.cursor or "")
    kept["at"] = (datetime.fromisoformat(kept["at"]) - timedelta(minutes=31)).isoformat()
    late = tick(live, SENSOR, instance, json.dumps(kept))
    assert len(late.keys) == 1
    assert late.keys != begun.keys
    live.add_videos(2)
    other = tick(live, SENSOR, instance, begun.cursor)
    assert len(other.keys) == 1
    assert other.keys not in (begun.keys, late.keys)


def test_a_tick_that_was_cut_off_before_it_could_remember_asks_for_the_same_run(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """Dagster begins no second run for a key it knows."""
    live.add_videos(1)
    assert tick(live, SENSOR, instance).keys == tick(live, SENSOR, instance).keys != []


def test_after_a_rollback_what_the_older_version_lacks_is_filled(live: Live, instance: dg.DagsterInstance) -> None:
    """Twelve videos came between the two versions; the bound is raised for them, as the reason says to do."""
    rollback(live.target)
    refused = tick(live, SENSOR, instance)
    assert not refused.keys
    assert "Start the job `release`, or raise automation.max_new_videos" in (refused.skipped or "")
    (live.home.parent / "two_tower.toml").write_text("[automation]\nmax_new_videos = 12\n")
    begun = tick(live, SENSOR, instance, refused.cursor)
    assert len(begun.keys) == 1
    assert embed(live, instance).success
    assert len(with_vector(live)) == 312
    assert f"has a vector of version {OLD}" in (tick(live, SENSOR, instance, begun.cursor).skipped or "")


def test_a_large_gap_fails_the_job_with_what_to_start(live: Live, instance: dg.DagsterInstance) -> None:
    """Begun by hand, too: nothing is added."""
    live.add_videos(*range(5))
    failed = embed(live, instance).failure_data_for_node("embed_videos_without_vector")
    assert failed is not None
    assert failed.user_failure_data is not None
    assert "Start the job `release`" in str(failed.user_failure_data.description)
    assert len(with_vector(live)) == 312


def test_a_version_that_an_experiment_serves_is_filled_beside_the_live_one(
    live: Live, instance: dg.DagsterInstance
) -> None:
    """Only while it runs, and only a gap within the bound; the live version waits for neither."""
    live.begin_experiment("0.5")
    refused = tick(live, SENSOR, instance)
    assert f"has a vector of version {NEW}" in (refused.skipped or "")
    (live.home.parent / "two_tower.toml").write_text("[automation]\nmax_new_videos = 12\n")
    begun = tick(live, SENSOR, instance, refused.cursor)
    assert len(begun.keys) == 1
    assert embed(live, instance).success
    table = "two_tower.video_embeddings_20260301t120000z_0123456"
    assert rows(live.url, f"select count(*) from {table}") == [(312,)]
    assert not tick(live, SENSOR, instance, begun.cursor).keys
    live.stop_experiment()
    live.add_videos(1)
    assert len(tick(live, SENSOR, instance, begun.cursor).keys) == 1
    assert embed(live, instance).success
    assert (rows(live.url, f"select count(*) from {table}"), len(with_vector(live))) == ([(312,)], 313)


def test_one_run_at_a_time(live: Live, instance: dg.DagsterInstance) -> None:
    """While one embeds, none is begun."""
    live.add_videos(1)
    run = going(live, instance, JOB)
    assert run.run_id in (tick(live, SENSOR, instance).skipped or "")
