"""Looks at a real Dagster instance in Postgres: well, with a run whose process was killed, and with leaked slots."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._daemon.types import DaemonHeartbeat

from two_tower_assets.defs.doctor import runs
from two_tower_assets.defs.doctor.instance import Instance, look_at_daemon, look_at_storage
from two_tower_assets.defs.doctor.runs import look_at_runs, look_at_slots
from two_tower_assets.doctor.examination import Check, examine
from two_tower_assets.doctor.finding import Finding
from two_tower_assets.local.instance import for_dagster
from two_tower_assets_tests.defs.doctor.killed import killed
from two_tower_assets_tests.doctor.looks import Record, levels, note, only

LOOKS = (look_at_storage, look_at_daemon, look_at_runs, look_at_slots)
PROGRAM = Path(__file__).with_name("killed.py")
ORIGIN = RemoteInstigatorOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all"), "nightly")
NIGHTLY = InstigatorState(
    ORIGIN, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, ScheduleInstigatorData("0 3 * * *", time.time())
)


@pytest.fixture
def instance(empty_database: str, tmp_path: Path) -> Iterator[Instance]:
    """An instance with the project's own configuration, in a Postgres database of its own."""
    configuration = Path(__file__).parents[3] / "dagster.yaml"
    (tmp_path / "dagster.yaml").write_text(configuration.read_text(encoding="utf-8"), encoding="utf-8")
    instance = Instance(tmp_path, for_dagster(empty_database), own=True)
    yield instance
    instance.close()


def kill_a_run(instance: Instance) -> str:
    """Let a process be killed amid its run, and return the run's id."""
    instance.opened().event_log_storage.set_concurrency_slots("writers", 1)
    environment = {**os.environ, "DAGSTER_POSTGRES_URL": str(instance.url)}
    ended = subprocess.run(
        [sys.executable, PROGRAM, instance.folder], env=environment, capture_output=True, check=False
    )
    assert ended.returncode == -9, ended.stderr.decode()
    (run,) = instance.opened().get_runs()
    assert run.status is dg.DagsterRunStatus.STARTED
    return run.run_id


def mended(instance: Instance, look: object) -> Finding:
    """What is said when it is asked to mend."""
    (found,) = (finding for _, finding in examine([Check("", lambda: look(instance))], fix=True))  # type: ignore[operator]
    return found


def test_a_new_instance_is_well(instance: Instance) -> None:
    """Storage answers, nothing needs a daemon, no run is stuck and no slot is held."""
    found = [only(look(instance)) for look in LOOKS]
    assert levels(found) == ["ok", "unused", "ok", "ok"]
    assert found[0].what == "storage answers, 0 runs"


def test_there_is_no_instance(tmp_path: Path) -> None:
    """Neither a folder nor a storage: nothing to look at, and nothing is made."""
    for instance in (Instance(tmp_path / "none", "postgresql://x", own=True), Instance(tmp_path, None, own=True)):
        assert levels(only(look(instance)) for look in LOOKS) == ["unused"] * 4
    assert list(tmp_path.iterdir()) == []


def test_its_postgres_does_not_answer(instance: Instance) -> None:
    """Every look says so, where, and what to do; no password is shown."""
    instance.url = "postgresql+psycopg2://user:s3cret@127.0.0.1:9/dagster"
    found = [finding for _, finding in examine([Check("", lambda look=look: look(instance)) for look in LOOKS])]  # type: ignore[misc]
    assert levels(found) == ["problem"] * 4
    assert all(finding.what.startswith("Cannot connect to Postgres") for finding in found)
    assert "s3cret" not in str(found)


def test_a_killed_run_is_found_failed_and_frees_its_slot(instance: Instance, record_property: Record) -> None:
    """It is told by its id; `--fix` marks it as failed and gives its slot back, and then all is well."""
    run = kill_a_run(instance)
    found = only(look_at_runs(instance))
    assert found.level == "problem"
    assert f"run {run} counts as STARTED since" in found.what
    note(record_property, "a killed run", found)
    assert instance.opened().event_log_storage.get_concurrency_info("writers").active_run_ids == {run}
    assert mended(instance, look_at_runs).done == f"marked run {run} as failed and freed its slots"
    assert levels(only(look(instance)) for look in (look_at_runs, look_at_slots)) == ["ok", "ok"]
    assert instance.opened().get_run_by_id(run).status is dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
    assert not instance.opened().event_log_storage.get_concurrency_info("writers").active_run_ids


def test_a_slot_of_a_finished_run_is_found_and_freed(instance: Instance, record_property: Record) -> None:
    """Somebody marked the killed run as failed without its slot: the pool is blocked until it is freed."""
    run = kill_a_run(instance)
    opened = instance.opened()
    opened.report_run_failed(opened.get_runs()[0], "by hand")
    if not opened.event_log_storage.get_concurrency_info("writers").active_run_ids:
        opened.event_log_storage.claim_concurrency_slot("writers", run, "end_abruptly")
    found = only(look_at_slots(instance))
    assert (found.level, run in found.what, "writers" in found.what) == ("problem", True, True)
    note(record_property, "a leaked slot", found)
    assert mended(instance, look_at_slots).done == f"freed the slots of run {run}"
    assert levels(look_at_slots(instance)) == ["ok"]


def test_a_run_that_never_got_a_process(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given time to begin, and then it is stuck."""
    opened = instance.opened()
    opened.create_run_for_job(killed, status=dg.DagsterRunStatus.STARTING)
    assert levels(look_at_runs(instance)) == ["ok"]
    monkeypatch.setattr(runs, "_BEGINNING_SECONDS", 0)
    assert levels(look_at_runs(instance)) == ["problem"]


def test_a_shared_instance_s_runs_are_left_alone(instance: Instance) -> None:
    """Where other machines may run, a process that is not here proves nothing: a warning, and nothing to mend."""
    kill_a_run(instance)
    instance.own = False
    found = only(look_at_runs(instance))
    assert (found.level, found.fix) == ("warning", None)


def test_a_run_that_goes_on_is_left_alone(instance: Instance) -> None:
    """The look is made from within the run."""
    seen: list[Finding] = []

    @dg.op
    def look() -> None:
        seen.extend(look_at_runs(instance))

    @dg.job
    def looking() -> None:
        look()

    assert looking.execute_in_process(instance=instance.opened()).success
    assert [finding.what for finding in seen] == ["1 runs go on, each with its process"]


def test_a_schedule_without_a_daemon_is_a_problem(instance: Instance) -> None:
    """A schedule is on: without any heartbeat, and with an old one, it is told; with fresh ones all is well."""
    opened = instance.opened()
    opened.add_instigator_state(NIGHTLY)
    found = only(look_at_daemon(instance))
    assert found.level == "problem"
    assert found.what.startswith("1 schedules and sensors are on, but there is no heartbeat ever of ")
    for age, level in ((86_400, "problem"), (0, "ok")):
        for kind in opened.get_required_daemon_types():
            opened.add_daemon_heartbeat(DaemonHeartbeat(time.time() - age, kind, "here"))
        assert only(look_at_daemon(instance)).level == level
