from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.nightly.records import FIRST, LIVE, POPULAR, Arrived, Day, Night, Outcome, Refusal
from two_tower_assets.evaluation.nightly.summary import summarise
from two_tower_assets.settings import EvaluationSettings

MORNING = datetime(2024, 5, 10, tzinfo=UTC)
FEW = Refusal(question="measured", reason="Only 12 known users")


def night(number: int, outcome: Outcome, *refusals: Refusal) -> Night:
    return Night(
        morning=MORNING + timedelta(days=number),
        cutoff=MORNING,
        arrived=Arrived(decisions=5, users=1, videos=0),
        outcome=outcome,
        refusals=refusals,
        judged_users=60,
        live=None,
        seconds=1.0,
    )


def day(number: int, versions: dict[str, str], **recalls: tuple[float, ...]) -> Day:
    """A day on which NDCG@10 is half of recall."""
    names = {"live": LIVE, "first": FIRST, "popular": POPULAR}
    values = {
        names[name]: {RECALL: found, "ndcg@10": tuple(value / 2 for value in found)}
        for name, found in recalls.items()
    }
    users = len(next(iter(recalls.values())))
    return Day(
        morning=MORNING + timedelta(days=number),
        deciding=9,
        users=users,
        likes=9,
        versions=versions,
        values=values,
    )


def test_nights_are_counted_and_days_are_paired_by_user_since_the_first_release() -> None:
    """The day before the first release has nothing to compare; differences are live minus never retrained."""
    nights = [night(0, "refused", FEW), night(1, "promoted"), night(2, "refused", FEW, FEW), night(3, "promoted")]
    days = [
        day(0, {}, popular=(0.9,)),
        day(1, {LIVE: "a", FIRST: "a"}, live=(0.5, 0.5), first=(0.5, 0.5), popular=(0.2, 0.2)),
        day(2, {LIVE: "a", FIRST: "a"}, live=(0.5,), first=(0.5,), popular=(0.2,)),
        day(3, {LIVE: "b", FIRST: "a"}, live=(1.0,), first=(0.6,), popular=(0.2,)),
    ]
    found = summarise(nights, days, EvaluationSettings())
    assert found.outcomes == {"refused": 2, "promoted": 2}
    assert found.questions == {"measured": 3}
    assert (found.user_days, found.other_user_days) == (4, 1)
    assert found.metrics[LIVE][RECALL].mean == pytest.approx(0.625)
    assert found.metrics[FIRST][RECALL].mean == pytest.approx(0.525)
    assert found.gains[RECALL].mean == pytest.approx(0.1)
    assert found.gains["ndcg@10"].mean == pytest.approx(0.05)
    # Nobody fares worse, and resamples without the one who fares better give nothing.
    assert found.gains[RECALL].low == 0
    assert found.gains[RECALL].high == pytest.approx(0.3, abs=0.11)


def test_without_any_release_there_is_nothing_to_compare() -> None:
    """All nights were refused: counts, and no figures."""
    found = summarise([night(0, "refused", FEW)], [day(0, {}, popular=(0.9,))], EvaluationSettings())
    assert (found.user_days, found.metrics, found.gains) == (0, {}, {})
