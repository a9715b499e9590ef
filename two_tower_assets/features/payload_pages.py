"""Pages of payloads out of Postgres, two at a time and in order, all of one state of the rows.

What does not live here: what payloads say (`payloads`), and the file that they are written to (`payload_file`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import Any, Final

import psycopg
from psycopg import sql

from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.features.payload_file import Row

_SESSIONS: Final = 2
"""A page is all work of one of the server's processes, and waiting for those who ask."""


@dataclass(frozen=True)
class Pages:
    """All pages of a batch function."""

    total: int
    """How many rows they must hold together, counted without them."""
    pages: Iterator[list[Row]]


@contextmanager
def pages_of(url: str, name: str, parameters: Mapping[str, Any]) -> Iterator[Pages]:
    """Read the query `<name>_page` from end to end of the query `<name>_ends`.

    Args:
        url: the database.
        name: `features_user` or `features_item`.
        parameters: `page`, and what else the queries need.

    Raises:
        psycopg.Error: what Postgres refused.
    """
    with ExitStack() as opened:
        sessions: SimpleQueue[psycopg.Connection[Any]] = SimpleQueue()
        first = opened.enter_context(_session(url))
        (state,) = first.execute("select pg_catalog.pg_export_snapshot()").fetchone() or ("",)
        ends = first.execute(query(f"{name}_ends").encode(), parameters).fetchall()
        sessions.put(first)
        for _ in range(_SESSIONS - 1):
            other = opened.enter_context(_session(url))
            other.execute(sql.SQL("set transaction snapshot {}").format(state))
            sessions.put(other)

        def between(after: str | None, end: str) -> list[Row]:
            session = sessions.get()
            try:
                return list(_between(session, f"{name}_page", parameters, after, end))
            finally:
                sessions.put(session)

        with ThreadPoolExecutor(_SESSIONS, "payloads") as readers:
            last_of = [last for last, _ in ends]
            works = [partial(between, *each) for each in zip([None, *last_of], last_of, strict=False)]
            yield Pages(ends[-1][1] if ends else 0, _in_order(readers, works))


@contextmanager
def _session(url: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def _between(
    session: psycopg.Connection[Any], name: str, parameters: Mapping[str, Any], after: str | None, end: str
) -> Iterator[Row]:
    """Yield the rows after an id, up to and with another: a server may return fewer at once than asked for."""
    while rows := session.execute(query(name).encode(), {**parameters, "after": after}).fetchall():
        for row in rows:
            if row[0] > end:
                return
            yield row
        after = rows[-1][0]
        if after == end:
            return


def _in_order(readers: ThreadPoolExecutor, works: Sequence[Callable[[], list[Row]]]) -> Iterator[list[Row]]:
    """Yield page after page; few are held that nobody has asked for yet."""
    coming: deque[Future[list[Row]]] = deque()
    try:
        for work in works:
            coming.append(readers.submit(work))
            if len(coming) > _SESSIONS:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()
    finally:
        for waiting in coming:
            waiting.cancel()
