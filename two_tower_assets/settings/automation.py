"""Table `[automation]`."""

from __future__ import annotations

import difflib
import zoneinfo
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from two_tower_assets.settings.fields import Positive, Strict

Cron = Annotated[str, Field(pattern=r"^\s*(\S+\s+){4}\S+\s*$")]
"""When, as cron writes it: minute, hour, day, month, weekday."""


class AutomationSettings(Strict):
    """When runs start by themselves, and how. Schedule and sensors are off until they are turned on in the UI."""

    nightly_cron: Cron = "0 3 * * *"
    """When the nightly release begins, as cron writes it: minute, hour, day, month, weekday."""
    readout_cron: Cron = "0 6 * * *"
    """When running experiments are read out, in the same way."""
    time_zone: str = "UTC"
    """Where these times are meant, such as `Asia/Tokyo`."""
    monitoring_cron: Cron = "0 6 * * *"
    """When the look at drift and health begins, day by day."""
    retrain_after_decisions: Positive = 10_000
    """New decisions since the live release's data, or since the last retrain begun for news, that begin the next."""
    retrain_after_videos: Positive = 500
    """The same for new active videos."""
    check_for_news_seconds: Positive = 300
    """Shortest time between two counts of news."""
    check_for_drift_seconds: Positive = 600
    """Shortest time between two readings of what the last look at drift found."""
    check_for_videos_seconds: Positive = 60
    """Shortest time between two looks for active videos without a vector: how soon a new one can be recommended."""
    max_new_videos: Annotated[int, Field(ge=1, le=20_000)] = 1000
    """Most videos that are embedded between two releases at once; a larger gap asks for a release."""
    retry_videos_minutes: Positive = 30
    """When the same videos still have no vector after so long, they are embedded again."""
    refresh_users_seconds: Positive = 900
    """Shortest time between two renewals of the vectors of users who decided something."""
    refresh_user_days: Positive = 30
    """Users without a decision for longer keep their vector until they come."""
    executor: Literal["processes", "kubernetes"] = "processes"
    """What runs the steps of a run: `processes` where the run is; `kubernetes`: a pod for each step, which needs the
    extra `k8s`. See the table `kubernetes`."""
    engine: Literal["local", "ray"] = "local"
    """What fits the towers and computes vectors and rankings: `local`, the step's own process; `ray`: workers of a
    cluster, which need the extra `ray`. See the table `ray`. TWO_TOWER_ENGINE overrides it."""
    step_processes: Positive = 1
    """Steps of a run side by side, each in a process of its own; 1: all in one, which is faster on few cores. With
    pods: how many side by side."""
    warn_after_hours: Annotated[float, Field(gt=0)] = 26.0
    """A live release older than this is shown as about to be stale."""
    stale_after_hours: Annotated[float, Field(gt=0)] = 50.0
    """A live release older than this is shown as stale: two nights were missed."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        # Small systems know no zones at all, and need none for this one.
        if value != "UTC" and value not in zoneinfo.available_timezones():
            near = difflib.get_close_matches(value, zoneinfo.available_timezones(), n=1)
            message = f"{value!r} is no time zone" + (f" (did you mean {near[0]!r}?)" if near else "")
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _warned_before_stale(self) -> AutomationSettings:
        if self.warn_after_hours >= self.stale_after_hours:
            message = "warn_after_hours must be smaller than stale_after_hours"
            raise ValueError(message)
        return self
