"""Which runs are going: queued, starting, running or being stopped."""

from __future__ import annotations

from typing import Final

import dagster as dg

_GOING: Final = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_RELEASE: Final = dg.AssetKey(["publishing", "release"])


def run_going(instance: dg.DagsterInstance, job: str) -> str | None:
    """Return the id of a run of a job that is going."""
    runs = instance.get_runs(dg.RunsFilter(job_name=job, statuses=_GOING), limit=1)
    return runs[0].run_id if runs else None


def release_going(instance: dg.DagsterInstance) -> str | None:
    """Return the id of a run that makes a release: of the job, or of assets chosen in the UI or a command line."""
    for run in instance.get_runs(dg.RunsFilter(statuses=_GOING)):
        if run.job_name == "release" or _RELEASE in (run.asset_selection or ()):
            return run.run_id
    return None
