"""Lists that were served, each with the vector that a version had of its user at that moment.

A stored vector is taken where it is of a moment before the list and no decision came between: the function would have
searched with it. All others are computed by the version's own exported user tower, from decisions strictly before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from psycopg.rows import class_row

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.contract import UserPayload
from two_tower_assets.database.queries import query
from two_tower_assets.publishing.writer import Connection


@dataclass(frozen=True)
class ServedList:
    """One first page."""

    list_id: str
    user_id: str
    served_at: datetime
    video_ids: Sequence[str]
    sources: Sequence[str]
    propensities: Sequence[float]
    embedding: str | None
    """The user's vector as Postgres writes it; None: to be computed."""


def newest_lists(
    connection: Connection, model_version: str, *, until: datetime, attribution: timedelta, most: int
) -> list[ServedList]:
    """Read the newest lists whose candidates a vector found, and whose window is over."""
    asked = {"model_version": model_version, "until": until, "attribution": attribution, "most": most}
    with connection.cursor(row_factory=class_row(ServedList)) as cursor:
        return cursor.execute(query("counterfactual_lists"), asked).fetchall()


def with_vectors(connection: Connection, model: ModelFolder, lists: Sequence[ServedList]) -> list[ServedList]:
    """Compute the vectors that some lists lack."""
    lacking = [one for one in lists if one.embedding is None]
    if not lacking:
        return list(lists)
    asked = {"users": [one.user_id for one in lacking], "moments": [one.served_at for one in lacking]}
    payloads = connection.execute(query("features_user_moments"), asked).fetchall()
    features_BF = np.stack(
        [
            model.user_features(UserPayload.model_validate(payload), one.served_at)
            for (payload,), one in zip(payloads, lacking, strict=True)
        ]
    )
    vectors = {
        one.list_id: json.dumps(vector.tolist())
        for one, vector in zip(lacking, model.embed(features_BF), strict=True)
    }
    return [replace(one, embedding=vectors.get(one.list_id, one.embedding)) for one in lists]
