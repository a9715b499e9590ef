"""The gate on whole models: the old recipe is refused, on generated and on real decisions."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from two_tower_assets.evaluation.baselines import BASELINES
from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.evaluate import Measured, evaluate
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.gate import Verdict, judge
from two_tower_assets.evaluation.ranking import Ranking, rank
from two_tower_assets.evaluation.report import MODEL, RERANKED
from two_tower_assets.evaluation.selection import DEPTH
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import GLOBAL, Source, Trial, Trials
from two_tower_assets.settings import SampleSettings, Settings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import DECISIONS_FILE, PROFILES, PROFILES_FILE, VIDEOS, VIDEOS_FILE, Snapshot
from two_tower_assets.sources.tables import SourceTables
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets_tests.evaluation.old_recipe import fit_by_old_recipe

SETTINGS = Settings()
CHOICES = Choices(
    steps=120, taste_weight=0.0, popularity_weight=0.0, fallback_half_life_days=30.0, rerank_strength=0.0
)
POPULARITY = ("most_popular", "popular_7_days", "popular_30_days")


def trials(tables: SourceTables, folder: Path) -> Trials:
    """The trials of some rows, as a snapshot of them would be cut."""
    tables.videos.select(list(VIDEOS)).sort("id").write_parquet(folder / VIDEOS_FILE)
    tables.profiles.select(list(PROFILES)).sort("user_id").write_parquet(folder / PROFILES_FILE)
    decisions = tables.decisions.select("user_id", "video_id", "decision_type", "created_at")
    decisions.sort("user_id", "created_at", "video_id").write_parquet(folder / DECISIONS_FILE)
    cutoff = decisions["created_at"].max() + timedelta(microseconds=1)
    snapshot = Snapshot(folder, cutoff, "0" * 64, {})
    source = Source.of(snapshot, SETTINGS.features, SETTINGS.evaluation)
    return Trials(source, find_examples(source.history, SETTINGS.evaluation))


def verdict(model: TwoTower, trial: Trial, videos: pl.DataFrame) -> Verdict:
    """Judge a model beside popularity, as a first release whose lists are not re-ranked."""
    own = tower_ranking(model, trial, CHOICES)
    measured = Measured(trial, {MODEL: own, RERANKED: own, **popularity(trial)})
    report = evaluate({GLOBAL: measured}, videos, CHOICES, SETTINGS.evaluation, preset="content")
    return judge(report, SETTINGS.gate)


def popularity(trial: Trial) -> dict[str, Ranking]:
    methods = [method for method in BASELINES if method.name in POPULARITY]
    scores = {method.name: method.fit(trial.data, {}).score(trial.task) for method in methods}
    return {name: rank(trial.task, trial.data.history, score, DEPTH) for name, score in scores.items()}


def loses_to_popularity(found: Verdict) -> bool:
    """Whether the gate says no because recall or NDCG is below popularity's."""
    bad = ("recall@200 beside popular", "ndcg@10 minus popular")
    return not found.passed and any(reason.startswith(bad) for reason in found.reasons)


def test_the_old_recipe_is_refused_on_the_sample_where_today_s_is_not(tmp_path: Path) -> None:
    """On generated decisions it loses to popularity; the same towers pass when they learn as they do today."""
    world = trials(generate_sample(SampleSettings()), tmp_path)
    old = fit_by_old_recipe(world.test.data, SETTINGS.model, steps=CHOICES.steps)
    assert loses_to_popularity(verdict(old, world.test, world.videos))
    new = refit(world.test.data, SETTINGS, CHOICES).model
    assert verdict(new, world.test, world.videos).passed


def test_the_old_recipe_is_refused_on_real_decisions(tmp_path: Path) -> None:
    """On ml-100k it loses to popularity as well."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if root is None:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    world = trials(read_folder(Path(root) / "ml-100k"), tmp_path)
    old = fit_by_old_recipe(world.test.data, SETTINGS.model, steps=200)
    assert loses_to_popularity(verdict(old, world.test, world.videos))
