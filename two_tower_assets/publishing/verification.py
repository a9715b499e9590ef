"""Checking a staged version against its files and exact search, and keeping the evidence with it."""

from __future__ import annotations

from pathlib import Path

from psycopg.types.json import Jsonb

from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.ann_check import check_vectors
from two_tower_assets.publishing.evidence import (
    EvaluationEvidence,
    Evidence,
    FolderEvidence,
    examine_folder,
    kept_evidence,
    require_ann,
    require_evaluation,
)
from two_tower_assets.publishing.probes import Probes
from two_tower_assets.publishing.registry import Release, read_release
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.vectors import is_staged
from two_tower_assets.publishing.writer import LOCK_WAIT_SECONDS, Connection, single_writer
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.steps import Reached, unheard


def verify(
    target: Target,
    folder: Path,
    *,
    probes: Probes,
    evaluation: EvaluationEvidence | None,
    settings: ReleaseSettings,
    lock_wait: float = LOCK_WAIT_SECONDS,
) -> Evidence:
    """Check the staged vectors, and keep all evidence with the release.

    Args:
        target: where the version is staged.
        folder: the version's folder.
        probes: real users with their vectors; up to `settings.ann_queries` of them are asked.
        evaluation: the gate's verdict for this version.
        settings: bounds of the index check.
        lock_wait: seconds to wait for another writer.

    Raises:
        PublishingError: evidence is missing, has failed or belongs to another version; a release whose vectors
            fail is marked `failed`.
        DatabaseError: there is no connection.
    """
    _, shown = examine_folder(folder)
    with single_writer(target.url, wait=lock_wait, doing=f"verify {shown.model_version}") as connection:
        return verify_staged(connection, folder, shown, probes=probes, evaluation=evaluation, settings=settings)


def verify_staged(
    connection: Connection,
    folder: Path,
    shown: FolderEvidence,
    *,
    probes: Probes,
    evaluation: EvaluationEvidence | None,
    settings: ReleaseSettings,
    reached: Reached = unheard,
) -> Evidence:
    """As `verify`, under the caller's lock and for a folder that was examined; a verified one keeps its evidence."""
    version = shown.model_version
    passed = require_evaluation(evaluation, version)
    release = read_release(connection, version)
    if release is None or not is_staged(connection, release, shown.manifest_hash):
        raise PublishingError(
            f"The vectors of version {version} are not staged", where=version, remedy="Stage them first."
        )
    if release.state != "staged" and (kept := kept_evidence(release, shown)).ann.filtered:
        require_ann(kept.ann, settings, version)
        return kept
    evidence = _check(connection, release, folder, shown, probes=probes, evaluation=passed, settings=settings)
    reached("verified the vectors")
    return evidence


def _check(
    connection: Connection,
    release: Release,
    folder: Path,
    shown: FolderEvidence,
    *,
    probes: Probes,
    evaluation: EvaluationEvidence,
    settings: ReleaseSettings,
) -> Evidence:
    probes.require_usable()
    asked = probes.spread(settings.ann_queries)
    try:
        ann = check_vectors(connection, release, folder, asked, filtered_probes=settings.filtered_ann_queries)
        require_ann(ann, settings, release.model_version)
    except PublishingError:
        connection.execute(query("release_failed"), {"model_version": release.model_version})
        raise
    evidence = Evidence(folder=shown, ann=ann, evaluation=evaluation)
    connection.execute(
        query("release_verified"),
        {"model_version": release.model_version, "metrics": Jsonb(evidence.to_metrics())},
    )
    return evidence
