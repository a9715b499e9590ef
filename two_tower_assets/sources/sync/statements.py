"""The statement that sums up ranges, as the copy's database writes it: one text for both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from two_tower_assets.database.queries import query
from two_tower_assets.sources.sync.tables import SyncTable

RangesStatement = Callable[[SyncTable, Sequence[str]], str]
"""Of a table and the columns to be hashed, the key first."""


def statement_from(connection: psycopg.Connection[Any]) -> RangesStatement:
    """Return how the statement is asked of a migrated database; it is asked once for the same table and columns."""
    known: dict[tuple[str, ...], str] = {}

    def statement(table: SyncTable, columns: Sequence[str]) -> str:
        place = (table.name, *columns)
        if place not in known:
            named = {"table": table.name, "key": list(table.key), "columns": list(columns)}
            row = connection.execute(query("sync_ranges_statement"), named).fetchone()
            assert row is not None
            known[place] = str(row[0])
        return known[place]

    return statement
