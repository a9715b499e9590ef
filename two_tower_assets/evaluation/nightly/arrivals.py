"""A source's rows as they stood at a moment of the past: of everything that is here today, what had arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from two_tower_assets.errors import EvaluationError
from two_tower_assets.features.catalogue import videos_before
from two_tower_assets.sources.tables import SourceTables

DAY: Final = timedelta(days=1)


def mornings_of(tables: SourceTables, nights: int, *, last_day: date | None = None) -> tuple[datetime, ...]:
    """The midnights (UTC) of consecutive nights, and the one that ends the day after the last of them.

    Args:
        tables: all rows.
        nights: how many.
        last_day: the day after the last night; the day of the last decision by default.

    Raises:
        EvaluationError: nothing was decided before the first of them.
    """
    first, last = (_day_of(tables.decisions["created_at"].min()), _day_of(tables.decisions["created_at"].max()))
    end = datetime.combine(last_day or last, datetime.min.time(), UTC) + DAY
    mornings = tuple(end - DAY * back for back in range(nights, -1, -1))
    if mornings[0].date() <= first:
        raise EvaluationError(
            f"Nothing was decided before the first of {nights} nights, {mornings[0]:%Y-%m-%d}",
            where="user_video_decisions.created_at",
            remedy=f"Decisions go from {first} to {last}: replay fewer nights, or later ones.",
        )
    return mornings


def rows_before(tables: SourceTables, moment: datetime) -> SourceTables:
    """Keep what had arrived before a moment.

    A decision arrives when it is taken; a profile when it is made, a video as `videos_before` says, and both at
    the latest with the first decision that names them.
    """
    decisions = tables.decisions.filter(pl.col("created_at") < moment)
    decided = tables.videos["id"].is_in(decisions["video_id"].unique().cast(pl.String).implode())
    last = tables.decisions["created_at"].max()
    assert isinstance(last, datetime)
    made = pl.col("created_at").is_null() | (pl.col("created_at") < moment)
    return replace(
        tables,
        videos=videos_before(tables.videos, decided, cutoff=last, before=moment),
        profiles=tables.profiles.filter(made | pl.col("user_id").is_in(decisions["user_id"].unique().implode())),
        decisions=decisions,
    )


def _day_of(moment: object) -> date:
    assert isinstance(moment, datetime)
    return moment.date()
