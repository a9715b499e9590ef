"""Real people for simulated experiments: what each liked in the earlier and in the later half of their decisions."""

from __future__ import annotations

import numpy as np
import polars as pl

from two_tower_assets.experiments.simulation.worlds import RealUsers
from two_tower_assets.features.history import LIKE, decision_kind
from two_tower_assets.sources.tables import SourceTables


def real_users(tables: SourceTables) -> RealUsers:
    """Halve each user's decisions by time; a user with one decision has no past, and counts as an average one."""
    halves = (
        tables.decisions.sort("user_id", "created_at", "video_id")
        .with_columns(
            liked=decision_kind() == LIKE,
            is_late=pl.int_range(pl.len()).over("user_id") >= pl.len().over("user_id") // 2,
        )
        .group_by("user_id", maintain_order=True)
        .agg(
            outcome=(pl.col("liked") & pl.col("is_late")).sum().cast(pl.Float64),
            before=(pl.col("liked") & ~pl.col("is_late")).sum().cast(pl.Float64),
            decisions=pl.len(),
        )
    )
    before_U, has_past_U = halves["before"].to_numpy(), halves["decisions"].to_numpy() > 1
    return RealUsers(halves["outcome"].to_numpy(), np.where(has_past_U, before_U, before_U[has_past_U].mean()))
