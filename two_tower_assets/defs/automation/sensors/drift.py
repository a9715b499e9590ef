"""A retrain when the last look found that what comes in has drifted from what the live release was trained on."""

from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from two_tower_assets.defs.automation.going import learned_since, release_begun_since
from two_tower_assets.defs.automation.jobs import release_job
from two_tower_assets.defs.automation.retraining import DRIFT, others_at_it
from two_tower_assets.defs.automation.ticks import Cursor, refusals_skip, serving
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.monitoring.looking import Look, last_look
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.publishing.upkeep import require_live
from two_tower_assets.settings import AutomationSettings

_NIGHT: Final = timedelta(days=1)
"""A retrain of the same night is not repeated for the few rows that have come since."""


class _Asked(Cursor):
    model_version: str
    end: datetime
    """Of the window whose drift a retrain was begun for last."""


def drift_sensor(settings: AutomationSettings) -> dg.SensorDefinition:
    """Return the sensor `retrain_on_drift`, stopped."""

    @dg.sensor(
        name=DRIFT,
        job_name=release_job.name,
        minimum_interval_seconds=settings.check_for_drift_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Starts the job release when the last look (job monitor) found drift from the live release's "
        "training data, once a window; after a retrain that the gate refused it waits monitoring.retrain_again_days. "
        "Off at first: turn it on with the schedule daily_monitoring, after some quiet weeks. "
        "How sure drift must be: monitoring.false_alarms_a_week.",
    )
    @refusals_skip
    def retrain_on_drift(context: dg.SensorEvaluationContext, workspace: Workspace) -> dg.RunRequest | dg.SkipReason:
        if others := others_at_it(context.instance, DRIFT):
            return dg.SkipReason(others)
        look = last_look(workspace.site)
        if look is None:
            return dg.SkipReason("Nobody has looked yet: start the job `monitor`.")
        with serving(workspace.site) as connection:
            version = require_live(connection).model_version
        patience = timedelta(days=workspace.site.settings.monitoring.retrain_again_days)
        reason = _nothing_to_learn(context, look, version) or _begun_before(context, look, version, patience)
        if reason is not None or look.report.end is None:
            return dg.SkipReason(reason)
        _Asked(model_version=version, end=look.report.end).keep(context)
        return dg.RunRequest(run_key=f"drift from {version} until {look.report.end.isoformat()}", run_config=CONSOLE)

    return retrain_on_drift


def _nothing_to_learn(context: dg.SensorEvaluationContext, look: Look, version: str) -> str | None:
    """Say why a retrain would learn nothing that it should; None when it would."""
    if look.report.model_version != version:
        return f"The last look was not at version {version}, which is live: start the job `monitor`."
    if not look.report.drifted:
        return f"No drift from version {version} was found at the last look, {look.made_at:%Y-%m-%d %H:%M} UTC."
    if begun := release_begun_since(context.instance, look.made_at):
        return f"Run {begun} began after the last look, and has learned from what it saw."
    if learned := learned_since(context.instance, look.made_at - _NIGHT):
        return (
            f"A retrain that began at {learned:%Y-%m-%d %H:%M} UTC has learned from almost all that the look saw: "
            "the next look decides."
        )
    return None


def _begun_before(context: dg.SensorEvaluationContext, look: Look, version: str, patience: timedelta) -> str | None:
    """Say that this sensor has begun a retrain lately that did not become a release; None when it has not."""
    last, end = _Asked.of(context), look.report.end
    if last is None or end is None or last.model_version != version or end >= last.end + patience:
        return None
    return (
        f"A retrain for drift up to {last.end:%Y-%m-%d %H:%M} UTC was begun and not released; the next is begun for "
        f"drift up to {last.end + patience:%Y-%m-%d %H:%M} UTC or later."
    )
