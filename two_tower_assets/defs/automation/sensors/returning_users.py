"""New vectors for users who decided something since theirs was made, of each version that they are served by."""

from collections.abc import Iterator
from dataclasses import dataclass
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
from two_tower_assets.publishing.upkeep import arms_beside, require_live
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.settings import AutomationSettings

_OVERLAP: Final = timedelta(hours=1)
"""Decisions may arrive so late, and a run that failed is so long made up for."""


class _Watched(Cursor):
    at: datetime
    """Of the tick."""
    since: dict[str, datetime]
    """Of what is served (see `_Served.key`): users with a decision from here on are looked at."""


@dataclass(frozen=True)
class _Served:
    """A version, and whom it is shown to."""

    release: Release
    audience: str | None = None
    """Of an experiment's arm; None of the live version: everybody."""

    @property
    def key(self) -> str:
        """Another one where more users are shown the version: they may have decided before the last tick."""
        return self.release.model_version + (f" of {self.audience}" if self.audience else "")


def returning_users_sensor(settings: AutomationSettings) -> dg.SensorDefinition:
    """Return the sensor `refresh_users_who_decided`, stopped."""

    @dg.sensor(
        name="refresh_users_who_decided",
        job_name=refresh_user_vectors_job.name,
        minimum_interval_seconds=settings.refresh_users_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Starts the job refresh_user_vectors when a user decided something that their vector doesn't "
        "know: that of the live version, or of the arm that a running experiment serves them by. Off at first: turn "
        "it on where the Edge Function embed-user isn't called after each session. How often: "
        "automation.refresh_users_seconds.",
    )
    @refusals_skip
    def refresh_users_who_decided(
        context: dg.SensorEvaluationContext, workspace: Workspace
    ) -> dg.RunRequest | dg.SkipReason:
        if going := run_going(context.instance, refresh_user_vectors_job.name):
            return dg.SkipReason(f"Run {going} is renewing vectors.")
        site, known = workspace.site, _Watched.of(context)
        with serving(site) as connection:
            served, now = list(_served(connection)), database_time(connection)
            since = {one.key: _since(known, one, now, site.settings.automation) for one in served}
            stale = [one.key for one in served if _has_stale(connection, one, since[one.key], now)]
        _Watched(at=now, since={key: max(moment, now - _OVERLAP) for key, moment in since.items()}).keep(context)
        if not stale:
            versions = " or ".join(one.release.model_version for one in served)
            return dg.SkipReason(f"Nobody decided anything that their vector of version {versions} does not know.")
        before = known.at.isoformat() if known else "the beginning"
        return dg.RunRequest(
            run_key=f"{stale[0]} since {since[stale[0]].isoformat()} after {before}", run_config=CONSOLE
        )

    return refresh_users_who_decided


def _served(connection: Connection) -> Iterator[_Served]:
    yield _Served(require_live(connection))
    for arm in arms_beside(connection):
        yield _Served(arm.release, arm.audience)


def _has_stale(connection: Connection, served: _Served, since: datetime, until: datetime) -> bool:
    version, of_arms = served.release.model_version, served.audience is not None
    return bool(users_with_stale_vector(connection, version, since=since, until=until, most=1, of_arms=of_arms))


def _since(known: _Watched | None, served: _Served, now: datetime, settings: AutomationSettings) -> datetime:
    """Where the last tick ended; of what was not served then, where the vectors that were prepared with it end."""
    if known is not None and served.key in known.since:
        return known.since[served.key]
    oldest = now - timedelta(days=settings.refresh_user_days)
    return max(oldest, served.release.users_as_of or oldest)
