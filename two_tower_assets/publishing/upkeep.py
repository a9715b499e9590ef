"""What users are served by as work between two releases finds it, and holds it while it adds to it.

That is the live release and, while experiments run, those of their arms. Work that kept the live one alone up to date
would have an experiment compare a fresh control with a stale treatment.

Such work adds vectors of the same version and never moves the pointer. It takes no writer's lock: a release may be
prepared beside it, and only a flip waits, for the moment that a block of vectors is being written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.experiments.registry import knows_experiments
from two_tower_assets.publishing.registry import Release, read_live, read_release
from two_tower_assets.publishing.writer import Connection


def require_live(connection: Connection) -> Release:
    """Return the live release.

    Raises:
        PublishingError: nothing is live.
    """
    live = read_live(connection)
    release = read_release(connection, live.model_version) if live else None
    if release is None:
        raise PublishingError(
            "No release is live", where="public.live_release", remedy="Start the job `release`, or `two-tower run`."
        )
    return release


@dataclass(frozen=True)
class Arm:
    """A release that running experiments serve beside the live one."""

    release: Release
    audience: str
    """The experiments and their slices of all users: another one when one starts, stops or is given more users."""


def arms_beside(connection: Connection) -> tuple[Arm, ...]:
    """Return what running experiments serve beside the live release; nothing where the database knows none."""
    if not knows_experiments(connection):
        return ()
    found = connection.execute(query("experiment_arms_beside")).fetchall()
    releases = ((read_release(connection, version), audience) for version, audience in found)
    return tuple(Arm(release, audience) for release, audience in releases if release is not None)


def while_served(connection: Connection, release: Release) -> AbstractContextManager[None]:
    """Run a block in one transaction in which a release stays what it was found as: live, or kept for an arm.

    Raises:
        PublishingError: it is not any more; nothing was written.
    """
    hold = while_live if release.state == "live" else while_kept
    return hold(connection, release.model_version)


@contextmanager
def while_kept(connection: Connection, version: str) -> Iterator[None]:
    """Run a block in one transaction in which a version's vectors are not dropped.

    Raises:
        PublishingError: they are gone by now; nothing was written.
    """
    with connection.transaction():
        connection.execute("set local statement_timeout = 0")
        if connection.execute(query("release_vectors_held"), {"model_version": version}).fetchone() is None:
            raise PublishingError(
                f"The vectors of version {version} are gone",
                where="public.model_releases",
                remedy="Nothing was lost. Stop the experiment that it was an arm of.",
            )
        yield


@contextmanager
def while_live(connection: Connection, version: str) -> Iterator[None]:
    """Run a block in one transaction in which a version is live from beginning to end.

    Raises:
        PublishingError: another one is live by now; nothing was written.
    """
    with connection.transaction():
        connection.execute("set local statement_timeout = 0")
        row = connection.execute(query("live_release_held")).fetchone()
        if row != (version,):
            raise PublishingError(
                f"Version {version} is no longer live: {row[0] if row else 'none'} is",
                where="public.live_release",
                remedy="Nothing was lost. The same work for what is live now is started by its sensor, or by you.",
            )
        yield
