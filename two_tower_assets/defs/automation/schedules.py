"""The nightly release, one run a night and none while one is going; daily looks at drift, health and experiments."""

from __future__ import annotations

import dagster as dg

from two_tower_assets.defs.automation.going import release_going, run_going
from two_tower_assets.defs.automation.jobs import monitor_job, read_experiments_job, release_job
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.settings import AutomationSettings


def schedules(settings: AutomationSettings) -> list[dg.ScheduleDefinition]:
    """Return every schedule, stopped.

    After nights that nobody was there for, Dagster begins the last of them alone: a release is made of all there is.
    """

    @dg.schedule(
        name="nightly_release",
        job=release_job,
        cron_schedule=settings.nightly_cron.strip(),
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Starts the job release every night: retrain on everything, and release what passes the gate. "
        "It skips a night while a release is being made. Off at first: turn it on once a release made "
        "by hand looks right. When: automation.nightly_cron and time_zone in the settings.",
    )
    def nightly_release(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        going = release_going(context.instance)
        if going is not None:
            return dg.SkipReason(f"Run {going} is making a release already; the next night begins another.")
        return dg.RunRequest(run_config=CONSOLE)

    daily_readout = dg.ScheduleDefinition(
        name="daily_readout",
        job=read_experiments_job,
        cron_schedule=settings.readout_cron.strip(),
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Starts the job read_experiments every day: what each running experiment says. Off at first: "
        "turn it on with the first experiment. When: automation.readout_cron and time_zone in the settings.",
    )

    @dg.schedule(
        name="daily_monitoring",
        job=monitor_job,
        cron_schedule=settings.monitoring_cron.strip(),
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Starts the job monitor every day: has what comes in drifted from what the live release was "
        "trained on, and is what it shows still liked? Off at first: turn it on once a release is live. "
        "When: automation.monitoring_cron and time_zone in the settings.",
    )
    def daily_monitoring(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        going = run_going(context.instance, monitor_job.name)
        if going is not None:
            return dg.SkipReason(f"Run {going} is looking already.")
        return dg.RunRequest(run_config=CONSOLE)

    return [nightly_release, daily_monitoring, daily_readout]
