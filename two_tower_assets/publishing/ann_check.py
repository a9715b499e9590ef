"""Does the index find what exact search finds, for real users, without filters and under those that functions use?

The same pass that reads the table back computes the exact neighbours, so what is compared is what was stored.
What does not live here: the search that clients call (`public.recommend_videos_ann`) and the bounds (`evidence`).
Letters in tensor names: Q probes, N videos of a block, K neighbours, D embedding (256).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from pydantic import BaseModel, ConfigDict

from two_tower_assets.artifacts.embeddings import read_ids
from two_tower_assets.contract import Files
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.ann_filters import AnnFilter, active, filters_for
from two_tower_assets.publishing.probes import Probes
from two_tower_assets.publishing.readback import same_blocks
from two_tower_assets.publishing.registry import Release
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection

EF_SEARCH: Final = 200
"""Candidates that `recommend_videos_ann` looks at for lists of up to 50."""

_LENGTHS: Final = (10, 50)
_MOST: Final = max(_LENGTHS)
_ROUNDING: Final = 2e-6
"""Two float32 cosines closer than this are the same neighbour's rank."""


class Found(BaseModel):
    """How much of exact search the index finds under one filter, on average over the probes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    filter: str
    kept: float
    """Share of the version's videos that the filter admits, on average over the probes."""
    recall_at_10: float
    recall_at_50: float
    missing: int
    """Rows that exist and were not returned, over all probes."""


class AnnRecall(BaseModel):
    """What the index finds without a filter, and under each."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    queries: int
    rows: int
    vector_index: str = "vector"
    recall_at_10: float
    recall_at_50: float
    filtered: tuple[Found, ...] = ()
    """Empty in evidence from before searches were checked under filters."""


def check_vectors(
    connection: Connection, release: Release, folder: Path, probes: Probes, *, filtered_probes: int
) -> AnnRecall:
    """Read the table back against the folder's file, then compare the index with exact search.

    An answer counts as found when it is as near as the k-th nearest vector: equal vectors are interchangeable.

    Args:
        connection: to the serving database.
        release: staged, with its table.
        folder: the version's folder.
        probes: real users, usable.
        filtered_probes: how many of them search under the filters as well.

    Raises:
        PublishingError: the table does not hold the file's vectors, the catalogue has
            none of the videos, or the index returned fewer rows than there are.
    """
    assert release.vector_table is not None
    path = folder / Files.VIDEO_EMBEDDINGS
    some, ids = probes.spread(filtered_probes), read_ids(path)
    filters = filters_for(connection, ids, some)
    _require_catalogue(active(connection).mask(ids, 1), release.vector_table)
    blocks = same_blocks(connection, release.vector_table, path)
    exact, under = _exact(blocks, probes, some, filters)
    found = _ask_index(connection, release, probes, exact.shape[1])
    at_10, at_50 = (recall(found, exact, k) for k in _LENGTHS)
    return AnnRecall(
        queries=len(probes),
        rows=len(ids),
        vector_index=release.vector_index,
        recall_at_10=at_10,
        recall_at_50=at_50,
        filtered=tuple(
            _under(connection, release, some, each, exact_QK=exact_QK, mask_QN=each.mask(ids, len(some)))
            for each, exact_QK in zip(filters, under, strict=True)
        ),
    )


def recall(found_QK: NDArray[np.float64], exact_QK: NDArray[np.float32], k: int) -> float:
    """Mean over probes of |{answers among the first k that are as near as the k-th nearest}| / k.

    Where fewer than k exist, k is their number; a probe for which none exist has nothing to find and is left out.

    Args:
        found_QK: similarities, falling, −inf where no row came back.
        exact_QK: as found by exact search.
        k: length of the list.
    """
    lengths_Q = np.minimum(np.isfinite(exact_QK).sum(axis=1), k)
    asked = lengths_Q > 0
    if not asked.any():
        return 1.0
    last_Q = exact_QK[asked, lengths_Q[asked] - 1].astype(np.float64)
    hits_Q = (found_QK[asked, :k] >= last_Q[:, np.newaxis] - _ROUNDING).sum(axis=1)
    return float((np.minimum(hits_Q, lengths_Q[asked]) / lengths_Q[asked]).mean())


def _exact(
    blocks: Iterable[tuple[NDArray[np.str_], NDArray[np.float32]]],
    probes: Probes,
    some: Probes,
    filters: Sequence[AnnFilter],
) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
    """Similarities of the nearest, without a filter and under each, falling, float32 [Q, up to 50]."""
    best_QK = np.empty((len(probes), 0), np.float32)
    under = [np.empty((len(some), 0), np.float32) for _ in filters]
    for ids, vectors_ND in blocks:
        best_QK = _largest(best_QK, probes.vectors_QD @ vectors_ND.T)
        some_QN = some.vectors_QD @ vectors_ND.T
        under = [
            _largest(before_QK, np.where(each.mask(ids, len(some)), some_QN, -np.inf).astype(np.float32))
            for before_QK, each in zip(under, filters, strict=True)
        ]
    return best_QK, under


def _largest(before_QK: NDArray[np.float32], similarity_QN: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 50 largest of each row of both, falling."""
    both = -np.concatenate([before_QK, similarity_QN], axis=1)
    if both.shape[1] > _MOST:
        both = np.partition(both, _MOST - 1, axis=1)[:, :_MOST]
    return -np.sort(both, axis=1)


def _under(
    connection: Connection,
    release: Release,
    probes: Probes,
    each: AnnFilter,
    *,
    exact_QK: NDArray[np.float32],
    mask_QN: NDArray[np.bool_],
) -> Found:
    parameters = {
        **each.parameters,
        "users": probes.users.tolist(),
        "vectors": probes.texts(),
        "vector_table": release.vector_table,
        "vector_index": release.vector_index,
        "count": _MOST,
    }
    with connection.transaction():
        _find_types(connection)
        answers = connection.execute(query("ann_search"), parameters).fetchall()
    found_QK = _as_similarities(answers, len(probes))
    at_10, at_50 = (recall(found_QK, exact_QK, k) for k in _LENGTHS)
    return Found(
        filter=each.name,
        kept=float(mask_QN.mean()),
        recall_at_10=at_10,
        recall_at_50=at_50,
        missing=int(np.isfinite(exact_QK).sum() - np.isfinite(found_QK).sum()),
    )


def _ask_index(connection: Connection, release: Release, probes: Probes, count: int) -> NDArray[np.float64]:
    """Return the similarities that the index finds, float64 [Q, 50], nearest first, −inf where rows lack."""
    assert release.vector_table is not None
    row = connection.execute("select two_tower.index_order(%s)", (release.vector_index,)).fetchone()
    assert row is not None
    order = sql.SQL(row[0].replace("$1", "q.vector::vector"))
    candidates = 2 * count if release.vector_index == "halfvec" else count
    statement = sql.SQL(
        """
        select q.number, n.distance
        from unnest(%s::text[]) with ordinality as q (vector, number)
        cross join lateral (
          select c.distance
          from (
            select e.embedding <=> q.vector::vector as distance from {} as e order by {} limit %s
          ) as c
          order by c.distance
          limit %s
        ) as n
        order by q.number, n.distance
        """
    ).format(qualified(release.vector_table), order)
    with connection.transaction():
        _leave_only_the_index(connection)
        answers = connection.execute(statement, (probes.texts(), candidates, count)).fetchall()
    if len(answers) != len(probes) * count:
        raise PublishingError(
            f"The index returned {len(answers)} rows for {len(probes)} queries, not {count} for each",
            where=release.vector_table,
            remedy="Raise release.hnsw_m or release.hnsw_ef_construction and publish the version again.",
        )
    return _as_similarities(answers, len(probes))


def _as_similarities(answers: Sequence[tuple[int, float]], probes: int) -> NDArray[np.float64]:
    """Lay (probe from 1, distance) in order into float64 [probes, 50], −inf where there is no answer."""
    found_QK = np.full((probes, _MOST), -np.inf)
    if answers:
        numbers, distances = np.array(answers, np.float64).T
        probe = numbers.astype(np.int64) - 1
        place = np.arange(len(probe)) - np.searchsorted(probe, probe)
        found_QK[probe, place] = 1 - distances
    return found_QK


def _find_types(connection: Connection) -> None:
    """Let `::vector` be found in either schema, as in the functions that clients call."""
    connection.execute("set local search_path = extensions, public, pg_temp")


def _leave_only_the_index(connection: Connection) -> None:
    """Ask as `recommend_videos_ann` does, and leave the planner no other way than the index."""
    _find_types(connection)
    # The library tells Postgres its parameters when it is first used.
    connection.execute("select '[1]'::vector")
    connection.execute("set local hnsw.iterative_scan = 'relaxed_order'")
    connection.execute(sql.SQL("set local hnsw.ef_search = {}").format(sql.Literal(EF_SEARCH)))
    connection.execute("set local enable_seqscan = off")
    connection.execute("set local enable_bitmapscan = off")
    connection.execute("set local enable_indexonlyscan = off")


def _require_catalogue(known: NDArray[np.bool_], table: str) -> None:
    if not known.any():
        raise PublishingError(
            "None of the version's videos is an active video of the serving database: nothing could be recommended",
            where=table,
            remedy="Publish to the database that has the catalogue, or bring public.videos up to date first.",
        )
