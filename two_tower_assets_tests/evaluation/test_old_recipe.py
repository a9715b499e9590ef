from __future__ import annotations

import os
from pathlib import Path

import pytest

from two_tower_assets.evaluation.baselines import BASELINES
from two_tower_assets.evaluation.evaluate import Measured, evaluate
from two_tower_assets.evaluation.gate import judge
from two_tower_assets.evaluation.ranking import rank
from two_tower_assets.evaluation.report import MODEL, RERANKED
from two_tower_assets.evaluation.selection import DEPTH
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import GLOBAL, Trials, trials_of
from two_tower_assets.settings import EvaluationSettings, FeatureSettings, GateSettings, SampleSettings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import take_snapshot
from two_tower_assets.sources.tables import SourceTables
from two_tower_assets.training.towers import TwoTower
from two_tower_assets_tests.evaluation.old_recipe import fit_old_recipe
from two_tower_assets_tests.evaluation.reports import CHOICES

EVALUATION = EvaluationSettings()


def ml_100k() -> SourceTables:
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if root is None:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    return read_folder(Path(root) / "ml-100k")


def sample() -> SourceTables:
    return generate_sample(SampleSettings(users=600, videos=800))


@pytest.mark.parametrize("tables", [ml_100k, sample])
def test_a_model_of_the_old_recipe_is_refused(database: str, tmp_path: Path, tables: object) -> None:
    """Binary cross-entropy on the raw cosine, on the same data and towers: it loses to recent popularity."""
    load(database, tables(), source="rows")
    trials = trials_of(take_snapshot(database, tmp_path).folder, FeatureSettings(), EVALUATION)
    verdict = verdict_on(fit_old_recipe(trials.test.data, steps=150), trials)
    assert not verdict.passed
    assert any("must be at least" in reason and "popular" in reason for reason in verdict.reasons), verdict.reasons


def verdict_on(model: TwoTower, trials: Trials) -> object:
    """What the gate says of a model in the global trial, beside popularity; its lists stand as re-ranked ones too."""
    trial = trials.test
    rankings = {
        method.name: rank(trial.task, trial.data.history, method.fit(trial.data, {}).score(trial.task), DEPTH)
        for method in BASELINES[:3]
    }
    rankings[MODEL] = rankings[RERANKED] = tower_ranking(model, trial, CHOICES)
    report = evaluate({GLOBAL: Measured(trial, rankings)}, trials.videos, CHOICES, EVALUATION, preset="content")
    return judge(report, GateSettings())
