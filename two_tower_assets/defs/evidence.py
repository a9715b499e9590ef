"""What publishing is shown: the evaluation that speaks for a version, and the users it is made for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from two_tower_assets.contract import Files
from two_tower_assets.defs.inputs import USER_VECTORS_FILE, report_of, snapshot_of, verdict_of
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made
from two_tower_assets.sources.snapshot import Snapshot

if TYPE_CHECKING:
    from two_tower_assets.evaluation.report import Report
    from two_tower_assets.publishing.evidence import EvaluationEvidence
    from two_tower_assets.publishing.probes import Probes
    from two_tower_assets.publishing.user_vectors import UserVectors


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


def probes_for(site: Site, checkpoint: Made, user_vectors: Made) -> Probes:
    """Users that the index is checked with: through the exported ONNX tower."""
    from two_tower_assets.artifacts.client import ModelFolder
    from two_tower_assets.features.matrix import FeatureMatrix
    from two_tower_assets.publishing.users import probes

    matrix = FeatureMatrix.load(user_vectors.path(site.home, USER_VECTORS_FILE))
    model = ModelFolder.open(checkpoint.folder(site.home))
    return probes(model, matrix, site.settings.release.ann_queries)


def active_users_for(site: Site, checkpoint: Made, user_vectors: Made, decisions: Made) -> UserVectors:
    """Users with a recent decision, and their vectors through the exported ONNX tower when they are asked for."""
    from two_tower_assets.artifacts.client import ModelFolder
    from two_tower_assets.features.matrix import FeatureMatrix
    from two_tower_assets.publishing.users import active_users

    matrix = FeatureMatrix.load(user_vectors.path(site.home, USER_VECTORS_FILE))
    model = ModelFolder.open(checkpoint.folder(site.home))
    return active_users(model, matrix, snapshot_of(site, decisions), site.settings.release.active_user_days)
