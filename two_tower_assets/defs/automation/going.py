"""Which runs are going (queued, starting, running or being stopped) or were, and which must not go side by side."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import dagster as dg
from dagster._core.execution.stats import StepEventStatus

ONE_AT_A_TIME: Final = "two_tower/one_at_a_time"
"""Tag of jobs: of those that share a value one runs at a time, as `dagster.yaml` bids the run queue."""

_GOING: Final = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_EVERY_ASSET: Final = "__ASSET_JOB"
"""Dagster's name for the job of assets that are chosen by hand; without a choice it is all of them."""
_JUDGED: Final = "evaluation__verdict"
"""The step after the fits that say what the data have to teach; a refused model gets no further."""
_RELEASE: Final = dg.AssetKey(["publishing", "release"])


def run_going(instance: dg.DagsterInstance, job: str) -> str | None:
    """Return the id of a run of a job that is going."""
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=_GOING), limit=1)
    return runs[0].run_id if runs else None


def release_going(instance: dg.DagsterInstance) -> str | None:
    """Return the id of a run that makes a release: of the job, or of assets chosen in the UI or a command line."""
    return next((run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=_GOING)) if _releases(run)), None)


def release_begun_since(instance: dg.DagsterInstance, moment: datetime) -> str | None:
    """Return the id of a run that makes or made a release, and began after a moment."""
    return next((record.dagster_run.run_id for record in _begun_since(instance, moment)), None)


def learned_since(instance: dg.DagsterInstance, moment: datetime) -> datetime | None:
    """Return when the newest run began that trained on all there was, after a moment, whatever became of its model.

    One that the gate refused has learned as much as one that went live; one that broke before the gate has not.
    """
    for record in _begun_since(instance, moment):
        steps = instance.get_run_step_stats(record.dagster_run.run_id, [_JUDGED])
        if any(step.status is StepEventStatus.SUCCESS for step in steps):
            return _begun_at(record)
    return None


def _begun_since(instance: dg.DagsterInstance, moment: datetime) -> Iterator[dg.RunRecord]:
    """Runs that make or made a release and began after a moment, which may be long after they were queued."""
    for record in instance.get_run_records(dg.RunsFilter(updated_after=moment)):
        if _releases(record.dagster_run) and _begun_at(record) > moment:
            yield record


def _begun_at(record: dg.RunRecord) -> datetime:
    if record.start_time is None:
        return record.create_timestamp.replace(tzinfo=UTC)
    return datetime.fromtimestamp(record.start_time, UTC)


def _releases(run: dg.DagsterRun) -> bool:
    if not run.asset_selection:
        return run.job_name in {"release", _EVERY_ASSET}
    return _RELEASE in run.asset_selection
