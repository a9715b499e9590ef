"""Building the HNSW index of a version's vectors: with the memory and workers it may have, and watched.

What does not live here: the index's SQL (`two_tower.index_video_embeddings`) and its check (`ann_check`).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import sql

from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import DatabaseError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.settings import ReleaseSettings

_POLL_SECONDS: Final = 0.5
_SPILLED: Final = re.compile(r"graph no longer fits into maintenance_work_mem after (\d+) tuples")


def build_index(
    connection: Connection,
    url: str,
    version: str,
    rows: int,
    *,
    settings: ReleaseSettings,
    progress: Progress = silent,
) -> int | None:
    """Build the key and the index inside the caller's transaction.

    Args:
        connection: in the transaction that filled the table.
        url: of the same database; the build is watched from a second connection.
        version: whose table.
        rows: in the table.
        settings: of the index.
        progress: told `rows` + rows indexed, of twice the number of rows.

    Returns:
        The number of rows after which the graph did not fit in memory and the build slowed down, or None.
    """
    memory = sql.Literal(f"{settings.maintenance_work_mem_mb}MB")
    connection.execute(sql.SQL("set local maintenance_work_mem = {}").format(memory))
    # As many helpers as the server has for all its queries; it gives those that are free and worth their while.
    connection.execute(
        "select set_config('max_parallel_maintenance_workers', current_setting('max_parallel_workers'), true)"
    )
    with _noticed(connection) as spilled, _watched(url, connection.info.backend_pid, rows, progress):
        connection.execute(
            "select two_tower.index_video_embeddings(%s, %s, %s, %s)",
            (version, settings.hnsw_m, settings.hnsw_ef_construction, settings.vector_index),
        )
    return min(spilled, default=None)


@contextmanager
def _noticed(connection: Connection) -> Iterator[list[int]]:
    """Collect what the server says of running out of memory while the block runs."""
    spilled: list[int] = []

    def read(diagnostic: psycopg.errors.Diagnostic) -> None:
        if found := _SPILLED.search(diagnostic.message_primary or ""):
            spilled.append(int(found[1]))

    connection.execute("set local client_min_messages = notice")
    connection.add_notice_handler(read)
    try:
        yield spilled
    finally:
        connection.remove_notice_handler(read)


@contextmanager
def _watched(url: str, pid: int, rows: int, progress: Progress) -> Iterator[None]:
    """Report the index build of process `pid` while the block runs."""
    if progress is silent:
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(url, pid, rows, progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(url: str, pid: int, rows: int, progress: Progress, done: threading.Event) -> None:
    try:
        with connect(url, autocommit=True) as connection:
            while not done.wait(_POLL_SECONDS):
                row = connection.execute(query("index_progress"), {"pid": pid}).fetchone()
                if row is not None:
                    progress(rows + min(int(row[0]), rows), 2 * rows)
    except (DatabaseError, psycopg.Error):
        # No second connection to be had: the build goes on unwatched.
        return
