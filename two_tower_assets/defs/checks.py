"""Asset checks: each asks one question of a stage's own comparison; the blocking ones stop what comes after."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

from two_tower_assets.contract import GOLDEN_TOLERANCE, Files
from two_tower_assets.defs import metadata
from two_tower_assets.defs.evidence import active_users_for, evaluation_for, probes_for
from two_tower_assets.defs.inputs import (
    ITEM_VECTORS_FILE,
    USER_VECTORS_FILE,
    readouts_of,
    snapshot_of,
    space_of,
    trials_for,
    verdict_of,
)
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.stage import friendly, inputs_of
from two_tower_assets.defs.store import Made
from two_tower_assets.defs.tables import answer_rows
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.evaluation.page.words import named

if TYPE_CHECKING:
    from two_tower_assets.features.checks import Comparison
    from two_tower_assets.features.matrix import FeatureMatrix
    from two_tower_assets.settings import FeatureSettings

# Bounds are text: a number would get a plot of its own, of a line that never moves.
_TOLERATED: Final = f"at most {GOLDEN_TOLERANCE:g}"


def stage_check(asset: str, *inputs: str) -> Callable[[Callable[..., dg.AssetCheckResult]], dg.AssetChecksDefinition]:
    """Declare a blocking check of an asset; its function's name and docstring are what the UI shows."""

    def declare(body: Callable[..., dg.AssetCheckResult]) -> dg.AssetChecksDefinition:
        return dg.asset_check(
            asset=asset.split("/"),
            blocking=True,
            description=body.__doc__,
            additional_ins=inputs_of(*inputs),
        )(friendly(body))

    return declare


@stage_check("features/item_vectors", "sources/videos", "features/normalizer")
def item_vectors_are_the_same_from_rpc_and_frames(
    workspace: Workspace, item_vectors: Made, videos: Made, normalizer: Made
) -> dg.AssetCheckResult:
    """The other feature source gives the same item vectors."""
    from two_tower_assets.features.items import item_matrix
    from two_tower_assets.features.stored import store_items, stored_items

    site = workspace.site
    snapshot = snapshot_of(site, videos)
    with tempfile.TemporaryDirectory() as folder:
        store_items(snapshot, site.pipeline_url, Path(folder), _other_source(site))
        other = item_matrix(stored_items(Path(folder), snapshot), space_of(site, normalizer))
    return _same_matrices(item_vectors.path(site.home, ITEM_VECTORS_FILE), other)


@stage_check("features/user_vectors", "sources/videos", "features/normalizer")
def user_vectors_are_the_same_from_rpc_and_frames(
    workspace: Workspace, user_vectors: Made, videos: Made, normalizer: Made
) -> dg.AssetCheckResult:
    """The other feature source gives the same user vectors."""
    from two_tower_assets.features.stored import store_users, stored_users
    from two_tower_assets.features.users import users_of_blocks

    site = workspace.site
    snapshot, space = snapshot_of(site, videos), space_of(site, normalizer)
    with tempfile.TemporaryDirectory() as folder:
        store_users(snapshot, site.pipeline_url, Path(folder), _other_source(site))
        blocks = stored_users(Path(folder), video_ids=bool(space.videos))
        other = users_of_blocks(blocks, as_of=snapshot.cutoff, space=space)
    return _same_matrices(user_vectors.path(site.home, USER_VECTORS_FILE), other)


@stage_check("training/examples", "sources/videos", "features/normalizer")
def examples_see_what_serving_would_have_seen(
    workspace: Workspace, examples: Made, videos: Made, normalizer: Made
) -> dg.AssetCheckResult:
    """Sampled examples equal `get_user_embedding_features` as of their moment."""
    from two_tower_assets.features.checks import compare_with_rpc
    from two_tower_assets.features.history import History
    from two_tower_assets.features.point_in_time import UserStates

    del examples
    site = workspace.site
    snapshot = snapshot_of(site, videos)
    states = UserStates.from_snapshot(snapshot, History.from_snapshot(snapshot), space_of(site, normalizer))
    sample, seed = site.settings.gate.sampled_examples, site.settings.training.seed
    return _comparison(compare_with_rpc(states, site.pipeline_url, sample=sample, seed=seed))


@stage_check("evaluation/verdict")
def may_replace_what_serves(workspace: Workspace, verdict: Made) -> dg.AssetCheckResult:
    """The gate: not worse than the live release or popularity, and no guardrail is broken."""
    found = verdict_of(workspace.site, verdict)
    reached = {named(answer.question): answer.value for answer in found.answers if answer.value is not None}
    described = {"answers": metadata.table(*answer_rows(found)), **metadata.figures(reached)}
    return dg.AssetCheckResult(passed=found.passed, description="; ".join(found.reasons) or None, metadata=described)


@stage_check(
    "training/checkpoint",
    "sources/videos",
    "features/normalizer",
    "training/evaluated_checkpoint",
)
def shipped_model_is_near_the_evaluated_one(
    workspace: Workspace, checkpoint: Made, videos: Made, normalizer: Made, evaluated_checkpoint: Made
) -> dg.AssetCheckResult:
    """The refit on everything finds what the evaluated model found, and shows the same users much the same."""
    from two_tower_assets.evaluation.nearness import nearness
    from two_tower_assets.training.checkpoint import load_checkpoint

    site = workspace.site
    evaluated, _ = load_checkpoint(evaluated_checkpoint.path(site.home, Files.TOWERS))
    shipped, _ = load_checkpoint(checkpoint.path(site.home, Files.TOWERS))
    found = nearness(evaluated, shipped, trials_for(site, videos), space_of(site, normalizer))
    gate = site.settings.gate
    reason = found.too_far(gate)
    bound = (
        f"recall of at least {gate.min_shipped_ratio:g} of the evaluated model's, overlap of at least "
        f"{gate.min_shipped_overlap:g}"
    )
    described = metadata.figures({**vars(found), "bound": bound})
    return dg.AssetCheckResult(passed=reason is None, description=reason, metadata=described)


@stage_check("artifacts/user_tower_onnx")
def onnx_equals_torch(workspace: Workspace, user_tower_onnx: Made) -> dg.AssetCheckResult:
    """Onnxruntime gives what torch gives, for ordinary and for extreme input."""
    from two_tower_assets.artifacts.user_tower import require_parity
    from two_tower_assets.training.checkpoint import load_checkpoint

    folder = user_tower_onnx.folder(workspace.site.home)

    def difference() -> dict[str, Any]:
        model, _ = load_checkpoint(folder / Files.TOWERS)
        difference = require_parity(model.user, folder / Files.USER_TOWER)
        return {"largest_difference": difference, "bound": _TOLERATED}

    return _holds(difference)


@stage_check("artifacts/video_embeddings", "sources/videos")
def every_active_video_has_one_unit_vector(
    workspace: Workspace, video_embeddings: Made, videos: Made
) -> dg.AssetCheckResult:
    """The file holds every active video once, with a finite vector of length one."""
    from two_tower_assets.artifacts.embeddings import check_video_embeddings

    site = workspace.site
    frame = snapshot_of(site, videos).videos().filter("is_active").select("id").collect()

    def found() -> dict[str, float]:
        facts = check_video_embeddings(
            video_embeddings.path(site.home, Files.VIDEO_EMBEDDINGS), frame["id"].to_list()
        )
        return {"rows": facts.rows, "largest_norm_error": facts.largest_norm_error}

    return _holds(found)


@stage_check("artifacts/manifest")
def golden_vectors_replay(workspace: Workspace, manifest: Made) -> dg.AssetCheckResult:
    """The public files alone give every golden vector, through onnxruntime, and have the manifest's hashes."""
    from two_tower_assets.artifacts.golden import require_replay
    from two_tower_assets.artifacts.manifest import verify

    folder = manifest.folder(workspace.site.home)

    def replayed() -> dict[str, Any]:
        verify(folder)
        replay = require_replay(folder)
        return {
            "cases": replay.cases,
            "largest_difference_of_features": replay.features,
            "largest_difference_of_embeddings": replay.embedding,
            "bound": _TOLERATED,
        }

    return _holds(replayed)


@stage_check(
    "publishing/video_embeddings_table",
    "training/checkpoint",
    "features/user_vectors",
    "evaluation/report",
    "evaluation/verdict",
)
def index_finds_what_exact_search_finds(
    workspace: Workspace,
    video_embeddings_table: Made,
    checkpoint: Made,
    user_vectors: Made,
    report: Made,
    verdict: Made,
) -> dg.AssetCheckResult:
    """Real users' nearest videos by the index are those of exact search, also under filters; the evidence is kept."""
    from two_tower_assets.publishing.verification import verify

    del video_embeddings_table
    site = workspace.site

    def found() -> dict[str, Any]:
        ann = verify(
            site.target,
            checkpoint.folder(site.home),
            probes=probes_for(site, checkpoint, user_vectors),
            evaluation=evaluation_for(site, checkpoint, report, verdict),
            settings=site.settings.release,
        ).ann
        release = site.settings.release
        return {
            **ann.model_dump(exclude={"filtered"}),
            "bound": f"recall of at least {release.min_ann_recall:g}, under filters "
            f"{release.min_filtered_ann_recall:g}",
            "under_filters": metadata.records(ann.filtered),
        }

    return _holds(found)


@stage_check("publishing/user_embeddings", "training/checkpoint", "features/user_vectors", "sources/decisions")
def every_active_user_has_a_vector(
    workspace: Workspace, user_embeddings: Made, checkpoint: Made, user_vectors: Made, decisions: Made
) -> dg.AssetCheckResult:
    """Each active user's vector lies under this version, and is the one that the ONNX tower gives."""
    from two_tower_assets.publishing.user_check import check_users

    del user_embeddings
    site = workspace.site
    users = active_users_for(site, checkpoint, user_vectors, decisions)
    return _holds(lambda: {**vars(check_users(site.target.url, checkpoint.data_version, users)), "bound": _TOLERATED})


@stage_check("experiments/verdict", "experiments/readout")
def may_promote(workspace: Workspace, verdict: Made, readout: Made) -> dg.AssetCheckResult:
    """Each running experiment has an arm that may be promoted; one that can only wait is a warning, no failure.

    A stopped one waits for nothing more, and does no harm: its verdict is shown, and asked again by a promotion.
    """
    del verdict
    waiting = [
        found
        for found in readouts_of(workspace.site, readout)
        if found.state == "running" and not any(v.promotable for v in found.verdicts)
    ]
    reasons = [
        f"{found.experiment}: {each.arm}: {'; '.join(each.reasons)}" for found in waiting for each in found.verdicts
    ]
    is_bad = any(each.decision in {"worse", "broken"} for found in waiting for each in found.verdicts) or any(
        each.state == "harmed" for found in waiting for each in found.guardrails
    )
    return dg.AssetCheckResult(
        passed=not waiting,
        severity=dg.AssetCheckSeverity.ERROR if is_bad else dg.AssetCheckSeverity.WARN,
        description="; ".join(reasons) or None,
        metadata={"waiting": len(waiting)},
    )


def _other_source(site: Site) -> FeatureSettings:
    features = site.settings.features
    other = "rpc" if features.feature_source == "frames" else "frames"
    return features.model_copy(update={"feature_source": other})


def _same_matrices(path: Path, other: FeatureMatrix) -> dg.AssetCheckResult:
    from two_tower_assets.features.checks import compare_matrices
    from two_tower_assets.features.matrix import FeatureMatrix

    return _comparison(compare_matrices(FeatureMatrix.load(path), other))


def _comparison(found: Comparison) -> dg.AssetCheckResult:
    difference = found.largest_difference
    return dg.AssetCheckResult(
        passed=found.equal,
        description=None if found.equal else f"The largest difference is {difference:g}, of {found.where}",
        metadata={
            "rows_compared": found.rows,
            # Infinite where the rows themselves differ, which is no number to plot.
            "largest_difference": metadata.figure(difference) if math.isfinite(difference) else "the rows differ",
            "bound": _TOLERATED,
        },
    )


def _holds(question: Callable[[], dict[str, Any]]) -> dg.AssetCheckResult:
    """Pass with what the question found; fail with the text of its refusal."""
    try:
        return dg.AssetCheckResult(passed=True, metadata=metadata.figures(question()))
    except TwoTowerError as error:
        return dg.AssetCheckResult(passed=False, description=str(error), metadata={"code": error.code})
