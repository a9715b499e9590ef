"""Releases for the database tests: vectors written, indexed and made live by the functions of the migrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from psycopg import sql

from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets_tests.database.rows import Connection, value

LATENT_DIM = 16


def unit_vectors(count: int, seed: int = 0) -> np.ndarray:
    """Random unit vectors, float32 [count, 256], that spread over few directions as learned ones do."""
    directions = np.random.default_rng(1234).standard_normal((LATENT_DIM, EMBEDDING_DIM))
    latent = np.random.default_rng(seed).standard_normal((count, LATENT_DIM))
    vectors = (latent @ directions).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def as_text(vector: Sequence[float] | np.ndarray) -> str:
    """A vector as pgvector reads it."""
    return "[" + ",".join(map(repr, map(float, vector))) + "]"


def stage(
    connection: Connection, version: str, vectors: Mapping[str, np.ndarray], *, promised: int | None = None
) -> str:
    """Register a version and write and index its vectors; return its table's name. It is not yet verified."""
    connection.execute(
        "insert into public.model_releases (model_version, video_count) values (%s, %s)",
        (version, len(vectors) if promised is None else promised),
    )
    table = str(value(connection, "select two_tower.create_video_embeddings(%s)", version))
    target = sql.SQL("copy {} (video_id, embedding) from stdin").format(sql.Identifier(*table.split(".")))
    with connection.cursor() as cursor, cursor.copy(target) as copy:
        for video, vector in vectors.items():
            copy.write_row((video, as_text(vector)))
    connection.execute("select two_tower.index_video_embeddings(%s, 16, 64)", (version,))
    return table


def verify(connection: Connection, version: str) -> None:
    """Mark a staged version as verified."""
    connection.execute(
        "update public.model_releases set state = 'verified', verified_at = now() where model_version = %s",
        (version,),
    )


def activate(connection: Connection, version: str, expected: str | None, action: str = "release") -> None:
    """Make a version live if `expected` still is."""
    connection.execute("select two_tower.activate_release(%s, %s, %s)", (version, expected, action))


def release(connection: Connection, version: str, expected: str | None, vectors: Mapping[str, np.ndarray]) -> None:
    """Stage, verify and activate a version."""
    stage(connection, version, vectors)
    verify(connection, version)
    activate(connection, version, expected)
