"""Is the live release everywhere what was released? Everything is read again: registry, files, vectors, users.

Nothing is changed. What does not live here: mending (publishing the version again does that) and printing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from two_tower_assets.artifacts.manifest import manifest_hash, verify
from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError, TwoTowerError
from two_tower_assets.publishing.files import differences
from two_tower_assets.publishing.readback import same_blocks
from two_tower_assets.publishing.registry import Release, read_live, read_release
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.user_vectors import table_of
from two_tower_assets.publishing.vectors import qualified
from two_tower_assets.publishing.writer import Connection, refusals
from two_tower_assets.storage.reading import fetch


@dataclass(frozen=True)
class Finding:
    """One thing that was read again."""

    what: str
    problems: tuple[str, ...]
    """What differs, a sentence each; empty when it is as released."""


@dataclass(frozen=True)
class Inspection:
    """All findings on the live release."""

    model_version: str
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing differs."""
        return not any(finding.problems for finding in self.findings)


def inspect(target: Target, artifacts: Path) -> Inspection:
    """Read the live release again, wherever it lies.

    Args:
        target: the database and the buckets.
        artifacts: folder of all versions on this machine; a version that is not there is passed over.

    Raises:
        PublishingError: nothing is live.
        DatabaseError: there is no connection.
    """
    with connect(target.url, autocommit=True) as connection:
        live = read_live(connection)
        if live is None:
            raise PublishingError(
                "No release is live", where="public.live_release", remedy="Publish one: `two-tower run`."
            )
        release = read_release(connection, live.model_version)
        assert release is not None
        return Inspection(live.model_version, tuple(_findings(connection, target, release, artifacts)))


def _findings(connection: Connection, target: Target, release: Release, artifacts: Path) -> Iterator[Finding]:
    version, buckets = release.model_version, target.buckets
    yield _finding("the registry's row", lambda: _registry(release))
    yield _finding(
        f"the files in {buckets.public.url}/{buckets.prefix}, the version's own and current/",
        lambda: differences(buckets, version, sha256=release.manifest_hash),
    )
    yield _finding(f"the vectors in {release.vector_table}", lambda: _vectors(connection, target, release))
    yield _finding("the vectors of users", lambda: _users(connection, release))
    if (artifacts / version / Files.MANIFEST).exists():
        folder = artifacts / version
        yield _finding(f"the folder {folder}", lambda: _folder(folder, release))


def _finding(what: str, problems: Callable[[], tuple[str, ...]]) -> Finding:
    try:
        return Finding(what, problems())
    except TwoTowerError as error:
        return Finding(what, (error.what,))


def _registry(release: Release) -> tuple[str, ...]:
    kept = release.metrics.get("evidence", {}).get("folder", {}).get("manifest_hash")
    if kept != release.manifest_hash:
        return (f"its evidence is of manifest {kept}, and {release.manifest_hash} is live",)
    return ()


def _vectors(connection: Connection, target: Target, release: Release) -> tuple[str, ...]:
    assert release.vector_table is not None
    with refusals(target.url):
        connection.execute(query("release_complete"), {"model_version": release.model_version})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Files.VIDEO_EMBEDDINGS
        fetch(target.buckets.public, f"{release.artifact_prefix}/{Files.VIDEO_EMBEDDINGS}", path)
        for _ in same_blocks(connection, release.vector_table, path, may_have_others=True):
            pass
    return ()


def _users(connection: Connection, release: Release) -> tuple[str, ...]:
    counted = connection.execute(sql.SQL("select count(*) from {}").format(qualified(table_of(release)))).fetchone()
    assert counted is not None
    if release.user_count is not None and counted[0] < release.user_count:
        return (f"{counted[0]} are there of {release.user_count} that were prepared",)
    return ()


def _folder(folder: Path, release: Release) -> tuple[str, ...]:
    verify(folder)
    digest = manifest_hash(folder)
    return () if digest == release.manifest_hash else (f"its manifest is {digest}, not the one released",)
