"""Vectors for active videos that a served version lacks: those that came after it, or were inactive when it was made.

They are made by the version's own model and added to its table, so new videos are recommendable without a new
release, and by an experiment's arms as soon as by the live version: were the control alone given new videos, an A/B
test would compare having them with having none. Rows are only ever added: an HNSW index takes
insertions well and updates badly. Each insertion walks the index, so a large gap is left to a retrain. What does not
live here: the model (`artifacts.video_model`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from psycopg import sql

from two_tower_assets.artifacts.embeddings import largest_norm_error
from two_tower_assets.artifacts.video_model import VideoModel
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.features.payloads import parse_items
from two_tower_assets.publishing.copy_format import HEADER, TRAILER, encode_rows
from two_tower_assets.publishing.news import videos_without_vector
from two_tower_assets.publishing.registry import Release
from two_tower_assets.publishing.released_files import released_folder
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.upkeep import arms_beside, require_live, while_served
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection, refusals


@dataclass(frozen=True)
class NewVideos:
    """What was added to a version."""

    model_version: str
    added: tuple[str, ...]
    """Ids of the videos that have a vector since."""
    too_many: bool = False
    """More were missing than are added one by one, and none was."""


def embed_new_videos(target: Target, artifacts: Path, *, most: int) -> NewVideos:
    """Give every active video that lacks one a vector of the live version; again: nothing happens.

    Args:
        target: where the live version is served from.
        artifacts: folder of all versions on this machine; what is not there is fetched from storage.
        most: a larger gap is refused.

    Raises:
        PublishingError: nothing is live, more videos than `most` lack a vector, the live version's files are not
            those that were released, or another version went live meanwhile.
        ArtifactError: the live version is too old to embed new videos, or a vector is not finite.
        DatabaseError: there is no connection.
    """
    with connect(target.url, autocommit=True) as connection, refusals(target.url):
        release = require_live(connection)
        videos = videos_without_vector(connection, most + 1)
        _refuse_gap(len(videos), most, release.model_version)
        return _fill(connection, target, artifacts, release, videos)


def embed_new_videos_of_arms(target: Target, artifacts: Path, *, most: int) -> tuple[NewVideos, ...]:
    """Do the same for every version that a running experiment serves beside the live one.

    Otherwise the control would be given new videos and the treatment none, and the A/B test would be biased by that.

    Args:
        target: where the versions are served from.
        artifacts: as of `embed_new_videos`.
        most: a version that lacks more is left as it is, and said to be.

    Raises:
        PublishingError: a version's files are not those that were released, or its vectors are gone meanwhile.
        ArtifactError: a version is too old to embed new videos, or a vector is not finite.
        DatabaseError: there is no connection.
    """
    done = []
    with connect(target.url, autocommit=True) as connection, refusals(target.url):
        for arm in arms_beside(connection):
            release = arm.release
            assert release.vector_table is not None
            videos = videos_without_vector(connection, most + 1, release.vector_table)
            if len(videos) > most:
                done.append(NewVideos(release.model_version, (), too_many=True))
            else:
                done.append(_fill(connection, target, artifacts, release, videos))
    return tuple(done)


def _fill(
    connection: Connection, target: Target, artifacts: Path, release: Release, videos: Sequence[str]
) -> NewVideos:
    version = release.model_version
    if not videos:
        return NewVideos(version, ())
    with released_folder(target.buckets, artifacts, release) as folder:
        ids, vectors_ND = _embed(connection, VideoModel.open(folder), videos)
    largest_norm_error(ids, vectors_ND, where=version)
    assert release.vector_table is not None
    with while_served(connection, release):
        added = _add(connection, release.vector_table, ids, vectors_ND)
    return NewVideos(version, added)


def _refuse_gap(videos: int, most: int, version: str) -> None:
    if videos > most:
        raise PublishingError(
            f"More than {most} active videos have no vector of version {version}, too many to add one by one",
            where=version,
            remedy="Start the job `release`: it embeds the whole catalogue. Or raise automation.max_new_videos.",
        )


def _embed(
    connection: Connection, model: VideoModel, videos: Sequence[str]
) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
    rows = connection.execute(query("item_payloads"), {"videos": list(videos)}).fetchall()
    items = parse_items(pl.DataFrame(rows, schema={"id": pl.String, "payload": pl.String}, orient="row"))
    return items["id"].to_numpy().astype(np.str_), model.embed(items, _fading(connection, model, videos))


def _fading(connection: Connection, model: VideoModel, videos: Sequence[str]) -> dict[str, float]:
    """Popularity of those that the model could have known; asked only where there are such, for it is not cheap."""
    asked = {"videos": list(videos), "until": model.cutoff}
    older = [video for (video,) in connection.execute(query("videos_before"), asked)]
    if not older:
        return {}
    asked = {"videos": older, "until": model.cutoff, "half_life_days": model.half_life_days}
    return dict(connection.execute(query("fading_popularity"), asked).fetchall())


def _add(
    connection: Connection, table: str, ids: NDArray[np.str_], vectors_ND: NDArray[np.float32]
) -> tuple[str, ...]:
    """Insert through a table of this transaction, without those that were deleted, deactivated or added meanwhile."""
    connection.execute(
        sql.SQL(
            """
            create temporary table arriving_videos on commit drop as
            select video_id, embedding from {} with no data
            """
        ).format(qualified(table))
    )
    with (
        connection.cursor() as cursor,
        cursor.copy("copy pg_temp.arriving_videos (video_id, embedding) from stdin (format binary)") as copy,
    ):
        for block in (HEADER, encode_rows(ids, vectors_ND), TRAILER):
            copy.write(block)
    added = connection.execute(
        sql.SQL(
            """
            insert into {} as e (video_id, embedding)
            select a.video_id, a.embedding
            from pg_temp.arriving_videos as a
            join public.videos as v on v.id = a.video_id and v.is_active
            on conflict (video_id) do nothing
            returning e.video_id::text
            """
        ).format(qualified(table))
    )
    return tuple(video for (video,) in added)
