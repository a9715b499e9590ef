"""One user's recommendations from the live release, as a client gets them: payload, ONNX tower, vector search."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from psycopg.rows import class_row

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.contract import UserPayload
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError, SourceDataError
from two_tower_assets.publishing.registry import read_live

_NOTHING_LIVE: Final = "Make a release first: `make run`, or --select '+key:\"publishing/release\"'."


@dataclass(frozen=True)
class Recommended:
    """One row of the answer, nearest first."""

    video_id: str
    title: str | None
    maker: str | None
    similarity: float


@dataclass(frozen=True)
class Answer:
    """What one user gets from one version."""

    model_version: str
    payload: UserPayload
    items: tuple[Recommended, ...]


def recommend(url: str, artifacts: Path, user_id: str, *, limit: int, as_of: datetime) -> Answer:
    """Recommend undecided videos to a user.

    Args:
        url: the serving database.
        artifacts: the folder of all model versions.
        user_id: a uuid; a user nobody knows is treated as new.
        limit: 1…500.
        as_of: the moment that the user's features and the release dates are taken at.

    Raises:
        SourceDataError: `user_id` is no uuid.
        PublishingError: nothing is live.
        ArtifactError: the live version's files are missing or damaged.
    """
    _require_uuid(user_id)
    asked = {"user_id": user_id, "as_of": as_of}
    with connect(url, autocommit=True) as connection:
        live = read_live(connection)
        if live is None:
            raise PublishingError("No release is live", where="public.live_release", remedy=_NOTHING_LIVE)
        row = connection.execute(query("user_payload"), asked).fetchone()
        assert row is not None
        payload = UserPayload.model_validate(row[0])
        model = ModelFolder.open(artifacts / live.model_version)
        # As text of no declared type, so that the function's own `vector` is found wherever pgvector was installed.
        embedding = str(model.embed_payload(payload, as_of).tolist())
        with connection.cursor(row_factory=class_row(Recommended)) as cursor:
            cursor.execute(
                query("recommend"),
                {**asked, "embedding": embedding, "limit": limit, "model_version": live.model_version},
            )
            return Answer(live.model_version, payload, tuple(cursor.fetchall()))


def _require_uuid(user_id: str) -> None:
    try:
        uuid.UUID(user_id)
    except ValueError:
        raise SourceDataError(
            f"{user_id!r} is not a user id", where="user_id", remedy="Give the uuid of a row in public.profiles."
        ) from None
