"""Runs that count as going on although their process is gone, and concurrency slots that finished runs keep."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import dagster as dg
import psutil

from two_tower_assets.defs.doctor.instance import Instance
from two_tower_assets.doctor.finding import Finding, ok, problem, warning

_GOING_ON: Final = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_FINISHED: Final = frozenset({dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED})
_BEGINNING_SECONDS: Final = 600
"""After so long a run has a process, if it ever gets one."""
_CLOCK_SECONDS: Final = 2.0
"""How much earlier than its first event a process may seem to have begun."""


def look_at_runs(instance: Instance) -> Iterator[Finding]:
    """Find the process of every run that goes on."""
    if instance.missing:
        yield instance.missing
        return
    opened = instance.opened()
    records = opened.get_run_records(dg.RunsFilter(statuses=_GOING_ON))
    stuck = [record for record in records if not _lives(opened, record)]
    for record in stuck:
        yield _stuck(instance, record)
    if not stuck:
        yield ok(f"{len(records)} runs go on, each with its process" if records else "no run is stuck")


def look_at_slots(instance: Instance) -> Iterator[Finding]:
    """Find slots that are held by, or promised to, runs that have finished or are gone."""
    if instance.missing:
        yield instance.missing
        return
    opened = instance.opened()
    leaked = {run: keys for run, keys in _holders(opened).items() if _has_finished(opened, run)}
    for run, keys in leaked.items():
        yield problem(
            f"run {run} has finished and still holds slots of {', '.join(sorted(keys))}",
            where=str(instance.folder),
            remedy="two-tower doctor --fix",
            fix=_freeing(opened, run),
        )
    if not leaked:
        yield ok("no slot is held by a run that has finished")


def _stuck(instance: Instance, record: dg.RunRecord) -> Finding:
    run = record.dagster_run
    began = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
    what = f"run {run.run_id} counts as {run.status.value} since {began:%Y-%m-%d %H:%M} UTC, and its process is gone"
    where = str(instance.folder)
    if instance.own:
        fix = _failing(instance.opened(), run)
        return problem(what, where=where, remedy="two-tower doctor --fix", fix=fix)
    remedy = "If it runs on no other machine either, end it in the UI (Terminate, then mark as canceled)."
    return warning(f"{what} on this machine", where=where, remedy=remedy)


def _failing(opened: dg.DagsterInstance, run: dg.DagsterRun) -> Callable[[], str]:
    def fail() -> str:
        opened.report_run_failed(run, "two-tower doctor: the process of this run is gone")
        opened.event_log_storage.free_concurrency_slots_for_run(run.run_id)
        return f"marked run {run.run_id} as failed and freed its slots"

    return fail


def _freeing(opened: dg.DagsterInstance, run_id: str) -> Callable[[], str]:
    def free() -> str:
        opened.event_log_storage.free_concurrency_slots_for_run(run_id)
        return f"freed the slots of run {run_id}"

    return free


def _holders(opened: dg.DagsterInstance) -> dict[str, set[str]]:
    """Return run → pools of which it holds a slot or waits for one."""
    found: dict[str, set[str]] = {}
    storage = opened.event_log_storage
    if storage.supports_global_concurrency_limits:
        for key in storage.get_concurrency_keys():
            info = storage.get_concurrency_info(key)
            runs = {slot.run_id for slot in info.claimed_slots} | {step.run_id for step in info.pending_steps}
            for run in runs:
                found.setdefault(run, set()).add(key)
    return found


def _has_finished(opened: dg.DagsterInstance, run_id: str) -> bool:
    run = opened.get_run_by_id(run_id)
    return run is None or run.status in _FINISHED


def _lives(opened: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether any process that the run's engine told of is alive, or the run is too young to have told of one."""
    logs = opened.all_logs(record.dagster_run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    told = [process for process in map(_process, logs) if process is not None]
    if not told:
        return time.time() - record.create_timestamp.timestamp() < _BEGINNING_SECONDS
    return any(_is_alive(pid, at) for pid, at in told)


def _process(entry: Any) -> tuple[int, float] | None:
    """Return the process that an engine event names, and when it was named."""
    value = entry.get_dagster_event().engine_event_data.metadata.get("pid")
    return None if value is None else (int(value.value), entry.timestamp)


def _is_alive(pid: int, at: float) -> bool:
    try:
        process = psutil.Process(pid)
        alive = bool(process.status() != psutil.STATUS_ZOMBIE)
        return alive and process.create_time() <= at + _CLOCK_SECONDS
    except psutil.NoSuchProcess:
        return False
