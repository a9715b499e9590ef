"""Like rates of served lists: which decision answers which list, and what is said of too few."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from two_tower_assets.monitoring.live_likes import SERVED, live_likes
from two_tower_assets.monitoring.records import LiveLikes
from two_tower_assets_tests.monitoring.observing import SETTINGS

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DECISIONS = {
    "user_id": pl.String,
    "video_id": pl.String,
    "decision_type": pl.String,
    "created_at": pl.Datetime("us", "UTC"),
}


def served(*lists: tuple[str, str, float, list[str], list[str]]) -> pl.DataFrame:
    """Lists by user, version, hours ago, videos and sources."""
    rows = [
        (str(number), user, version, NOW - timedelta(hours=hours), videos, sources)
        for number, (user, version, hours, videos, sources) in enumerate(lists)
    ]
    return pl.DataFrame(rows, schema=SERVED, orient="row")


def decided(*decisions: tuple[str, str, str, float]) -> pl.DataFrame:
    """Decisions by user, video, type and hours ago."""
    rows = [(user, video, kind, NOW - timedelta(hours=hours)) for user, video, kind, hours in decisions]
    return pl.DataFrame(rows, schema=DECISIONS, orient="row")


def measured(lists: pl.DataFrame, decisions: pl.DataFrame) -> LiveLikes:
    return live_likes(lists, decisions, NOW, SETTINGS)


def test_a_decision_answers_the_list_that_showed_the_video() -> None:
    """Each place counts for its own source; what is neither LIKE nor NOPE counts for none."""
    found = measured(
        served(("u", "v1", 5, ["a", "b", "c"], ["model", "model", "popular"])),
        decided(("u", "a", "swipe_like", 4), ("u", "b", "nope", 4), ("u", "c", "grid_open", 4)),
    )
    model, popular = found.rates
    assert (model.source, model.decisions, popular.source, popular.decisions) == ("model", 2, "popular", 0)
    assert model.rate is not None
    assert model.rate.mean == 0.5
    assert model.rate.high is None
    assert popular.rate is None


def test_the_last_list_that_showed_it_is_answered() -> None:
    """A video that two versions showed counts for the later one."""
    lists = served(("u", "v1", 9, ["a"], ["model"]), ("u", "v2", 5, ["a"], ["model"]))
    rates = {each.model_version: each.decisions for each in measured(lists, decided(("u", "a", "like", 4))).rates}
    assert rates == {"v1": 0, "v2": 1}


@pytest.mark.parametrize(
    "decision",
    [("u", "a", "like", 6.0), ("other", "a", "like", 4.0), ("u", "z", "like", 4.0), ("u", "b", "like", 30.0)],
)
def test_what_answers_no_list_counts_for_none(decision: tuple[str, str, str, float]) -> None:
    """A decision before its list, of somebody else, on another video, or too long afterwards."""
    lists = served(("u", "v1", 5, ["a"], ["model"]), ("u", "v1", 60, ["b"], ["model"]))
    (rate,) = measured(lists, decided(decision)).rates
    assert rate.decisions == 0


def test_nothing_was_served() -> None:
    """It says so, and neither nobody's decisions nor old lists are an error."""
    assert "No list was served" in (measured(served(), decided()).reason or "")
    old = served(("u", "v1", 24 * 40, ["a"], ["model"]))
    assert "No list was served in the 28 days before" in (measured(old, decided()).reason or "")


def test_own_suggestions_that_are_liked_less_are_told() -> None:
    """Forty users who like what is popular and not what is theirs; and not when both are liked alike."""
    lists = served(*((f"u{user}", "v1", 5.0, ["a", "b"], ["model", "popular"]) for user in range(40)))
    worse = decided(*_answers(40, own="nope"))
    found = measured(lists, worse)
    assert found.surely_worse == ("v1",)
    own = found.rates[0].rate
    assert own is not None
    assert own.low is not None
    assert own.high is not None
    assert 0 < own.low < own.mean == 0.25 < own.high < 0.6
    assert measured(lists, decided(*_answers(40, own="like"))).surely_worse == ()


def _answers(users: int, *, own: str) -> Iterator[tuple[str, str, str, float]]:
    for user in range(users):
        yield (f"u{user}", "a", own if user % 4 else "like", 4.0)
        yield (f"u{user}", "b", "like", 4.0)
