"""The gate on whole models: it refuses what the old recipe makes, because popularity finds more."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.contest import baseline_results
from two_tower_assets.evaluation.evaluate import Measured, evaluate
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.gate import Verdict, judge
from two_tower_assets.evaluation.report import MODEL, RERANKED
from two_tower_assets.evaluation.rerank import rerank, terms_of
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import GLOBAL, Source, Trials
from two_tower_assets.settings import SampleSettings, Settings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import PROFILES, VIDEOS
from two_tower_assets.sources.tables import SourceTables
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets_tests.evaluation.old_recipe import fit_old_recipe
from two_tower_assets_tests.features.worlds import World

SETTINGS = Settings()
CHOICES = Choices(
    steps=100, taste_weight=0.25, popularity_weight=0.1, fallback_half_life_days=30, rerank_strength=0.1
)
POPULARITY = ("most_popular", "popular_7_days", "popular_30_days")


def trials_in(tables: SourceTables, folder: Path) -> Trials:
    """Rows of a source as a snapshot of them would be cut, without a database between."""
    decisions = tables.decisions.select("user_id", "video_id", "decision_type", "created_at")
    snapshot = World(
        videos=tables.videos.select(list(VIDEOS)).sort("id"),
        decisions=decisions.sort("user_id", "created_at", "video_id"),
        profiles=tables.profiles.select(list(PROFILES)).sort("user_id"),
        cutoff=decisions["created_at"].max() + timedelta(microseconds=1),
    ).snapshot(folder)
    source = Source.of(snapshot, SETTINGS.features, SETTINGS.evaluation)
    return Trials(source, find_examples(source.history, SETTINGS.evaluation))


def verdict_on(model: TwoTower, trials: Trials) -> Verdict:
    """Judge a first release in the global trial, beside popularity."""
    trial = trials.test
    own = tower_ranking(model, trial, CHOICES)
    terms_C = terms_of(trials.videos, trial.task, trial.data.until, SETTINGS.rerank)
    reranked = rerank(own, trial.task, terms_C, SETTINGS.rerank, strength=CHOICES.rerank_strength)
    popular = {name: baseline_results(name, trials)[GLOBAL].ranking for name in POPULARITY}
    measured = {GLOBAL: Measured(trial, {MODEL: own, RERANKED: reranked, **popular})}
    report = evaluate(measured, trials.videos, CHOICES, SETTINGS.evaluation, preset="content")
    return judge(report, SETTINGS.gate)


def surely_below_popularity(found: Verdict) -> bool:
    """Whether the first ten videos of popular lists are surely better, which is one of the reasons for the no."""
    return not found.passed and any(reason.startswith("ndcg@10 minus popular_7_days") for reason in found.reasons)


def test_the_old_recipe_is_refused_on_the_sample_and_todays_is_not(tmp_path: Path) -> None:
    """On generated decisions it loses to popularity, and the same towers pass when they learn as they do today."""
    trials = trials_in(generate_sample(SampleSettings()), tmp_path)
    old = verdict_on(fit_old_recipe(trials.test.data, steps=150), trials)
    assert surely_below_popularity(old), old.reasons
    assert verdict_on(refit(trials.test.data, SETTINGS, CHOICES).model, trials).reasons == ()


def test_the_old_recipe_is_refused_on_real_decisions(tmp_path: Path) -> None:
    """On ml-100k it loses to popularity as well."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if root is None:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    trials = trials_in(read_folder(Path(root) / "ml-100k"), tmp_path)
    old = verdict_on(fit_old_recipe(trials.test.data, steps=150), trials)
    assert surely_below_popularity(old), old.reasons
