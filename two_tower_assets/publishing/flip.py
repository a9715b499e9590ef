"""Moving the live pointer: to a verified version, and back to an earlier one.

What is live is decided by the one-row pointer in the serving database and nothing else; `current/` in storage
follows it. A crash at any step leaves readers on the whole old release or the whole new one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from psycopg import errors

from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.current import follow_live
from two_tower_assets.publishing.evidence import (
    FolderEvidence,
    examine_folder,
    kept_evidence,
    require_ann,
    require_evaluation,
)
from two_tower_assets.publishing.files import require_stored
from two_tower_assets.publishing.registry import Release, read_live, read_release
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.writer import LOCK_WAIT_SECONDS, Connection, single_writer, until_unlocked
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.steps import Reached, unheard

_Action = Literal["release", "rollback"]


@dataclass(frozen=True)
class Flip:
    """What a release or a rollback did."""

    model_version: str
    """The live version now."""
    previous: str | None
    """The live version before."""
    changed: bool
    """False when the version was live already and the pointer did not move."""
    seconds: float = 0.0
    """How long moving the pointer took, waiting for readers included."""
    dropped: tuple[str, ...] = ()
    """Versions whose vectors were dropped because newer ones are kept."""


def activate(
    target: Target,
    folder: Path,
    *,
    settings: ReleaseSettings,
    note: str | None = None,
    reached: Reached = unheard,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Flip:
    """Ask for all evidence again and make the version live; `current/` follows, and superseded vectors go.

    Args:
        target: where the version was verified.
        folder: the version's folder.
        settings: bounds, and how many versions' vectors stay.
        note: kept in the release log.
        reached: told before and after the flip, and after each file that follows it.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: evidence is missing, has failed or belongs to another version, or somebody else
            released meanwhile.
        StorageError: the version's files are not in storage as its manifest says.
        DatabaseError: there is no connection.
    """
    _, shown = examine_folder(folder)
    with single_writer(target.url, wait=lock_wait, doing=f"release {shown.model_version}") as connection:
        return make_live(connection, target, folder, shown, settings=settings, note=note, reached=reached)


def make_live(
    connection: Connection,
    target: Target,
    folder: Path,
    shown: FolderEvidence,
    *,
    settings: ReleaseSettings,
    note: str | None,
    reached: Reached = unheard,
) -> Flip:
    """As `activate`, under the caller's lock and for a folder that was examined."""
    version = shown.model_version
    evidence = kept_evidence(read_release(connection, version), shown)
    require_evaluation(evidence.evaluation, version)
    require_ann(evidence.ann, settings, version)
    require_stored(target.buckets, version, shown.manifest_hash)
    live = read_live(connection)
    before = live.model_version if live else None
    reached("before the flip")
    flip = _move(connection, version, before, "release", note)
    reached("flipped")
    follow_live(target.buckets, version, folder, sha256=shown.manifest_hash, reached=reached)
    return replace(flip, dropped=_drop_superseded(connection, settings.keep_versions, reached))


def rollback(
    target: Target,
    *,
    to: str | None = None,
    note: str | None = None,
    reached: Reached = unheard,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Flip:
    """Make an earlier version live again by the same flip; `current/` follows.

    Args:
        target: where it was live.
        to: the version; None: the one that the live version replaced.
        note: kept in the release log.
        reached: told when the pointer has moved, and after each file that follows it.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: nothing was live before, or the version's vectors are no longer kept.
        StorageError: `current/` could not follow; the pointer has moved all the same.
        DatabaseError: there is no connection.
    """
    with single_writer(target.url, wait=lock_wait, doing="roll back") as connection:
        live = read_live(connection)
        before = live.model_version if live else None
        version = to or _replaced(connection, before)
        if before != version:
            _require_retired(read_release(connection, version), version)
        flip = _move(connection, version, before, "rollback", note)
        reached("flipped")
        follow_live(target.buckets, version, reached=reached)
        return flip


def promote(target: Target, version: str, *, note: str | None = None, lock_wait: float = LOCK_WAIT_SECONDS) -> Flip:
    """Make a version live that an experiment has served: the same flip, and `current/` follows.

    Its evidence was asked for when it was verified, and its files and vectors have answered users since.

    Args:
        target: where it was served.
        version: verified, or retired with its vectors kept; of the live one nothing changes.
        note: kept in the release log.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: it is unknown, not verified, or its vectors or files are gone.
        StorageError: `current/` could not follow; the pointer has moved all the same.
        DatabaseError: there is no connection.
    """
    with single_writer(target.url, wait=lock_wait, doing=f"promote {version}") as connection:
        live, release = read_live(connection), read_release(connection, version)
        if release is None or release.manifest_hash is None or release.vector_table is None:
            raise PublishingError(
                f"The vectors of version {version} are gone",
                where=version,
                remedy="Publish it again from its folder.",
            )
        require_stored(target.buckets, version, release.manifest_hash)
        flip = _move(connection, version, live.model_version if live else None, "release", note)
        follow_live(target.buckets, version, sha256=release.manifest_hash)
        return flip


def _move(connection: Connection, version: str, expected: str | None, action: _Action, note: str | None) -> Flip:
    """Flip by compare-and-swap; a version that is live already stays so."""
    if version == expected:
        return Flip(version, expected, changed=False)
    start = time.perf_counter()
    for attempt in until_unlocked():
        with attempt:
            connection.execute("select two_tower.activate_release(%s, %s, %s, %s)", (version, expected, action, note))
    return Flip(version, expected, changed=True, seconds=time.perf_counter() - start)


def _drop_superseded(connection: Connection, keep: int, reached: Reached) -> tuple[str, ...]:
    """Drop vectors beyond the newest `keep` versions; the one just replaced stays, for readers still at it."""
    rows = connection.execute(query("release_superseded"), {"others": max(keep - 1, 1)}).fetchall()
    dropped = []
    for (version,) in rows:
        if _drop(connection, version):
            dropped.append(version)
            reached(f"retired {version}")
    return tuple(dropped)


def _drop(connection: Connection, version: str) -> bool:
    try:
        for attempt in until_unlocked():
            with attempt:
                connection.execute("select two_tower.drop_release_vectors(%s)", (version,))
    except errors.LockNotAvailable:
        # A long transaction still reads them: the release stands, and the next one drops them.
        return False
    return True


def _replaced(connection: Connection, live: str | None) -> str:
    release = read_release(connection, live) if live else None
    if release is None or release.previous_version is None:
        raise PublishingError(
            "There is no earlier release to go back to", where=live, remedy="Name the version to make live."
        )
    return release.previous_version


def _require_retired(release: Release | None, version: str) -> None:
    if release is None or release.vector_table is None or release.state != "retired":
        state = "is unknown" if release is None else f"is {release.state}"
        gone = " and its vectors are gone" if release is not None and release.vector_table is None else ""
        raise PublishingError(
            f"Version {version} {state}{gone}: it cannot be gone back to",
            where=version,
            remedy="Choose a retired version whose vectors are kept, or publish it again from its folder.",
        )
