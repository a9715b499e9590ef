"""New vectors for users who decided something since theirs was made."""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from two_tower_assets.defs.automation.going import run_going
from two_tower_assets.defs.automation.ticks import Cursor, refusals_skip, serving
from two_tower_assets.defs.automation.upkeep import refresh_user_vectors_job
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.publishing.news import database_time, users_with_stale_vector
from two_tower_assets.publishing.registry import Release
from two_tower_assets.publishing.upkeep import require_live
from two_tower_assets.settings import AutomationSettings

_OVERLAP: Final = timedelta(hours=1)
"""Decisions may arrive so late, and a run that failed is so long made up for."""


class _Watched(Cursor):
    model_version: str
    since: datetime
    """Users with a decision from here on are looked at."""


def returning_users_sensor(settings: AutomationSettings) -> dg.SensorDefinition:
    """Return the sensor `refresh_users_who_decided`, stopped."""

    @dg.sensor(
        name="refresh_users_who_decided",
        job_name=refresh_user_vectors_job.name,
        minimum_interval_seconds=settings.refresh_users_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Starts the job refresh_user_vectors when a user decided something that their vector doesn't "
        "know. Off at first: turn it on where the Edge Function embed-user isn't called after each "
        "session. How often: automation.refresh_users_seconds.",
    )
    @refusals_skip
    def refresh_users_who_decided(
        context: dg.SensorEvaluationContext, workspace: Workspace
    ) -> dg.RunRequest | dg.SkipReason:
        if going := run_going(context.instance, refresh_user_vectors_job.name):
            return dg.SkipReason(f"Run {going} is renewing vectors.")
        site = workspace.site
        with serving(site) as connection:
            release, now = require_live(connection), database_time(connection)
            version, since = release.model_version, _since(context, release, now, site.settings.automation)
            stale = users_with_stale_vector(connection, version, since=since, until=now, most=1)
        _Watched(model_version=version, since=max(since, now - _OVERLAP)).keep(context)
        if not stale:
            return dg.SkipReason(f"Nobody decided anything that their vector of version {version} does not know.")
        return dg.RunRequest(run_key=f"{version} since {since.isoformat()}", run_config=CONSOLE)

    return refresh_users_who_decided


def _since(
    context: dg.SensorEvaluationContext, release: Release, now: datetime, settings: AutomationSettings
) -> datetime:
    """Where the last tick ended; for another version, where the vectors that were prepared with it end."""
    known = _Watched.of(context)
    if known is not None and known.model_version == release.model_version:
        return known.since
    oldest = now - timedelta(days=settings.refresh_user_days)
    return max(oldest, release.users_as_of or oldest)
