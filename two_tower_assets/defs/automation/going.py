"""Which runs are going (queued, starting, running or being stopped), and which must not go side by side."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import dagster as dg

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
    runs = instance.get_runs(dg.RunsFilter(created_after=moment))
    return next((run.run_id for run in runs if _releases(run)), None)


def _releases(run: dg.DagsterRun) -> bool:
    if run.asset_selection is None:
        return run.job_name in {"release", _EVERY_ASSET}
    return _RELEASE in run.asset_selection
