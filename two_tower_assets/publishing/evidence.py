"""What must be shown before a version may go live, gathered anew from its files each time it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from two_tower_assets.artifacts.golden import require_replay
from two_tower_assets.artifacts.manifest import Manifest, manifest_hash, verify
from two_tower_assets.artifacts.user_tower import require_parity
from two_tower_assets.contract import Files
from two_tower_assets.errors import ArtifactError, PublishingError
from two_tower_assets.home import sha256_of
from two_tower_assets.publishing.ann_check import AnnRecall
from two_tower_assets.publishing.registry import Release
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets.training.checkpoint import load_checkpoint

_KEY = "evidence"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=(), allow_inf_nan=False)


class EvaluationEvidence(_Part):
    """The gate's verdict on the model whose recipe this version was refitted with."""

    model_version: str
    """The version that it speaks for."""
    passed: bool
    reasons: tuple[str, ...] = ()
    """Why not."""
    metrics: dict[str, float]
    """What it reached on the test window."""
    recipe: dict[str, Any]
    """Settings that made it, for the day when it is the champion."""
    data_hash: str = ""
    """Content of the snapshot that it was evaluated on."""


class FolderEvidence(_Part):
    """What a version's folder shows by itself."""

    model_version: str
    manifest_hash: str
    weights_hash: str = ""
    """Hex SHA-256 of the private weights, which no manifest lists; empty in evidence from before it was kept."""
    golden_cases: int
    golden_features: float
    """Largest difference of a feature when the golden vectors are replayed."""
    golden_embedding: float
    onnx_parity: float
    """Largest difference of an embedding between torch and onnxruntime."""


class Evidence(_Part):
    """Everything, as it is kept with the release."""

    folder: FolderEvidence
    ann: AnnRecall
    evaluation: EvaluationEvidence

    def to_metrics(self) -> dict[str, Any]:
        """Return the value of `model_releases.metrics`."""
        return {_KEY: self.model_dump(mode="json")}


def examine_folder(folder: Path) -> tuple[Manifest, FolderEvidence]:
    """Verify the manifest, replay the golden vectors and compare ONNX with the weights.

    Raises:
        PublishingError: one of them fails or belongs to another version.
    """
    try:
        manifest = verify(folder)
        replayed = require_replay(folder)
        towers, facts = load_checkpoint(folder / Files.TOWERS)
        parity = require_parity(towers.user, folder / Files.USER_TOWER)
    except ArtifactError as error:
        raise PublishingError(
            f"The release is refused: {error.what}", where=error.where, remedy=error.remedy
        ) from None
    if facts.model_version != manifest.model_version:
        raise PublishingError(
            f"The weights beside version {manifest.model_version} are of version {facts.model_version}",
            where=str(folder / Files.TOWERS),
            remedy="Restore the folder, or train a new version.",
        )
    return manifest, FolderEvidence(
        model_version=manifest.model_version,
        manifest_hash=manifest_hash(folder),
        weights_hash=sha256_of(folder / Files.TOWERS),
        golden_cases=replayed.cases,
        golden_features=replayed.features,
        golden_embedding=replayed.embedding,
        onnx_parity=parity,
    )


def require_evaluation(evaluation: EvaluationEvidence | None, model_version: str) -> EvaluationEvidence:
    """Return the evaluation when it speaks for this version and is good enough.

    Raises:
        PublishingError: it is missing, of another version, or not passed.
    """
    remedy = "Materialize evaluation/report for this version's data and settings."
    if evaluation is None:
        raise PublishingError(f"Version {model_version} was never evaluated", where=model_version, remedy=remedy)
    if evaluation.model_version != model_version:
        raise PublishingError(
            f"The evaluation is of version {evaluation.model_version}, not {model_version}",
            where=model_version,
            remedy=remedy,
        )
    if not evaluation.passed:
        raise PublishingError(
            f"The gate refused version {model_version}: {'; '.join(evaluation.reasons)}",
            where=model_version,
            remedy="Change the data or the recipe and train again, or change the bounds in [gate] knowingly.",
        )
    return evaluation


def require_ann(ann: AnnRecall, settings: ReleaseSettings, model_version: str) -> AnnRecall:
    """Return the index's recall when it is good enough.

    Raises:
        PublishingError: without a filter or under one, recall@10 or recall@50 is below its bound, or rows that
            exist were not returned.
    """
    problems = [*_too_low("no filter", ann.recall_at_10, ann.recall_at_50, settings.min_ann_recall)]
    for found in ann.filtered:
        bound = settings.min_filtered_ann_recall
        problems += _too_low(found.filter, found.recall_at_10, found.recall_at_50, bound)
        if found.missing:
            problems.append(f"{found.missing} rows that exist are missing under the filter {found.filter}")
    if not ann.filtered:
        problems.append("it was not asked under filters")
    if problems:
        raise PublishingError(
            f"The index misses neighbours: {'; '.join(problems)}",
            where=model_version,
            remedy="Raise release.hnsw_m or release.hnsw_ef_construction and publish the version again.",
        )
    return ann


def _too_low(under: str, at_10: float, at_50: float, bound: float) -> Iterator[str]:
    for length, value in ((10, at_10), (50, at_50)):
        if not value >= bound:
            yield f"it finds {value:.4f} of the {length} nearest videos under {under}, less than {bound:g}"


def kept_evidence(release: Release | None, folder: FolderEvidence) -> Evidence:
    """Return the evidence kept with a release, when it is of the same files.

    Raises:
        PublishingError: there is none, or it is of other files or another version.
    """
    version = folder.model_version
    remedy = "Publish the version again: its vectors are then staged and checked."
    if release is None or _KEY not in release.metrics:
        raise PublishingError(f"Version {version} has no evidence", where=version, remedy=remedy)
    try:
        evidence = Evidence.model_validate(release.metrics[_KEY])
    except ValidationError:
        raise PublishingError(
            f"The evidence of version {version} is unreadable", where=version, remedy=remedy
        ) from None
    of = (evidence.folder.model_version, evidence.folder.manifest_hash, release.manifest_hash)
    if of != (version, folder.manifest_hash, folder.manifest_hash):
        raise PublishingError(
            f"The evidence of version {version} is of version {of[0]} with other files", where=version, remedy=remedy
        )
    return evidence


def weights_hash(release: Release) -> str | None:
    """Return the hash of the weights that a release was examined with; None when it was not kept."""
    kept = release.metrics.get(_KEY, {}).get("folder", {}).get("weights_hash", "")
    return str(kept) or None
