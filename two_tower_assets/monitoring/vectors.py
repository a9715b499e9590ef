"""Health of a release's video vectors, and what of their neighbourhoods a new release has changed.

Letters: V videos, S sampled videos, D embedding, N neighbours.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.bootstrap import Resampling
from two_tower_assets.monitoring.records import VectorHealth
from two_tower_assets.settings import MonitoringSettings

Vectors = NDArray[np.float32]

_NORM_TOLERANCE: Final = 1e-3
_RESAMPLES: Final = 20
_ONE_IN_A_THOUSAND: Final = 3.09
"""Standard deviations below a normal mean."""
_HALVED: Final = 0.5
"""A release may use half as many directions as the one before; which is much, where training is by another seed."""


def effective_dimension(vector_VD: Vectors) -> float:
    """Return (Σ λ)² / Σ λ² over the eigenvalues λ of XᵀX: 1 when all vectors are alike, D when all directions count.

    It is the participation ratio, of the second moments and not of the covariance: vectors that all point one way are
    a collapse. Bell and Dean, "Atomic vibrations in vitreous silica" (Discussions of the Faraday Society, 1970).
    """
    vectors = vector_VD.astype(np.float64)
    gram = vectors.T @ vectors if len(vectors) > vectors.shape[1] else vectors @ vectors.T
    # The sum of squared eigenvalues is the sum of the matrix's squared numbers, its trace that of the eigenvalues.
    squares = float((gram**2).sum())
    return float(np.trace(gram)) ** 2 / squares if squares > 0 else 0.0


def neighbour_churn(before_VD: Vectors, after_VD: Vectors, sampled_S: NDArray[np.int64], neighbours: int) -> Vectors:
    """Return the share of each sampled video's nearest videos by cosine that are not among them any more: float [S].

    Args:
        before_VD: unit vectors of the earlier release.
        after_VD: of the same videos, of the later one.
        sampled_S: rows of videos that are asked.
        neighbours: N, fewer than V.
    """
    before_SN, after_SN = (_nearest(vectors, sampled_S, neighbours) for vectors in (before_VD, after_VD))
    kept_S = (before_SN[:, :, None] == after_SN[:, None, :]).any(axis=2).sum(axis=1)
    return np.asarray(1 - kept_S / neighbours, np.float32)


def sample(ids: NDArray[np.str_], most: int) -> NDArray[np.int64]:
    """Return rows of up to so many videos, the same videos for as long as they are there."""
    order = sorted(range(len(ids)), key=lambda row: hashlib.sha256(str(ids[row]).encode()).digest())
    return np.sort(np.array(order[:most], np.int64))


def examine(
    vectors: dict[str, Vectors], before: dict[str, Vectors] | None, settings: MonitoringSettings
) -> VectorHealth:
    """Look at the vectors of a release by video, and beside at those of the release before it.

    Args:
        vectors: video id to vector [D].
        before: the same of the earlier release; None: there was none, or its vectors are gone.
        settings: neighbours and sample.
    """
    if not vectors:
        return VectorHealth(reason="The release has no video vector")
    vector_VD = np.stack(list(vectors.values()))
    norm_V = np.linalg.norm(vector_VD.astype(np.float64), axis=1)
    error = float(np.nan_to_num(np.abs(norm_V - 1), nan=np.inf).max())
    problems = []
    if not error <= _NORM_TOLERANCE:
        bad = int((~(np.abs(norm_V - 1) <= _NORM_TOLERANCE)).sum())
        problems.append(f"{bad:,} vectors are not of length 1")
        vector_VD = np.nan_to_num(vector_VD, posinf=0.0, neginf=0.0)
    found = VectorHealth(
        videos=len(vectors),
        largest_norm_error=min(error, 1e9),
        dimension=effective_dimension(vector_VD),
        problems=tuple(problems),
    )
    return found if before is None else _compared(found, vectors, before, settings)


def _compared(
    found: VectorHealth, vectors: dict[str, Vectors], before: dict[str, Vectors], settings: MonitoringSettings
) -> VectorHealth:
    ids = np.array(sorted(vectors.keys() & before.keys()), np.str_)
    neighbours = settings.neighbours
    if len(ids) <= 2 * neighbours:
        return found.model_copy(
            update={"common": len(ids), "reason": "Too few videos are in both releases to compare neighbours"}
        )
    after_VD, before_VD = (
        np.nan_to_num(np.stack([each[video] for video in ids.tolist()]), posinf=0.0, neginf=0.0)
        for each in (vectors, before)
    )
    sampled_S = sample(ids, settings.sampled_videos)
    churn_S = neighbour_churn(before_VD, after_VD, sampled_S, neighbours)
    churn = Resampling(len(churn_S)).mean(churn_S.astype(np.float64))
    # Of N neighbours drawn from V − 1 others, N / (V − 1) are the same by chance.
    chance = 1 - neighbours / (len(ids) - 1)
    smallest = _HALVED * _lowest_dimension(before_VD)
    dimension = effective_dimension(after_VD)
    problems = list(found.problems)
    if dimension < smallest:
        problems.append(
            f"the vectors use {dimension:.1f} directions, where the release before used "
            f"{effective_dimension(before_VD):.1f}: they have collapsed"
        )
    if churn is not None and churn.high is not None and churn.high >= chance:
        problems.append(
            f"{churn.mean:.0%} of the neighbours are others than before, as many as if both releases had nothing in "
            "common"
        )
    return found.model_copy(
        update={
            "common": len(ids),
            "dimension": dimension,
            "previous_dimension": effective_dimension(before_VD),
            "smallest_dimension": smallest,
            "churn": churn,
            "chance_churn": chance,
            "churn_of_videos": tuple(round(value, 4) for value in churn_S.tolist()),
            "problems": tuple(problems),
        }
    )


def _lowest_dimension(vector_VD: Vectors) -> float:
    """The dimension that resamples of the videos fall below in one case of a thousand, taken as normal."""
    random = np.random.default_rng(0)
    rows = random.integers(len(vector_VD), size=(_RESAMPLES, len(vector_VD)))
    drawn = np.array([effective_dimension(vector_VD[row]) for row in rows])
    return float(drawn.mean() - _ONE_IN_A_THOUSAND * drawn.std())


def _nearest(vector_VD: Vectors, sampled_S: NDArray[np.int64], neighbours: int) -> NDArray[np.int64]:
    """[S, N] rows of the nearest others."""
    similarity_SV = vector_VD[sampled_S] @ vector_VD.T
    similarity_SV[np.arange(len(sampled_S)), sampled_S] = -np.inf
    return np.argpartition(-similarity_SV, neighbours - 1, axis=1)[:, :neighbours]
