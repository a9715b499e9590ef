"""One writer at a time: between processes, after kill -9, and through a real pooler."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from two_tower_assets.errors import DatabaseError, PublishingError
from two_tower_assets.publishing.flip import rollback
from two_tower_assets.publishing.registry import list_releases, live_release
from two_tower_assets.publishing.release import publish
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.writer import LOCK_KEY, single_writer
from two_tower_assets_tests.database.pgbouncer import needs_pgbouncer, pgbouncer
from two_tower_assets_tests.publishing.releasing import (
    NEW,
    OLD,
    SETTINGS,
    everything,
    passing,
    prepared,
    release,
    rows,
    user_probes,
)

REPOSITORY = Path(__file__).parents[2]
HOLD = """
import sys
from two_tower_assets.publishing.writer import single_writer
with single_writer(sys.argv[1], doing="publish held"):
    print("held", flush=True)
    sys.stdin.read()
"""
PUBLISH = """
import sys
from pathlib import Path
from two_tower_assets_tests.publishing.releasing import release, target_at
print(release(target_at(sys.argv[1], Path(sys.argv[3])), Path(sys.argv[2])).flip.previous)
"""
PUBLISH_AND_PAUSE = """
import sys
from pathlib import Path
from two_tower_assets.publishing.release import publish
from two_tower_assets_tests.publishing.releasing import SETTINGS, passing, prepared, target_at, user_probes

def pause(done, total):
    if not paused:
        paused.append(done)
        print("held", flush=True)
        sys.stdin.read()

paused, folder = [], Path(sys.argv[2])
evidence = {"users": prepared(folder), "probes": user_probes(), "evaluation": passing(folder.name)}
publish(target_at(sys.argv[1], Path(sys.argv[3])), folder, **evidence, settings=SETTINGS, progress=pause)
"""


def buckets_of(target: Target) -> Path:
    """The folder that a target's buckets lie in."""
    return Path(target.buckets.public.url).parent


@contextmanager
def child(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that runs a program, ended with the block."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, **pipes, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def until_held(process: subprocess.Popen[str]) -> None:
    """Return when the child says that it holds the lock."""
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"


def until_waiting(url: str, number: int) -> None:
    """Return when so many sessions wait for the writer's lock."""
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted and objid = %s"
    deadline = time.monotonic() + 120
    while rows(url, waiting, LOCK_KEY & 0xFFFFFFFF) != [(number,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def locks(url: str) -> int:
    """How many advisory locks the database's sessions hold."""
    ((held,),) = rows(
        url,
        "select count(*) from pg_locks where locktype = 'advisory'"
        " and database = (select oid from pg_database where datname = current_database())",
    )
    return held


def test_the_holder_is_named_by_what_it_does_and_where(serving: str) -> None:
    """Process, command, version, host, user and start stand in the error of whoever waits too long."""
    with single_writer(serving, doing=f"publish {NEW}") as holder:
        name = re.escape(f"two-tower publish {NEW} on {socket.gethostname()}"[:63])
        described = rf"process {holder.info.backend_pid} \({name}, user postgres from 127\S+, since 20"
        with (
            pytest.raises(PublishingError, match=rf"more than 0\.05 s: {described}"),
            single_writer(serving, wait=0.05),
        ):
            pytest.fail("two writers at once")


def test_a_long_description_is_cut_to_what_postgres_shows(serving: str) -> None:
    """63 characters of ASCII arrive, whatever is asked for."""
    with single_writer(serving, doing="公開\n" + "x" * 100) as writer:
        assert writer.execute("show application_name").fetchone() == (f"two-tower ???{'x' * 50}",)


@needs_pgbouncer
def test_the_lock_is_free_after_an_error(serving: str, tmp_path: Path) -> None:
    """Also one amid a transaction, and where a pooler keeps the session."""

    def fail(url: str) -> None:
        with single_writer(url) as writer:
            writer.execute("begin")
            raise ZeroDivisionError

    with pgbouncer(serving, tmp_path, pool_mode="session", server_reset_query="") as pooler:
        for url in (serving, pooler):
            with pytest.raises(ZeroDivisionError):
                fail(url)
            assert locks(serving) == 0


def test_a_writer_killed_with_9_frees_the_lock(serving: str) -> None:
    """The next one, waiting already, gets it."""
    with child(HOLD, serving) as holder:
        until_held(holder)
        with (
            pytest.raises(PublishingError, match=r"\(two-tower publish held on "),
            single_writer(serving, wait=0.05),
        ):
            pytest.fail("two writers at once")
        holder.kill()
        with single_writer(serving, wait=30):
            assert locks(serving) == 1


def test_two_publishers_at_once_finish_one_after_the_other(target: Target, old: Path, new: Path) -> None:
    """Both wait for the same lock; the second replaces the first, and the registry says so."""
    with (
        child(PUBLISH, target.url, old, buckets_of(target)) as one,
        child(PUBLISH, target.url, new, buckets_of(target)) as two,
    ):
        with single_writer(target.url, wait=0.05):
            until_waiting(target.url, 2)
        said = {OLD: one.communicate(), NEW: two.communicate()}
        assert (one.returncode, two.returncode) == (0, 0), said
    live = live_release(target.url)
    assert live is not None
    second, first = live.model_version, NEW if live.model_version == OLD else OLD
    assert {version: text.strip() for version, (text, _) in said.items()} == {first: "None", second: first}
    assert {found.model_version: (found.state, found.previous_version) for found in list_releases(target.url)} == {
        first: ("retired", None),
        second: ("live", first),
    }
    assert rows(target.url, "select from_version, to_version from public.release_log order by id") == [
        (None, first),
        (first, second),
    ]
    assert rows(target.url, "select distinct model_version from public.video_embeddings") == [(second,)]
    assert locks(target.url) == 0


def test_a_second_publisher_with_little_patience_is_told_who_is_at_it(target: Target, old: Path, new: Path) -> None:
    """It changes nothing and may come back; the first one, amid its work, is not disturbed."""
    impatient = {
        "users": prepared(new),
        "probes": user_probes(),
        "evaluation": passing(NEW),
        "settings": SETTINGS,
        "lock_wait": 0.2,
    }
    with child(PUBLISH_AND_PAUSE, target.url, old, buckets_of(target)) as first:
        until_held(first)
        before = everything(target.url)
        with pytest.raises(PublishingError, match=r"more than 0\.2 s: process \d+ \(two-tower publish.* on "):
            publish(target, new, **impatient)
        assert everything(target.url) == before
        _, errors = first.communicate()
        assert first.returncode == 0, errors
    assert publish(target, new, **impatient).flip.previous == OLD


@needs_pgbouncer
def test_nobody_writes_through_transaction_mode(target: Target, old: Path, new: Path, tmp_path: Path) -> None:
    """Publishing and rolling back refuse before they change anything."""
    release(target, old)
    release(target, new)
    before = everything(target.url)
    with pgbouncer(target.url, tmp_path, pool_mode="transaction") as pooler:
        with pytest.raises(DatabaseError, match="pooler in transaction mode"):
            release(replace(target, url=pooler), old)
        with pytest.raises(DatabaseError, match="pooler in transaction mode"):
            rollback(replace(target, url=pooler))
    assert everything(target.url) == before


@needs_pgbouncer
def test_the_lock_holds_through_session_mode(target: Target, old: Path, tmp_path: Path) -> None:
    """Among clients of the pooler and direct ones, and a release through it is a release."""
    with pgbouncer(target.url, tmp_path, pool_mode="session") as pooler:
        with single_writer(pooler, doing="publish held"):
            for other in (pooler, target.url):
                with (
                    pytest.raises(PublishingError, match=r"\(two-tower publish held on "),
                    single_writer(other, wait=0.05),
                ):
                    pytest.fail("two writers at once")
        assert release(replace(target, url=pooler), old).flip.changed
    live = live_release(target.url)
    assert live is not None
    assert live.model_version == OLD


@needs_pgbouncer
def test_the_lock_is_given_back_where_a_pooler_keeps_the_session(serving: str, tmp_path: Path) -> None:
    """A pooler that cleans nothing up hands the session on without the lock."""
    with pgbouncer(serving, tmp_path, pool_mode="session", server_reset_query="") as pooler:
        with single_writer(pooler) as writer:
            kept = writer.execute("select pg_backend_pid()").fetchone()
            assert locks(serving) == 1
        assert kept in rows(serving, "select pid from pg_stat_activity")
        assert locks(serving) == 0


@needs_pgbouncer
def test_a_writer_killed_with_9_frees_the_lock_through_a_pooler(serving: str, tmp_path: Path) -> None:
    """The pooler notices, and the next one, waiting already, gets the lock."""
    with (
        pgbouncer(serving, tmp_path, pool_mode="session") as pooler,
        child(HOLD, pooler) as holder,
    ):
        until_held(holder)
        holder.kill()
        with single_writer(serving, wait=30):
            assert locks(serving) == 1
