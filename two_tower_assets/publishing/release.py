"""Publishing a version: write beside, verify, flip; and flipping back.

What is live is decided by the one-row pointer in the serving database and nothing else. Every step can be run
again: what is done already is found done. A crash at any step leaves readers on the whole old release or the
whole new one. What does not live here: files in storage buckets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from psycopg import errors
from psycopg.types.json import Jsonb

from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.evidence import (
    EvaluationEvidence,
    Evidence,
    FolderEvidence,
    examine_folder,
    kept_evidence,
    require_ann,
    require_evaluation,
)
from two_tower_assets.publishing.registry import Release, read_live, read_release
from two_tower_assets.publishing.vector_check import check_vectors, sample_queries
from two_tower_assets.publishing.vectors import Staged, is_staged, stage_vectors
from two_tower_assets.publishing.writer import LOCK_WAIT_SECONDS, Connection, single_writer
from two_tower_assets.settings import ReleaseSettings

_Action = Literal["release", "rollback"]


@dataclass(frozen=True)
class Flip:
    """What a release or a rollback did."""

    model_version: str
    """The live version now."""
    previous: str | None
    """The live version before."""
    changed: bool
    """False when the version was live already and nothing was written."""
    dropped: tuple[str, ...] = ()
    """Versions whose vectors were dropped because newer ones are kept."""


@dataclass(frozen=True)
class Publication:
    """What publishing did, step by step."""

    staged: Staged
    evidence: Evidence
    flip: Flip


def stage(
    url: str,
    folder: Path,
    *,
    settings: ReleaseSettings,
    progress: Progress = silent,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Staged:
    """Write and index a version's vectors beside the live ones.

    Args:
        url: the serving database.
        folder: the version's folder, with its manifest.
        settings: index parameters.
        progress: rows copied, then rows indexed, of twice the number of rows.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: the folder or its vectors are not fit to be released, or another writer is at work.
        DatabaseError: there is no connection.
    """
    manifest, _ = examine_folder(folder)
    with single_writer(url, wait=lock_wait) as connection:
        return stage_vectors(connection, url, folder, manifest, settings=settings, progress=progress)


def verify(
    url: str,
    folder: Path,
    *,
    queries_UD: NDArray[np.float32],
    evaluation: EvaluationEvidence | None,
    settings: ReleaseSettings,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Evidence:
    """Check the staged vectors, and keep all evidence with the release.

    Args:
        url: the serving database.
        folder: the version's folder.
        queries_UD: vectors of real users, float32 [U, 256]; up to `settings.ann_queries` of them are asked.
        evaluation: the gate's comparison for this version.
        settings: bounds of the index check.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: evidence is missing, has failed or belongs to another version; a release whose vectors
            fail is marked `failed`.
        DatabaseError: there is no connection.
    """
    _, shown = examine_folder(folder)
    with single_writer(url, wait=lock_wait) as connection:
        return _verify(connection, folder, shown, queries_UD=queries_UD, evaluation=evaluation, settings=settings)


def activate(
    url: str,
    folder: Path,
    *,
    settings: ReleaseSettings,
    note: str | None = None,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Flip:
    """Ask for all evidence again and make the version live; it was live already: nothing changes.

    Args:
        url: the serving database.
        folder: the version's folder.
        settings: how many versions' vectors stay.
        note: kept in the release log.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: evidence is missing, has failed or belongs to another version, or somebody else
            released meanwhile.
        DatabaseError: there is no connection.
    """
    _, shown = examine_folder(folder)
    with single_writer(url, wait=lock_wait) as connection:
        return _activate(connection, shown, settings, note)


def publish(
    url: str,
    folder: Path,
    *,
    queries_UD: NDArray[np.float32],
    evaluation: EvaluationEvidence | None,
    settings: ReleaseSettings,
    note: str | None = None,
    progress: Progress = silent,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Publication:
    """Stage, verify and activate under one lock; arguments and errors are those of the three."""
    manifest, shown = examine_folder(folder)
    require_evaluation(evaluation, manifest.model_version)
    with single_writer(url, wait=lock_wait) as connection:
        staged = stage_vectors(connection, url, folder, manifest, settings=settings, progress=progress)
        evidence = _verify(connection, folder, shown, queries_UD=queries_UD, evaluation=evaluation, settings=settings)
        return Publication(staged, evidence, _activate(connection, shown, settings, note))


def rollback(
    url: str,
    *,
    to: str | None = None,
    note: str | None = None,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Flip:
    """Make an earlier version live again by the same flip.

    Args:
        url: the serving database.
        to: the version; None: the one that the live version replaced.
        note: kept in the release log.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: nothing was live before, or the version's vectors are no longer kept.
        DatabaseError: there is no connection.
    """
    with single_writer(url, wait=lock_wait) as connection:
        live = read_live(connection)
        target = to or _replaced(connection, live.model_version if live else None)
        if live is not None and live.model_version == target:
            return Flip(target, target, changed=False)
        _require_retired(read_release(connection, target), target)
        return _flip(connection, target, live.model_version if live else None, "rollback", note)


def _verify(
    connection: Connection,
    folder: Path,
    shown: FolderEvidence,
    *,
    queries_UD: NDArray[np.float32],
    evaluation: EvaluationEvidence | None,
    settings: ReleaseSettings,
) -> Evidence:
    passed = require_evaluation(evaluation, shown.model_version)
    release = read_release(connection, shown.model_version)
    if release is None or not is_staged(connection, release, shown.manifest_hash):
        raise PublishingError(
            f"The vectors of version {shown.model_version} are not staged",
            where=shown.model_version,
            remedy="Stage them first.",
        )
    if release.state != "staged":
        kept = kept_evidence(release, shown)
        require_ann(kept.ann, settings.min_ann_recall, shown.model_version)
        return kept
    return _check(connection, release, folder, shown, queries_UD=queries_UD, evaluation=passed, settings=settings)


def _check(
    connection: Connection,
    release: Release,
    folder: Path,
    shown: FolderEvidence,
    *,
    queries_UD: NDArray[np.float32],
    evaluation: EvaluationEvidence,
    settings: ReleaseSettings,
) -> Evidence:
    assert release.vector_table is not None
    queries_QD = sample_queries(queries_UD, settings.ann_queries)
    try:
        ann = check_vectors(connection, release.vector_table, folder, queries_QD)
        require_ann(ann, settings.min_ann_recall, release.model_version)
    except PublishingError:
        connection.execute(query("release_failed"), {"model_version": release.model_version})
        raise
    evidence = Evidence(folder=shown, ann=ann, evaluation=evaluation)
    connection.execute(
        query("release_verified"),
        {"model_version": release.model_version, "metrics": Jsonb(evidence.to_metrics())},
    )
    return evidence


def _activate(connection: Connection, shown: FolderEvidence, settings: ReleaseSettings, note: str | None) -> Flip:
    version = shown.model_version
    evidence = kept_evidence(read_release(connection, version), shown)
    require_evaluation(evidence.evaluation, version)
    require_ann(evidence.ann, settings.min_ann_recall, version)
    live = read_live(connection)
    before = live.model_version if live else None
    if before == version:
        return Flip(version, before, changed=False)
    flip = _flip(connection, version, before, "release", note)
    return replace(flip, dropped=_drop_superseded(connection, settings.keep_versions))


def _flip(connection: Connection, version: str, expected: str | None, action: _Action, note: str | None) -> Flip:
    connection.execute("select two_tower.activate_release(%s, %s, %s, %s)", (version, expected, action, note))
    return Flip(version, expected, changed=True)


def _drop_superseded(connection: Connection, keep: int) -> tuple[str, ...]:
    """Drop vectors beyond the newest `keep` versions; the one just replaced stays, for readers still at it."""
    rows = connection.execute(query("release_superseded"), {"others": max(keep - 1, 1)}).fetchall()
    return tuple(version for (version,) in rows if _drop(connection, version))


def _drop(connection: Connection, version: str) -> bool:
    try:
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
