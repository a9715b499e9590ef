"""Does `video_embeddings.parquet` hold every video once? Asked before a row is copied, whatever checks came before.

What does not live here: whether the vectors are finite and of unit length, which is asked as they are copied.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.artifacts.embeddings import read_ids
from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.contract import Files
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.copy_format import uuid_bytes
from two_tower_assets.publishing.writer import Connection

_REMEDY = "Materialize artifacts/video_embeddings and artifacts/manifest, then publish."


def require_every_video_once(connection: Connection, folder: Path) -> None:
    """Refuse a file in which a video is doubled, out of order or missing.

    Args:
        connection: to the serving database, which names what is missing.
        folder: the version's folder; its `model_meta.json` says how many active videos the model was made for.

    Raises:
        PublishingError: it is such a file; the text names up to three videos.
        ArtifactError: the file is missing or is no such file.
    """
    path = folder / Files.VIDEO_EMBEDDINGS
    ids = read_ids(path)
    uuid_bytes(ids)
    _refuse("more than once in the file", ids[1:][ids[1:] == ids[:-1]], path)
    _refuse("out of order in the file", ids[1:][ids[1:] < ids[:-1]], path)
    expected = ModelMeta.read(folder / Files.MODEL_META).data.active_videos
    if expected is not None and len(ids) != expected:
        found = connection.execute(query("videos_missing"), {"ids": ids.tolist()}).fetchall()
        named = f", such as {', '.join(video for (video,) in found)}" if found else ""
        raise PublishingError(
            f"The file has vectors of {len(ids)} videos, and the model was made for {expected}{named}",
            where=str(path),
            remedy=_REMEDY,
        )


def _refuse(what: str, ids: NDArray[np.str_], path: Path) -> None:
    if len(ids):
        names = ", ".join(np.unique(ids)[:3].tolist())
        raise PublishingError(f"{len(ids)} video(s) are {what}: {names}", where=str(path), remedy=_REMEDY)
