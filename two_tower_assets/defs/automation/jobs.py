"""Jobs: what a schedule, a sensor, a person in the UI or CI starts as one run."""

from __future__ import annotations

from typing import Final

import dagster as dg

from two_tower_assets.defs.automation.going import ONE_AT_A_TIME
from two_tower_assets.defs.automation.upkeep import embed_new_videos_job, refresh_user_vectors_job
from two_tower_assets.defs.console import CONSOLE
from two_tower_assets.defs.rollback_job import rollback_job
from two_tower_assets.defs.tuning.job import tune_job

_EXPERIMENTS: Final = dg.AssetSelection.groups("experiments")

release_job = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.all() - _EXPERIMENTS,
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "release"},
    description="Everything from the rows to a live release (no readouts of experiments): minutes to hours, by the "
    "number of decisions. Work "
    "that is unchanged is not done again. The gate stops a model that is worse than what serves; then "
    "the live release stays. Started by the schedule `nightly_release`, by the sensor "
    "`retrain_on_news`, or here.",
)

train_job = dg.define_asset_job(
    "train",
    selection=dg.AssetSelection.assets(dg.AssetKey(["training", "checkpoint"])).upstream(),
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "release"},
    description="From the rows to an evaluated checkpoint; nothing is exported or published. Start it by hand to "
    "see what a change of settings or data gives: `evaluation/report` shows it beside the baselines.",
)

read_experiments_job = dg.define_asset_job(
    "read_experiments",
    selection=_EXPERIMENTS,
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "read_experiments"},
    description="What each experiment says today, if it runs or was stopped of late, as pages and verdicts; seconds. "
    "It fails where one that runs is broken or does harm. Started by the schedule `daily_readout`, or by hand: "
    "looking often is safe.",
)

monitor_job = dg.define_asset_job(
    "monitor",
    selection=dg.AssetSelection.groups("sources")
    | dg.AssetSelection.assets(
        *(dg.AssetKey(["monitoring", name]) for name in ("drift", "live_likes", "vectors", "page"))
    ),
    config=CONSOLE,
    tags={ONE_AT_A_TIME: "release"},
    description="Reads the rows that came since and holds them against what the live release knows: a minute, "
    "and nothing is trained or released. Started by the schedule `daily_monitoring`, or here. What it finds is "
    "on `monitoring/page`; the sensor `retrain_on_drift` acts on it.",
)

JOBS: Final = (
    release_job,
    train_job,
    monitor_job,
    read_experiments_job,
    tune_job,
    rollback_job,
    embed_new_videos_job,
    refresh_user_vectors_job,
)
