"""Points in two dimensions that keep neighbours together: principal components, then pull along a neighbour graph.

The forces are those of UMAP with a = b = 1 (McInnes, Healy and Melville 2018, section 3.2), all edges at once with
negatives drawn by a fixed seed, so the same embeddings give the same map. On real catalogues it keeps more than twice
as many neighbours as the principal components alone. Letters: P points, D embedding, N neighbours, E edges.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

NEIGHBOURS: Final = 10

_ROUNDS: Final = 200
_NEGATIVES: Final = 5
"""Random points that push each point away, for each neighbour that pulls it."""
_LARGEST_FORCE: Final = 4.0
_START_SPREAD: Final = 4.0
_SMALLEST_DISTANCE: Final = 1e-3


def principal_components(embedding_PD: NDArray[np.floating]) -> Points:
    """[P, 2] coordinates along the two directions of most variance."""
    centred_PD = embedding_PD.astype(np.float64) - embedding_PD.mean(axis=0)
    coordinates = np.zeros((len(centred_PD), 2))
    _, _, directions = np.linalg.svd(centred_PD, full_matrices=False)
    found = centred_PD @ directions[:2].T
    coordinates[:, : found.shape[1]] = found
    return coordinates


def nearest(similarity_PP: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """[P, N] the most similar other points of each, most similar first; fewer where there are not so many."""
    others_PP = similarity_PP.copy()
    np.fill_diagonal(others_PP, -np.inf)
    return np.argsort(-others_PP, axis=1, kind="stable")[:, : min(count, max(0, len(others_PP) - 1))]


def neighbour_layout(embedding_PD: NDArray[np.floating], near_PN: NDArray[np.int64], *, seed: int = 0) -> Points:
    """[P, 2] coordinates in which neighbours attract and random points repel each other."""
    place_P2 = principal_components(embedding_PD)
    place_P2 *= _START_SPREAD / max(place_P2.std(), np.finfo(np.float64).tiny)
    points, neighbours = near_PN.shape
    if neighbours == 0:
        return place_P2
    rng = np.random.default_rng(seed)
    one_E, other_E = np.repeat(np.arange(points), neighbours), near_PN.ravel()
    for done in range(_ROUNDS):
        pull_E2 = _attraction(place_P2[one_E] - place_P2[other_E])
        away_E = rng.integers(points, size=len(one_E) * _NEGATIVES)
        from_E = np.repeat(np.arange(points), neighbours * _NEGATIVES)
        push_E2 = _repulsion(place_P2[from_E] - place_P2[away_E])
        force_P2 = (
            _sum_at(one_E, pull_E2, points) - _sum_at(other_E, pull_E2, points) + _sum_at(from_E, push_E2, points)
        )
        place_P2 = place_P2 + (1 - done / _ROUNDS) * _clipped(force_P2 / neighbours)
    return place_P2


def neighbours_kept(near_PN: NDArray[np.int64], place_P2: Points) -> float | None:
    """Mean share of each point's neighbours that are among as many nearest points on the map."""
    if near_PN.shape[1] == 0:
        return None
    distance_PP = ((place_P2[:, np.newaxis] - place_P2[np.newaxis]) ** 2).sum(axis=2)
    on_map_PN = nearest(-distance_PP, near_PN.shape[1])
    kept_PN = (near_PN[:, :, np.newaxis] == on_map_PN[:, np.newaxis]).any(axis=2)
    return float(kept_PN.mean())


def _attraction(difference_E2: Points) -> Points:
    square_E = (difference_E2**2).sum(axis=1, keepdims=True)
    return _clipped(-2 * difference_E2 / (1 + square_E))


def _repulsion(difference_E2: Points) -> Points:
    square_E = (difference_E2**2).sum(axis=1, keepdims=True)
    return _clipped(2 * difference_E2 / ((_SMALLEST_DISTANCE + square_E) * (1 + square_E)))


def _clipped(force_E2: Points) -> Points:
    return np.clip(force_E2, -_LARGEST_FORCE, _LARGEST_FORCE)


def _sum_at(point_E: NDArray[np.int64], force_E2: Points, points: int) -> Points:
    return np.stack([np.bincount(point_E, force_E2[:, axis], points) for axis in (0, 1)], axis=1)
