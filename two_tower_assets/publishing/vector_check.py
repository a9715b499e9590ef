"""Are the staged vectors the file's, and does the index find what exact search finds?

The table is read back byte for byte, and the same pass computes the exact neighbours that the index's answers are
held against. What does not live here: the search that clients call (`public.recommend_videos_ann`).
Letters in tensor names: Q queries, N videos of a block, K neighbours, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from pydantic import BaseModel, ConfigDict

from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.contract import EMBEDDING_DIM, Files
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.copy_format import HEADER, ROW, TRAILER, decode_rows, uuid_bytes
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection

EF_SEARCH: Final = 200
"""Candidates that `recommend_videos_ann` looks at for lists of up to 50."""

_REMEDY: Final = "Publish the version again."
_LENGTHS: Final = (10, 50)
_BLOCK: Final = 4096
_ROUNDING: Final = 2e-6
"""Two float32 cosines closer than this are the same neighbour's rank."""


class AnnRecall(BaseModel):
    """How much of exact search the index finds, on average over the queries."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    queries: int
    rows: int
    recall_at_10: float
    recall_at_50: float


@dataclass(frozen=True)
class _Exact:
    rows: int
    similarity_QK: NDArray[np.float32]
    """Largest similarities of each query, falling."""


def check_vectors(connection: Connection, table: str, folder: Path, queries_QD: NDArray[np.float32]) -> AnnRecall:
    """Read the table back against the folder's file, then compare the index with exact search.

    An answer counts as found when it is as near as the k-th nearest vector: equal vectors are interchangeable.

    Args:
        connection: to the serving database.
        table: qualified name of the version's table.
        folder: the version's folder.
        queries_QD: user vectors, float32 [Q, 256] of unit length, at least one.

    Raises:
        PublishingError: there are no usable queries, the table does not hold the file's vectors, or the index
            returned fewer rows than there are.
    """
    _require_queries(queries_QD)
    exact = _compare(connection, table, folder, queries_QD)
    found = _ask_index(connection, table, queries_QD, min(max(_LENGTHS), exact.rows))
    at_10, at_50 = (_recall(found, exact.similarity_QK, k) for k in _LENGTHS)
    return AnnRecall(queries=len(queries_QD), rows=exact.rows, recall_at_10=at_10, recall_at_50=at_50)


def sample_queries(vectors_UD: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Choose up to `count` user vectors, evenly over the given order, so that the same are asked each time."""
    return vectors_UD[spread(len(vectors_UD), count)]


def spread(rows: int, count: int) -> NDArray[np.int64]:
    """Return up to `count` row numbers, evenly over `rows`: int64 [min(rows, count)]."""
    return np.linspace(0, rows - 1, min(rows, count)).round().astype(np.int64)


def _require_queries(queries_QD: NDArray[np.float32]) -> None:
    usable = queries_QD.ndim == 2 and queries_QD.shape[1] == EMBEDDING_DIM and len(queries_QD) > 0
    if not usable or not np.isfinite(queries_QD).all():
        raise PublishingError(
            f"The index cannot be checked with user vectors of shape {list(queries_QD.shape)}",
            remedy="Give at least one finite user vector of 256 numbers.",
        )


def _compare(connection: Connection, table: str, folder: Path, queries_QD: NDArray[np.float32]) -> _Exact:
    rows = 0
    best_QK = np.zeros((len(queries_QD), 0), np.float32)
    # Closed also when the comparison fails: a connection in the middle of a COPY answers nothing else.
    with closing(_read_back(connection, table)) as stored:
        for ids, vectors_ND in read_blocks(folder / Files.VIDEO_EMBEDDINGS):
            _require_same(next(stored, None), ids, vectors_ND, table)
            best_QK = _largest(np.concatenate([best_QK, queries_QD @ vectors_ND.T], axis=1), max(_LENGTHS))
            rows += len(ids)
        if next(stored, None) is not None:
            raise PublishingError(f"{table} has more rows than the {rows} of the file", where=table, remedy=_REMEDY)
    return _Exact(rows, best_QK)


def _read_back(connection: Connection, table: str) -> Generator[NDArray[np.void], None, None]:
    """Yield the table's rows in blocks, ordered by id (uuids order as their text does)."""
    statement = sql.SQL(
        "copy (select video_id, embedding from {} order by video_id) to stdout (format binary)"
    ).format(qualified(table))
    size = _BLOCK * ROW.itemsize
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        pending = bytearray()
        skip = len(HEADER)
        for piece in copy:
            pending += piece
            if skip and len(pending) >= skip:
                del pending[:skip]
                skip = 0
            while not skip and len(pending) >= size:
                yield decode_rows(bytes(pending[:size]))
                del pending[:size]
        if rest := bytes(pending[: len(pending) - len(TRAILER)]):
            yield decode_rows(rest)


def _require_same(
    stored: NDArray[np.void] | None, ids: NDArray[np.str_], vectors_ND: NDArray[np.float32], table: str
) -> None:
    count = 0 if stored is None else len(stored)
    same = np.zeros(len(ids), np.bool_)
    if stored is not None and count:
        shared = min(count, len(ids))
        same_id = (stored["id"][:shared] == uuid_bytes(ids[:shared])).all(axis=1)
        same[:shared] = same_id & (stored["vector"][:shared] == vectors_ND[:shared]).all(axis=1)
    if count != len(ids) or not same.all():
        first = ids[~same][0] if not same.all() else "an unknown video"
        raise PublishingError(
            f"{table} does not hold what the file does, beginning with {first}", where=table, remedy=_REMEDY
        )


def _largest(similarity: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return the `count` largest of each row, falling."""
    if similarity.shape[1] > count:
        similarity = -np.partition(-similarity, count - 1, axis=1)[:, :count]
    return -np.sort(-similarity, axis=1)


def _ask_index(
    connection: Connection, table: str, queries_QD: NDArray[np.float32], count: int
) -> NDArray[np.float64]:
    """Return the similarities that the index finds, float64 [Q, count], nearest first."""
    texts = ["[" + ",".join(map(str, query.tolist())) + "]" for query in queries_QD]
    statement = sql.SQL(
        """
        select n.distance
        from unnest(%s::text[]) with ordinality as q (text, number)
        cross join lateral (
          select e.embedding <=> q.text::vector as distance
          from {} as e
          order by e.embedding <=> q.text::vector
          limit %s
        ) as n
        order by q.number, n.distance
        """
    ).format(qualified(table))
    with connection.transaction():
        _use_index(connection)
        distances = np.array(connection.execute(statement, (texts, count)).fetchall(), np.float64).reshape(-1)
    if len(distances) != len(queries_QD) * count:
        raise PublishingError(
            f"The index returned {len(distances)} rows for {len(queries_QD)} queries, not {count} for each",
            where=table,
            remedy="Raise release.hnsw_m or release.hnsw_ef_construction and publish the version again.",
        )
    return 1 - distances.reshape(len(queries_QD), count)


def _use_index(connection: Connection) -> None:
    """Ask as `recommend_videos_ann` does, and leave the planner no other way than the index."""
    connection.execute("set local search_path = extensions, public, pg_temp")
    connection.execute("select '[1]'::vector")
    connection.execute("set local hnsw.iterative_scan = 'relaxed_order'")
    connection.execute(sql.SQL("set local hnsw.ef_search = {}").format(sql.Literal(EF_SEARCH)))
    connection.execute("set local enable_seqscan = off")
    connection.execute("set local enable_bitmapscan = off")
    connection.execute("set local enable_indexonlyscan = off")


def _recall(found_QK: NDArray[np.float64], exact_QK: NDArray[np.float32], k: int) -> float:
    """Mean over queries of |{answers among the first k that are as near as the k-th nearest}| / k."""
    if not exact_QK.shape[1]:
        return 1.0
    k = min(k, exact_QK.shape[1])
    nearest_enough = exact_QK[:, k - 1 : k].astype(np.float64) - _ROUNDING
    return float((found_QK[:, :k] >= nearest_enough).mean())
