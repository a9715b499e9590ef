"""A retrain when enough has come since the live release: decisions, or videos."""

from datetime import datetime

import dagster as dg

from two_tower_assets.defs.automation.going import learned_since
from two_tower_assets.defs.automation.jobs import release_job
from two_tower_assets.defs.automation.retraining import NEWS, others_at_it
from two_tower_assets.defs.automation.ticks import Cursor, refusals_skip, serving
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.publishing.news import News, count_news
from two_tower_assets.publishing.registry import Release
from two_tower_assets.publishing.upkeep import require_live
from two_tower_assets.settings import AutomationSettings


class _Counted(Cursor):
    model_version: str
    """The live release that `cutoff` belongs to."""
    cutoff: datetime
    """It knows what came before."""
    begun_at: datetime | None = None
    """When this sensor began a retrain last, or anybody one that came to the gate. What had come by then is in it,
    whether or not it was released."""

    @property
    def since(self) -> datetime:
        return max(self.cutoff, self.begun_at or self.cutoff)


def news_sensor(settings: AutomationSettings) -> dg.SensorDefinition:
    """Return the sensor `retrain_on_news`, stopped."""

    @dg.sensor(
        name=NEWS,
        job_name=release_job.name,
        minimum_interval_seconds=settings.check_for_news_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Starts the job release when {settings.retrain_after_decisions:,} decisions or "
        f"{settings.retrain_after_videos:,} active videos have come since the live release's data. Off "
        "at first: turn it on beside or instead of nightly_release. How many: "
        "automation.retrain_after_decisions and retrain_after_videos.",
    )
    @refusals_skip
    def retrain_on_news(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.RunRequest | dg.SkipReason:
        if reason := others_at_it(context.instance, NEWS):
            return dg.SkipReason(reason)
        site = workspace.site
        limits = site.settings.automation
        with serving(site) as connection:
            counted = _with_others(context, _counted(context, site, require_live(connection)))
            news = count_news(
                connection,
                counted.since,
                most_decisions=limits.retrain_after_decisions,
                most_videos=limits.retrain_after_videos,
            )
        if news.decisions < limits.retrain_after_decisions and news.videos < limits.retrain_after_videos:
            counted.keep(context)
            return dg.SkipReason(_too_little(news, counted.since, limits))
        counted.model_copy(update={"begun_at": news.counted_at}).keep(context)
        return dg.RunRequest(run_key=f"news since {counted.since.isoformat()}", run_config=CONSOLE)

    return retrain_on_news


def _counted(context: dg.SensorEvaluationContext, site: Site, release: Release) -> _Counted:
    """What is remembered, with the data's end of what is live now; that is read once a version."""
    from two_tower_assets.publishing.released_files import data_cutoff

    known = _Counted.of(context)
    if known is not None and known.model_version == release.model_version:
        return known
    cutoff = data_cutoff(site.target.buckets, site.home.artifacts, release)
    begun_at = known.begun_at if known else None
    return _Counted(model_version=release.model_version, cutoff=cutoff, begun_at=begun_at)


def _with_others(context: dg.SensorEvaluationContext, counted: _Counted) -> _Counted:
    """Count from the newest retrain on, whoever began it: for the night, for drift, or by hand."""
    learned = learned_since(context.instance, counted.since)
    return counted if learned is None else counted.model_copy(update={"begun_at": learned})


def _too_little(news: News, since: datetime, limits: AutomationSettings) -> str:
    return (
        f"{news.decisions:,} of {limits.retrain_after_decisions:,} new decisions and "
        f"{news.videos:,} of {limits.retrain_after_videos:,} new videos since {since:%Y-%m-%d %H:%M} UTC."
    )
