"""Session-level advisory locks with a waiting limit, and who holds one.

A lock dies with its session, so a killed holder frees it. It needs a direct connection or a pooler in session mode.
"""

from __future__ import annotations

from psycopg import Connection, errors, sql
from psycopg.rows import TupleRow

from two_tower_assets.database.queries import query


def hold(connection: Connection[TupleRow], key: int, *, wait: float) -> str | None:
    """Take a lock on an autocommitting connection; return None, or who still holds it after `wait` seconds."""
    milliseconds = max(1, int(wait * 1000))
    try:
        with connection.transaction():
            connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(milliseconds)))
            connection.execute("select pg_advisory_lock(%s)", (key,))
    except errors.LockNotAvailable:
        return _holder(connection, key)
    return None


def _holder(connection: Connection[TupleRow], key: int) -> str:
    holder = connection.execute(query("advisory_lock_holder"), {"key": key}).fetchone()
    if holder is None:
        return "it has just finished"
    pid, user, application, address, since = holder
    place = f" from {address}" if address else ""
    return f"process {pid} ({application or 'unnamed'}, user {user}{place}, since {since:%Y-%m-%d %H:%M:%S%z})"
