"""Reading a project through its Postgres: rows by COPY in the order of the key, hashes by one statement a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import psycopg
from psycopg import sql

from two_tower_assets.database.connection import connect, without_password
from two_tower_assets.database.queries import query
from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.sources.sync.identity import refuse_same
from two_tower_assets.sources.sync.ranges import Range, Sums, are_adjacent, by_place
from two_tower_assets.sources.sync.source import FAN_OUT, FINEST, Key, Page
from two_tower_assets.sources.sync.statements import RangesStatement
from two_tower_assets.sources.sync.tables import SyncTable

_WHAT: Final = "The source cannot be read"


class DirectSource:
    """One database. Also a context manager that closes its connections: one for each thread that asks at a time.

    Args:
        url: direct or session mode, as a role that reads all rows.
        statement: gives the statement that sums up ranges (from the copy's database; the source needs no function).
    """

    way = "direct connection (COPY)"
    limits = None
    fan_out = FAN_OUT
    finest = FINEST
    has_hashes = True

    def __init__(self, url: str, statement: RangesStatement) -> None:
        self.label = without_password(url).rpartition("@")[2]
        self._statement = statement
        self._url = url
        self._idle = [connect(url)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._idle:
            connection.close()

    def columns(self, table: SyncTable) -> tuple[str, ...] | None:
        """See `Source`."""
        with self._reading() as connection:
            found = connection.execute(query("source_columns"), {"tables": [table.name]}).fetchall()
        return tuple(column for _, column in found) or None

    def count(self, table: SyncTable, within: Range) -> int:
        """See `Source`."""
        statement = sql.SQL("select count(*) from public.{} as t where {}").format(
            sql.Identifier(table.name), _inside(table, within, None)
        )
        with self._reading() as connection:
            row = connection.execute(statement).fetchone()
        assert row is not None
        return int(row[0])

    def has_rows(self, table: SyncTable) -> bool:
        """See `Source`."""
        with self._reading() as connection:
            return connection.execute(query("source_has_rows").format(table=table.name).encode()).fetchone() == (
                True,
            )

    def sums(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> list[Sums]:
        """See `Source`."""
        statement = self._statement(table, columns, not are_adjacent(ranges))
        with self._reading() as connection:
            return range_sums(connection, statement, ranges)

    def pages(
        self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range], after: Key | None
    ) -> Iterator[Page]:
        """See `Source`; one statement, hence rows of one moment. All pages must be taken."""
        statement = sql.SQL("copy (select {} from {} where {} order by {}) to stdout").format(
            sql.SQL(", ").join(_typed(table, column) for column in columns),
            _from(table, ranges),
            _inside(table, ranges[0] if len(ranges) == 1 else Range(), after),
            sql.SQL(", ").join(_column(column) for column in table.key),
        )
        with self._reading() as connection:
            for block in copy_out(connection, statement.as_string(connection)):
                line = block[block.rfind(b"\n", 0, -1) + 1 :]
                last = tuple(line.rstrip(b"\n").decode().split("\t")[: len(table.key)])
                yield Page(block.count(b"\n"), last, bytes(block), "text")

    def require_other_database(self, identity: str) -> None:
        """See `Source`."""
        with self._reading() as connection:
            row = connection.execute(query("database_identity")).fetchone()
        assert row is not None
        refuse_same(row[0], identity, self.label)

    @contextmanager
    def _reading(self) -> Iterator[psycopg.Connection[Any]]:
        with database_errors(_WHAT), self._lent() as connection, connection.transaction(force_rollback=True):
            # Policies that would hide rows are an error rather than rows that seem to be gone.
            connection.execute(query("sync_read_session"))
            yield connection

    @contextmanager
    def _lent(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = connect(self._url)
        try:
            yield connection
        finally:
            self._idle.append(connection)


def range_sums(connection: psycopg.Connection[Any], statement: str, ranges: Sequence[Range]) -> list[Sums]:
    """Counts and hashes of ascending ranges in the connection's database, by the statement for ranges like these."""
    end = ranges[-1].upper if are_adjacent(ranges) else [each.upper for each in ranges]
    found = psycopg.RawCursor(connection).execute(statement, [[each.lower for each in ranges], end]).fetchall()
    return by_place({place: Sums(rows, digest) for place, rows, digest in found}, len(ranges))


def _column(name: str) -> sql.Composed:
    return sql.SQL("t.{}").format(sql.Identifier(name))


def _typed(table: SyncTable, name: str) -> sql.Composed:
    return sql.SQL("{}::{}").format(_column(name), sql.SQL(table.columns[name]))


def _from(table: SyncTable, ranges: Sequence[Range]) -> sql.Composed:
    """Build what is read: the table, or of several ranges only what an index finds of each."""
    name = sql.SQL("public.{} as t").format(sql.Identifier(table.name))
    if len(ranges) == 1:
        return name
    # Joined to the table as it is, ranges look so wide to the planner that it would read all rows for each.
    joined = sql.SQL(
        "unnest({lowers}::uuid[], {uppers}::uuid[]) as w (lower_id, upper_id) "
        "cross join lateral (select * from {name} where {key} >= w.lower_id "
        "and {key} <= coalesce(w.upper_id, {last}) and {key} is distinct from w.upper_id offset 0) as t"
    )
    return joined.format(
        lowers=sql.Literal([each.lower for each in ranges]),
        uppers=sql.Literal([each.upper for each in ranges]),
        name=name,
        key=_column(table.key[0]),
        last=_uuid(UUID(int=2**128 - 1)),
    )


def _inside(table: SyncTable, within: Range, after: Key | None) -> sql.Composed:
    """Build the condition of a range; literals, since COPY takes no parameters."""
    first = _column(table.key[0])
    parts = [sql.SQL("{} >= {}").format(first, _uuid(within.lower))]
    if within.upper is not None:
        parts.append(sql.SQL("{} < {}").format(first, _uuid(within.upper)))
    if within.since is not None:
        assert table.watermark is not None
        parts.append(sql.SQL("{} >= {}").format(_column(table.watermark), _time(within.since)))
    if after is not None:
        keys = sql.SQL(", ").join(_column(column) for column in table.key)
        parts.append(sql.SQL("({}) > ({})").format(keys, sql.SQL(", ").join(_uuid(UUID(value)) for value in after)))
    return sql.SQL(" and ").join(parts)


def _uuid(value: UUID) -> sql.Composed:
    return sql.SQL("{}::uuid").format(sql.Literal(str(value)))


def _time(value: datetime) -> sql.Composed:
    return sql.SQL("{}::timestamptz").format(sql.Literal(value.isoformat()))
