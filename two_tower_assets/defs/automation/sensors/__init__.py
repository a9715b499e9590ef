"""Sensors: what is looked for now and then, and which job it starts. One file a sensor."""

from __future__ import annotations

import dagster as dg

from two_tower_assets.defs.automation.sensors.drift import drift_sensor
from two_tower_assets.defs.automation.sensors.failures import failure_sensor
from two_tower_assets.defs.automation.sensors.new_videos import new_videos_sensor
from two_tower_assets.defs.automation.sensors.news import news_sensor
from two_tower_assets.defs.automation.sensors.returning_users import returning_users_sensor
from two_tower_assets.settings import AutomationSettings


def sensors(settings: AutomationSettings) -> list[dg.SensorDefinition]:
    """Return every sensor, stopped."""
    return [
        news_sensor(settings),
        drift_sensor(settings),
        new_videos_sensor(settings),
        returning_users_sensor(settings),
        failure_sensor(),
    ]
