"""Table `[monitoring]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Share, Strict

Rate = Annotated[float, Field(gt=0, lt=1)]


class MonitoringSettings(Strict):
    """When what comes in is no longer what the live release was trained for."""

    window_days: Annotated[int, Field(ge=1, le=90)] = 7
    """Days of a window that is compared; whole weeks, so that no weekday weighs more than another."""
    reference_windows: Annotated[int, Field(ge=1, le=52)] = 8
    """So many windows before the end of the training snapshot are what later ones are compared with."""
    false_alarms_a_week: Rate = 0.01
    """Share of weeks in which nothing happened that may raise any alarm, over all figures and a look a day."""
    draws: Annotated[int, Field(ge=1000)] = 10_000
    """Quiet windows that are simulated to set the bounds."""
    fewest_users: Positive = 20
    """Of a window with fewer nothing is said."""
    smallest_psi: Annotated[float, Field(ge=0)] = 0.05
    """A PSI below this is no drift, however surely it is more than chance."""
    smallest_jensen_shannon: Share = 0.005
    """The same of a Jensen–Shannon divergence, in bits."""
    smallest_difference: Share = 0.02
    """The same of a share that is compared with a share."""
    neighbours: Positive = 10
    """Nearest videos that two releases' neighbourhoods are compared by."""
    sampled_videos: Annotated[int, Field(ge=50)] = 500
    """Videos whose neighbourhoods are looked at, the same for as long as they are there."""
    like_days: Positive = 28
    """Served lists of so many days are held against what people decided."""
    attribution_hours: Annotated[float, Field(gt=0)] = 24.0
    """A decision belongs to a list that was served at most so long before."""
    retrain_again_days: Positive = 7
    """After a retrain that drift asked for, and that the gate refused, the next one is asked for so much later."""
