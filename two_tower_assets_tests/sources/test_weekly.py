from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from two_tower_assets.sources.weekly import decisions_by_week


def log(*rows: tuple[str, datetime]) -> pl.LazyFrame:
    schema = {"decision_type": pl.String(), "created_at": pl.Datetime("us", "UTC")}
    return pl.LazyFrame(rows, schema=schema, orient="row")


def test_decisions_are_counted_by_week_and_kind() -> None:
    """Suffixes count as their kind, others not at all; a week without any decision is there with none."""
    monday, third = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 16, tzinfo=UTC)
    found = decisions_by_week(
        log(
            ("like", monday),
            ("super_like", datetime(2026, 3, 8, 23, 59, tzinfo=UTC)),
            ("nope", third),
            ("skip", third),
        )
    )
    between = datetime(2026, 3, 9, tzinfo=UTC)
    assert found == {
        "like": [(monday, 2), (between, 0), (third, 0)],
        "nope": [(monday, 0), (between, 0), (third, 1)],
    }


def test_no_decision_is_no_week() -> None:
    assert decisions_by_week(log()) == {"like": [], "nope": []}
