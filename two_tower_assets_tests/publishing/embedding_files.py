"""Files of video vectors with the manifest of a version beside them, sound or spoilt on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from two_tower_assets.artifacts.embeddings import SCHEMA, read_blocks
from two_tower_assets.artifacts.manifest import write_manifest
from two_tower_assets.contract import EMBEDDING_DIM, Files


def read_all(path: Path) -> tuple[list[str], np.ndarray]:
    """Every id, and the vectors float32 [N, 256]."""
    blocks = list(read_blocks(path))
    return [video for ids, _ in blocks for video in ids.tolist()], np.concatenate([vectors for _, vectors in blocks])


def with_vectors(folder: Path, into: Path, ids: list[str], vectors: np.ndarray) -> Path:
    """Copy a version with other vectors and a manifest that lists them; return the file."""
    shutil.copytree(folder, into)
    path = into / Files.VIDEO_EMBEDDINGS
    flat = pa.array(vectors.astype(np.float32).reshape(-1))
    width = vectors.shape[1]
    schema = SCHEMA
    if width != EMBEDDING_DIM:
        schema = SCHEMA.set(1, pa.field("embedding", pa.list_(pa.float32(), width), nullable=False))
    table = pa.table([pa.array(ids), pa.FixedSizeListArray.from_arrays(flat, width)], schema=schema)
    path.unlink()
    pq.write_table(table, path)
    write_manifest(into)
    return path
