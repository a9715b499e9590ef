from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.automation.jobs import release_job
from two_tower_assets.defs.automation.schedules import schedules
from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import AutomationSettings, parse_settings
from two_tower_assets_tests.defs.automation.ticking import Live, going

TONIGHT = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """One in a folder: a schedule opens it anew."""
    with dg.instance_for_test() as instance:
        yield instance


def nightly(live: Live, instance: dg.DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    """What the schedule says tonight."""
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=TONIGHT)
    data = live.definitions.get_repository_def().get_schedule_def("nightly_release").evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else dg.SkipReason(data.skip_message)


def test_everything_is_ready_and_off() -> None:
    """Nobody's machine begins to train by itself."""
    repository = build_defs().get_repository_def()
    assert {schedule.default_status for schedule in repository.schedule_defs} == {dg.DefaultScheduleStatus.STOPPED}
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.STOPPED}
    assert len(repository.sensor_defs) == 5


def test_one_night_is_one_run_of_everything(empty: Live, instance: dg.DagsterInstance) -> None:
    """The job is `release`, asked for once."""
    request = nightly(empty, instance)
    assert isinstance(request, dg.RunRequest)
    assert empty.definitions.get_repository_def().get_schedule_def("nightly_release").job_name == release_job.name


@pytest.mark.parametrize(
    "job", [("release",), ("__ASSET_JOB",), ("__ASSET_JOB", "training/checkpoint", "publishing/release")]
)
def test_no_second_release_while_one_is_going(
    empty: Live, instance: dg.DagsterInstance, job: tuple[str, ...]
) -> None:
    """Begun by the schedule or by choosing assets: the night is left out, and the reason names the run."""
    run = going(empty, instance, *job)
    said = nightly(empty, instance)
    assert isinstance(said, dg.SkipReason)
    assert run.run_id in (said.skip_message or "")
    instance.report_run_canceled(run)
    assert isinstance(nightly(empty, instance), dg.RunRequest)


def test_a_run_that_makes_no_release_does_not_hold_the_night_up(empty: Live, instance: dg.DagsterInstance) -> None:
    """New videos may be embedded meanwhile, and other assets looked at."""
    going(empty, instance, "embed_new_videos")
    going(empty, instance, "__ASSET_JOB", "evaluation/page")
    assert isinstance(nightly(empty, instance), dg.RunRequest)


def test_time_and_zone_are_settings() -> None:
    """Three in the morning in Tokyo is six in the evening before in UTC, whatever the season."""
    settings = AutomationSettings(nightly_cron="0 3 * * *", readout_cron="0 6 * * *", time_zone="Asia/Tokyo")
    schedule, _, readout = schedules(settings)
    assert (readout.cron_schedule, readout.execution_timezone) == ("0 6 * * *", "Asia/Tokyo")
    begin = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    times = schedule_execution_time_iterator(begin, schedule.cron_schedule, schedule.execution_timezone)
    first = next(times)
    assert first.astimezone(UTC) == datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"time_zone": "Asia/Tokio"}, "did you mean 'Asia/Tokyo'"),
        ({"nightly_cron": "every night"}, "automation.nightly_cron"),
        ({"warn_after_hours": 50, "stale_after_hours": 50}, "warn_after_hours must be smaller"),
    ],
)
def test_a_wrong_time_is_refused_with_its_key(values: dict[str, object], said: str) -> None:
    """Before anything is scheduled."""
    with pytest.raises(SettingsError, match=said):
        parse_settings({"automation": values}, where="test")


def test_the_live_release_has_an_age_to_be_judged_by() -> None:
    """The policy stands on the release alone, with the windows of the settings."""
    judged = {spec.key.to_user_string(): spec.freshness_policy for spec in build_defs().resolve_all_asset_specs()}
    policy = judged.pop("publishing/release")
    settings = AutomationSettings()
    expected = dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=settings.stale_after_hours),
        warn_window=timedelta(hours=settings.warn_after_hours),
    )
    assert policy == expected
    assert set(judged.values()) == {None}
