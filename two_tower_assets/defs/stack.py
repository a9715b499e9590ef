"""`two-tower up` and `two-tower down`: the local stack over what this site has released.

What does not live here: the servers (`local.stack`), and asking them (`asking`).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import click
import psycopg

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.database.queries import query
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stack_words import words_of
from two_tower_assets.errors import DatabaseUnreachableError, LocalStackError
from two_tower_assets.home import Home
from two_tower_assets.local.gateway import ServedArtifacts
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.shutdown import wait_for
from two_tower_assets.local.stack import LocalStack
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.folder import FolderBucket

_LOOK_SECONDS: Final = 0.5
_SESSIONS_END_SECONDS: Final = 3.0


def bring_up(site: Site, *, port: int | None, detach: bool) -> None:
    """Start the stack, say how to use it, and mind it until Ctrl-C or `two-tower down`; then stop it all.

    Args:
        site: what is served.
        port: of `SUPABASE_URL`; by default the last one, or another where it is taken.
        detach: leave it running and return.

    Raises:
        LocalStackError: a part does not start or ends by itself, or the stack is up already.
    """
    stack = LocalStack(site.home)
    artifacts = _artifacts(site)
    with _ending_as_ctrl_c(), stack.supervised():
        kept = False
        try:
            click.echo("Starting Postgres, PostgREST and the functions …", err=True)
            database = site.pipeline_url
            migrate(database)
            url = stack.start(database_url=database, artifacts=artifacts, dataset=site.origin.dataset, port=port)
            click.echo(words_of(database, url, stack.keys, detached=detach))
            kept = detach
            while not detach and _runs(stack):
                time.sleep(_LOOK_SECONDS)
        except KeyboardInterrupt:
            click.echo("\nStopping …", err=True)
        finally:
            if not kept:
                _stop(stack)


def bring_down(home: Home) -> None:
    """Stop the stack, if there is one, and the embedded Postgres; nothing is lost."""
    LocalStack(home).stop()
    EmbeddedPostgres(home.postgres).stop()


def _runs(stack: LocalStack) -> bool:
    stack.require_running()
    return not stack.gateway.was_stopped


def _stop(stack: LocalStack) -> None:
    stack.stop()
    postgres = EmbeddedPostgres(stack.home.postgres)
    if wait_for(lambda: not (postgres.is_running() and _others(postgres)), _SESSIONS_END_SECONDS):
        postgres.stop()
    else:
        click.echo("Others use the embedded Postgres: it goes on. `two-tower down` stops it.", err=True)


def _others(postgres: EmbeddedPostgres) -> int:
    """Count the sessions of others; a server that `two-tower down` is ending at this moment has none to keep."""
    try:
        with connect(postgres.url(), autocommit=True) as connection:
            row = connection.execute(query("open_sessions")).fetchone()
    except (DatabaseUnreachableError, psycopg.OperationalError):
        return 0
    assert row is not None
    return int(row[0])


def _artifacts(site: Site) -> ServedArtifacts:
    """Where the files are; refuses a site whose database is somebody's own."""
    environment = site.environment
    if environment.database_url is not None or environment.serving_url is not None:
        raise LocalStackError(
            "The local stack serves the embedded Postgres, and another one is named here",
            where="TWO_TOWER_DATABASE_URL" if environment.database_url is not None else "SUPABASE_DB_URL",
            remedy="Unset it, or deploy the functions to that project (`supabase functions deploy`).",
        )
    buckets = _buckets(site)
    if isinstance(buckets.public, FolderBucket):
        folder = buckets.public.root.absolute()
        return ServedArtifacts(bucket=environment.bucket, prefix=buckets.prefix, folder=folder)
    return ServedArtifacts(bucket=environment.bucket, prefix=buckets.prefix, base_url=buckets.base_url)


def _buckets(site: Site) -> Buckets:
    from two_tower_assets.storage.buckets import open_buckets

    return open_buckets(site.environment, site.origin.dataset)


@contextmanager
def _ending_as_ctrl_c() -> Iterator[None]:
    """Take a polite request to end as Ctrl-C, so that the stack goes with its minder."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
