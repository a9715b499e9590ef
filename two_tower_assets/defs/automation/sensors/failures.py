"""Whoever has to know is told of a run that failed: what failed, why, and what to do."""

import dagster as dg

from two_tower_assets.defs.automation.failure_notice import notice_of
from two_tower_assets.defs.automation.webhook import post
from two_tower_assets.defs.resources import Workspace


def failure_sensor() -> dg.SensorDefinition:
    """Return the sensor `tell_of_failures`, stopped.

    Dagster keeps its cursor, the last failure that was told of; those of a time when nobody looked are told of late.
    """

    @dg.run_failure_sensor(
        name="tell_of_failures",
        # One failure a tick: several at once are told of within a minute.
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Posts every failed run to a webhook: the job, the step, why, and what to do next. Off at "
        "first: set TWO_TOWER_FAILURE_WEBHOOK, then turn it on before any other.",
    )
    def tell_of_failures(context: dg.RunFailureSensorContext, workspace: Workspace) -> dg.SkipReason | None:
        environment = workspace.site.environment
        if environment.failure_webhook is None:
            return dg.SkipReason(
                f"Run {context.dagster_run.run_id} failed, and nobody was told: set TWO_TOWER_FAILURE_WEBHOOK to the "
                "address of a webhook."
            )
        post(environment.failure_webhook, notice_of(context, environment))
        return None

    return tell_of_failures
