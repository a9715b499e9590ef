"""The contest on the test window, between settings of which one is known to be better."""

from __future__ import annotations

from pathlib import Path

from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.settings import Settings
from two_tower_assets.tuning.contest import hold_contest
from two_tower_assets.tuning.records import Contest
from two_tower_assets.tuning.verdict import everybody, headline
from two_tower_assets_tests.tuning.outcomes import outcome
from two_tower_assets_tests.tuning.searching import settings_for, trials_in


def with_rate(rate: float) -> Settings:
    """Settings that learn so fast, by two seeds."""
    settings = settings_for(trials=1)
    return settings.model_copy(
        update={
            "training": settings.training.model_copy(update={"learning_rate": rate}),
            "tuning": settings.tuning.model_copy(update={"seeds": 2}),
        }
    )


def words(contest: Contest) -> str:
    return headline(outcome().model_copy(update={"contest": contest}))


def test_settings_that_learn_beat_settings_that_do_not(tmp_path: Path) -> None:
    """Either way round by more than chance, over the same users and seeds; against itself there is no difference."""
    trials = trials_in(tmp_path)
    idle, able = with_rate(1e-9), with_rate(1e-2)
    said: list[str] = []
    won = hold_contest(trials, idle, able, said.append)
    lost = hold_contest(trials, able, idle, said.append)
    same = hold_contest(trials, able, able, said.append)
    assert "finds more than the current settings, by more than chance" in words(won)
    assert "finds less" in words(lost)
    assert "can't be told" in words(same)
    assert everybody(won).difference[RECALL].mean == -everybody(lost).difference[RECALL].mean
    assert everybody(won).users == int(trials.test.task.has_history.sum())
    assert len(won.by_seed) == won.seeds == 2
    assert same.by_seed == (0, 0)
    assert said[:2] == [
        "test window: choosing steps and weights of the current settings",
        "test window: fitted the current settings, seed 0",
    ]
