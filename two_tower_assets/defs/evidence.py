"""What publishing is shown: the evaluation that speaks for a version, and vectors of real users to search with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from two_tower_assets.defs.inputs import USER_VECTORS_FILE, report_of
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.store import Made

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from two_tower_assets.publishing.evidence import EvaluationEvidence


def evaluation_for(site: Site, checkpoint: Made, report: Made) -> EvaluationEvidence | None:
    """The gate's comparison, when the report is the one that the checkpoint was made after; else None."""
    from two_tower_assets.evaluation.report import GATE_K, MODEL, MOST_POPULAR
    from two_tower_assets.publishing.evidence import EvaluationEvidence

    measured = report_of(site, report)
    if checkpoint.facts["report"] != report.data_version or measured.unmeasured:
        return None
    metric = f"recall@{GATE_K}"
    return EvaluationEvidence(
        model_version=checkpoint.data_version,
        metric=metric,
        value=measured.metric(MODEL, metric),
        baseline=measured.metric(MOST_POPULAR, metric),
        min_ratio=site.settings.gate.min_recall_ratio,
    )


def real_user_vectors(site: Site, checkpoint: Made, user_vectors: Made) -> NDArray[np.float32]:
    """Embeddings of real users by the version's own ONNX tower: float32 [users, 256]."""
    from two_tower_assets.artifacts.client import ModelFolder
    from two_tower_assets.features.matrix import FeatureMatrix
    from two_tower_assets.publishing.vector_check import spread

    matrix = FeatureMatrix.load(user_vectors.path(site.home, USER_VECTORS_FILE))
    chosen = spread(len(matrix), site.settings.release.ann_queries)
    return ModelFolder.open(checkpoint.folder(site.home)).embed(matrix.rows(chosen))
