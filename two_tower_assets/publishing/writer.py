"""One writer of releases at a time, by a Postgres advisory lock that dies with its session.

The holder's application name says what it does and where, for whoever has to wait.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
import stamina
from psycopg import errors
from psycopg.rows import TupleRow
from stamina import Attempt

from two_tower_assets.database.advisory_lock import hold, release
from two_tower_assets.database.connection import APPLICATION_NAME, without_password
from two_tower_assets.database.pooling import connect_to_own_session
from two_tower_assets.errors import PublishingError

LOCK_KEY: Final = 0x72656C6561736573
"""Advisory lock of the writer: the bytes of `releases`."""
LOCK_WAIT_SECONDS: Final = 60.0
UNLOCK_SECONDS: Final = 10.0
"""How long a flip waits for transactions that read what it changes."""
APPLICATION_NAME_LENGTH: Final = 63
"""Characters of an application name that Postgres keeps."""

Connection = psycopg.Connection[TupleRow]


@contextmanager
def single_writer(url: str, *, wait: float = LOCK_WAIT_SECONDS, doing: str = "publishing") -> Iterator[Connection]:
    """Yield an autocommitting connection that holds the writer's lock until the block ends.

    Args:
        url: the serving database, directly or through a pooler in session mode.
        wait: seconds to wait for another writer.
        doing: what the lock is held for, such as `publish 20260301T120000Z-0123456`; others who wait read it.

    Raises:
        DatabaseError: there is no connection, or it is a pooler's in transaction mode, where no lock holds.
        PublishingError: another writer holds the lock for longer than `wait` seconds; the text names it.
    """
    with connect_to_own_session(url, application_name=_application_name(doing)) as connection:
        if holder := hold(connection, LOCK_KEY, wait=wait):
            raise PublishingError(
                f"Another writer has been at work for more than {wait:g} s: {holder}",
                where=without_password(url),
                remedy="Wait for it, or end it with `select pg_terminate_backend(<pid>)` when it is stuck.",
            )
        try:
            with refusals(url):
                yield connection
        finally:
            release(connection, LOCK_KEY)


def _application_name(doing: str) -> str:
    """Say what is done and on which host, in the printable ASCII and the length that Postgres shows."""
    text = f"{APPLICATION_NAME} {doing} on {socket.gethostname()}"
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:APPLICATION_NAME_LENGTH]


@contextmanager
def refusals(url: str) -> Iterator[None]:
    """Turn what the release functions raise into an error for people, with the function's own hint."""
    try:
        yield
    except (errors.NoDataFound, errors.ObjectNotInPrerequisiteState, errors.SerializationFailure) as error:
        raise PublishingError(
            error.diag.message_primary or str(error),
            where=without_password(url),
            remedy=error.diag.message_hint or "Publish the version again.",
        ) from None
    except errors.LockNotAvailable:
        raise PublishingError(
            "Readers or another session held a table for too long",
            where=without_password(url),
            remedy="Nothing was changed. End long transactions that read public.video_embeddings, then try again.",
        ) from None


def until_unlocked() -> Iterator[Attempt]:
    """Try what gives up on a lock after 40 ms again and again, with growing pauses, for ten seconds.

    Giving up soon is what keeps readers from queueing behind the waiting writer.
    """
    yield from stamina.retry_context(
        on=errors.LockNotAvailable,
        attempts=None,
        timeout=UNLOCK_SECONDS,
        wait_initial=0.02,
        wait_max=0.5,
        wait_jitter=0.02,
    )
