"""`video_embeddings.parquet`: the item tower over every active video, written while it is being computed.

Letters in tensor names: N videos of a block, F features, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from two_tower_assets.artifacts.documents import REMEDY
from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.errors import ArtifactError
from two_tower_assets.features.matrix import FeatureMatrix
from two_tower_assets.home import replacing
from two_tower_assets.progress import Progress, silent
from two_tower_assets.training.engine import LOCAL, Arrays, Block, Engine
from two_tower_assets.training.towers import ItemTower

SCHEMA: Final = pa.schema(
    [
        pa.field("video_id", pa.string(), nullable=False),
        pa.field("embedding", pa.list_(pa.float32(), EMBEDDING_DIM), nullable=False),
    ]
)
NORM_TOLERANCE: Final = 1e-4
"""A float32 vector of 256 numbers that was normalised is closer to length 1 than this."""

_BLOCK: Final = 4096
_NAMED: Final = 3
_VECTORS: Final = "embedding_ND"


@dataclass(frozen=True)
class EmbeddingFacts:
    """What the file was found to hold."""

    rows: int
    largest_norm_error: float


@dataclass(frozen=True, eq=False)
class VideoInputs:
    """What the item tower reads of all videos, in one order."""

    items: FeatureMatrix
    slot: NDArray[np.int32]
    """Place of each in the vocabulary of videos, −1 for none."""
    popularity: NDArray[np.float32]
    """`training.popularity.Popularity.value`."""


def write_video_embeddings(
    path: Path,
    tower: ItemTower,
    videos: VideoInputs,
    active: NDArray[np.bool_],
    *,
    block: int = _BLOCK,
    progress: Progress = silent,
    engine: Engine = LOCAL,
) -> int:
    """Write a row for each active video, ordered by `video_id`, and return their number.

    One block is written by a thread while the next is computed; both let go of the interpreter's lock.

    Args:
        path: the parquet file, replaced atomically.
        tower: the item tower, in evaluation mode.
        items: item features of all videos.
        slots: int32 [number of videos], place of each in the vocabulary of videos.
        active: bool [number of videos], which of them are active.
        block: videos computed at once, and rows of a row group.
        progress: told after each block.
        engine: what computes the blocks.
    """
    ids = videos.items.ids
    assert len(active) == len(videos.slot) == len(videos.popularity) == len(ids)
    chosen = np.flatnonzero(active)
    chosen = chosen[np.argsort(ids[chosen], kind="stable")]
    with replacing(path) as temporary, _writer(temporary) as writer, ThreadPoolExecutor(1) as thread:
        writing: Future[None] | None = None
        blocks = [chosen[start : start + block] for start in range(0, len(chosen), block)]
        done = 0
        for rows, found in zip(blocks, engine.blocks(partial(_embedded, tower, videos), blocks), strict=True):
            batch = _record_batch(ids[rows], found[_VECTORS])
            if writing is not None:
                writing.result()
            writing = thread.submit(writer.write_batch, batch, row_group_size=block)
            done += len(rows)
            progress(done, len(chosen))
        if writing is not None:
            writing.result()
    return len(chosen)


def _embedded(tower: ItemTower, videos: VideoInputs, rows: Block) -> Arrays:
    return {_VECTORS: embed_items(tower, videos, rows)}


def embed_items(tower: ItemTower, videos: VideoInputs, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return unit vectors float32 [N, 256] of some videos."""
    with torch.inference_mode():
        embedding_ND: NDArray[np.float32] = tower(
            torch.from_numpy(videos.items.rows(rows)),
            torch.from_numpy(videos.slot[rows].astype(np.int64)),
            torch.from_numpy(videos.popularity[rows]),
        ).numpy()
    return embedding_ND


def read_blocks(path: Path) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
    """Yield (ids [N], embeddings float32 [N, 256]) block by block.

    Raises:
        ArtifactError: the file is missing or has other columns than the contract's.
    """
    with _opened(path) as file:
        for batch in file.iter_batches(batch_size=_BLOCK):
            ids = batch.column(0).to_numpy(zero_copy_only=False).astype(np.str_)
            yield ids, pc.list_flatten(batch.column(1)).to_numpy().reshape(-1, EMBEDDING_DIM)


def read_ids(path: Path) -> NDArray[np.str_]:
    """Return the ids of all vectors, str [N], in the file's order; the vectors are not read.

    Raises:
        ArtifactError: as `read_blocks`.
    """
    with _opened(path) as file:
        return file.read(columns=["video_id"]).column(0).to_numpy().astype(np.str_)


def count_rows(path: Path) -> int:
    """Return the number of vectors in the file; only its footer is read.

    Raises:
        ArtifactError: as `read_blocks`.
    """
    with _opened(path) as file:
        rows: int = file.metadata.num_rows
    return rows


def check_video_embeddings(path: Path, expected: Sequence[str]) -> EmbeddingFacts:
    """Read the file back: every expected video once, ordered, and unit vectors of finite numbers.

    Raises:
        ArtifactError: it does not hold that; the text names up to three videos.
    """
    seen: list[NDArray[np.str_]] = []
    largest = 0.0
    for ids, embeddings in read_blocks(path):
        largest = max(largest, largest_norm_error(ids, embeddings, where=str(path)))
        seen.append(ids)
    ids = np.concatenate(seen) if seen else np.array([], np.str_)
    _require_once_each(ids, np.asarray(expected, np.str_), path)
    return EmbeddingFacts(rows=len(ids), largest_norm_error=largest)


def largest_norm_error(
    ids: NDArray[np.str_], embeddings_ND: NDArray[np.float32], *, where: str, of: str = "video"
) -> float:
    """Return the largest distance of a vector's length from 1.

    Args:
        ids: whose vectors they are, str [N].
        embeddings_ND: float32 [N, 256].
        where: named in the error.
        of: what the ids are ids of.

    Raises:
        ArtifactError: a number is not finite or a length is not 1; the text names up to three of them.
    """
    # A length too large for float32 becomes infinite, and is refused as such.
    with np.errstate(over="ignore", invalid="ignore"):
        errors_N = np.abs(np.linalg.norm(embeddings_ND, axis=1) - 1)
    _refuse("not of unit length or not finite", ids[~(errors_N <= NORM_TOLERANCE)], where, of)
    return float(errors_N.max(initial=0.0))


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
    except FileNotFoundError:
        raise ArtifactError("The file does not exist", where=str(path), remedy=REMEDY) from None
    except pa.ArrowInvalid as error:
        raise ArtifactError(f"The file is not parquet: {error}", where=str(path), remedy=REMEDY) from None
    if not file.schema_arrow.equals(SCHEMA):
        file.close()
        raise ArtifactError(
            f"The columns are {', '.join(f'{x.name} {x.type}' for x in file.schema_arrow)}",
            where=str(path),
            remedy=f"They must be video_id string and embedding float32[{EMBEDDING_DIM}]. {REMEDY}",
        )
    return file


def _writer(path: Path) -> pq.ParquetWriter:
    # Unit vectors are noise to a compressor and a dictionary: both cost time and save nothing.
    return pq.ParquetWriter(
        path, SCHEMA, compression="none", use_dictionary=False, write_statistics=["video_id"], version="2.6"
    )


def _record_batch(ids: NDArray[np.str_], embeddings_ND: NDArray[np.float32]) -> pa.RecordBatch:
    flat = pa.array(embeddings_ND.reshape(-1))
    vectors = pa.FixedSizeListArray.from_arrays(flat, EMBEDDING_DIM)
    return pa.record_batch([pa.array(ids, pa.string()), vectors], schema=SCHEMA)


def _require_once_each(ids: NDArray[np.str_], expected: NDArray[np.str_], path: Path) -> None:
    unique, counts = np.unique(ids, return_counts=True)
    _refuse("in the file more than once", unique[counts > 1], str(path))
    _refuse("missing", np.setdiff1d(expected, unique), str(path))
    _refuse("in the file and not active", np.setdiff1d(unique, expected), str(path))
    if not np.array_equal(unique, ids):
        raise ArtifactError("The rows are not ordered by video_id", where=str(path), remedy=REMEDY)


def _refuse(what: str, ids: NDArray[np.str_], where: str, of: str = "video") -> None:
    if len(ids):
        names = ", ".join(ids[:_NAMED].tolist()) + (", …" if len(ids) > _NAMED else "")
        raise ArtifactError(f"{len(ids)} {of}(s) are {what}: {names}", where=where, remedy=REMEDY)
