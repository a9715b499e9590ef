"""A file of video vectors that is about to be sent somewhere: proven whole and sound before the first row leaves.

What does not live here: how such a file is made (`artifacts.embeddings`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.artifacts.embeddings import largest_norm_error, read_blocks
from two_tower_assets.artifacts.manifest import Manifest
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import sha256_of
from two_tower_assets.publishing.copy_format import uuid_bytes

Block = tuple[NDArray[np.str_], NDArray[np.float32]]
"""Ids [N] and unit vectors float32 [N, 256]."""

_NAMED: Final = 3
_REMEDY: Final = "Materialize the artifacts of this version again."


@dataclass(frozen=True)
class EmbeddingFile:
    """A file that was read to its end and found sound."""

    path: Path
    model_version: str
    rows: int
    size: int
    """Bytes."""

    def batches(self, size: int) -> Iterator[Block]:
        """Yield blocks of exactly `size` rows, the last one shorter, in the file's order."""
        ids, vectors = np.array([], np.str_), np.zeros((0, 0), np.float32)
        for more_ids, more_vectors in read_blocks(self.path):
            ids = np.concatenate([ids, more_ids])
            vectors = np.concatenate([vectors, more_vectors]) if vectors.size else more_vectors
            while len(ids) >= size:
                yield ids[:size], vectors[:size]
                ids, vectors = ids[size:], vectors[size:]
        if len(ids):
            yield ids, vectors


def open_embedding_file(path: Path) -> EmbeddingFile:
    """Hold a file against the manifest beside it, and read it to its end.

    Raises:
        ArtifactError: there is no manifest, the file is not the one it lists, it is empty, has other columns or
            dimensions, a number that is not finite, a vector that is not of unit length, a video twice, or
            rows that are not ordered; up to three videos are named.
        PublishingError: an id is not a uuid.
    """
    manifest = Manifest.read(path.parent / Files.MANIFEST)
    listed = manifest.sha256_of_file(path.name)
    if not path.is_file() or sha256_of(path) != listed:
        raise ArtifactError(_not_the_listed(path, listed, manifest.model_version), where=str(path), remedy=_REMEDY)
    ids: list[NDArray[np.void]] = []
    for block_ids, vectors in read_blocks(path):
        largest_norm_error(block_ids, vectors, where=str(path))
        ids.append(_keys(block_ids))
    keys = np.concatenate(ids) if ids else np.zeros(0, "V16")
    _require_ordered_once(keys, path)
    return EmbeddingFile(path, manifest.model_version, rows=len(keys), size=path.stat().st_size)


def _not_the_listed(path: Path, listed: str | None, version: str) -> str:
    if not path.is_file():
        return f"{path.name} does not exist"
    if listed is None:
        return f"{path.name} is not listed in the manifest of version {version} beside it"
    return f"{path.name} was changed: it is not the file that the manifest of version {version} lists"


def _keys(ids: NDArray[np.str_]) -> NDArray[np.void]:
    """The 16 bytes of each id, so that capital letters make no other video: V16 [N], ordered as uuids are."""
    return np.ascontiguousarray(uuid_bytes(ids)).view("V16").reshape(-1)


def _require_ordered_once(keys: NDArray[np.void], path: Path) -> None:
    if not len(keys):
        raise ArtifactError(f"{path.name} has no rows", where=str(path), remedy=_REMEDY)
    # As big-endian pairs of integers, which order as the bytes do.
    pairs = keys.view([("high", ">u8"), ("low", ">u8")])
    unique, counts = np.unique(pairs, return_counts=True)
    doubled = [_uuid(key) for key in unique[counts > 1].view("V16")[:_NAMED]]
    if doubled:
        raise ArtifactError(
            f"{int((counts > 1).sum())} video(s) are in the file more than once: {', '.join(doubled)}",
            where=str(path),
            remedy=_REMEDY,
        )
    if not np.array_equal(unique, pairs):
        raise ArtifactError("The rows are not ordered by video_id", where=str(path), remedy=_REMEDY)


def _uuid(key: np.void) -> str:
    digits = key.tobytes().hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
