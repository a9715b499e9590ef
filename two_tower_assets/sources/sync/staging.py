"""Rows on their way: a staging table a table, and how far each range is read, kept so that a sync can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from two_tower_assets.database.queries import query
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.source import Key, Page
from two_tower_assets.sources.sync.tables import SyncTable


@dataclass(frozen=True)
class Part:
    """A range that is being read."""

    place: int
    within: Range
    after: Key | None = None
    """Key of the last row that is staged."""
    is_read: bool = False


class Staging:
    """Staged rows of one table.

    Args:
        connection: to the pipeline's Postgres, in a transaction that the caller commits.
        table: which.
        columns: those that the source has, in the contract's order.
        source: whose rows these are; rows of another source or of other columns are dropped.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], table: SyncTable, columns: Sequence[str], source: str
    ) -> None:
        self._connection = connection
        self.table, self.columns = table, tuple(columns)
        self._token = f"{source}: {','.join(columns)}"
        self.name = staged_name(table)

    def kept(self) -> list[Part]:
        """Parts that an earlier sync left; empty, and their rows dropped, when they cannot be gone on with."""
        found = self._connection.execute(query("sync_ranges_kept"), {"name": self.table.name}).fetchall()
        if not found:
            return []
        rows = sum(row[6] for row in found)
        if all(row[0] == self._token for row in found) and self._count() == rows:
            return [
                Part(place, Range(row[1], row[2], row[3]), row[4] and tuple(map(str, row[4])), row[5])
                for place, row in enumerate(found)
            ]
        self.drop()
        return []

    def begin(self, ranges: Sequence[Range]) -> list[Part]:
        """Make an empty staging table for these ranges."""
        self.drop()
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        self._connection.execute(
            text("sync_stage", staged=self.name, columns=columns, table=sql.Identifier(self.table.name))
        )
        rows = [
            {
                "name": self.table.name,
                "place": place,
                "source": self._token,
                "lower": each.lower,
                "upper": each.upper,
                "since": each.since,
            }
            for place, each in enumerate(ranges)
        ]
        with self._connection.cursor() as cursor:
            cursor.executemany(query("sync_ranges_begin"), rows)
        return [Part(place, each) for place, each in enumerate(ranges)]

    def add(self, part: Part, page: Page) -> None:
        """Stage a page of a part."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        if page.form == "json":
            typed = sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(self.table.columns[name]))
                for name in self.columns
            )
            statement = text("sync_stage_page", staged=self.name, columns=columns, typed=typed)
            self._connection.execute(statement, [page.content.decode()])
        else:
            statement = sql.SQL("copy {} ({}) from stdin").format(self.name, columns)
            with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(page.content)
        self._note(part, page.last, page.rows, is_read=False)

    def finish(self, part: Part) -> None:
        """Note that a part is read to its end."""
        self._note(part, None, 0, is_read=True)

    def drop(self) -> None:
        """Forget everything staged of this table."""
        self._connection.execute(sql.SQL("drop table if exists {}").format(self.name))
        self._connection.execute(query("sync_ranges_forget"), {"name": self.table.name})

    def _note(self, part: Part, after: Key | None, rows: int, *, is_read: bool) -> None:
        noted = {"after": after and list(after), "rows": rows, "is_read": is_read}
        self._connection.execute(query("sync_ranges_read"), {"name": self.table.name, "place": part.place, **noted})

    def _count(self) -> int | None:
        exists = self._connection.execute("select to_regclass(%s)", [self.name.as_string()]).fetchone()
        if exists == (None,):
            return None
        row = self._connection.execute(sql.SQL("select count(*) from {}").format(self.name)).fetchone()
        assert row is not None
        return int(row[0])


def staged_name(table: SyncTable) -> sql.Identifier:
    """Name of a table's staging table."""
    return sql.Identifier("two_tower", f"sync_staged_{table.name}")


def text(name: str, **parts: sql.Composable) -> sql.Composed:
    """Fill in a named query."""
    return sql.SQL(query(name)).format(**parts)


def unread(parts: Sequence[Part]) -> Iterator[Part]:
    """Parts that are not read to their end."""
    return (part for part in parts if not part.is_read)
