"""The serving database as commands of experiments reach it: what Postgres refuses is one paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from two_tower_assets.database.connection import connect
from two_tower_assets.experiments.registry import Connection
from two_tower_assets.sources.requirements import database_errors


@contextmanager
def connected(url: str, *, autocommit: bool = True) -> Iterator[Connection]:
    """Yield a connection.

    Raises:
        DatabaseError: it cannot be reached, is not migrated, or refuses a statement.
    """
    with connect(url, autocommit=autocommit) as connection, database_errors("The experiments cannot be reached"):
        yield connection
