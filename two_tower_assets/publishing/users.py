"""Users as publishing needs them: some whose searches the index is checked with, and the active ones in bulk.

Their vectors go through the exported ONNX tower, as the Edge Functions' do. What does not live here: storing them
(`user_vectors`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.publishing.probes import Probes, spread
from two_tower_assets.publishing.user_vectors import Blocks, UserVectors
from two_tower_assets.sources.snapshot import Snapshot

_BLOCK: Final = 4096


def probes(model: ModelFolder, users: FeatureMatrix, count: int) -> Probes:
    """Return up to `count` of the users with their vectors, evenly over their order."""
    chosen = spread(len(users), count)
    return Probes(users.ids[chosen], model.embed(users.rows(chosen)))


def active_users(model: ModelFolder, users: FeatureMatrix, snapshot: Snapshot, days: int) -> UserVectors:
    """Return the users who decided within `days` before the snapshot's cut-off; vectors speak for the cut-off."""
    since = snapshot.cutoff - timedelta(days=days)
    lately = snapshot.decisions().filter(pl.col("created_at") >= since)
    recent = lately.select("user_id").unique().collect(engine="streaming")
    chosen = np.flatnonzero(np.isin(users.ids, recent["user_id"].to_numpy().astype(np.str_)))

    def blocks() -> Blocks:
        for start in range(0, len(chosen), _BLOCK):
            rows = chosen[start : start + _BLOCK]
            yield users.ids[rows], model.embed(users.rows(rows))

    return UserVectors(as_of=snapshot.cutoff, count=len(chosen), blocks=blocks)
