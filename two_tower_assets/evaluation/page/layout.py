"""Two dimensions that keep neighbours together: principal components, then attraction along a neighbour graph.

The forces are those of UMAP with a = b = 1 (McInnes, Healy and Melville 2018, section 3.2), all edges at once with
negatives drawn by a fixed seed, so the same embeddings give the same map. On real catalogues it keeps more than twice
as many neighbours as the principal components alone. Letters: P points, D embedding, N neighbours, E edges, X the two
coordinates.
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
_SMALLEST_SPREAD: Final = 1e-9
"""What is below is rounding between equal points."""


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
    others = min(count, max(0, len(similarity_PP) - 1))
    apart_PP = -similarity_PP
    np.fill_diagonal(apart_PP, np.inf)
    near_PN = np.argpartition(apart_PP, max(0, others - 1), axis=1)[:, :others]
    order_PN = np.lexsort((near_PN, np.take_along_axis(apart_PP, near_PN, axis=1)), axis=1)
    return np.take_along_axis(near_PN, order_PN, axis=1)


def neighbour_layout(embedding_PD: NDArray[np.floating], near_PN: NDArray[np.int64], *, seed: int = 0) -> Points:
    """[P, 2] coordinates in which neighbours attract and random points repel each other."""
    place_PX = principal_components(embedding_PD)
    spread = place_PX.std()
    place_PX *= _START_SPREAD / spread if spread > _SMALLEST_SPREAD else 0.0
    points, neighbours = near_PN.shape
    if neighbours == 0:
        return place_PX
    rng = np.random.default_rng(seed)
    one_E, other_E = np.repeat(np.arange(points), neighbours), near_PN.ravel()
    for done in range(_ROUNDS):
        pull_EX = _attraction(place_PX[one_E] - place_PX[other_E])
        away_E = rng.integers(points, size=len(one_E) * _NEGATIVES)
        from_E = np.repeat(np.arange(points), neighbours * _NEGATIVES)
        push_EX = _repulsion(place_PX[from_E] - place_PX[away_E])
        force_PX = (
            _sum_at(one_E, pull_EX, points) - _sum_at(other_E, pull_EX, points) + _sum_at(from_E, push_EX, points)
        )
        place_PX = place_PX + (1 - done / _ROUNDS) * _clipped(force_PX / neighbours)
    return place_PX


def neighbours_kept(near_PN: NDArray[np.int64], place_PX: Points) -> float | None:
    """Mean share of each point's neighbours that are among as many nearest points on the map."""
    if near_PN.shape[1] == 0:
        return None
    distance_PP = _square(place_PX[:, np.newaxis] - place_PX[np.newaxis])
    on_map_PN = nearest(-distance_PP, near_PN.shape[1])
    kept_PN = (near_PN[:, :, np.newaxis] == on_map_PN[:, np.newaxis]).any(axis=2)
    return float(kept_PN.mean())


def _attraction(difference_EX: Points) -> Points:
    square_E = _square(difference_EX)[:, np.newaxis]
    return _clipped(-2 * difference_EX / (1 + square_E))


def _repulsion(difference_EX: Points) -> Points:
    square_E = _square(difference_EX)[:, np.newaxis]
    return _clipped(2 * difference_EX / ((_SMALLEST_DISTANCE + square_E) * (1 + square_E)))


def _square(difference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared lengths; NumPy's sum over an axis of two takes longer."""
    along, across = difference[..., 0], difference[..., 1]
    squared: NDArray[np.float64] = along * along + across * across
    return squared


def _clipped(force_EX: Points) -> Points:
    return np.clip(force_EX, -_LARGEST_FORCE, _LARGEST_FORCE)


def _sum_at(point_E: NDArray[np.int64], force_EX: Points, points: int) -> Points:
    return np.stack([np.bincount(point_E, force_EX[:, axis], points) for axis in (0, 1)], axis=1)
