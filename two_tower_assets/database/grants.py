"""What the three roles of clients may do in a database, and what the migrations let them do.

`sql/grants.txt` is what a freshly migrated database says; a test holds it to that. What does not live here: judging a
difference (`doctor.grants`).
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

import psycopg
from psycopg.rows import TupleRow

from two_tower_assets.database.queries import query, sql_folder

FILE: Final = "grants.txt"
_NOTHING: Final = "-"


class Grant(NamedTuple):
    """One privilege; role and privilege are null in the one row of an object that nobody has any on."""

    kind: str
    """`function`, `table` or `column`."""
    name: str
    """Qualified, a function's with its types, a column's after its table's."""
    role: str | None
    privilege: str | None

    def __str__(self) -> str:
        return " ".join([self.kind, self.role or _NOTHING, self.privilege or _NOTHING, self.name])


def granted(connection: psycopg.Connection[TupleRow]) -> frozenset[Grant]:
    """Return what the database says; the connection must be autocommitting."""
    with connection.transaction():
        # Names are written out in full.
        connection.execute("set local search_path = ''")
        return frozenset(Grant(*row) for row in connection.execute(query("grants")).fetchall())


@cache
def declared() -> frozenset[Grant]:
    """Return what the migrations of this version make."""
    lines = (sql_folder() / FILE).read_text(encoding="utf-8").splitlines()
    return frozenset(_read(line) for line in lines if line and not line.startswith("#"))


def _read(line: str) -> Grant:
    kind, role, privilege, name = line.split(" ", 3)
    return Grant(kind, name, None if role == _NOTHING else role, None if privilege == _NOTHING else privilege)
