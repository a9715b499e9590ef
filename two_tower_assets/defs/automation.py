"""Jobs: what a schedule, a person in the UI or CI starts as one run."""

from __future__ import annotations

from typing import Any, Final

import dagster as dg

from two_tower_assets.defs.rollback_job import rollback_job

_CONSOLE: Final[dict[str, Any]] = {"loggers": {"console": {}}}

release_job = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.all(),
    config=_CONSOLE,
    description="Everything, from the rows to a live release.",
)

train_job = dg.define_asset_job(
    "train",
    selection=dg.AssetSelection.assets(dg.AssetKey(["training", "checkpoint"])).upstream(),
    config=_CONSOLE,
    description="From the rows to an evaluated checkpoint; nothing is exported or published.",
)

JOBS: Final = (release_job, train_job, rollback_job)
