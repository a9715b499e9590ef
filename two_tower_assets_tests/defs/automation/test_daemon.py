"""The daemon's own loops over the real instance and the real code location; its clock is moved, not waited for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.remote_representation.external import RemoteRepository
from dagster._core.test_utils import freeze_time, poll_for_finished_run
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.run_coordinator import QueuedRunCoordinatorDaemon
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import ScheduleIterationTimes, launch_scheduled_runs

from two_tower_assets.definitions import build_defs
from two_tower_assets.home import Home
from two_tower_assets.local.instance import prepare_instance, workspace_file
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.database.rows import user_id
from two_tower_assets_tests.defs.automation.ticking import Live
from two_tower_assets_tests.defs.automation.webhook_server import Webhook, webhook
from two_tower_assets_tests.publishing.releasing import rows

LOG = logging.getLogger("daemon under test")
BEGIN = datetime.now(UTC)


@dataclass
class Daemon:
    """The loops of `dagster-daemon run`, one round at a time, at moments that a test chooses."""

    instance: dg.DagsterInstance
    process: WorkspaceProcessContext
    scheduled: dict[str, ScheduleIterationTimes] = field(default_factory=dict)

    def turn_on(self, at: datetime, *names: str) -> None:
        """Turn a schedule or sensors on."""
        (repository,) = self.repositories()
        with freeze_time(at):
            for schedule in repository.get_schedules():
                if schedule.name in names:
                    self.instance.start_schedule(schedule)
            for sensor in repository.get_sensors():
                if sensor.name in names:
                    self.instance.start_sensor(sensor)

    def look_at_the_clock(self, at: datetime) -> None:
        """One round of the scheduler."""
        with freeze_time(at):
            list(launch_scheduled_runs(self.process, LOG, at, self.scheduled))

    def look_around(self, at: datetime) -> None:
        """One round of the sensors."""
        with freeze_time(at):
            list(execute_sensor_iteration(self.process, LOG, None, None))

    def let_queued_runs_begin(self) -> None:
        """One round of the run queue."""
        queue = QueuedRunCoordinatorDaemon(interval_seconds=1)
        with queue:
            list(queue.run_iteration(self.process))

    def until_ended(self, job: str) -> dg.DagsterRun:
        """Wait for the only run of a job, which another process makes."""
        (run,) = self.runs(job)
        return poll_for_finished_run(self.instance, run.run_id, timeout=120)

    def fail(self, job: str) -> str:
        """Record a run of a job of this location that broke outside of its steps."""
        (repository,) = self.repositories()
        origin = repository.get_full_job(job).get_remote_origin()
        run = self.instance.create_run_for_job(
            build_defs().resolve_job_def(job), remote_job_origin=origin, status=dg.DagsterRunStatus.STARTED
        )
        self.instance.report_run_failed(run, "The process of the run was killed")
        return run.run_id

    def repositories(self) -> Sequence[RemoteRepository]:
        (entry,) = self.process.create_request_context().get_code_location_entries().values()
        assert entry.code_location is not None, entry.load_error
        return list(entry.code_location.get_repositories().values())

    def runs(self, job: str) -> Sequence[dg.DagsterRun]:
        """Every run of a job, newest first."""
        return self.instance.get_runs(dg.RunsFilter(job_name=job))


@pytest.fixture
def told() -> Iterator[Webhook]:
    """Who is told of failures."""
    with webhook() as server:
        yield server


@pytest.fixture
def daemon(live: Live, told: Webhook, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Daemon]:
    """An instance as `two-tower env` makes it, and a code server of the workspace file, over two releases."""
    home = Home(live.home)
    monkeypatch.setenv("TWO_TOWER_HOME", str(home.root))
    monkeypatch.setenv("TWO_TOWER_FAILURE_WEBHOOK", told.url)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    for name, value in prepare_instance(home, empty_database).items():
        monkeypatch.setenv(name, value)
    with (home.dagster / "dagster.yaml").open("a") as file:
        file.write("\ncode_servers:\n  wait_for_local_processes_on_shutdown: true\n")
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([str(workspace_file())])) as process,
    ):
        yield Daemon(instance, process)


def test_the_night_is_fired_once(daemon: Daemon) -> None:
    """Nothing before three o'clock; then one run; not again that night, nor the next while it is still going."""
    daemon.turn_on(BEGIN, "nightly_release")
    daemon.look_at_the_clock(BEGIN)
    assert daemon.runs("release") == []
    night = BEGIN + timedelta(days=1)
    for minutes in range(3):
        daemon.look_at_the_clock(night + timedelta(minutes=minutes))
    (run,) = daemon.runs("release")
    assert run.status is dg.DagsterRunStatus.QUEUED
    assert run.tags["dagster/schedule_name"] == "nightly_release"
    daemon.look_at_the_clock(night + timedelta(days=1))
    assert len(daemon.runs("release")) == 1
    daemon.instance.report_run_canceled(run)
    # After a week without a daemon one run makes up for all nights.
    daemon.look_at_the_clock(night + timedelta(days=8))
    assert len(daemon.runs("release")) == 2


def test_each_sensor_fires_once_and_its_run_does_what_it_says(daemon: Daemon, live: Live, told: Webhook) -> None:
    """News begin a retrain, a new video gets a vector, who decided gets a new one, and a failure is told."""
    small = ("embed_new_videos", "refresh_user_vectors")
    daemon.turn_on(
        BEGIN, "retrain_on_news", "embed_new_videos_when_missing", "refresh_users_who_decided", "tell_of_failures"
    )
    (video,) = live.add_videos(1, tags=["tag 1"], created_at=CUTOFF)
    live.decide(5, datetime.now(UTC) - timedelta(minutes=1), first_user=7001)
    daemon.look_around(BEGIN)
    (retrain,) = daemon.runs("release")
    daemon.instance.report_run_canceled(retrain)
    daemon.let_queued_runs_begin()
    assert [daemon.until_ended(job).status for job in small] == [dg.DagsterRunStatus.SUCCESS] * 2
    assert rows(live.url, "select count(*) from public.video_embeddings where video_id = %s", video) == [(1,)]
    renewed = rows(live.url, "select count(*) from public.user_embeddings where user_id = %s", user_id(7001))
    assert renewed == [(1,)]
    broken = daemon.fail("train")
    for hour in range(1, 4):
        daemon.look_around(BEGIN + timedelta(hours=hour))
    assert [len(daemon.runs(job)) for job in ("release", *small)] == [1, 1, 1]
    assert [(body["job"], body["run_id"]) for body in told.taken] == [("train", broken)]
