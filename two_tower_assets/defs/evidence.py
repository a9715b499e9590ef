"""What publishing is shown: the evaluation that speaks for a version, and vectors of real users to search with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from two_tower_assets.contract import Files
from two_tower_assets.defs.inputs import USER_VECTORS_FILE, report_of, verdict_of
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made
from two_tower_assets.sources.snapshot import Snapshot

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from two_tower_assets.evaluation.report import Report
    from two_tower_assets.publishing.evidence import EvaluationEvidence


def evaluation_for(site: Site, checkpoint: Made, report: Made, verdict: Made) -> EvaluationEvidence | None:
    """The gate's verdict, when it is the one that the checkpoint was made after; else None."""
    from two_tower_assets.artifacts.meta import ModelMeta
    from two_tower_assets.evaluation.recipe import Recipe
    from two_tower_assets.publishing.evidence import EvaluationEvidence

    if checkpoint.facts["verdict"] != verdict.data_version:
        return None
    found = verdict_of(site, verdict)
    return EvaluationEvidence(
        model_version=checkpoint.data_version,
        passed=found.passed,
        reasons=found.reasons,
        metrics=headline(report_of(site, report)),
        recipe=Recipe.of(site.settings).model_dump(mode="json"),
        data_hash=ModelMeta.read(checkpoint.folder(site.home) / Files.MODEL_META).data.content_hash,
    )


def champion_recipe(site: Site, snapshot: Snapshot) -> tuple[str, dict[str, Any]] | None:
    """Version and recipe of the release that a model of this snapshot would replace; None where there is none.

    That is the live one, or what it replaced where the live one was made by today's recipe from this very snapshot: a
    run that is repeated compares what it compared before. A release from before recipes were kept has an empty one.
    """
    from two_tower_assets.evaluation.recipe import Recipe
    from two_tower_assets.publishing.registry import list_releases, live_release

    live = live_release(site.serving_url)
    if live is None:
        return None
    releases = {release.model_version: release for release in list_releases(site.serving_url)}
    own = (Recipe.of(site.settings).model_dump(mode="json"), snapshot.content_hash)
    version: str | None = live.model_version
    while version is not None:
        kept = releases[version].metrics.get("evidence", {}).get("evaluation", {})
        if (kept.get("recipe"), kept.get("data_hash")) != own:
            return version, kept.get("recipe", {})
        version = releases[version].previous_version
    return None


def headline(report: Report) -> dict[str, float]:
    """Mean figures of the towers on the judged users of the global split."""
    from two_tower_assets.evaluation.report import MODEL
    from two_tower_assets.evaluation.trials import GLOBAL

    trial = report.trial(GLOBAL)
    group = trial.groups.get(trial.judged)
    return {} if group is None else {name: figure.mean for name, figure in group.metrics.get(MODEL, {}).items()}


def real_user_vectors(site: Site, checkpoint: Made, user_vectors: Made) -> NDArray[np.float32]:
    """Embeddings of real users by the version's own ONNX tower: float32 [users, 256]."""
    from two_tower_assets.artifacts.client import ModelFolder
    from two_tower_assets.features.matrix import FeatureMatrix
    from two_tower_assets.publishing.vector_check import spread

    matrix = FeatureMatrix.load(user_vectors.path(site.home, USER_VECTORS_FILE))
    chosen = spread(len(matrix), site.settings.release.ann_queries)
    return ModelFolder.open(checkpoint.folder(site.home)).embed(matrix.rows(chosen))
