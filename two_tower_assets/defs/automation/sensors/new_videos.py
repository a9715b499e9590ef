"""Vectors for active videos that a served version lacks: new ones, and after a flip or rollback what it never had."""

import hashlib
import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from two_tower_assets.defs.automation.going import run_going
from two_tower_assets.defs.automation.ticks import Cursor, refusals_skip, serving
from two_tower_assets.defs.automation.upkeep import embed_new_videos_job
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.publishing.news import videos_without_vector
from two_tower_assets.publishing.upkeep import arms_beside, require_live
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.settings import AutomationSettings


class _Asked(Cursor):
    gap: str
    """Hash of the version and the videos that a run was begun for."""
    at: datetime


def new_videos_sensor(settings: AutomationSettings) -> dg.SensorDefinition:
    """Return the sensor `embed_new_videos_when_missing`, stopped."""

    @dg.sensor(
        name="embed_new_videos_when_missing",
        job_name=embed_new_videos_job.name,
        minimum_interval_seconds=settings.check_for_videos_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Starts the job embed_new_videos when an active video has no vector of the live release, so "
        "that it can be recommended before the next training. Off at first: turn it on where videos "
        "are added between releases. How often: automation.check_for_videos_seconds.",
    )
    @refusals_skip
    def embed_new_videos_when_missing(
        context: dg.SensorEvaluationContext, workspace: Workspace
    ) -> dg.RunRequest | dg.SkipReason:
        if going := run_going(context.instance, embed_new_videos_job.name):
            return dg.SkipReason(f"Run {going} is embedding videos.")
        site = workspace.site
        limits = site.settings.automation
        with serving(site) as connection:
            version = require_live(connection).model_version
            videos = videos_without_vector(connection, limits.max_new_videos + 1)
            arms = _gaps_of_arms(connection, limits.max_new_videos)
        if not videos and not arms:
            return dg.SkipReason(f"Every active video has a vector of version {version}.")
        if len(videos) > limits.max_new_videos:
            return dg.SkipReason(
                f"More than {limits.max_new_videos:,} active videos have no vector of version {version}, too many to "
                "add one by one. Start the job `release`, or raise automation.max_new_videos."
            )
        return _ask(context, _gap((version, *videos), *arms), timedelta(minutes=limits.retry_videos_minutes))

    return embed_new_videos_when_missing


def _ask(context: dg.SensorEvaluationContext, gap: str, patience: timedelta) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run once a gap; a gap that a run did not close is tried again after a while."""
    last, now = _Asked.of(context), datetime.now(UTC)
    if last is not None and last.gap == gap and now < last.at + patience:
        return dg.SkipReason(
            f"A run for the same videos was begun at {last.at:%H:%M:%S} UTC and did not give them a vector; "
            f"the next is begun at {last.at + patience:%H:%M:%S} UTC. Look at the last run of the job."
        )
    _Asked(gap=gap, at=now).keep(context)
    before = last.at.isoformat() if last else "the beginning"
    return dg.RunRequest(run_key=f"{gap} after {before}", run_config=CONSOLE)


def _gaps_of_arms(connection: Connection, most: int) -> list[tuple[str, ...]]:
    """Versions that experiments serve and that lack some videos, but no more than are added; each with their ids."""
    gaps = []
    for arm in arms_beside(connection):
        release = arm.release
        assert release.vector_table is not None
        videos = videos_without_vector(connection, most + 1, release.vector_table)
        if 0 < len(videos) <= most:
            gaps.append((release.model_version, *videos))
    return gaps


def _gap(*gaps: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(itertools.chain(*gaps)).encode()).hexdigest()[:16]
