"""A sync in a process of its own that stops dead after a statement, to be killed there.

    python -m two_tower_assets_tests.sources.sync.dying WAY COPY_URL SOURCE KEY STATEMENT

It says `reached` once a statement that holds the text STATEMENT was run, and then waits for its end. Without such a
statement it brings everything.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import psycopg

from two_tower_assets.sources.sync import table_sync
from two_tower_assets.sources.sync.copy import Copy
from two_tower_assets.sources.sync.direct_source import DirectSource
from two_tower_assets.sources.sync.rest_source import RestSource
from two_tower_assets.sources.sync.run import sync
from two_tower_assets_tests.sources.sync.project import ORIGIN


def stop_after(fragment: str) -> None:
    """Let the whole process wait for ever once a statement with this text has run."""
    execute = psycopg.Connection.execute

    def watched(connection: psycopg.Connection[Any], statement: Any, *rest: Any, **named: Any) -> Any:
        found = execute(connection, statement, *rest, **named)
        if fragment in _text(connection, statement):
            sys.stdout.write("reached\n")
            sys.stdout.flush()
            threading.Event().wait()
        return found

    psycopg.Connection.execute = watched  # type: ignore[method-assign]


def _text(connection: psycopg.Connection[Any], statement: Any) -> str:
    if isinstance(statement, psycopg.sql.Composable):
        return statement.as_string(connection)
    return statement.decode() if isinstance(statement, bytes) else str(statement)


def main(way: str, copy_url: str, source_url: str, key: str, fragment: str) -> None:
    """Synchronise, committing after every page."""
    setattr(table_sync, "_SECONDS_BETWEEN_COMMITS", 0)  # noqa: B010 - a constant to everybody else
    stop_after(fragment)
    with Copy(copy_url, ORIGIN) as copy:
        opened = RestSource(source_url, key) if way == "rest" else DirectSource(source_url, copy.statement)
        with opened as source:
            sync(source, copy)


if __name__ == "__main__":
    main(*sys.argv[1:])
