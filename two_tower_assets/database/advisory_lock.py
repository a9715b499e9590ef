"""Session-level advisory locks with a waiting limit, and who holds one.

A lock dies with its session, so a killed holder frees it. The session must be the connection's own (`pooling`).
"""

from __future__ import annotations

from contextlib import suppress

from psycopg import Connection, OperationalError, errors, sql
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


def release(connection: Connection[TupleRow], key: int) -> None:
    """Give a lock back before the connection closes: a pooler may keep the session for the next client.

    An unfinished transaction is rolled back. Where the session has ended already, the lock has gone with it.
    """
    with suppress(OperationalError):
        connection.rollback()
        connection.execute("select pg_advisory_unlock(%s)", (key,))


def _holder(connection: Connection[TupleRow], key: int) -> str:
    holder = connection.execute(query("advisory_lock_holder"), {"key": key}).fetchone()
    if holder is None:
        return "it has just finished"
    pid, user, application, address, since = holder
    place = f" from {address}" if address else ""
    return f"process {pid} ({application or 'unnamed'}, user {user}{place}, since {since:%Y-%m-%d %H:%M:%S%z})"
