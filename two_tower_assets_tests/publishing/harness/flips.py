"""Readers of every kind while the live pointer moves to and fro: how many answers they got, and which were torn."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.publishing.harness.readers import (
    Connection,
    Expected,
    TornReadingError,
    live_version,
    read_current,
    read_files,
    read_search,
    read_users,
    read_versions,
)


@dataclass
class Seen:
    """What all readers saw."""

    answers: int = 0
    versions: set[str] = field(default_factory=set)
    torn: list[str] = field(default_factory=list)
    slowest: float = 0.0
    """Seconds of the slowest answer."""
    flips: list[float] = field(default_factory=list)
    """Seconds of each flip in the database."""


def flip_under_readers(target: Target, expected: dict[str, Expected], flips: int) -> Seen:
    """Flip between two versions so many times while readers of each kind ask without a pause."""
    seen, done = Seen(), threading.Event()
    asks: list[Callable[[Connection], str]] = [
        read_versions,
        lambda connection: read_search(connection, expected),
        lambda connection: read_users(connection, expected),
        lambda connection: _read_live_files(connection, target),
    ]
    readers = [threading.Thread(target=_read, args=(target, ask, seen, done)) for ask in asks]
    for reader in readers:
        reader.start()
    versions = sorted(expected)
    for number in range(flips):
        flip = rollback(target, to=versions[number % 2])
        assert flip.changed
        seen.flips.append(flip.seconds)
    done.set()
    for reader in readers:
        reader.join()
    return seen


def _read(target: Target, ask: Callable[[Connection], str], seen: Seen, done: threading.Event) -> None:
    with psycopg.connect(target.url, autocommit=True) as connection:
        while not done.is_set():
            start = time.perf_counter()
            try:
                seen.versions.add(ask(connection))
            except (TornReadingError, psycopg.Error) as error:
                seen.torn.append(str(error))
            seen.slowest = max(seen.slowest, time.perf_counter() - start)
            seen.answers += 1


def _read_live_files(connection: Connection, target: Target) -> str:
    """As the functions load a model: the live version's own folder; and as older clients do, by `current/`."""
    version = live_version(connection)
    read_files(target, version)
    read_current(target)
    return version
