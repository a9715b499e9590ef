"""Outcomes made by hand: one with a better winner, and one in which the current settings stay."""

from __future__ import annotations

from datetime import UTC, datetime

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.paired.compare import NOPES
from two_tower_assets.evaluation.paired.records import Group
from two_tower_assets.evaluation.report import ALL, NDCG
from two_tower_assets.tuning.records import Change, Contest, Finalist, Outcome, TrialRecord

KEYS = ("training.learning_rate", "model.dropout", "training.initial_temperature", "training.half_life_days")


def trial(number: int) -> TrialRecord:
    """Every third is ended early; the value grows with the number."""
    value = 0.4 + 0.1 * (1 - 1 / (1 + number)) - 0.03 * (number % 4)
    pruned = number % 3 == 2
    return TrialRecord(
        number=number,
        state="pruned" if pruned else "complete",
        value=None if pruned else value,
        looks={1: value / 2, 2: value / 1.5, 3: value / 1.2},
        point=dict.fromkeys(KEYS, (number + 1) / 1000) | {"model.hidden": [256, 256]},
        seconds=12.5,
    )


def everybody(gain: float, half: float) -> Group:
    """Known users, whose recall grows by a gain."""
    before = {RECALL: 0.44, NDCG: 0.2, NOPES: 0.05}
    return Group(
        name=ALL,
        users=412,
        before={
            metric: Interval(mean=value, low=value - 0.02, high=value + 0.02) for metric, value in before.items()
        },
        after={metric: Interval(mean=value + gain, low=value, high=value + 0.05) for metric, value in before.items()},
        difference={metric: Interval(mean=gain, low=gain - half, high=gain + half) for metric in before},
        better=0.3,
        worse=0.2,
    )


def outcome(gain: float = 0.02, half: float = 0.01) -> Outcome:
    """A winner with such a gain on the test window."""
    begin, end = datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    trials = tuple(trial(number) for number in range(24))
    return Outcome(
        study="tastes-0123456789abcdef",
        validation_begin=datetime(2026, 7, 1, tzinfo=UTC),
        test_begin=begin,
        users=398,
        trials=trials,
        importances=dict(zip(KEYS, (0.52, 0.31, 0.12, 0.05), strict=True)),
        finalists=(
            Finalist(trial=21, values=(0.48, 0.472, 0.469)),
            Finalist(trial=None, values=(0.44, 0.452, 0.449)),
            Finalist(trial=16, values=(0.43, 0.442, 0.449)),
        ),
        changes=(
            Change(key="training.learning_rate", before=0.003, after=0.0042),
            Change(key="model.hidden", before=[256], after=[256, 256]),
        ),
        contest=Contest(begin=begin, end=end, seeds=3, groups=(everybody(gain, half),), by_seed=(0.02, 0.01, -0.001)),
    )


def unchanged() -> Outcome:
    """The current settings were best, after too few trials to say what mattered."""
    found = outcome()
    update = {
        "finalists": (found.finalists[1], found.finalists[2]),
        "changes": (),
        "contest": None,
        "importances": {},
        "trials": found.trials[:3],
    }
    return found.model_copy(update=update)
