"""The ordered list of stages, resources, checks and automation that make the Dagster code location; nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from two_tower_assets.defs import checks
from two_tower_assets.defs.assets import (
    artifacts,
    evaluation,
    experiments,
    features,
    monitoring,
    publishing,
    sources,
    training,
)
from two_tower_assets.defs.automation.executor import executor_for
from two_tower_assets.defs.automation.freshness import with_freshness
from two_tower_assets.defs.automation.jobs import JOBS
from two_tower_assets.defs.automation.schedules import schedules
from two_tower_assets.defs.automation.sensors import sensors
from two_tower_assets.defs.console import readable_console
from two_tower_assets.defs.monitoring import checks as monitoring_checks
from two_tower_assets.defs.resources import PointerIOManager, Workspace
from two_tower_assets.defs.stage import POINTERS
from two_tower_assets.retries import silence_retries

STAGES = (sources, features, training, evaluation, artifacts, publishing, experiments, monitoring)
"""In the order of the dataflow."""


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Assemble the code location.

    Args:
        overrides: resources by key that replace the default ones, such as a workspace in a temporary home.
    """
    resources = {"workspace": Workspace(), **(overrides or {})}
    settings = resources["workspace"].settings
    resources.setdefault(POINTERS, PointerIOManager(workspace=resources["workspace"]))
    return dg.Definitions(
        assets=with_freshness(dg.load_assets_from_modules(STAGES), settings.automation),
        asset_checks=dg.load_asset_checks_from_modules([checks, monitoring_checks]),
        jobs=JOBS,
        schedules=schedules(settings.automation),
        sensors=sensors(settings.automation),
        resources=resources,
        loggers={"console": readable_console},
        executor=executor_for(settings.automation, settings.kubernetes),
    )


silence_retries()
defs = build_defs()
