from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.nightly.arrivals import mornings_of, rows_before
from two_tower_assets.sources.tables import SourceTables, validated
from two_tower_assets_tests.features.worlds import uid

MORNING = datetime(2024, 5, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def tables() -> SourceTables:
    """Users 0 and 1 decided before the morning, 2 after it; videos are old, unreleased or dated wrongly."""
    return validated(
        videos=pl.DataFrame(
            {
                "id": [uid(number) for number in range(5)],
                "product_released_at": [None, MORNING - HOUR, MORNING + HOUR, MORNING + HOUR, None],
                "created_at": [None, None, None, None, MORNING + HOUR],
            },
            schema_overrides={"created_at": pl.Datetime("us", "UTC")},
        ),
        profiles=pl.DataFrame(
            {
                "user_id": [uid(number) for number in range(5)],
                "created_at": [MORNING - HOUR, MORNING + HOUR, MORNING, None, MORNING - HOUR],
            }
        ),
        decisions=pl.DataFrame(
            {
                "user_id": [uid(0), uid(1), uid(2), uid(0)],
                "video_id": [uid(0), uid(3), uid(0), uid(1)],
                "decision_type": ["like", "nope", "like", "like"],
                "created_at": [MORNING - 50 * HOUR, MORNING - timedelta(microseconds=1), MORNING, MORNING + 2 * HOUR],
            }
        ),
    )


def test_only_what_had_arrived_is_there(tables: SourceTables) -> None:
    """Later decisions, profiles and videos are missing; who decided and what was decided on is there in any case."""
    rows = rows_before(tables, MORNING)
    assert rows.decisions["user_id"].to_list() == [uid(0), uid(1)]
    assert rows.profiles["user_id"].to_list() == [uid(0), uid(1), uid(3), uid(4)]
    assert rows.videos["id"].to_list() == [uid(0), uid(1), uid(3)]


def test_after_the_last_decision_everything_that_is_not_of_the_future_is_there(tables: SourceTables) -> None:
    """The rows of the next midnight are all rows."""
    rows = rows_before(tables, MORNING + timedelta(days=1))
    assert rows.content_hash() == tables.content_hash()


def test_nights_are_the_last_ones_of_the_data_and_the_day_after_each_is_whole(tables: SourceTables) -> None:
    """The last morning ends the day of the last decision; another last day moves all of them."""
    day = timedelta(days=1)
    assert mornings_of(tables, 2) == (MORNING - day, MORNING, MORNING + day)
    assert mornings_of(tables, 1, last_day=date(2024, 5, 9)) == (MORNING - day, MORNING)


def test_nights_before_the_first_decision_are_refused(tables: SourceTables) -> None:
    """The error says from when to when there are decisions."""
    with pytest.raises(EvaluationError, match="Decisions go from 2024-05-07 to 2024-05-10"):
        mornings_of(tables, 4)
