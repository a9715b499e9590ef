"""Vectors of users who decided something since theirs was made, renewed between two releases.

Functions renew a stale vector when its user comes; whoever is renewed here does not wait for it, and offline readers
of the vectors see what people do. It is done by the model of each version that users are served by: were it done for
the live one alone, an experiment's treatment would answer later than its control, and from older vectors.
Letters in tensor names: U users of a block, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.version_space import read_space
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.features.payloads import parse_users
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.users import user_matrix
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.news import database_time, users_with_stale_vector
from two_tower_assets.publishing.registry import Release
from two_tower_assets.publishing.released_files import released_folder
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.upkeep import arms_beside, require_live, while_served
from two_tower_assets.publishing.user_vectors import UserVectors, store_users, table_of
from two_tower_assets.publishing.writer import Connection, refusals

_BLOCK: Final = 1000


@dataclass(frozen=True)
class RefreshedUsers:
    """Whose vectors were renewed."""

    model_version: str
    users: int
    as_of: datetime
    """The moment that the new vectors speak for."""


def refresh_users(target: Target, artifacts: Path, *, days: int, progress: Progress = silent) -> RefreshedUsers:
    """Renew the stale vectors of users who decided within some days; again: nothing happens until somebody decides.

    Args:
        target: where the live version is served from.
        artifacts: folder of all versions on this machine; what is not there is fetched from storage.
        days: users without a decision for longer keep a stale vector until they come.
        progress: users done.

    Raises:
        PublishingError: nothing is live, the live version's files are not those that were released, or another
            version went live meanwhile: blocks of users before that moment were stored.
        ArtifactError: a vector is not finite.
        DatabaseError: there is no connection.
    """
    with connect(target.url, autocommit=True) as connection, refusals(target.url):
        stale = _stale(connection, require_live(connection), days)
        return _renew(connection, target, artifacts, stale, progress)


def refresh_users_of_arms(
    target: Target, artifacts: Path, *, days: int, progress: Progress = silent
) -> tuple[RefreshedUsers, ...]:
    """Do the same for every version that a running experiment serves beside the live one, for its arm's users alone.

    Args:
        target: where the versions are served from.
        artifacts: as of `refresh_users`.
        days: as of `refresh_users`.
        progress: users done, version by version.

    Raises:
        PublishingError: a version's files are not those that were released, or its vectors are gone meanwhile.
        ArtifactError: a vector is not finite.
        DatabaseError: there is no connection.
    """
    done = []
    with connect(target.url, autocommit=True) as connection, refusals(target.url):
        for arm in arms_beside(connection):
            stale = _stale(connection, arm.release, days, of_arms=True)
            done.append(_renew(connection, target, artifacts, stale, progress))
    return tuple(done)


@dataclass(frozen=True)
class _Stale:
    """Users of a release whose vector does not know all of their decisions before a moment."""

    release: Release
    users: Sequence[str]
    as_of: datetime


def _stale(connection: Connection, release: Release, days: int, *, of_arms: bool = False) -> _Stale:
    as_of = database_time(connection)
    since = as_of - timedelta(days=days)
    users = users_with_stale_vector(connection, release.model_version, since=since, until=as_of, of_arms=of_arms)
    return _Stale(release, users, as_of)


def _renew(
    connection: Connection, target: Target, artifacts: Path, stale: _Stale, progress: Progress
) -> RefreshedUsers:
    release, users, as_of = stale.release, stale.users, stale.as_of
    if users:
        with released_folder(target.buckets, artifacts, release) as folder:
            model, space = ModelFolder.open(folder), read_space(folder)
            for start in range(0, len(users), _BLOCK):
                vectors = _embed(connection, model, space, users[start : start + _BLOCK], as_of)
                with while_served(connection, release):
                    store_users(connection, vectors, table_of(release))
                progress(min(start + _BLOCK, len(users)), len(users))
    return RefreshedUsers(release.model_version, len(users), as_of)


def _embed(
    connection: Connection, model: ModelFolder, space: FeatureSpace, users: Sequence[str], as_of: datetime
) -> UserVectors:
    """Compute a block before it is stored, since a flip waits while it is."""
    rows = connection.execute(query("user_payloads"), {"users": list(users), "as_of": as_of}).fetchall()
    payloads = pl.DataFrame(rows, schema={"id": pl.String, "payload": pl.String}, orient="row")
    matrix = user_matrix(parse_users(payloads, video_ids=bool(space.videos)), as_of=as_of, space=space)
    vectors_UD = model.embed(matrix.rows(slice(None)))
    return UserVectors(as_of=as_of, count=len(matrix), blocks=lambda: [(matrix.ids, vectors_UD)])
