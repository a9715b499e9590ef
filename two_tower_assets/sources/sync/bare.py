"""An empty table without its keys, pointers and indexes while it is filled: made at the end, they cost a fraction.

All of it is in the caller's transaction: whoever reads meanwhile waits and then sees all rows and all indexes, and a
process that is killed leaves the table as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from two_tower_assets.database.queries import query
from two_tower_assets.sources.sync.tables import SyncTable


@contextmanager
def bare(connection: psycopg.Connection[Any], table: SyncTable) -> Iterator[None]:
    """Take an empty table's keys, pointers and indexes away until the block ends.

    Nothing is taken away where somebody uses the table just now or wrote to it, or where it is not this project's;
    then the block only takes longer.

    Raises:
        psycopg.errors.UniqueViolation: two of the rows have the same value where each must have its own.
    """
    parts = _lock(connection, table)
    for take, _ in parts:
        connection.execute(take)
    yield
    for _, make in reversed(parts):
        connection.execute(make)


def _lock(connection: psycopg.Connection[Any], table: SyncTable) -> list[tuple[bytes, bytes]]:
    """Keep everybody out and return how each part is taken away and made again; none when that cannot be."""
    found = connection.execute(query("sync_bare_can"), {"name": table.name}).fetchone()
    assert found is not None
    is_ours, is_parent = found
    if not is_ours:
        return []
    names = [sql.Identifier("public", name) for name in (table.name, *table.parents.values())]
    lock = sql.SQL("lock table {} in access exclusive mode").format(sql.SQL(", ").join(names))
    try:
        with connection.transaction():
            # Others wait behind this lock, so that it must not wait for long itself.
            connection.execute("set local lock_timeout = '1s'")
            connection.execute(lock)
            connection.execute("set local lock_timeout to default")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.InsufficientPrivilege):
        return []
    # Somebody may have written since the caller looked.
    if connection.execute(query("source_has_rows").format(table=table.name).encode()).fetchone() == (True,):
        return []
    if not is_parent:
        # A file that this transaction made needs no write-ahead log where no replica reads it.
        connection.execute(sql.SQL("truncate {}").format(names[0]))
    parts = connection.execute(query("sync_bare"), {"name": table.name}).fetchall()
    return [(take.encode(), make.encode()) for take, make in parts]
