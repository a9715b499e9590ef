"""The copy: the pipeline's own Postgres as a sync sees it. What goes where is not decided here (`apply`, `run`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy as shallow
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from two_tower_assets.database.advisory_lock import hold
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import DatabaseError
from two_tower_assets.sources.load import require_source
from two_tower_assets.sources.requirements import require_columns
from two_tower_assets.sources.sync.direct_source import range_sums
from two_tower_assets.sources.sync.ranges import Range, Sums, are_adjacent, split
from two_tower_assets.sources.sync.staging import text
from two_tower_assets.sources.sync.statements import statement_from
from two_tower_assets.sources.sync.tables import SyncTable

LOCK_KEY: Final = 0x7477745F73796E63
"""Advisory lock of a sync, held to the end of its session: the bytes of `twt_sync`."""
_LOCK_WAIT_SECONDS: Final = 2.0
"""A session that has ended, or was killed, gives its lock back a moment later."""
_ROWS_WORTH_A_CONNECTION: Final = 200_000
"""From so many rows on, hashing half of them takes longer than connecting once more."""
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
        self._url = url
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

    @contextmanager
    def beside(self) -> Iterator[Copy]:
        """Yield the same copy through a connection of its own, which needs what is done here to be committed.

        Where nothing is kept it is this connection.
        """
        if not self.keep:
            yield self
            return
        with connect(self._url) as connection:
            other = shallow(self)
            other.connection, other.statement = connection, statement_from(connection)
            _set_session(connection)
            yield other

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
        """Counts and hashes of ascending ranges; a large table is read by two connections, each on a core."""
        is_whole = are_adjacent(ranges)

        def of(copy: Copy, part: Sequence[Range]) -> list[Sums]:
            return range_sums(copy.connection, copy.statement(table, columns, not is_whole), part)

        half = len(ranges) // 2
        if not half or not is_whole or not self.keep or self.estimate(table) < _ROWS_WORTH_A_CONNECTION:
            return of(self, ranges)
        with self.beside() as other, ThreadPoolExecutor(1) as thread:
            upper = thread.submit(of, other, ranges[half:])
            return of(self, ranges[:half]) + upper.result()

    def divide(self, table: SyncTable, wanted: int) -> list[Range]:
        """Divide a table into about `wanted` ranges of about equal size."""
        share = min(100.0, 100.0 * wanted * _SAMPLED_A_RANGE / max(self.estimate(table), 1))
        found = self.connection.execute(text("sync_bounds", **_names(table)), {"share": share})
        return _divided(Range(), [row[0] for row in found], wanted)

    def divide_each(self, table: SyncTable, ranges: Sequence[Range], wanted: Sequence[int]) -> list[list[Range]]:
        """Divide each range into at most about `wanted` parts, by the ids that are here."""
        bounds = {"lowers": [each.lower for each in ranges], "uppers": [each.upper for each in ranges]}
        rows = self.connection.execute(text("sync_bounds_within", **_names(table)), bounds).fetchall()
        found: dict[int, list[UUID]] = dict(rows)
        return [
            _divided(each, found.get(place, ()), parts)
            for place, (each, parts) in enumerate(zip(ranges, wanted, strict=True), start=1)
        ]

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
        if holder := hold(self.connection, LOCK_KEY, wait=_LOCK_WAIT_SECONDS):
            raise DatabaseError(
                f"Another sync into this database is under way: {holder}",
                where="two_tower.sync_ranges",
                remedy="Wait for it, or end it; this one can then go on from where it is.",
            )
        _set_session(self.connection)
        self._require_own_rows()
        self.commit()

    def _require_own_rows(self) -> None:
        named = {"source": self.source}
        if self.connection.execute(query("sync_begun"), named).fetchone() != (True,):
            require_source(self.connection, self.source)
            self.connection.execute(query("sync_begin"), named)


def _set_session(connection: psycopg.Connection[Any]) -> None:
    # What a crash takes with it is read again; waiting for the disk at every step would gain nothing.
    connection.execute("set synchronous_commit = off")
    connection.execute("set timezone = 'UTC'")
    connection.commit()


def _names(table: SyncTable) -> dict[str, sql.Composable]:
    return {"key": sql.Identifier(table.key[0]), "table": sql.Identifier(table.name)}


def _divided(within: Range, ids: Sequence[UUID], wanted: int) -> list[Range]:
    step = max(1, -(-len(ids) // wanted))
    return split([within.lower, *ids[step - 1 :: step]], within.upper)
