"""HNSW indexes of growing catalogues: time and memory to build them, their size, and how long a search takes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from typing import Final, Literal

from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.publishing.vector_index import build_index
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.bench.cost import Cost, measured
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.bench.scale.tables import (
    BLOCK,
    MIB,
    fill,
    line,
    new_video_table,
    row_of,
    timed,
    vectors,
    version_of,
)

VIDEOS: Final = (25_000, 50_000, 100_000, 200_000, 400_000)
"""The last one is 10^8 numbers."""

_QUERIES: Final = 200
_EXACT_QUERIES: Final = 20
_NEAREST: Final = 50
_EF_SEARCH: Final = (200, 800)
"""Candidates of a search: what `recommend_videos_ann` takes for 50 videos, and four times as many."""
_DENSER: Final = {"hnsw_m": 24, "hnsw_ef_construction": 128}
"""A graph with more links, looked for longer: what a large catalogue asks for when recall falls."""
_DENSER_OF: Final = 200_000
_TOO_LITTLE_MIB: Final = 16
_AMPLE_MIB: Final = 2048
_QUERY_SEED: Final = 1
"""Blocks of videos have multiples of their size."""
_EXACT: Final = "select video_id from {table} order by (embedding <=> %s::vector) + 0 limit 50"
_SEARCH: Final = {
    "vector": "select video_id from {table} order by embedding <=> %s::vector limit 50",
    "halfvec": "select video_id from {table} order by embedding::halfvec(256) <=> %s::halfvec(256) limit 50",
}
_Kind = Literal["vector", "halfvec"]


def index_lines(connection: Connection, url: str, kind: _Kind) -> Iterator[Line]:
    """Yield what each size costs beside the smallest."""
    connection.execute("set search_path = public, extensions")
    bytes_a_vector = _memory_a_vector(connection, url, kind)
    smallest: tuple[float, float] | None = None
    for rows in VIDEOS:
        memory = rows * bytes_a_vector / MIB
        settings = ReleaseSettings(vector_index=kind, maintenance_work_mem_mb=1 + int(1.1 * memory))
        table, cost = _indexed(connection, url, rows, settings)
        seconds = cost.seconds
        sizes = "select pg_relation_size(%s) / 2^20, pg_table_size(%s) / 2^20"
        index_size, table_size = row_of(connection, sizes, table + "_hnsw", table)
        (milliseconds, recall), (slower, better) = (_search(connection, table, kind, many) for many in _EF_SEARCH)
        smallest = smallest or (seconds / rows, milliseconds)
        yield line(
            f"{kind} index of {rows:,} x {EMBEDDING_DIM}",
            f"{seconds:.1f} s, {index_size:.0f} MiB, built in {memory:.0f} MiB; the table {table_size:.0f} MiB",
            f"a vector of it {1e6 * seconds / rows:.0f} µs; of the smallest {1e6 * smallest[0]:.0f} µs",
            seconds / rows / smallest[0],
            2.0,
            cost=cost,
            moved=Moved(rows, "rows"),
        )
        yield line(
            f"{_NEAREST} nearest of {rows:,}, {kind}",
            f"{milliseconds:.1f} ms, recall@{_NEAREST} {recall:.3f}; of {_EF_SEARCH[1]} candidates"
            f" {slower:.1f} ms, {better:.3f}",
            f"of the fewest {smallest[1]:.1f} ms",
            milliseconds / smallest[1],
            3.0,
            cost=Cost(milliseconds / 1000),
        )


def denser_line(connection: Connection, url: str) -> Line:
    """Return what a denser graph of a large catalogue costs and finds, beside the default one."""
    connection.execute("set search_path = public, extensions")
    rows, found = _DENSER_OF, []
    for denser in ({}, _DENSER):
        settings = ReleaseSettings.model_validate({"maintenance_work_mem_mb": _AMPLE_MIB, **denser})
        table, cost = _indexed(connection, url, rows, settings)
        found.append((cost, *_search(connection, table, "vector", _EF_SEARCH[0])))
    (plain, _, recall), (dense, milliseconds, better) = found
    return line(
        f"vector index of {rows:,}, {', '.join(f'{name} = {value}' for name, value in _DENSER.items())}",
        f"{dense.seconds:.1f} s; {_NEAREST} nearest in {milliseconds:.1f} ms, recall@{_NEAREST} {better:.3f}",
        f"by default {plain.seconds:.1f} s, recall@{_NEAREST} {recall:.3f}",
        dense.seconds / plain.seconds,
        3.0,
        cost=dense,
        moved=Moved(rows, "rows"),
    )


def _indexed(connection: Connection, url: str, rows: int, settings: ReleaseSettings) -> tuple[str, Cost]:
    """Fill a table anew and index it; returns its name and what the index cost."""
    table = new_video_table(connection)
    fill(connection, table, "video_id", rows)
    cost, spilled = _build(connection, url, rows, settings)
    assert spilled is None, "the memory was meant to be enough"
    return table, cost


def _memory_a_vector(connection: Connection, url: str, kind: _Kind) -> float:
    """Bytes of `maintenance_work_mem` for each vector: the server says after how many a small memory was full."""
    fill(connection, new_video_table(connection), "video_id", BLOCK)
    settings = ReleaseSettings(vector_index=kind, maintenance_work_mem_mb=_TOO_LITTLE_MIB)
    _, spilled = _build(connection, url, BLOCK, settings)
    assert spilled is not None, "the memory was meant to be too little"
    return _TOO_LITTLE_MIB * MIB / spilled


def _build(connection: Connection, url: str, rows: int, settings: ReleaseSettings) -> tuple[Cost, int | None]:
    """Cost of the build in the session, and the rows after which its memory was full, or None."""
    with connection.transaction(), measured(connection.info.backend_pid) as cost:
        spilled = build_index(connection, url, version_of(0), rows, settings=settings)
    return cost, spilled


def _search(connection: Connection, table: str, kind: _Kind, candidates: int) -> tuple[float, float]:
    """Median milliseconds of a search, and the share of the nearest that it finds."""
    connection.execute(f"set hnsw.ef_search = {candidates}".encode())
    queries = ["[" + ",".join(map(str, vector.tolist())) + "]" for vector in vectors(_QUERIES, _QUERY_SEED)]
    answers = [timed(partial(_ids, connection, _SEARCH[kind].format(table=table), query)) for query in queries]
    exact = [_ids(connection, _EXACT.format(table=table), query) for query in queries[:_EXACT_QUERIES]]
    found = [len(near & these) / _NEAREST for near, (_, these) in zip(exact, answers, strict=False)]
    return 1000 * statistics.median(seconds for seconds, _ in answers), statistics.fmean(found)


def _ids(connection: Connection, statement: str, query: str) -> set[str]:
    return {row[0] for row in connection.execute(statement.encode(), (query,))}
