"""Vectors of growing numbers of users, and of versions that are kept: filling, one by key, renewing, vacuum."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from typing import Final

from two_tower_assets.publishing.writer import Connection
from two_tower_assets_tests.bench.cost import Cost, measured
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.bench.scale.tables import (
    fill,
    ids_of,
    line,
    new_user_table,
    row_of,
    timed,
    version_of,
)

USERS: Final = (100_000, 1_000_000)
VERSIONS: Final = 50

_LOOKUPS: Final = 500
_FEW: Final = 1000
_RENEW: Final = """
insert into {table} (user_id, embedding) select user_id, embedding from {table} limit %s
on conflict (user_id) do update set embedding = excluded.embedding, updated_at = now()
"""


def user_lines(connection: Connection) -> Iterator[Line]:
    """Yield what each number of users costs beside the smallest."""
    fewest: tuple[float, float] | None = None
    for users in USERS:
        table = new_user_table(connection)
        with measured() as filling:
            fill(connection, table, "user_id", users)
        copied = filling.seconds
        connection.execute(f"vacuum analyze {table}".encode())
        (size,) = row_of(connection, "select pg_total_relation_size(%s) / 2^20", table)
        looked = _lookup(connection, table, users)
        fewest = fewest or (copied / users, looked)
        yield line(
            f"{users:,} user vectors copied in under their keys",
            f"{copied:.1f} s, {size:.0f} MiB with keys",
            f"a vector of them {1e6 * copied / users:.1f} µs; of the fewest {1e6 * fewest[0]:.1f} µs",
            copied / users / fewest[0],
            2.0,
            cost=filling,
            moved=Moved(users, "rows"),
        )
        yield line(
            f"one of {users:,} user vectors by key",
            f"{1000 * looked:.2f} ms",
            f"of the fewest {1000 * fewest[1]:.2f} ms",
            looked / fewest[1],
            2.0,
            cost=Cost(looked),
        )
        yield _renewal(connection, table, users, copied)


def _renewal(connection: Connection, table: str, users: int, copied: float) -> Line:
    few = users // 100
    with measured(connection.info.backend_pid) as cost:
        connection.execute(_RENEW.format(table=table).encode(), (few,))
    renewed = cost.seconds
    vacuumed, _ = timed(partial(connection.execute, f"vacuum {table}".encode()))
    return line(
        f"1 % of {users:,} user vectors renewed",
        f"{renewed:.2f} s, vacuum after it {vacuumed:.2f} s",
        f"copying as many in {copied / 100:.2f} s",
        renewed / (copied / 100),
        10.0,
        cost=cost,
        moved=Moved(few, "rows"),
    )


def version_line(connection: Connection) -> Line:
    """Return what the vectors of other versions cost whoever reads the live one's."""
    seconds = []
    for number in range(VERSIONS):
        table = new_user_table(connection, number)
        if number in (0, VERSIONS - 1):
            fill(connection, table, "user_id", _FEW)
            connection.execute("select two_tower.show_version(%s)", (version_of(number),))
            seconds.append(_lookup(connection, "public.user_embeddings", _FEW))
    one, many = seconds
    return line(
        f"one user vector of the live version, {VERSIONS} versions kept",
        f"{1000 * many:.2f} ms",
        f"1 version kept {1000 * one:.2f} ms",
        many / one,
        1.5,
        cost=Cost(many),
    )


def _lookup(connection: Connection, table: str, users: int) -> float:
    """Median seconds until one user's vector is here."""
    statement = f"select embedding from {table} where user_id = %s::uuid".encode()
    return statistics.median(
        timed(partial(_fetch, connection, statement, str(user)))[0]
        for user in ids_of(range(0, users, max(1, users // _LOOKUPS)))
    )


def _fetch(connection: Connection, statement: bytes, user: str) -> None:
    assert connection.execute(statement, (user,)).fetchone() is not None
