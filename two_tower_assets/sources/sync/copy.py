"""The copy: the pipeline's own Postgres as a sync sees it. What goes where is not decided here (`apply`, `run`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import DatabaseError
from two_tower_assets.sources.load import require_source
from two_tower_assets.sources.requirements import require_columns
from two_tower_assets.sources.sync.direct_source import range_sums
from two_tower_assets.sources.sync.ranges import Range, Sums
from two_tower_assets.sources.sync.staging import text
from two_tower_assets.sources.sync.statements import statement_from
from two_tower_assets.sources.sync.tables import SyncTable

_SAMPLED_A_RANGE: Final = 4
"""Rows looked at for each bound, so that ranges are of about equal size."""


class Copy:
    """One migrated database. Also a context manager that closes its connection and gives the lock back.

    Args:
        url: of the pipeline's Postgres.
        source: the origin's name, as it is kept in the load record.
        keep: whether anything stays; without, all is rolled back at the end.

    Raises:
        DatabaseError: it cannot be reached, is not migrated, or another sync is at it.
        SourceDataError: it holds rows of another source.
    """

    def __init__(self, url: str, source: str, *, keep: bool = True) -> None:
        self.source = source
        self.keep = keep
        self.connection = connect(url)
        try:
            self._begin()
        except BaseException:
            self.connection.close()
            raise
        self.statement = statement_from(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def commit(self) -> None:
        """Keep what was done so far, unless nothing is to be kept."""
        if self.keep:
            self.connection.commit()

    def identity(self) -> str:
        """Which database this is."""
        row = self.connection.execute(query("database_identity")).fetchone()
        assert row is not None
        return str(row[0])

    def is_empty(self, table: SyncTable) -> bool:
        """Whether a table holds no row."""
        return self.connection.execute(query("source_has_rows").format(table=table.name).encode()).fetchone() == (
            False,
        )

    def estimate(self, table: SyncTable) -> int:
        """About how many rows a table has, from its statistics, or counted where it has none."""
        row = self.connection.execute(query("sync_estimate"), {"name": table.name}).fetchone()
        assert row is not None
        return int(row[0])

    def sums(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> list[Sums]:
        """Counts and hashes of adjacent ascending ranges."""
        return range_sums(self.connection, self.statement(table, columns), ranges)

    def divide(self, table: SyncTable, within: Range, wanted: int) -> list[UUID]:
        """Ids, the range's lower bound first, that divide it into about `wanted` parts."""
        parts = {"key": sql.Identifier(table.key[0]), "table": sql.Identifier(table.name)}
        if within == Range():
            share = min(100.0, 100.0 * wanted * _SAMPLED_A_RANGE / max(self.estimate(table), 1))
            found = self.connection.execute(text("sync_bounds", **parts), {"share": share})
        else:
            bounds = {"lower": within.lower, "upper": within.upper}
            found = self.connection.execute(text("sync_bounds_within", **parts), bounds)
        ids = [row[0] for row in found]
        step = max(1, -(-len(ids) // wanted))
        return [within.lower, *ids[step - 1 :: step]]

    def watermark(self, table: SyncTable) -> datetime | None:
        """Up to when the table was brought once; None before the first time."""
        row = self.connection.execute(query("sync_watermark"), {"name": table.name}).fetchone()
        return None if row is None else row[0]

    def set_watermark(self, table: SyncTable, watermark: datetime) -> None:
        """Note up to when the table was brought."""
        self.connection.execute(query("sync_watermark_set"), {"name": table.name, "watermark": watermark})

    def record(self, content_hash: str, row_counts: Mapping[str, int]) -> bool:
        """Record what is here now; returns whether it differs from the last record."""
        last = self.connection.execute(query("load_last")).fetchone()
        if last is not None and last[1] == content_hash:
            return False
        record = {"source": self.source, "content_hash": content_hash, "row_counts": Jsonb(dict(row_counts))}
        self.connection.execute(query("load_record"), record)
        return True

    def _begin(self) -> None:
        require_columns(self.connection)
        if self.connection.execute(query("sync_lock")).fetchone() == (False,):
            raise DatabaseError(
                "Another sync into this database is under way",
                where="two_tower.sync_ranges",
                remedy="Wait for it, or end it; this one can then go on from where it is.",
            )
        # What a crash takes with it is read again; waiting for the disk at every step would gain nothing.
        self.connection.execute("set synchronous_commit = off")
        self.connection.execute("set timezone = 'UTC'")
        self._require_own_rows()
        self.commit()

    def _require_own_rows(self) -> None:
        named = {"source": self.source}
        if self.connection.execute(query("sync_begun"), named).fetchone() != (True,):
            require_source(self.connection, self.source)
            self.connection.execute(query("sync_begin"), named)
