"""Publishing killed with -9 at each step and at moments between; then what readers see, and the next run.

Children come from a server process that has everything imported, so that an attempt takes a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Final

import psycopg

from two_tower_assets.publishing.files import read_manifest
from two_tower_assets.publishing.release import publish
from two_tower_assets.publishing.target import Target
from two_tower_assets.steps import unheard
from two_tower_assets_tests.publishing.harness.readers import (
    Connection,
    Expected,
    read_current,
    read_everything,
    require,
)
from two_tower_assets_tests.publishing.harness.world import OLDER, SETTINGS, World
from two_tower_assets_tests.publishing.releasing import NEW, OLD, passing, prepared, target_at, user_probes

_CHILDREN: Final = multiprocessing.get_context("forkserver")
_CHILDREN.set_forkserver_preload([__name__])
_KILLED: Final = -signal.SIGKILL
_NOTICED_SECONDS: Final = 5.0
_LEFTOVERS: Final = {
    "locks": "select objid from pg_locks where locktype = 'advisory' and database ="
    " (select oid from pg_database where datname = current_database())",
    "sessions": "select application_name from pg_stat_activity where datname = current_database()"
    " and pid <> pg_backend_pid() and backend_type = 'client backend'",
    "temporary tables": "select oid::regclass::text from pg_class where relpersistence = 't' and relkind = 'r'",
    "tables of no release": "select c.relname from pg_class as c where c.relnamespace = 'two_tower'::regnamespace"
    " and c.relkind = 'r' and c.relname like 'video_embeddings_%' and c.relname <> 'video_embeddings_unreleased'"
    " and not exists (select from public.model_releases as r where r.vector_table = 'two_tower.' || c.relname)",
    "versions too many": "select model_version from public.model_releases"
    f" where vector_table is not null and model_version = '{OLDER}'",
}


@dataclass(frozen=True)
class Kill:
    """One attempt that did not live to its end."""

    after: str
    """The step that was done last."""
    live: str
    """What readers saw afterwards."""


def _publish(url: str, buckets: Path, folder: Path, reached: Callable[[str], None]) -> None:
    publish(
        target_at(url, buckets),
        folder,
        users=prepared(folder),
        probes=user_probes(),
        evaluation=passing(folder.name),
        settings=SETTINGS,
        reached=reached,
    )


def _child(url: str, buckets: Path, folder: Path, steps: int | None, pipe: Pipe) -> None:
    """Publish, telling each step; kill this very process after so many of them."""
    done = 0

    def reached(step: str) -> None:
        nonlocal done
        done += 1
        pipe.send(step)
        if done == steps:
            os.kill(os.getpid(), signal.SIGKILL)

    _publish(url, buckets, folder, reached)


def run_child(
    target: Target, buckets: Path, folder: Path, *, steps: int | None = None, seconds: float | None = None
) -> tuple[int, list[str]]:
    """Publish in a child, killed after so many steps or seconds; return its exit code and the steps it told of."""
    receiver, sender = _CHILDREN.Pipe(duplex=False)
    child = _CHILDREN.Process(target=_child, args=(target.url, buckets, folder, steps, sender))
    child.start()
    sender.close()
    if seconds is not None:
        child.join(seconds)
        child.kill()
    told = list(_received(receiver))
    child.join()
    assert child.exitcode is not None
    return child.exitcode, told


def _received(pipe: Pipe) -> Iterator[str]:
    try:
        while True:
            yield pipe.recv()
    except EOFError:
        return


def steps_of(world: World) -> list[str]:
    """The steps of one publication that nobody disturbs."""
    with world.attempt() as (target, buckets):
        code, told = run_child(target, buckets, world.version(NEW))
        require(code == 0, f"publishing ended with {code}")
        return told


def kill_at_every_step(world: World, count: int) -> Iterator[Kill]:
    """Kill one publication after each of its `count` steps."""
    expected = _expected(world)
    for steps in range(1, count + 1):
        with world.attempt() as (target, buckets):
            code, told = run_child(target, buckets, world.version(NEW), steps=steps)
            require(code == _KILLED and len(told) == steps, f"the child ended with {code} after {told}")
            yield _aftermath(world, target, buckets, expected, told)


def kill_at_moments(world: World, moments: Sequence[float]) -> Iterator[Kill]:
    """Kill a publication after each of these numbers of seconds, wherever it is."""
    expected = _expected(world)
    for seconds in moments:
        with world.attempt() as (target, buckets):
            _, told = run_child(target, buckets, world.version(NEW), seconds=seconds)
            yield _aftermath(world, target, buckets, expected, told)


def _expected(world: World) -> dict[str, Expected]:
    return {version: Expected(world.version(version)) for version in (OLD, NEW)}


def _aftermath(world: World, target: Target, buckets: Path, expected: dict[str, Expected], told: list[str]) -> Kill:
    """Readers see one whole release, the next run completes, and nothing is left behind."""
    live = read_everything(target, expected)
    require(live == (NEW if "flipped" in told else OLD) or told[-1:] == ["before the flip"], f"{live} after {told}")
    _publish(target.url, buckets, world.version(NEW), unheard)
    require(read_everything(target, expected) == NEW, "the next run did not complete")
    require(read_current(target) == NEW, "current/ did not follow")
    _require_clean(target, buckets)
    return Kill(told[-1] if told else "nothing", live)


def _require_clean(target: Target, buckets: Path) -> None:
    with psycopg.connect(target.url, autocommit=True) as connection:
        for what, statement in _LEFTOVERS.items():
            require(not (found := _left(connection, statement)), f"{what} left behind: {found}")
    partial = [path for path in buckets.rglob("*") if path.name.endswith(".partial")]
    require(not partial, f"half-written files left behind: {partial}")
    for version in (NEW, "current"):
        folder = target.buckets.version_prefix(version)
        listed = set(target.buckets.public.sizes(folder))
        require(listed == {f"{folder}/{name}" for name in _public_names(target)}, f"{folder} holds {listed}")


def _left(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    """What a statement finds, once the server has had time to notice that its client is dead."""
    deadline = time.monotonic() + _NOTICED_SECONDS
    while (found := connection.execute(statement).fetchall()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def _public_names(target: Target) -> set[str]:
    stored = read_manifest(target.buckets, NEW)
    return {stored.itself.name, *(file.name for file in stored.files)}
