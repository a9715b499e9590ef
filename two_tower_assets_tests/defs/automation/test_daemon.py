"""The daemon over the real instance and the real code location: its clock is moved, not waited for."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_representation.external import RemoteRepository
from dagster._core.test_utils import freeze_time, poll_for_finished_run
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import ScheduleIterationTimes, launch_scheduled_runs

from two_tower_assets.home import Home
from two_tower_assets.local.instance import prepare_instance, workspace_file
from two_tower_assets_tests.artifacts.versions import CUTOFF
from two_tower_assets_tests.database.rows import user_id
from two_tower_assets_tests.defs.automation.looks import look
from two_tower_assets_tests.defs.automation.ticking import EXPERIMENT, Live
from two_tower_assets_tests.defs.automation.webhook_server import Webhook, webhook
from two_tower_assets_tests.publishing.releasing import NEW, OLD, rows

LOG = logging.getLogger("daemon under test")
BEGIN = datetime.now(UTC)
SENSORS = ("retrain_on_news", "embed_new_videos_when_missing", "refresh_users_who_decided", "tell_of_failures")
SMALL = ("embed_new_videos", "refresh_user_vectors")


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

    def look_around_side_by_side(self, at: datetime) -> None:
        """One round of the sensors, in threads as `dagster.yaml` bids."""
        with freeze_time(at), ThreadPoolExecutor(4) as threads:
            list(execute_sensor_iteration(self.process, LOG, threads, None, sensor_tick_futures={}))

    def until_ended(self, job: str) -> dg.DagsterRun:
        """Wait for the only run of a job, which another process makes."""
        (run,) = self.runs(job)
        return poll_for_finished_run(self.instance, run.run_id, timeout=120)

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


def test_two_sensors_that_look_at_once_begin_one_retrain(daemon: Daemon, live: Live) -> None:
    """News and drift were found in the same moment, and no run was there yet that either could have seen."""
    live.decide(5, datetime.now(UTC) - timedelta(minutes=1), first_user=7001)
    look(live, found=2.0)
    daemon.turn_on(BEGIN, "retrain_on_news", "retrain_on_drift")
    daemon.look_around_side_by_side(BEGIN + timedelta(hours=1))
    (run,) = daemon.runs("release")
    assert run.status is dg.DagsterRunStatus.QUEUED
    daemon.look_around_side_by_side(BEGIN + timedelta(hours=2))
    assert len(daemon.runs("release")) == 1


def test_the_night_and_each_sensor_fire_once_in_the_real_process(
    daemon: Daemon, live: Live, told: Webhook, tmp_path: Path
) -> None:
    """`dagster-daemon run`, turned on for a night that is over: its release fails for want of rows, and is told of.

    News begin another, which fails as well; a new video and users who decided get their vectors, of the live version
    and of the one that an experiment compares with it. Hours later nothing is begun that was begun already.
    """
    settings = (tmp_path / "two_tower.toml").read_text().replace("max_new_videos = 4", "max_new_videos = 13")
    (tmp_path / "two_tower.toml").write_text(f"{settings}check_for_news_seconds = 5\n")
    live.begin_experiment()
    (video,) = live.add_videos(1, tags=["tag 1"], created_at=CUTOFF)
    live.decide(5, datetime.now(UTC) - timedelta(minutes=1), first_user=7001)
    daemon.turn_on(BEGIN - timedelta(days=1), "nightly_release", *SENSORS)
    command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(workspace_file())]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: len(told.taken) == 2)
            small = [daemon.until_ended(job).status for job in SMALL]
        finally:
            process.send_signal(signal.SIGINT)
    assert small == [dg.DagsterRunStatus.SUCCESS] * 2
    for table in ("public.video_embeddings", "two_tower.video_embeddings_20260301t120000z_0123456"):
        assert rows(live.url, f"select count(*) from {table} where video_id = %s", video) == [(1,)]
    arms = {user_id(7001 + user): in_arm(live, 7001 + user) for user in range(5)}
    assert with_vector(live, NEW, arms) == set(arms)
    assert with_vector(live, OLD, arms) == {user for user, arm in arms.items() if arm == "former"} != set()
    for hour in range(1, 4):
        daemon.look_around(BEGIN + timedelta(hours=hour))
    begun_by = [
        run.tags.get("dagster/schedule_name") or run.tags["dagster/sensor_name"] for run in daemon.runs("release")
    ]
    assert sorted(begun_by) == ["nightly_release", "retrain_on_news"]
    assert [len(daemon.runs(job)) for job in SMALL] == [1, 1]
    assert sorted(body["run_id"] for body in told.taken) == sorted(run.run_id for run in daemon.runs("release"))


def in_arm(live: Live, user: int) -> str:
    ((arm,),) = rows(live.url, "select two_tower.experiment_arm(%s, %s)", EXPERIMENT, user_id(user))
    return str(arm)


def with_vector(live: Live, version: str, users: Collection[str]) -> set[str]:
    known = "select user_id::text from two_tower.user_embedding_versions where model_version = %s"
    return {user for (user,) in rows(live.url, known, version)} & set(users)


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)
