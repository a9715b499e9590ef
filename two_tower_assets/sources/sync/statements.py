"""The statement that sums up ranges, as the copy's database writes it: one text for both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from two_tower_assets.database.queries import query
from two_tower_assets.sources.sync.tables import SyncTable

RangesStatement = Callable[[SyncTable, Sequence[str], bool], str]
"""Of a table, the columns to be hashed, the key first, and whether the ranges are scattered."""


def statement_from(connection: psycopg.Connection[Any]) -> RangesStatement:
    """Return how the statement is asked of a migrated database; the same one is asked only once."""
    known: dict[tuple[object, ...], str] = {}

    def statement(table: SyncTable, columns: Sequence[str], scattered: bool) -> str:
        place = (table.name, scattered, *columns)
        if place not in known:
            named = {"table": table.name, "key": list(table.key), "columns": list(columns), "scattered": scattered}
            row = connection.execute(query("sync_ranges_statement"), named).fetchone()
            assert row is not None
            known[place] = str(row[0])
        return known[place]

    return statement
